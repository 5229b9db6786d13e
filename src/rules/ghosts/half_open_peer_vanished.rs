//! GSG201: one side is gone without a word, and the other still holds the session.

use crate::events::Confidence;
use crate::rules::departure::{reached_again, vanished};
use crate::rules::{Finding, Findings, Subject};
use crate::session::outcome::seconds;

rule! {
    /// # What it finds
    /// An established session of which one side fell silent for good: it closed nothing and answered nothing any more,
    /// neither data nor keep-alive probes.
    ///
    /// # Why it matters
    /// The side that stayed holds a ghost: memory, a login, locks, a place in a pool. Without keep-alive it may hold it for
    /// hours, and the client that comes back may find its own seat taken.
    ///
    /// # How it is decided
    /// The same bytes or probes were sent at least three times without any packet of the peer, or the sender gave up for
    /// that reason. Both directions were recorded. That the same two hosts reached each other later, or that the sender
    /// itself gave up, makes it sure; else a path that failed and a host that died look the same.
    ///
    /// # What it cannot know
    /// Whether the host died, was unplugged or moved, or whether the path lost it; and for how long the ghost was held
    /// after the end of the capture.
    ///
    /// # How to mend it
    /// Turn on keep-alive on the side that stays (TCP keep-alive, or the protocol's own ping), with an interval that fits
    /// how long a ghost may be held; limit how long unanswered data are repeated (`TCP_USER_TIMEOUT`).
    ///
    /// # Sources
    /// RFC 9293 sections 3.8.3 and 3.8.4; RFC 5482; `domain.md` C.5, D.5, D.9.
    "GSG201", "half-open-peer-vanished", "one side vanished, and the other still held the session", Error, Transport, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let Some(departure) = vanished(part) else { continue };
        let (connection, ended) = (part.connection, &part.connection.ended);
        let window = (departure.last_sign, subject.population.window.1);
        let again = reached_again(subject, window).map(|part| part.connection);
        let proven = again.is_some() || departure.given_up;
        let held = subject.population.watched_after(connection, departure.last_sign);
        let (gone, holder) = (departure.gone.name(), departure.holder().name());
        let until = connection.end.since(departure.last_sign);
        let message = if departure.given_up {
            format!(
                "the {gone} vanished without closing; the {holder} held the session for {} and gave it up",
                seconds(until)
            )
        } else {
            format!(
                "the {gone} vanished without closing; the {holder} tried for {} and had not closed {} later",
                seconds(until),
                seconds(held)
            )
        };
        let mut finding = Finding::of_part(&RULE, &subject, part, message)
            .fault(crate::rules::Fault::Unknown)
            .confidence(ended.confidence.min(if proven { Confidence::High } else { Confidence::Medium }))
            .why(ended.because.clone())
            .advice(format!(
                "let the {holder} probe with keep-alives (TCP_KEEPIDLE, TCP_KEEPINTVL, or the protocol's own ping) and bound \
                 how long it repeats unanswered data (TCP_USER_TIMEOUT), so that a dead peer is noticed in the time you can afford"
            ))
            .seconds("silent_s", until)
            .shows(ended.frames.iter().copied(), "what the peer never answered")
            .absence((departure.last_sign, connection.end), [connection.last], format!("no packet of the {gone}"));
        if let Some(other) = again {
            finding = finding
                .context(
                    [other.first],
                    format!("connection {}: the two hosts reach each other again", other.id),
                )
                .ruled_out("a path that stayed down: the same two hosts talked again later");
        }
        findings.add(finding);
    }
}
