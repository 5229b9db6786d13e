//! GST110: keep-alives come too late to keep anything alive.

use crate::events::transport::Reason;
use crate::events::{Confidence, Side, Timer};
use crate::rules::idle_closings;
use crate::rules::{Fault, Finding, Findings, Part, Population, Subject};
use crate::session::Role;
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// A connection that died of idleness although one side keeps it alive, because the interval of its keep-alives is
    /// longer than the idleness that kills.
    ///
    /// # Why it matters
    /// Keep-alives are on, so nobody looks for the fault there.
    ///
    /// # How it is decided
    /// A box between the two forgot the connection, or an end closed it by its timer, after a pause; and the interval that
    /// was declared, or that was seen on this connection, is at least nine tenths of that pause.
    ///
    /// # What it cannot know
    /// The exact limit of a box: it lies below the pause that killed.
    ///
    /// # How to mend it
    /// Set the interval to half of the pause that kills, or less.
    ///
    /// # Sources
    /// RFC 5382 section 5; RFC 9293 section 3.8.4; `domain.md` D.4 and D.9.
    "GST110", "keepalive-too-slow", "keep-alives come too late to keep anything alive", Warning, Session, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for timed in idle_closings::timed(population).into_iter().filter(idle_closings::TimedClosing::is_clear) {
        let closing = &timed.closing;
        claim(
            &closing.subject,
            &closing.part,
            (timed.timer, closing.act.time),
            closing.act.side.into(),
            timed.confidence,
            findings,
        );
    }
    for subject in population.subjects() {
        for part in subject.parts().filter(|part| part.leg.role == Role::Main) {
            let ended = &part.connection.ended;
            if ended.reason != Reason::MiddleboxTimeout {
                continue;
            }
            if let Some(quiet) = part.leg.clocks.quiet.last() {
                claim(
                    &subject,
                    &part,
                    (quiet.span, quiet.until.time),
                    Fault::Middlebox,
                    ended.confidence,
                    findings,
                );
            }
        }
    }
}

fn claim(
    subject: &Subject<'_>,
    part: &Part<'_>,
    (gap, time): (Span, Timestamp),
    killer: Fault,
    confidence: Confidence,
    findings: &mut Findings,
) {
    let clocks = &part.leg.clocks;
    let declared = clocks.declared.iter().filter(|(_, declared, _)| declared.timer == Timer::KeepAlive);
    // What the server promises is no protection that the client set up.
    let declared =
        declared.max_by_key(|(side, _, _)| *side).map(|(_, declared, at)| (declared.span, Some(*at)));
    let seen = clocks.application.interval().or(clocks.transport.interval()).map(|interval| (interval, None));
    let Some((interval, at)) = declared.or(seen).filter(|(interval, _)| interval.0 >= gap.0 / 10 * 9) else {
        return;
    };
    let half = Span(gap.0 / 2);
    let mut finding = Finding::of(
        &RULE,
        subject,
        format!("keep-alives every {interval} did not keep the connection alive: {gap} of idleness kill it"),
    )
    .confidence(confidence.min(Confidence::High))
    .alone(part)
    .at(time)
    .key(part.connection.id.to_string())
    .fault(Side::Client)
    .why(format!("the connection died by the {} after {gap} without payload, before a keep-alive was due or when it came", killer.name()))
    .advice(format!("set the keep-alive interval to {half} or less (it is {interval}), or raise the limit of the {}", killer.name()))
    .seconds("keepalive_s", interval)
    .seconds("idle_s", gap)
    .shows(part.connection.ended.frames.iter().copied(), "the connection dies");
    if let Some(at) = at {
        finding = finding.shows_point(at, "the interval is declared");
    }
    findings.add(finding);
}
