//! GSR312: after a new start, a client did not renew what it had subscribed to.

use crate::events::Confidence;
use crate::events::transport::How;
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Subject};
use crate::session::{ResumeResult, Subscribed};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A client that had subscriptions, lost its connection, came back to a session without them, and does not subscribe
    /// again.
    ///
    /// # Why it matters
    /// It sits there, alive and connected, and hears nothing more. No error shows anywhere.
    ///
    /// # How it is decided
    /// The earlier connection of the same session had granted subscriptions that were not given up; the new one was not
    /// given the old state, and for much longer than it took the first time (ten times as long, and at least a second),
    /// or to its orderly end, no subscription to them was asked for.
    ///
    /// # What it cannot know
    /// Whether the client no longer wanted them.
    ///
    /// # How to mend it
    /// Subscribe in the handler of every connection, not once at the start of the program; or rely on the session only
    /// where the server says that it is present.
    ///
    /// # Sources
    /// MQTT 3.1.1 section 3.1.2.4; MQTT 5 section 3.1.2.4; `domain.md` D.9.
    "GSR312", "subscription-not-restored", "a client came back and did not renew its subscriptions", Error, Application, Session(check)
}

/// So many times as long as the first time is long enough to know that nothing will come.
const PATIENCE: i64 = 10;

/// The least of it.
const LEAST: Span = Span::from_secs(1);

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let parts: Vec<Part<'_>> = subject.mains().collect();
    for (index, pair) in parts.windows(2).enumerate() {
        let [former, part] = pair else { continue };
        let had: Vec<&Subscribed> = former.leg.subscriptions.iter().filter(|one| lives(one)).collect();
        let kept = part.leg.resumptions.list.iter().any(|resume| {
            resume.by_name && matches!(resume.result, ResumeResult::Granted | ResumeResult::Unanswered)
        });
        // Only a new start is a new start: talk begins with an agreement that was granted.
        let begun = part.leg.dialog.answered > 0 && part.leg.refused.is_none() && part.leg.farewell.is_none();
        let Some(first) = had.first().filter(|_| !kept && begun && part.sees_both()) else { continue };
        let missing: Vec<&&Subscribed> = had
            .iter()
            .filter(|one| {
                parts.get(index + 1..).is_some_and(|later| {
                    !later
                        .iter()
                        .any(|part| part.leg.subscriptions.iter().any(|new| new.object == one.object))
                })
            })
            .collect();
        let took = first.asked.time.since(former.leg.first.time);
        let wanted = Span(took.0.saturating_mul(PATIENCE)).max(LEAST);
        let lived = part.connection.end.since(part.leg.first.time);
        let left = part.leg.goodbye.is_some() && part.connection.ended.how != How::CaptureEnd;
        if missing.is_empty() || (lived < wanted && !left) {
            continue;
        }
        let object = missing.first().map_or("", |one| &*one.object);
        findings.add(
            Finding::of(
                &RULE,
                &subject,
                format!("the client came back and did not subscribe to {object} again, in {:.1} s", lived.as_secs()),
            )
            .confidence(Confidence::High)
            .on([part.connection.id])
            .key(part.connection.id.to_string())
            .at(part.leg.first.time)
            .fault(Fault::Client)
            .why(format!(
                "the first time it subscribed after {:.1} s; the new connection has no earlier state to go on from",
                took.as_secs()
            ))
            .advice("subscribe whenever a connection is made, unless the server says that the session is present")
            .seconds("watched_s", lived)
            .number("missing", missing.len())
            .context_point(first.asked, "here it had subscribed")
            .shows_point(part.leg.first, "here it comes back")
            .absence(
                (part.leg.first.time, part.connection.end),
                [part.connection.first, part.connection.last],
                "no subscription is asked for",
            ),
        );
    }
}

/// Whether a subscription was granted and not given up.
fn lives(one: &Subscribed) -> bool {
    one.dropped.is_none() && one.answer.is_some_and(|(granted, _)| granted)
}
