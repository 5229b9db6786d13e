//! GST107: a gateway waited in vain for the server behind it.

use crate::events::{Marks, Safety, Side};
use crate::place::PacketRef;
use crate::rules::idle_closings::is_whole;
use crate::rules::{Fault, Finding, Findings, Part, Subject};
use crate::session::Excuse;
use crate::session::outcome::seconds;
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// An answer by which a gateway says that the server behind it did not answer in time: 504 and its like, or 502 and
    /// 503 after a wait.
    ///
    /// # Why it matters
    /// The user's request failed, and the server behind may still be at work on it: whoever repeats it may have it done
    /// twice.
    ///
    /// # How it is decided
    /// The status says so. 502 and 503 count after a wait of five seconds, or of a whole number of seconds from three on:
    /// sooner, the server behind refused or was not there, and no time ran out. Where the request to the server behind is
    /// in the capture too, it is named.
    ///
    /// # What it cannot know
    /// Why the server behind was slow.
    ///
    /// # How to mend it
    /// Look at the server behind; set the gateway's timer above what the slowest good answer takes, and the client's above
    /// the gateway's.
    ///
    /// # Sources
    /// RFC 9110 sections 15.6.3 to 15.6.5; `domain.md` D.9.
    "GST107", "gateway-timeout", "a gateway waited in vain for the server behind it", Error, Application, Session(check)
}

/// A wait from which a refusal is no quick one.
const SLOW: Span = Span::from_secs(5);

/// Connections that are looked at for the one behind the gateway.
const NEAR: usize = 64;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        for (index, excuse) in part.leg.excuses.iter().enumerate() {
            let Some(asked) = excuse.asked else { continue };
            let wait = excuse.said.at.time.since(asked.time);
            if !is_late(excuse, wait) {
                continue;
            }
            let acted = part.leg.actions.iter().find(|acted| acted.asked == asked);
            let object = acted.and_then(|acted| acted.object.as_deref()).unwrap_or("the request");
            let twice = acted.is_some_and(|acted| acted.action.safety == Safety::Unsafe);
            let advice = if twice {
                "find out why the server behind is silent, and whether it carried the request out before it is repeated"
            } else {
                "find out why the server behind is silent; order the timers: server behind below gateway below client"
            };
            let text = excuse.said.text.as_deref().unwrap_or("gateway timeout");
            let mut finding = Finding::of(
                &RULE,
                &subject,
                format!("{object} was answered {} {text} after {}", excuse.said.code, seconds(wait)),
            )
            .alone(&part)
            .at(excuse.said.at.time)
            .key(format!("{} {index}", part.connection.id))
            .fault(Fault::Server)
            .why("the status says that the one who answers had waited for somebody else")
            .advice(advice)
            .seconds("wait_s", wait)
            .context_point(asked, "the request")
            .shows_point(excuse.said.at, "the answer");
            if let Some((connection, frames, owed)) = behind(
                &subject,
                &part,
                acted.and_then(|acted| acted.object.as_deref()),
                (asked.time, excuse.said.at.time),
            ) {
                let mut all = finding.connections.clone();
                all.push(connection);
                finding = finding.on(all).shows(
                    frames,
                    format!("the request to the server behind, unanswered for {}", seconds(owed)),
                );
            }
            findings.add(finding);
        }
    }
}

fn is_late(excuse: &Excuse, wait: Span) -> bool {
    let marks = excuse.said.marks;
    let upstream = marks.has(Marks::UPSTREAM);
    let slow = wait >= SLOW || is_whole(wait);
    (upstream && (marks.has(Marks::TIMER) || slow))
        || (marks.has(Marks::RETRYABLE) && !marks.has(Marks::TIMER) && slow)
}

/// The connection behind, the frames of its request, and how long that had been open.
type Behind = (u32, Vec<PacketRef>, Span);

/// The request of the gateway to the server behind it: the same question, asked meanwhile and still open.
fn behind(
    subject: &Subject<'_>,
    front: &Part<'_>,
    object: Option<&str>,
    (from, until): (Timestamp, Timestamp),
) -> Option<Behind> {
    let population = subject.population;
    // Connections lie in order of their first frames: those around the front's own are enough.
    let near = population.connections.iter().skip((front.connection.id as usize).saturating_sub(NEAR / 2));
    near.take(NEAR).filter(|other| other.server != front.connection.server).find_map(|other| {
        let leg = population.session_of(other.id)?.parts().find(|part| part.connection.id == other.id)?.leg;
        let question = leg.dialog.debt()?;
        let during = question.at.time >= from && question.at.time <= until;
        let same = object.is_some() && question.object.as_deref() == object && question.by == Side::Client;
        (during && same).then(|| (other.id, question.at.frames(), until.since(question.at.time)))
    })
}
