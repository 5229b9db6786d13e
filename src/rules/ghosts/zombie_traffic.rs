//! GSG211: somebody still sends on a session that is over.

use crate::events::{Confidence, Side};
use crate::rules::{Finding, Findings, Subject};

rule! {
    /// # What it finds
    /// Payload on a connection long after both sides had closed it, or after one had reset it.
    ///
    /// # Why it matters
    /// Its sender believes in a session that no longer exists: a stack, a proxy or a device that kept state too long, or
    /// somebody who plays recorded packets again.
    ///
    /// # How it is decided
    /// Both FINs were acknowledged, or a reset was seen; then nothing for at least three seconds, and then bytes in the same
    /// sequence of numbers. A late repetition of the last data comes within the retransmission time and is no case.
    ///
    /// # What it cannot know
    /// Whether the sender ever saw the close: it may have been lost behind the tap.
    ///
    /// # How to mend it
    /// Look at the sender: its process still holds the socket, or a box between keeps a session that its ends have left.
    ///
    /// # Sources
    /// RFC 9293 sections 3.4.3 and 3.6; `domain.md` D.5, D.9.
    "GSG211", "zombie-traffic", "data on a session that is over", Warning, Transport, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts().filter(|part| part.sees_both()) {
        for side in Side::BOTH {
            let Some(late) = part.connection.sides[side].after_end else { continue };
            let message = format!("the {} still sent data after the session was over", side.name());
            findings.add(
                Finding::of_part(&RULE, &subject, part, message)
                    .key(format!("{} {}", part.connection.id, side.name()))
                    .confidence(Confidence::High)
                    .fault(side)
                    .why("the connection had been closed or reset, and after seconds of quiet payload came on it")
                    .advice(format!("find out which process or box of the {} still believes in the connection", side.name()))
                    .context(part.connection.ended.frames.iter().copied(), "the end of the connection")
                    .shows([late], "payload after the end"),
            );
        }
    }
}
