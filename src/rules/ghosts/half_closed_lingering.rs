//! GSG203: one side has closed, and the other never does.

use crate::rules::departure::{left_open, side};
use crate::rules::{Finding, Findings, Subject};
use crate::session::outcome::seconds;

rule! {
    /// # What it finds
    /// A connection that one side closed and the other acknowledged without ever closing its own half, though it said nothing
    /// more either.
    ///
    /// # Why it matters
    /// The program behind it has not noticed the end of its input, or forgot to close: a descriptor, and often a worker, stays
    /// taken for ever (`CLOSE_WAIT`). A leak of them ends in "too many open files".
    ///
    /// # How it is decided
    /// The FIN was acknowledged, no payload came after it, and the other FIN did not come in a minute of watching; or in far
    /// less, where the other connections of the same service were closed by both sides at once.
    ///
    /// # What it cannot know
    /// Whether the program would have closed after the end of the capture.
    ///
    /// # How to mend it
    /// In the program that did not close: treat the end of input (a read of zero bytes) as the end of the session, and close the
    /// socket on every path, errors included.
    ///
    /// # Sources
    /// RFC 9293 sections 3.3.2 and 3.6 (CLOSE-WAIT); `domain.md` D.5, D.9.
    "GSG203", "half-closed-lingering", "one side closed, the other never did", Warning, Application, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let (connection, ended) = (part.connection, &part.connection.ended);
        let Some(closer) = side(ended.by) else { continue };
        let holder = closer.other();
        let Some(watched) = left_open(subject, part) else { continue };
        findings.add(
            Finding::of_part(&RULE, &subject, part,
                format!(
                    "the {} closed, and the {} did not for {} more",
                    closer.name(),
                    holder.name(),
                    seconds(watched)
                ),
            )
            .confidence(ended.confidence)
            .fault(holder)
            .why(ended.because.clone())
            .advice(format!(
                "in the {}'s program: end the session when the input ends (read returns 0), and close the socket on every path",
                holder.name()
            ))
            .seconds("watched_s", watched)
            .shows(ended.frames.iter().copied(), "the close, and that it arrived")
            .absence(
                (connection.end, crate::time::Timestamp(connection.end.0.saturating_add(watched.0))),
                [connection.last],
                format!("neither data nor a close of the {}", holder.name()),
            ),
        );
    }
}
