//! How a session's connections begin: joints, handshakes, security, greetings.

use super::{Line, Proof, amount, lasted, quoted};
use crate::events::security::{ClientCertificate, EarlyData};
use crate::events::transport::{How, Opened, Reason};
use crate::events::{Connection, Event, Position, Scope, SecurityFacts, Side, Stage, Strength, Word};
use crate::session::{JoinedBy, Session, SessionLeg};
use crate::story::Teller;
use crate::story::amounts::{bytes, counted};
use crate::time::Span;

/// The joint to what came before, the transport's and the security layer's handshake, the greeting.
pub(super) fn setup(
    part: &SessionLeg,
    nth: usize,
    session: &Session,
    connection: &Connection,
    events: &[&Event],
    lines: &mut Vec<Line>,
) {
    if nth > 1 {
        lines.push(joint(part, nth, session, connection));
    }
    lines.push(transport(connection, events));
    security(events, lines);
    greeting(events, lines);
}

/// How a later connection came to belong to the session.
fn joint(part: &SessionLeg, nth: usize, session: &Session, connection: &Connection) -> Line {
    let by = match part.stitch {
        Some(stitch) => {
            let how = match stitch.by {
                JoinedBy::Announcement => "it was announced".to_owned(),
                JoinedBy::Identity(kind, strength) => {
                    let hint = part
                        .leg
                        .identities
                        .iter()
                        .find(|known| known.identity.kind == kind)
                        .and_then(|known| known.identity.hint.as_deref())
                        .map(|hint| format!(" {}", quoted(hint)))
                        .unwrap_or_default();
                    let letter = strength.letter();
                    format!("joined by {}{hint} ({letter}: {})", kind.name(), trust(strength))
                }
                JoinedBy::Circumstances => {
                    let score = stitch.score.map(|score| format!(", score {score:.2}")).unwrap_or_default();
                    format!("joined by circumstances (H: {}{score})", trust(Strength::Heuristic))
                }
            };
            let with = if stitch.with == session.legs.first().map_or(0, |leg| leg.connection) {
                String::new()
            } else {
                format!(" with connection #{}", stitch.with)
            };
            format!("{how}{with}")
        }
        None => "nothing ties it to the others".to_owned(),
    };
    let before = session.legs.iter().take_while(|other| other.connection != part.connection);
    let gap = before.map(|other| other.leg.last.time).max().map(|last| connection.start.since(last));
    let when = match gap {
        Some(gap) if gap > Span::ZERO => format!("{} after the one before fell silent", lasted(gap)),
        _ => "beside the others".to_owned(),
    };
    Line {
        time: connection.start,
        phase: "connection",
        text: format!(
            "connection {nth} begins (#{}, from {}), {when}; {by}",
            connection.id, connection.client
        ),
        proof: Proof::Frames(vec![connection.first]),
    }
}

fn trust(strength: Strength) -> &'static str {
    match strength {
        Strength::Key => "a key",
        Strength::Protocol => "a name the client gives itself",
        Strength::Heuristic => "no proof",
    }
}

/// The transport's own beginning.
fn transport(connection: &Connection, events: &[&Event]) -> Line {
    let of_transport = |word, stage| {
        events.iter().find(move |event| event.scope == Scope::Transport && event.is(word, stage))
    };
    let asked = of_transport(Word::Establish, Stage::Asked);
    let granted = of_transport(Word::Establish, Stage::Granted);
    let text = match (connection.opened, connection.rtt.initial) {
        (Opened::Observed, Some(trip)) => format!("TCP handshake {}", lasted(trip)),
        (Opened::Observed, None) => "TCP handshake".to_owned(),
        (Opened::MidCapture, _) => {
            "the capture begins in the middle of it; what was said before is not known".to_owned()
        }
        (Opened::LostSyn, _) => "TCP handshake, its SYN not in the capture".to_owned(),
        (Opened::Never, _) => match (connection.ended.reason, connection.ended.how) {
            (Reason::EstablishRefused, How::Rst) => {
                "SYN, answered by RST: nobody listens there, or it is not wanted".to_owned()
            }
            (Reason::EstablishTimeout, _) => {
                format!("{}, never answered", counted(connection.sides.client.packets, "SYN"))
            }
            _ => "never came to be".to_owned(),
        },
    };
    let mut frames: Vec<_> = [asked, granted].into_iter().flatten().map(|event| event.extent.first).collect();
    if frames.is_empty() {
        frames.push(connection.first);
    }
    Line { time: connection.start, phase: "setup", text, proof: Proof::Frames(frames) }
}

/// Security handshakes: version, name, protocol, full or resumed. What is known of one grows while it goes on: each is
/// told once, with all that came to be known.
fn security(events: &[&Event], lines: &mut Vec<Line>) {
    let mut begun: Option<&Event> = None;
    let mut told: Option<(&Event, &Event, &SecurityFacts)> = None;
    for event in events {
        if event.scope == Scope::Security && event.is(Word::Establish, Stage::Asked) {
            if let Some(told) = told.take() {
                lines.push(secured(told));
                begun = None;
            }
            begun.get_or_insert(event);
        }
        if let Some(facts) = &event.details().security {
            let first = told.map_or(begun.take().unwrap_or(event), |(first, ..)| first);
            told = Some((first, event, facts));
        }
    }
    lines.extend(told.map(secured));
}

fn secured((first, last, facts): (&Event, &Event, &SecurityFacts)) -> Line {
    let took = last.moment.time.since(first.moment.time);
    let took = if took > Span::ZERO { format!(", {}", lasted(took)) } else { String::new() };
    Line {
        time: first.moment.time,
        phase: "security",
        text: format!("{}{took}", handshake(facts)),
        proof: Proof::Through(first.extent.first, last.extent.last),
    }
}

/// What a security handshake agreed on.
pub(in crate::story) fn handshake(facts: &SecurityFacts) -> String {
    let mut parts = vec![match facts.version {
        Some(0x0300) => "SSL 3.0".to_owned(),
        Some(version @ 0x0301..=0x0304) => format!("TLS 1.{}", version - 0x0301),
        Some(version) => format!("TLS version {version:#06x}"),
        None => "TLS, no version agreed on".to_owned(),
    }];
    parts.extend(facts.sni.as_ref().map(|name| format!("for {}", quoted(name))));
    parts.extend(facts.alpn.as_ref().map(|name| format!("to speak {}", quoted(name))));
    let kind = match (facts.resumed, facts.offered.session_id || facts.offered.ticket || facts.offered.psk) {
        (Some(true), _) => "resumed",
        (Some(false), true) => "full handshake though the client offered to resume",
        (Some(false), false) => "full handshake",
        (None, true) => "the client offered to resume",
        (None, false) => "",
    };
    parts.extend((!kind.is_empty()).then(|| kind.to_owned()));
    let early = match facts.early_data {
        EarlyData::None => "",
        EarlyData::Offered => "early data sent",
        EarlyData::Rejected => "early data rejected",
        EarlyData::Accepted => "early data taken",
    };
    parts.extend((!early.is_empty()).then(|| early.to_owned()));
    if facts.retried {
        parts.push("other parameters asked for".to_owned());
    }
    let certificate = match facts.client_certificate {
        ClientCertificate::NotSeen => "",
        ClientCertificate::Asked => "client certificate asked for",
        ClientCertificate::Empty => "client certificate asked for and not shown",
        ClientCertificate::Shown => "client certificate shown",
    };
    parts.extend((!certificate.is_empty()).then(|| certificate.to_owned()));
    for (_, number) in facts.alerts.iter().filter(|(_, number)| *number != 0) {
        parts.push(format!("alert {number}"));
    }
    parts.join(", ")
}

/// What the protocol itself agreed on, or not.
fn greeting(events: &[&Event], lines: &mut Vec<Line>) {
    let mut asked: Option<&Event> = None;
    for event in events.iter().filter(|event| event.scope == Scope::Session && event.word == Word::Establish)
    {
        let (phase, verb) = match event.stage {
            Stage::Asked => {
                asked = Some(event);
                continue;
            }
            Stage::Granted => ("greeting", "greets"),
            Stage::Refused => ("refused", "refuses to begin"),
            Stage::Offered | Stage::Told => continue,
        };
        if !event.leads() {
            continue;
        }
        let who = if event.side == Side::Client { "client" } else { "server" };
        let (time, first) = asked
            .map_or((event.moment.time, event.extent.first), |asked| (asked.moment.time, asked.extent.first));
        let text = match asked.take() {
            Some(asked) if !asked.op.is_empty() => {
                let about = asked.details().object.as_deref().map(|o| format!(" {}", quoted(o)));
                let took = lasted(event.moment.time.since(asked.moment.time));
                let yes = if event.stage == Stage::Granted { "accepts" } else { "refuses" };
                format!(
                    "{}{}: the {who} {yes}{} after {took}",
                    asked.op,
                    about.unwrap_or_default(),
                    said(event)
                )
            }
            _ => format!("the {} {who} {verb}{}", event.protocol, said(event)),
        };
        lines.push(Line { time, phase, text, proof: Proof::Frames(both(first, event)) });
    }
}

fn both(first: crate::place::PacketRef, event: &Event) -> Vec<crate::place::PacketRef> {
    let mut frames = vec![first, event.extent.last];
    frames.dedup();
    frames
}

/// A message's status and words behind a colon.
pub(super) fn said(event: &Event) -> String {
    let mut text = String::new();
    // Zero is how some protocols say yes; it tells nobody anything.
    if event.code.number().is_some_and(|number| number != 0) {
        text = format!(" {}", event.code);
    }
    if let Some(words) = &event.details().text {
        text.push(' ');
        text.push_str(&quoted(words));
    }
    if text.is_empty() { text } else { format!(":{text}") }
}

/// A connection that carries another one's data, in one sentence.
pub(super) fn data(session: &Session, part: &SessionLeg, connection: &Connection, lines: &mut Vec<Line>) {
    let (mut client, mut server) =
        (connection.sides.client.delivered_bytes, connection.sides.server.delivered_bytes);
    // Where the session's server opened it, it is called the server here, too.
    let turned = connection.client.ip == session.server.ip && connection.server.ip == session.client.ip;
    let because = if turned && session.client.ip != session.server.ip {
        (client, server) = (server, client);
        turned_round(&connection.ended.because)
    } else {
        connection.ended.because.clone()
    };
    let carried = match (client, server) {
        (0, 0) => "no data".to_owned(),
        (sent, 0) => format!("{} from the client", bytes(sent)),
        (0, sent) => format!("{} from the server", bytes(sent)),
        (from, to) => format!("{} from the client and {} from the server", bytes(from), bytes(to)),
    };
    let done: Vec<String> = part
        .leg
        .works
        .list
        .iter()
        .filter_map(|work| Some((work.object.as_deref()?, work.reached)))
        .map(|(object, reached)| {
            let far = reached.map(|p: Position| format!(" ({})", amount(p))).unwrap_or_default();
            format!("{}{far}", quoted(object))
        })
        .collect();
    let done = if done.is_empty() { String::new() } else { format!(" for {}", done.join(", ")) };
    lines.push(Line {
        time: connection.start,
        phase: "data",
        text: format!(
            "data connection #{} to {}{done}: {carried} in {}; {because}",
            connection.id,
            connection.server,
            lasted(connection.end.since(connection.start)),
        ),
        proof: Proof::Through(connection.first, connection.last),
    });
}

/// A sentence about the client and the server of a connection, as the session calls them.
fn turned_round(sentence: &str) -> String {
    sentence.replace("client", "\u{0}").replace("server", "client").replace('\u{0}', "server")
}

/// Connections in the middle of many, counted.
pub(super) fn untold(parts: &[&SessionLeg], teller: &Teller<'_>) -> Option<Line> {
    let all: Vec<&Connection> = parts.iter().filter_map(|part| teller.connection(part)).collect();
    let (first, last) = (all.first()?, all.last()?);
    let answered: u64 = parts.iter().map(|part| u64::from(part.leg.dialog.answered)).sum();
    Some(Line {
        time: first.start,
        phase: "connections",
        text: format!(
            "{} more, #{} to #{}, with {} answered",
            counted(all.len() as u64, "connection"),
            first.id,
            last.id,
            counted(answered, "question")
        ),
        proof: Proof::Through(first.first, last.last),
    })
}
