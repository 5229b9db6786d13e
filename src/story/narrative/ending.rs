//! How a connection and a session end: what was owed, who ended it, what is safe, what could not be seen.

use super::{Line, Proof, amount, confirmed, lasted, place, quoted};
use crate::events::transport::{By, Confidence, Connection, How, Reason};
use crate::events::visibility::Sight;
use crate::events::{Code, Side};
use crate::session::risk::{AtRisk, Verdict};
use crate::session::{Question, Session, outcome};
use crate::story::Teller;
use crate::story::amounts::{bytes, count, counted};
use crate::time::Span;

/// The end of a connection that another one follows.
pub(super) fn of_leg(nth: usize, connection: &Connection, lines: &mut Vec<Line>) {
    let phase = match connection.ended.reason {
        Reason::Released => "closed",
        Reason::CaptureEnded => "open",
        _ => "interrupted",
    };
    lines.push(Line {
        time: connection.end,
        phase,
        text: format!("connection {nth} (#{}): {}", connection.id, connection.ended.because),
        proof: cited(connection),
    });
}

/// What the path, or a slow reader, did to it.
pub(super) fn path(connection: &Connection, lines: &mut Vec<Line>) {
    /// A window closed for this long is worth a sentence.
    const CLOSED: Span = Span::from_secs(1);
    let mut say = |phase, text| {
        let proof = Proof::Through(connection.first, connection.last);
        lines.push(Line { time: connection.end, phase, text, proof });
    };
    for side in Side::BOTH {
        let facts = &connection.sides[side];
        if facts.zero_window_time >= CLOSED {
            say(
                "stalled",
                format!(
                    "the {} let its window stay closed for {} in all ({}): it did not read what had come",
                    side.name(),
                    lasted(facts.zero_window_time),
                    counted(u64::from(facts.zero_windows), "time"),
                ),
            );
        }
    }
    let (client, server) = (&connection.sides.client, &connection.sides.server);
    let again = client.retransmitted_segments + server.retransmitted_segments;
    if again > 0 {
        let sent = client.packets + server.packets;
        say(
            "path",
            format!(
                "{} of {} sent again ({} of the client, {} of the server)",
                counted(u64::from(again), "segment"),
                count(sent),
                client.retransmitted_segments,
                server.retransmitted_segments
            ),
        );
    }
}

fn cited(connection: &Connection) -> Proof {
    if connection.ended.frames.is_empty() {
        Proof::Frames(vec![connection.last])
    } else {
        Proof::Frames(connection.ended.frames.clone())
    }
}

/// What was owed at the end, and the last point that was safe.
pub(super) fn before(session: &Session, teller: &Teller<'_>, lines: &mut Vec<Line>) {
    let last = session.last_main();
    let connection = last.and_then(|part| teller.connection(part));
    if let (Some(part), Some(connection)) = (last, connection)
        && let Some(question) = part.leg.dialog.debt()
        && session.outcome.reason != Reason::Released
        && is_readable(question)
        // Who sees one side only cannot tell what the other one said.
        && connection.visibility.sight == Sight::Both
    {
        let (what, none) = if question.begun.is_some() {
            ("the rest of the answer", "it is not in the capture")
        } else {
            ("the answer", "none is in the capture")
        };
        lines.push(Line {
            time: question.at.time,
            phase: "owed",
            text: format!(
                "from here on the {} owes {what} to {}; {none}, which goes on for {}",
                question.by.other().name(),
                quoted(&outcome::name(question)),
                lasted(connection.end.since(question.at.time))
            ),
            proof: Proof::of(&[question.at]),
        });
    }
    let broken = !matches!(session.outcome.reason, Reason::Released | Reason::IdleTimeout);
    if let Some(point) = session.last_confirmed().filter(|_| broken || session.at_risk.is_some()) {
        lines.push(Line {
            time: point.at.time,
            phase: "confirmed",
            text: format!("last confirmed point: {}", confirmed(point)),
            proof: Proof::of(&[point.at]),
        });
    }
}

/// Whether a question was read, and is no guess from the direction of unreadable bytes.
pub(in crate::story) fn is_readable(question: &Question) -> bool {
    !question.op.is_empty() || question.code != Code::None || question.object.is_some()
}

/// The end of the session, what is at risk, and what could not be seen.
pub(super) fn tell(session: &Session, teller: &Teller<'_>, lines: &mut Vec<Line>) {
    let connection = session.last_main().and_then(|part| teller.connection(part));
    lines.push(end(session, connection));
    lines.extend(session.at_risk.as_ref().map(|risk| at_risk(session, risk)));
    unseen(session, teller, lines);
}

fn end(session: &Session, connection: Option<&Connection>) -> Line {
    let outcome = &session.outcome;
    let open = outcome.reason == Reason::CaptureEnded;
    let because = if outcome.because.is_empty() { "nothing tells why" } else { &outcome.because };
    let text = if open { because.to_owned() } else { format!("{because} ({})", verdict(session)) };
    let proof = match (outcome.frames.is_empty(), connection) {
        (true, Some(connection)) => Proof::Frames(vec![connection.last]),
        _ => Proof::Frames(outcome.frames.clone()),
    };
    Line { time: session.end, phase: if open { "open" } else { "ended" }, text, proof }
}

/// `idle timeout by the server, high confidence`.
fn verdict(session: &Session) -> String {
    let outcome = &session.outcome;
    let by = match outcome.by {
        By::Unknown => String::new(),
        by => format!(" by the {}", party(by)),
    };
    let sure = match outcome.confidence {
        Confidence::Certain => "certain",
        Confidence::High => "high confidence",
        Confidence::Medium => "medium confidence",
        Confidence::Low => "low confidence",
    };
    let detail = outcome.detail.map(|detail| format!(", {detail}")).unwrap_or_default();
    format!("{}{by}{detail}, {sure}", called(outcome.reason))
}

/// What a reason is called in a sentence.
fn called(reason: Reason) -> &'static str {
    match reason {
        Reason::Released => "released",
        Reason::HalfReleased => "released by one side only",
        Reason::Abort => "abort",
        Reason::IdleTimeout => "idle timeout",
        Reason::AppTimeout => "timeout of an answer",
        Reason::KeepaliveTimeout => "keep-alive timeout",
        Reason::AuthRefused => "login refused",
        Reason::EstablishRefused => "set-up refused",
        Reason::EstablishTimeout => "set-up never answered",
        Reason::MiddleboxTimeout => "forgotten",
        Reason::MiddleboxReset => "reset",
        Reason::PeerVanished => "vanished",
        Reason::UserTimeout => "given up repeating",
        Reason::Superseded => "superseded",
        Reason::Network => "not deliverable",
        Reason::ServerShutdown => "server shut down",
        Reason::CaptureEnded => "open at the end of the capture",
        Reason::Unknown => "not known",
    }
}

fn party(by: By) -> &'static str {
    match by {
        By::Client => "client",
        By::Server => "server",
        By::Middlebox => "box between",
        By::Network => "network",
        By::Unknown => "unknown",
    }
}

/// What would be lost, and whether it can go on.
fn at_risk(session: &Session, risk: &AtRisk) -> Line {
    let what = risk.object.as_deref().map_or("the work under way".to_owned(), quoted);
    let mechanism = risk.mechanism.unwrap_or("its protocol");
    let verdict = match risk.verdict {
        Verdict::Resume => format!("it can go on by {mechanism}"),
        Verdict::ResumeUnproven => {
            format!("it can go on by {mechanism}, though nothing proves that the object is still the same")
        }
        Verdict::Restart => "it has to begin anew".to_owned(),
        Verdict::Unknown => "whether it can go on cannot be seen from outside".to_owned(),
    };
    let mut parts = vec![what];
    parts.push(match (risk.bytes, risk.confirmed) {
        (Some(0), Some(point)) => format!("confirmed up to {}, and nothing past it", place(point)),
        (Some(lost), Some(point)) => format!("{} past the confirmed {}", bytes(lost), place(point)),
        (Some(0), None) => "begun, and nothing of it is known to have arrived".to_owned(),
        (Some(lost), None) => format!("{} unconfirmed", bytes(lost)),
        (None, Some(point)) => format!("confirmed up to {}", amount(point)),
        (None, None) => "nothing of it is confirmed".to_owned(),
    });
    parts.push(verdict);
    if let Some(redo) = risk.redo_bytes.filter(|redo| *redo > 0 && risk.bytes != Some(*redo)) {
        parts.push(format!("{} to be done again", bytes(redo)));
    }
    let work = session.works().filter(|work| work.is_broken() && work.object == risk.object).last();
    let proof = work.map_or(Proof::Frames(Vec::new()), |work| {
        let ended = work.ended.map(|(_, at)| at);
        Proof::of(&[&[work.begun][..], ended.as_slice()].concat())
    });
    Line { time: session.end, phase: "at risk", text: parts.join("; "), proof }
}

/// What could not be seen, for it may have held what is missed here.
fn unseen(session: &Session, teller: &Teller<'_>, lines: &mut Vec<Line>) {
    for part in &session.legs {
        let Some(connection) = teller.connection(part) else { continue };
        let seen = &connection.visibility;
        let mut parts = Vec::new();
        match seen.sight {
            Sight::Both => {}
            Sight::ClientOnly => parts.push("only the client's packets are in the capture".to_owned()),
            Sight::ServerOnly => parts.push("only the server's packets are in the capture".to_owned()),
        }
        let missing = seen.gap_bytes.client.saturating_add(seen.gap_bytes.server);
        if seen.gap_count > 0 {
            parts.push(format!(
                "{} with {} that the capture does not hold",
                counted(u64::from(seen.gap_count), "hole"),
                counted(missing, "byte")
            ));
        }
        if seen.snapped > 0 {
            parts.push(format!("{} frames were cut by the recorder", count(u64::from(seen.snapped))));
        }
        if seen.tail > Span::ZERO && matches!(connection.ended.how, How::Silence) {
            parts.push(format!("nothing came for {} more of capture", lasted(seen.tail)));
        }
        if !parts.is_empty() {
            lines.push(Line {
                time: connection.end,
                phase: "unseen",
                text: format!("connection #{}: {}", connection.id, parts.join("; ")),
                proof: Proof::Frames(vec![connection.first, connection.last]),
            });
        }
    }
}
