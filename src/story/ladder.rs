//! A session as a ladder: who said what to whom, in order, over all of its connections.

use super::Teller;
use super::narrative::{amount, handshake, lasted, place, quoted, who};
use crate::events::{Code, Connection, Endpoint, Event, Grade, Marks, Scope, Side, Stage, Use, Word};
use crate::place::PacketRef;
use crate::session::{Role, Session, SessionLeg};
use crate::story::amounts::bytes;
use crate::time::{Span, Timestamp};

/// The ladder of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// Who asks; the first connection's.
    pub client: Endpoint,
    /// Who is asked.
    pub server: Endpoint,
    /// Whether there is more than one connection, so that rows have to name theirs.
    pub several: bool,
    /// Its rows, in order.
    pub rows: Vec<Row>,
}

/// One row. Its texts are from the wire: escaped by whoever prints.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// When; of the first where it stands for several.
    pub time: Timestamp,
    /// Id of the connection.
    pub connection: u32,
    /// What kind of row.
    pub step: Step,
    /// What was said, or happened.
    pub label: String,
    /// What it means in the session.
    pub meaning: String,
    /// For how many equal messages it stands.
    pub count: u32,
    /// Its frames: the first and the last.
    pub frames: Vec<PacketRef>,
}

/// What kind of row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A message of this side.
    Message(Side),
    /// Nobody said anything, or what was said breaks off.
    Silence,
    /// A connection begins, or ends.
    Joint,
}

/// Draws the ladder.
pub(super) fn draw(session: &Session, teller: &Teller<'_>) -> Ladder {
    let mut events: Vec<(&Event, &SessionLeg)> = Vec::new();
    for part in &session.legs {
        events.extend(teller.events(part.leg.key).map(|event| (event, part)));
    }
    events.sort_by_key(|(event, _)| (event.moment.packet, event.connection, event.moment.step));
    let several = session.legs.len() > 1;
    let mut rows = Rows { list: Vec::new(), packet: None, hide_names: teller.hide_names };
    let mut seen: Vec<u32> = Vec::new();
    for (event, part) in events {
        if several && !seen.contains(&part.connection) {
            if let Some(connection) = teller.connection(part) {
                rows.joint(part, connection);
            }
            seen.push(part.connection);
        }
        rows.take(event, part.connection);
    }
    let mut rows = rows.list;
    // What broke off is known only later, and quiet times at their end; both stand where they belong.
    rows.sort_by_key(|row| row.time);
    rows.push(end(session));
    Ladder { client: session.client, server: session.server, several, rows }
}

fn end(session: &Session) -> Row {
    Row {
        time: session.end,
        connection: session.last_main().map_or(0, |part| part.connection),
        step: Step::Joint,
        label: if session.outcome.because.is_empty() {
            "nothing tells why it ended".to_owned()
        } else {
            session.outcome.because.clone()
        },
        meaning: String::new(),
        count: 1,
        frames: session.outcome.frames.clone(),
    }
}

struct Rows {
    list: Vec<Row>,
    /// The message to which the last row belongs.
    packet: Option<(u64, Side, u32)>,
    hide_names: bool,
}

impl Rows {
    fn joint(&mut self, part: &SessionLeg, connection: &Connection) {
        let what = if part.leg.role == Role::Data { "data connection" } else { "connection" };
        let by = part
            .stitch
            .map(|stitch| format!("joined by {} ({})", stitch.by.name(), stitch.by.strength().letter()));
        self.packet = None;
        self.list.push(Row {
            time: connection.start,
            connection: connection.id,
            step: Step::Joint,
            label: format!("{what} #{}: {} to {}", connection.id, connection.client, connection.server),
            meaning: by.unwrap_or_default(),
            count: 1,
            frames: vec![connection.first],
        });
    }

    fn take(&mut self, event: &Event, connection: u32) {
        if let Some(quiet) = event.details().quiet {
            self.packet = None;
            self.list.push(Row {
                time: Timestamp(event.moment.time.0 - quiet.0),
                connection,
                step: Step::Silence,
                label: format!("{} without payload", lasted(quiet)),
                meaning: String::new(),
                count: 1,
                frames: frames(event),
            });
            return;
        }
        let meaning = meaning(event, self.hide_names);
        if event.word == Word::Interrupt && event.op.is_empty() && event.code == Code::None {
            self.packet = None;
            self.list.push(Row {
                time: event.moment.time,
                connection,
                step: Step::Silence,
                label: broken_off(event),
                meaning,
                count: 1,
                frames: frames(event),
            });
            return;
        }
        let message = (event.moment.packet, event.side, connection);
        let begins = event.leads() || event.scope == Scope::Transport || event.marks.has(Marks::OPAQUE);
        if !begins
            && self.packet == Some(message)
            && let Some(row) = self.list.last_mut()
        {
            if !meaning.is_empty() && !row.meaning.contains(&meaning) {
                if !row.meaning.is_empty() {
                    row.meaning.push_str(", ");
                }
                row.meaning.push_str(&meaning);
            }
            return;
        }
        let label = label(event);
        let step = Step::Message(event.side);
        if let Some(row) = self.list.last_mut()
            && (row.step, row.connection, row.label.as_str(), row.meaning.as_str())
                == (step, connection, label.as_str(), meaning.as_str())
        {
            row.count = row.count.saturating_add(event.count);
            row.frames.truncate(1);
            row.frames.push(event.extent.last);
            self.packet = Some(message);
            return;
        }
        self.packet = Some(message);
        self.list.push(Row {
            time: event.moment.time,
            connection,
            step,
            label,
            meaning,
            count: event.count,
            frames: frames(event),
        });
    }
}

fn frames(event: &Event) -> Vec<PacketRef> {
    let mut frames = vec![event.extent.first, event.extent.last];
    frames.dedup();
    frames
}

/// What broke off, and where.
fn broken_off(event: &Event) -> String {
    let details = event.details();
    let what = details.object.as_deref().map_or("the talk".to_owned(), quoted);
    let far = details.position.map(|position| format!(" at {}", place(position))).unwrap_or_default();
    format!("{what} breaks off{far}")
}

/// What was said.
fn label(event: &Event) -> String {
    let details = event.details();
    if event.scope == Scope::Transport {
        return match (event.word, event.stage) {
            (Word::Establish, Stage::Asked) => "SYN",
            (Word::Establish, _) => "SYN+ACK",
            (Word::Release, _) => "FIN",
            (Word::Abort, _) => "RST",
            (Word::KeepAlive, Stage::Granted) => "TCP keep-alive answered",
            (Word::KeepAlive, _) => "TCP keep-alive",
            (word, _) => word.name(),
        }
        .to_owned();
    }
    if event.marks.has(Marks::OPAQUE) && !event.leads() {
        return "message".to_owned();
    }
    let mut text = match (event.op.is_empty(), event.code) {
        (false, Code::None) => event.op.to_string(),
        (false, code) => format!("{} {code}", event.op),
        (true, Code::None) => String::new(),
        (true, code) => code.to_string(),
    };
    let more = if event.code == Code::None { &details.object } else { &details.text };
    let more = more.as_ref().or(details.object.as_ref()).or(details.text.as_ref());
    if let Some(more) = more {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&quoted(more));
    }
    if text.is_empty() { format!("{} {}", event.word.name(), event.stage.name()) } else { text }
}

/// What it means in the session; nothing for a plain question or answer.
fn meaning(event: &Event, hide_names: bool) -> String {
    let details = event.details();
    let mut parts: Vec<String> = Vec::new();
    let at = details.position.map(|position| format!(" at {}", place(position))).unwrap_or_default();
    parts.push(match (event.word, event.stage, event.scope) {
        (_, _, Scope::Transport) => String::new(),
        (Word::Establish, Stage::Granted, Scope::Session) => format!("{} begins", event.protocol),
        (Word::Establish, Stage::Refused, _) => "set-up refused".to_owned(),
        (Word::Authenticate, stage, _) => {
            let name =
                details.principal.as_ref().map(|p| format!(" of {}", who(p, hide_names))).unwrap_or_default();
            let how = details.mechanism.map(|mechanism| format!(" by {mechanism}")).unwrap_or_default();
            let result = match stage {
                Stage::Asked if event.side == Side::Server => "login asked for",
                Stage::Asked => "login",
                Stage::Granted => "login ok",
                Stage::Refused => "login refused",
                Stage::Offered => "login offered",
                Stage::Told => "login said",
            };
            format!("{result}{name}{how}")
        }
        (Word::Authorize, Stage::Refused, _) => "not allowed".to_owned(),
        (Word::Activity, Stage::Asked, _) => "work begins".to_owned(),
        (Word::Activity, Stage::Granted, _) => {
            details.position.map_or("done".to_owned(), |position| format!("done, {}", amount(position)))
        }
        (Word::Activity, Stage::Refused, _) => format!("failed{at}"),
        (Word::Activity, Stage::Told, _) if event.marks.has(Marks::PARTIAL) => format!("cut{at}"),
        (Word::Checkpoint, stage, _) => {
            let grade = event.grade.map_or("minor", Grade::name);
            let stage = match stage {
                Stage::Granted => "confirmed",
                Stage::Refused => "rolled back",
                _ => "proposed",
            };
            format!("{grade} checkpoint {stage}{at}")
        }
        (Word::Resume, stage, _) => {
            let by = details.mechanism.map(|mechanism| format!(" by {mechanism}")).unwrap_or_default();
            match stage {
                Stage::Offered => format!("resumption offered{by}"),
                Stage::Asked | Stage::Told => format!("asks to resume{by}{at}"),
                Stage::Granted => format!("RESUMED{by}{at}"),
                Stage::Refused if event.marks.has(Marks::SILENT) => format!("NOT RESUMED{by}: passed over"),
                Stage::Refused => format!("NOT RESUMED{by}"),
            }
        }
        (Word::KeepAlive, _, _) => "keep-alive".to_owned(),
        (Word::Interrupt, _, _) => "INTERRUPT".to_owned(),
        (Word::Release, Stage::Asked | Stage::Told, _) => "good-bye".to_owned(),
        (Word::Abort, _, _) => "gives up".to_owned(),
        (Word::Error, _, _) | (Word::Turn, Stage::Refused, _) => "refused".to_owned(),
        _ => String::new(),
    });
    parts.extend(details.security.as_deref().map(handshake));
    if event.marks.has(Marks::OPAQUE) && event.extent.length > 0 {
        parts.push(format!("{} not readable", bytes(event.extent.length)));
    }
    for identity in details.identities.iter().filter(|identity| identity.used == Use::Issues) {
        let hint = identity.hint.as_deref().map(|hint| format!(" {}", quoted(hint))).unwrap_or_default();
        parts.push(format!("{}{hint} issued", identity.kind.name()));
    }
    for declared in details.declared.iter().filter(|declared| declared.span > Span::ZERO) {
        parts.push(format!("{} {}", declared.timer.name(), lasted(declared.span)));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}
