//! GST111: keep-alives of the transport do not stop the timer of the application.

use crate::rules::idle_closings::{self, Sign};
use crate::rules::{Finding, Findings, Population, Severity};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A connection whose TCP keep-alives were answered all the while, and which the peer closed for idleness all the
    /// same.
    ///
    /// # Why it matters
    /// TCP keep-alives keep boxes on the way from forgetting. A timer of the application counts what the application
    /// hears, and of these it hears nothing.
    ///
    /// # How it is decided
    /// One end closed after a pause that is a timer's (as in GST101), and probes were answered within that pause. Where
    /// nothing was lost by it, it is a fact (info).
    ///
    /// # What it cannot know
    /// Whether the closing side would count the protocol's own pings.
    ///
    /// # How to mend it
    /// Send a ping of the protocol itself, or raise the application's timer; TCP keep-alives do not help here.
    ///
    /// # Sources
    /// RFC 9293 section 3.8.4; `domain.md` D.2 and D.9.
    "GST111", "keepalive-does-not-count", "keep-alives of the transport do not stop the timer of the application", Warning, Session, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for timed in idle_closings::timed(population).into_iter().filter(idle_closings::TimedClosing::is_clear) {
        let closing = &timed.closing;
        let rhythm = &closing.part.leg.clocks.transport;
        let Some((prober, last)) = rhythm.last else { continue };
        let within = closing.act.time.since(last.time) < closing.idle;
        let side = closing.act.side;
        let facts = &closing.part.connection.sides[prober];
        if !within || facts.keepalive_answered == 0 {
            continue;
        }
        let interval = rhythm.interval().unwrap_or(closing.act.time.since(last.time));
        let mut finding = Finding::of(
            &RULE,
            &closing.subject,
            format!(
                "the {} closed after {} without payload, though {} TCP keep-alives were answered",
                side.name(),
                closing.idle,
                facts.keepalive_answered
            ),
        )
        .confidence(timed.confidence)
        .alone(&closing.part)
        .at(closing.act.time)
        .key(closing.part.connection.id.to_string())
        .fault(side)
        .why(format!("{}; keep-alives were answered within that time", timed.why()))
        .advice(format!(
            "send a ping of the protocol itself at least every {}, or raise the {}'s timer: it does not count TCP keep-alives (every {interval})",
            Span(timed.timer.0 / 2),
            side.name()
        ))
        .seconds("idle_s", closing.idle)
        .seconds("timer_s", timed.timer)
        .seconds("keepalive_s", interval)
        .number("answered", facts.keepalive_answered)
        .context_point(last, "the last keep-alive")
        .shows([closing.act.at], "the closing");
        if !closing.loses_session() && closing.sent_after().is_none() {
            finding = finding.severity(Severity::Info);
        }
        if let Sign::Alike(count) = timed.sign {
            finding = finding.number("alike", count);
        }
        findings.add(finding);
    }
}
