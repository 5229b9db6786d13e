//! GSN802: a reset that neither end sent.

use crate::events::transport::{By, How, Opened, Reason};
use crate::rules::backends::other_backend;
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A RST in the name of one end that comes from something between the two: a firewall, an intrusion prevention system,
    /// a load balancer whose timer ran out.
    ///
    /// # Why it matters
    /// Each end sees the other one break off, and both logs blame the wrong host.
    ///
    /// # How it is decided
    /// The RST is compared with the last segments of the end that it names: hop limit, link-layer source, IP
    /// identification, time since the segment that it answers, resets to both ends at once, and whether that end goes on
    /// talking after its own reset. After a long pause a RST without state whose hop limit is not the server's is enough.
    ///
    /// # What it cannot know
    /// Which box it was. Near one end all hop limits are fresh, and only timing tells. A RST needs no TCP timestamp and may
    /// have the identification 0: that is no evidence.
    ///
    /// # How to mend it
    /// Look at the box: its rule or signature if it reset a live connection; its idle limit if it did so after a pause,
    /// with keep-alives at half of that as the remedy on the ends.
    ///
    /// # Sources
    /// RFC 9293 section 3.5.2 (how a RST looks); RFC 3360 (resets by firewalls); `domain.md` C.6 and D.4.
    "GSN802", "middlebox-reset", "a box on the way reset the connection in the name of one end", Error, Transport, Session(check)
}

/// A new connection this soon shows that the service itself is well (`domain.md` D.1, `reconnect_window`).
const RECONNECT: Span = Span::from_secs(120);

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let ended = &part.connection.ended;
        let boxed = ended.by == By::Middlebox
            && ended.how == How::Rst
            && matches!(ended.reason, Reason::MiddleboxReset | Reason::MiddleboxTimeout)
            && other_backend(subject.population, part.connection).is_none();
        if boxed {
            report(subject, part, findings);
        }
    }
}

fn report(subject: Subject<'_>, part: Part<'_>, findings: &mut Findings) {
    let (ended, own) = (&part.connection.ended, subject.session);
    let after_idle = ended.reason == Reason::MiddleboxTimeout;
    let again = subject
        .later_of_pair()
        .flat_map(|other| other.parts().collect::<Vec<_>>())
        .find(|other| {
            other.connection.start >= part.connection.end
                && other.connection.start.since(part.connection.end) <= RECONNECT
        })
        .filter(|other| other.connection.opened != Opened::Never);
    let idle = idle(part);
    let what = if after_idle {
        format!(
            "the connection of {} to {} was reset by a box on the way after {idle} of quiet",
            own.client.ip, own.server
        )
    } else {
        format!(
            "the connection of {} to {} was reset by something on the way, by neither end",
            own.client.ip, own.server
        )
    };
    let advice = if after_idle {
        format!(
            "raise the idle limit of the firewall, NAT or load balancer on the way above {idle}, or send keep-alives at less than half of its limit, at least every {}",
            Span(idle.0 / 2)
        )
    } else {
        "look for the rule, signature or policy of the firewall, proxy or load balancer on the way that resets this connection".to_owned()
    };
    let mut finding = Finding::of_part(&RULE, &subject, part, what)
        .at(part.connection.end)
        .confidence(ended.confidence)
        .fault(Fault::Middlebox)
        .why(ended.because.clone())
        .advice(advice)
        .shows(ended.frames.iter().copied(), "the reset, and what it answers")
        .seconds("idle_s", idle);
    if let Some(rst) = ended.rst {
        finding = finding.value("forgery_score", crate::rules::Value::Ratio(f64::from(rst.forgery_score)));
    }
    if let Some(again) = again {
        finding = finding.context([again.connection.first], "the same client reaches the server anew");
        if after_idle {
            finding = finding.severity(Severity::Warning);
        }
    }
    findings.add(finding);
}

/// The pause before the reset, or before what it answers.
fn idle(part: Part<'_>) -> Span {
    let sides = &part.connection.sides;
    let Some(last) = sides.client.last_payload.max(sides.server.last_payload) else { return Span::ZERO };
    let before = part.leg.clocks.quiet.iter().rfind(|quiet| quiet.until.time >= last);
    before.map_or(Span::ZERO, |quiet| quiet.span).max(part.connection.end.since(last))
}
