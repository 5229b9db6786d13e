//! GSD406: a message was delivered again against the rules of its delivery.

use crate::events::{Confidence, Safety};
use crate::rules::subject::Part;
use crate::rules::{Finding, Findings, Severity, Subject};
use crate::session::{Acted, ResumeResult};

rule! {
    /// # What it finds
    /// A message that was not confirmed, and that its sender delivers again on the resumed session without marking it as
    /// a repetition.
    ///
    /// # Why it matters
    /// The receiver may take it for a new message, and do twice what it asks for.
    ///
    /// # How it is decided
    /// Both carry the same packet id and the same content, the first was not confirmed, the session was taken up again
    /// (the server said so), and the second does not have the mark that it is sent again. With exactly-once delivery
    /// (`QoS` 2) it is an error. On a new session ids begin anew, and nothing is claimed.
    ///
    /// # What it cannot know
    /// Whether the receiver tells the two apart by its own means.
    ///
    /// # How to mend it
    /// Set DUP on what is delivered again; keep unconfirmed messages with their ids over a reconnection.
    ///
    /// # Sources
    /// MQTT 3.1.1 section 4.4, MQTT 5 sections 3.3.1.1 and 4.4; `domain.md` D.9.
    "GSD406", "mqtt-redelivery-fault", "an unconfirmed message was delivered again without saying so", Warning, Application, Session(check)
}

/// The mechanism by which such a session is taken up.
const MECHANISM: &str = "mqtt-session";

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let parts: Vec<Part<'_>> = subject.mains().collect();
    for pair in parts.windows(2) {
        let [earlier, later] = pair else { continue };
        let resumed = later
            .leg
            .resumptions
            .list
            .iter()
            .any(|resume| resume.mechanism == MECHANISM && resume.result == ResumeResult::Granted);
        if !resumed || !earlier.sees_both() {
            continue;
        }
        let open = |acted: &&Acted| acted.answer.is_none() && acted.action.token.is_some();
        for first in earlier.leg.actions.iter().filter(open) {
            let same = |other: &&Acted| other.action.token == first.action.token && other.by == first.by;
            let Some(second) = later.leg.actions.iter().find(same).filter(|second| !second.repeated) else {
                continue;
            };
            let exactly_once = second.action.safety == Safety::Unsafe;
            let what = second.object.as_deref().unwrap_or("a message");
            findings.add(
                Finding::of(&RULE, &subject, format!("{what} was delivered again by the {} without the mark of a repetition", second.by.name()))
                    .on([earlier.connection.id, later.connection.id])
                    .at(second.asked.time)
                    .key(format!("{} {}", later.connection.id, second.asked.first.number))
                    .severity(if exactly_once { Severity::Error } else { Severity::Warning })
                    .confidence(Confidence::Certain)
                    .keeps_severity()
                    .fault(second.by)
                    .why("packet id and content are the same, the first was not confirmed, and the session was resumed")
                    .advice("let the sender set DUP on what it delivers again, and keep unconfirmed messages with their ids")
                    .shows_point(first.asked, "the first delivery, never confirmed")
                    .shows_point(second.asked, "the second, not marked"),
            );
        }
    }
}
