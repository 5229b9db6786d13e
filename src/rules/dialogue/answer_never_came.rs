//! GSD409: a whole question was received, and its answer never came.

use crate::events::transport::{By, How};
use crate::events::{Confidence, Side, Word};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::Question;
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// A request that the server's host received as a whole, no byte of an answer, and a connection that ended so: the
    /// client gave up waiting, or the server closed without a word.
    ///
    /// # Why it matters
    /// The user waited for nothing, and nobody knows whether the work was done.
    ///
    /// # How it is decided
    /// All bytes of the client were acknowledged, both directions were recorded without a hole in the server's, and the
    /// last question has no answer, not even the beginning of one. Either the server closed though it owed the answer, or
    /// the client closed after it had waited for two seconds and more. Questions that may stay open (long polls, event
    /// streams), connections on which answers took that long before, and clients that leave at once are left alone. A
    /// server that had closed before the question reached it is no case of this (see `GST103`).
    ///
    /// # What it cannot know
    /// What the server did with the request, and whether the client left by a timer or by a person's hand.
    ///
    /// # How to mend it
    /// Look into the server's log at the time of the request. Let the server answer with an error before its clients give
    /// up: its own time limit has to be the shorter one.
    ///
    /// # Sources
    /// RFC 9110 section 15.5.9; RFC 5321 section 4.5.3.2; `domain.md` D.7, D.9.
    "GSD409", "answer-never-came", "a request was received and never answered", Error, Application, Session(check)
}

/// Who leaves sooner than this has changed its mind; who waits longer has waited for the answer.
const PATIENCE: Span = Span::from_secs(2);

/// An answer that is not there after so long will not come (`domain.md` D.1).
const ANSWER_WAIT: Span = Span::from_secs(60);

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.mains() {
        let Some(question) = part.leg.dialog.owed_by(Side::Server) else { continue };
        let Some((until, story)) = ended_unanswered(&part, question) else { continue };
        let (connection, ended) = (part.connection, &part.connection.ended);
        let waited = until.since(question.at.time);
        let what = match &question.object {
            Some(object) => format!("{} {object}", question.op.as_str()),
            None => question.op.as_str().to_owned(),
        };
        let mut finding = Finding::of(
            &RULE,
            &subject,
            format!("{} was never answered: {story} after {waited}", if what.trim().is_empty() { "the last request" } else { what.trim() }),
        )
        .on([connection.id])
        .at(until)
        .confidence(Confidence::High)
        .fault(if ended.by == By::Client { Fault::Server } else { ended.by.into() })
        .why("the server's host acknowledged all of the request, and no byte of an answer was recorded until the end")
        .advice("look up the request in the server's log; let the server give up and say so before its clients do, and let the client wait longer than the server works")
        .shows_point(question.at, "the request")
        .absence((question.at.time, until), ended.frames.iter().copied(), "nothing came from the server")
        .context(ended.frames.iter().copied(), "the end of the connection")
        .seconds("waited_s", waited);
        if ended.how == How::CaptureEnd {
            finding = finding.severity(Severity::Info);
        }
        findings.add(finding);
    }
}

/// Until when this question surely had no answer, and how that ended.
fn ended_unanswered(part: &Part<'_>, question: &Question) -> Option<(Timestamp, &'static str)> {
    let (connection, leg) = (part.connection, part.leg);
    let asked = question.at.time;
    let seen = part.sees_both() && connection.visibility.gap_bytes[Side::Server] == 0;
    let arrived = connection.sides.client.unacked_bytes == 0;
    let counts = !matches!(question.word, Word::Establish | Word::Release | Word::KeepAlive);
    let left = leg.goodbye.as_ref().is_some_and(|goodbye| goodbye.by == Side::Client);
    let is_last = connection.sides.server.last_payload.is_none_or(|last| last <= asked);
    if !seen || !arrived || !counts || left || question.begun.is_some() || !is_last {
        return None;
    }
    let server_closed = connection.sides.server.closed;
    let client_closed = connection.sides.client.closed;
    let crossing = connection.rtt.median.unwrap_or_default();
    if server_closed.is_some_and(|closed| closed <= asked + crossing) {
        return None;
    }
    match (connection.ended.how, connection.ended.by) {
        (How::Fin | How::Rst, By::Server) => Some((server_closed?, "the server closed without a word")),
        (How::Fin | How::Rst, By::Client) => {
            let closed = client_closed?;
            let waited = closed.since(asked);
            let used_to_it = leg.dialog.longest_wait.is_some_and(|(wait, _)| wait.0 >= waited.0 / 2);
            (waited >= PATIENCE && !used_to_it).then_some((closed, "the client gave up"))
        }
        (How::Silence, By::Client | By::Server) => {
            let until = connection.end + connection.visibility.tail;
            (until.since(asked) >= ANSWER_WAIT).then_some((until, "nothing more was said"))
        }
        (How::CaptureEnd, _) => {
            let until = connection.end + connection.visibility.tail;
            (until.since(asked) >= ANSWER_WAIT)
                .then_some((until, "it was still open at the end of the capture"))
        }
        _ => None,
    }
}
