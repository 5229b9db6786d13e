//! GSD411: the answer came when the asker had given up.

use crate::events::transport::{By, How};
use crate::events::{Confidence, Side, Stage, Word};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Subject};
use crate::session::dialog::Turn;
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// An answer that never got to the one who had asked: it left the server after the client had closed, or it was sent
    /// over and over without being acknowledged until the client gave up.
    ///
    /// # Why it matters
    /// The server takes the work for done, the client takes it for failed. What it does next decides whether the work is
    /// done twice.
    ///
    /// # How it is decided
    /// The last answer of the server was sent later than one round trip after the client's FIN or RST; or it was never
    /// acknowledged, and the client closed a second or more after it was sent. In both cases the client had waited for
    /// two seconds and more since its question, and acknowledged nothing since then. Clients that leave at once, and answers to a good-bye, are left alone.
    ///
    /// # What it cannot know
    /// Whether the client left by a timer or by a person's hand.
    ///
    /// # How to mend it
    /// Let the client wait longer than the server works, or let the server give up first and say so.
    ///
    /// # Sources
    /// RFC 9293 section 3.6; RFC 1047; `domain.md` D.7, D.9.
    "GSD411", "late-answer", "the answer came when the asker had given up", Warning, Application, Session(check)
}

/// Who leaves sooner than this has changed its mind.
const PATIENCE: Span = Span::from_secs(2);

/// An answer that is not acknowledged for so long did not arrive.
const LOST: Span = Span::from_secs(1);

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.mains() {
        let Some(answer) = part.leg.dialog.last.server.as_ref() else { continue };
        let Some((asked, left, how)) = unheard(&part, answer) else { continue };
        let sides = &part.connection.sides;
        let what = part.leg.dialog.last.client.as_ref().map_or("the last request", |turn| turn.op.as_str());
        let what = if what.is_empty() { "the last request" } else { what };
        let (took, waited) = (answer.at.time.since(asked), left.since(asked));
        findings.add(
            Finding::of(
                &RULE,
                &subject,
                format!("the answer to {what} was not heard: {how}; it took {took}, and the client left after {waited}"),
            )
            .on([part.connection.id])
            .at(answer.at.time)
            .confidence(Confidence::High)
            .fault(Fault::Unknown)
            .why(format!(
                "{} bytes of the server were never acknowledged, and the client closed {waited} after its request",
                sides.server.unacked_bytes
            ))
            .advice(format!(
                "make the client wait longer than {took}, or let the server give up before {waited} and answer with an error"
            ))
            .shows_point(answer.at, "the answer")
            .shows(part.connection.ended.frames.iter().copied(), "the end of the connection")
            .seconds("answered_after_s", took)
            .seconds("client_left_after_s", waited),
        );
    }
}

/// When the question was asked, when the client left, and what became of the answer, if the client did not hear it.
fn unheard(part: &Part<'_>, answer: &Turn) -> Option<(Timestamp, Timestamp, &'static str)> {
    let connection = part.connection;
    let asks = |turn: &&Turn| turn.stage == Stage::Asked && turn.word != Word::Establish && !turn.guessed;
    let asked = part.leg.dialog.last.client.as_ref().filter(asks)?.at.time;
    let left = connection.sides.client.closed?;
    let answers = matches!(answer.stage, Stage::Granted | Stage::Refused) && answer.at.time >= asked;
    let said_goodbye = part.leg.goodbye.as_ref().is_some_and(|goodbye| goodbye.by == Side::Client);
    let gave_up = matches!(connection.ended.how, How::Fin | How::Rst) && connection.ended.by == By::Client;
    let waited = left.since(asked);
    if !part.sees_both() || !answers || said_goodbye || !gave_up || waited < PATIENCE {
        return None;
    }
    // What the client acknowledged after its question is an answer, or the beginning of one: it did not wait in vain.
    let heard = connection.sides.server.acknowledged.is_some_and(|heard| heard > asked);
    if heard || connection.sides.server.unacked_bytes == 0 {
        return None;
    }
    let crossing = connection.rtt.median.unwrap_or_default();
    if answer.at.time > left + crossing {
        return Some((asked, left, "it was sent after the client had closed"));
    }
    let lost = left.since(answer.at.time) >= LOST;
    lost.then_some((asked, left, "it was sent and never acknowledged"))
}
