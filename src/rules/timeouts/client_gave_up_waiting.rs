//! GST105: a client gave up waiting for an answer.

use crate::events::transport::{How, Reason};
use crate::events::{Confidence, Safety, Side, Stage, Word};
use crate::rules::idle_closings::is_whole;
use crate::rules::{Finding, Findings, Part, Severity, Subject};
use crate::session::outcome::{name, seconds};
use crate::session::{Point, Role};
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// A client that asked, waited, and left before the answer had reached it. It is an error where the request changes
    /// something, or where the answer came after all and nobody was there to hear it.
    ///
    /// # Why it matters
    /// The client reports a timeout; the server may have done the work. Whoever repeats the request may have it done
    /// twice.
    ///
    /// # How it is decided
    /// A question of the client was open, or its answer not acknowledged, when the client closed, reset, or turned out to
    /// be gone. Its wait is judged long by the pattern first: the answer was under way, several clients gave up after the
    /// same time, the wait is a whole number of seconds from three on, or twenty times what this service's slowest
    /// answer took and over three seconds; else by a minute.
    ///
    /// # What it cannot know
    /// Whether a program's timer ran out or a person lost patience. A page that is left after part of it came is a fact
    /// (info), and so is one that may stay open for long.
    ///
    /// # How to mend it
    /// Set the client's timer above what the slowest good answer takes, or let the server answer at once and work later.
    ///
    /// # Sources
    /// RFC 9110 section 9.2.2; RFC 5321 section 4.5.3.2; `domain.md` D.1 and D.9.
    "GST105", "client-gave-up-waiting", "a client gave up waiting for an answer", Warning, Application, Session(check)
}

/// A shorter wait is no wait.
const WAITED: Span = Span::from_millis(2_900);

/// A wait that is long for any service (`domain.md` D.1, `answer_wait`).
const LONG: Span = Span::from_secs(60);

/// So many times the service's slowest answer is far outside of what it is used to.
const FAR: i64 = 20;

/// Sessions of the same service that a wait is held against.
const NEIGHBOURS: usize = 256;

/// A wait that was given up.
struct Wait {
    asked: Point,
    left: Timestamp,
    what: String,
    /// Where the answer was that did not reach the client.
    answer: Option<Point>,
    begun: bool,
    /// Whether nothing came at the end for as long as a wait takes.
    stood: bool,
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    // What the server said and the capture does not hold may have been the answer.
    let heard = |part: &Part<'_>| part.sees_both() && part.connection.visibility.gap_bytes.server == 0;
    for part in subject.parts().filter(|part| part.leg.role == Role::Main && heard(part)) {
        let Some(wait) = unanswered(&part).or_else(|| unheard(&part)) else { continue };
        let waited = wait.left.since(wait.asked.time);
        let Some(why) = long(&subject, &part, &wait, waited) else { continue };
        let acted = part.leg.actions.iter().find(|acted| acted.asked == wait.asked);
        let safety = acted.map_or(Safety::Unknown, |acted| acted.action.safety);
        let severity = match (wait.answer, safety) {
            (None, Safety::Safe) if wait.begun && !wait.stood => Severity::Info,
            (Some(_), _) | (None, Safety::Unsafe) if part.reads_whole() => Severity::Error,
            _ => Severity::Warning,
        };
        let confidence = if wait.answer.is_some() { Confidence::High } else { Confidence::Medium };
        let end = match wait.answer {
            Some(_) => "and left before the answer reached it",
            None => "and gave up",
        };
        let mut finding = Finding::of(
            &RULE,
            &subject,
            format!("the client waited {} for the answer to {} {end}", seconds(waited), wait.what),
        )
        .severity(severity)
        .confidence(confidence)
        .alone(&part)
        .at(wait.left)
        .key(part.connection.id.to_string())
        .why(why)
        .advice(advice(&part, safety))
        .seconds("wait_s", waited)
        .context_point(wait.asked, "the request")
        .shows(part.connection.ended.frames.iter().copied(), "the client leaves");
        if let Some(act) = part.connection.closing.as_deref() {
            finding = finding.shows([act.at], "the first closing act");
        }
        if let Some(answer) = wait.answer {
            finding = finding.shows_point(answer, "the answer, which the client never acknowledged");
        }
        findings.add(finding);
    }
}

/// When the client was seen to leave: its own closing, or the RST of a host that no longer knew the connection.
fn left(part: &Part<'_>) -> Option<Timestamp> {
    let act = part.connection.closing.as_deref()?;
    let own = matches!(
        part.connection.ended.reason,
        Reason::Abort
            | Reason::AppTimeout
            | Reason::Released
            | Reason::HalfReleased
            | Reason::CaptureEnded
            | Reason::Unknown
    );
    let by_client = act.side == Side::Client && part.connection.ended.by == Side::Client.into();
    (by_client && own && matches!(part.connection.ended.how, How::Fin | How::Rst)).then_some(act.time)
}

/// The server owed an answer when the client left.
fn unanswered(part: &Part<'_>) -> Option<Wait> {
    let left_at = match part.leg.goodbye.as_deref() {
        // A good-bye said while waiting is how polite clients give up.
        Some(goodbye) if goodbye.by == Side::Client && goodbye.pending.is_some() => goodbye.at.time,
        _ => left(part)?,
    };
    let pending = part.leg.goodbye.as_deref().and_then(|goodbye| goodbye.pending.as_deref());
    let question = pending.or_else(|| {
        let open = |question: &&crate::session::Question| {
            question.by == Side::Client
                && question.word != Word::Establish
                && !question.patient
                && !question.guessed
                && question.at.time <= left_at
        };
        part.leg.dialog.open.iter().find(open)
    })?;
    let late = part.connection.sides.server.last_payload.is_some_and(|time| time > left_at);
    let answer = part
        .leg
        .dialog
        .last
        .server
        .as_ref()
        .filter(|turn| late && turn.at.time > left_at)
        .map(|turn| turn.at);
    let begun = question.begun.is_some();
    let stood =
        part.connection.closing.as_deref().and_then(|act| act.quiet).is_some_and(|quiet| quiet >= WAITED);
    Some(Wait { asked: question.at, left: left_at, what: name(question), answer, begun, stood })
}

/// The answer was sent and never acknowledged before the client left.
fn unheard(part: &Part<'_>) -> Option<Wait> {
    let left = left(part)?;
    let act = part.connection.closing.as_deref()?;
    let (asked, answer) = (part.leg.dialog.last.client.as_ref()?, part.leg.dialog.last.server.as_ref()?);
    let server = &part.connection.sides.server;
    let repeated = server.retransmitted_segments > 0 && act.unacked.server > 0 && server.unacked_bytes > 0;
    let read = part.leg.readable > 0 && part.leg.opaque == 0 && asked.stage == Stage::Asked;
    let in_turn = asked.at.time < answer.at.time && answer.at.time < left;
    let object = asked.object.as_deref().map_or(String::new(), |object| format!(" {object}"));
    let what = if asked.op.is_empty() {
        format!("its last message{object}")
    } else {
        format!("{}{object}", asked.op)
    };
    (repeated && in_turn && read).then_some(Wait {
        asked: asked.at,
        left,
        what,
        answer: Some(answer.at),
        begun: false,
        stood: true,
    })
}

/// Why a wait is called long; none where it is not.
fn long(subject: &Subject<'_>, part: &Part<'_>, wait: &Wait, waited: Span) -> Option<String> {
    if waited < WAITED {
        return None;
    }
    if wait.answer.is_some() {
        return Some("the answer was sent, and the client did not hear it before it left".to_owned());
    }
    let (mut alike, mut slowest, mut answers) = (0_u32, Span::ZERO, 0_u32);
    for other in subject.population.of_server(subject.session.server).take(NEIGHBOURS) {
        for leg in other.parts().filter(|leg| leg.leg.role == Role::Main) {
            if let Some((longest, _)) = leg.leg.dialog.longest_wait {
                slowest = slowest.max(longest);
                answers += leg.leg.dialog.answered;
            }
            let same = unanswered(&leg).map(|other| other.left.since(other.asked.time));
            let near = same.is_some_and(|same| (same.0 - waited.0).abs() <= waited.0 / 50);
            alike += u32::from(near && leg.connection.id != part.connection.id);
        }
    }
    if alike >= 2 {
        Some(format!("{alike} other connections of this service were given up after the same wait"))
    } else if is_whole(waited) {
        Some("the wait is a whole number of seconds, as timers are set".to_owned())
    } else if answers >= 3 && waited.0 / FAR > slowest.0 {
        Some(format!("the slowest of {answers} answers of this service took {}", seconds(slowest)))
    } else if waited >= LONG {
        Some(format!("a wait of more than {LONG} is long for any service"))
    } else {
        None
    }
}

fn advice(part: &Part<'_>, safety: Safety) -> String {
    let slowest = part.leg.dialog.longest_wait.map_or(String::new(), |(wait, _)| {
        format!(" (its slowest answer on this connection took {})", seconds(wait))
    });
    let again = if safety == Safety::Unsafe {
        "; give the request a token by which the server knows a repetition"
    } else {
        ""
    };
    format!(
        "set the client's timer above what this server needs{slowest}, or find out why the server was slow{again}"
    )
}
