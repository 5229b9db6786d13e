//! GST113: a handshake was begun and its next step did not come.

use crate::events::transport::How;
use crate::events::{Confidence, Side, Stage, Word};
use crate::place::PacketRef;
use crate::rules::idle_closings::is_whole;
use crate::rules::{Finding, Findings, Part, Subject};
use crate::session::outcome::{name, seconds};
use crate::session::{Question, Role};
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// A handshake of the security layer or of the protocol in which one side waited for the next message until somebody
    /// gave up.
    ///
    /// # Why it matters
    /// The connection was there and the session never came to be. The user sees "connecting".
    ///
    /// # How it is decided
    /// A hello or the like had no answer, or it had and the client said nothing more, and the connection was given up after ten seconds; after three, where others of the service needed less than a twentieth
    /// of it or the wait is a whole number of seconds.
    ///
    /// # What it cannot know
    /// Whether a person was asked for something meanwhile (a smart card, a second factor).
    ///
    /// # How to mend it
    /// Look at the side that owed the message. If its answer is large and never arrives, the path may drop large packets.
    ///
    /// # Sources
    /// RFC 8446 section 4; `domain.md` D.9.
    "GST113", "handshake-stalled", "a handshake was begun and its next step did not come", Error, Session, Session(check)
}

/// A wait that is long for any handshake.
const LONG: Span = Span::from_secs(10);

/// A wait that is long where others are much quicker.
const WAITED: Span = Span::from_millis(2_900);

/// So much quicker.
const FAR: i64 = 20;

/// Sessions of the same service that a wait is held against.
const NEIGHBOURS: usize = 64;

/// Where a handshake stands still.
struct Stall {
    debtor: Side,
    since: Timestamp,
    frames: Vec<PacketRef>,
    what: String,
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts().filter(|part| part.leg.role == Role::Main && part.sees_both()) {
        let ended = &part.connection.ended;
        if ended.how == How::CaptureEnd || part.leg.refused.is_some() || part.leg.farewell.is_some() {
            continue;
        }
        let Some(stall) = unanswered(&part).or_else(|| unfinished(&part)) else { continue };
        let end = part.connection.closing.as_deref().map_or(part.connection.end, |act| act.time);
        let waited = end.since(stall.since);
        let usual = usual(&subject, part.connection.id);
        let far = usual.is_some_and(|usual| waited.0 / FAR > usual.0);
        if waited < LONG && !(waited >= WAITED && (far || is_whole(waited))) {
            continue;
        }
        let debtor = stall.debtor.name();
        let mut finding = Finding::of(
            &RULE,
            &subject,
            format!("the handshake stood still for {}: the {debtor} owed the step after {}", seconds(waited), stall.what),
        )
        .confidence(Confidence::High)
        .alone(&part)
        .at(end)
        .key(part.connection.id.to_string())
        .fault(stall.debtor)
        .why("the handshake had begun, its next message was due, and nothing came until the connection was given up")
        .advice(format!("look at the {debtor}: is its program alive behind the open port, and do large packets from it get through?"))
        .seconds("wait_s", waited)
        .shows(stall.frames, "the last message of the handshake")
        .absence((stall.since, end), part.connection.closing.as_deref().map(|act| act.at), format!("no message of the {debtor}"))
        .context(ended.frames.iter().copied(), "the end of the connection");
        if let Some(usual) = usual {
            finding = finding.seconds("usual_s", usual);
        }
        findings.add(finding);
    }
}

/// A hello without an answer.
fn unanswered(part: &Part<'_>) -> Option<Stall> {
    let open = part.leg.dialog.open.iter();
    let hello =
        |question: &&Question| question.word == Word::Establish && !question.patient && !question.guessed;
    let question = open.clone().find(hello)?;
    let heard =
        part.connection.sides[question.by.other()].last_payload.is_some_and(|time| time > question.at.time);
    (!heard).then(|| Stall {
        debtor: question.by.other(),
        since: question.at.time,
        frames: question.at.frames(),
        what: name(question),
    })
}

/// The server answered the hello, and the client said nothing more.
fn unfinished(part: &Part<'_>) -> Option<Stall> {
    let (client, server) = (part.leg.dialog.last.client.as_ref()?, part.leg.dialog.last.server.as_ref()?);
    let once = part.leg.dialog.turns.client == 1
        && part.connection.sides.client.last_payload <= Some(client.at.time);
    let answered =
        part.leg.security.is_some() && server.stage == Stage::Granted && client.at.time <= server.at.time;
    let since = part.connection.sides.server.last_payload?;
    (once && answered && part.leg.opaque == 0).then(|| Stall {
        debtor: Side::Client,
        since,
        frames: server.at.frames(),
        what: "the server's hello".to_owned(),
    })
}

/// The longest wait for an answer on the service's other connections.
fn usual(subject: &Subject<'_>, own: u32) -> Option<Span> {
    let others = subject.population.of_server(subject.session.server).take(NEIGHBOURS);
    let good = others
        .flat_map(Subject::mains)
        .filter(|part| part.connection.id != own && part.leg.dialog.answered > 0);
    good.filter_map(|part| part.leg.dialog.longest_wait).map(|(wait, _)| wait).max()
}
