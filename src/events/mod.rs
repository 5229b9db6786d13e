//! The vocabulary: what stages above `packet` say to each other.
//!
//! A connection and what became of it ([`transport`]), which side is meant ([`side`]), what we could not
//! see ([`visibility`]); and what protocols say in twelve words ([`primitive`]): [`Event`].

pub mod action;
pub mod extent;
pub mod identity;
pub mod position;
pub mod primitive;
pub mod security;
pub mod side;
pub mod text;
pub mod transport;
pub mod trouble;
pub mod visibility;

pub use action::{Action, Declared, Expectation, Safety, Timer};
pub use extent::Extent;
pub use identity::{Hash128, Identity, IdentityKind, Principal, Strength, Use};
pub use position::{Position, Unit};
pub use primitive::{Grade, Marks, Scope, Stage, Word};
pub use security::SecurityFacts;
pub use side::{PerSide, Side};
pub use text::ShortText;
pub use transport::{Confidence, Connection, Ending};
pub use trouble::Trouble;
pub use visibility::Visibility;

pub use crate::packet::{Endpoint, Transport};

use crate::limits::EVENT_TEXT_BYTES;
use crate::time::{Span, Timestamp};

/// A connection's name before it has an id: the place in the run of its first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ConnectionKey(pub u64);

/// When something was known, and its place in the one order of all events: that of the packet that completed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment {
    /// Place of that packet in the run.
    pub packet: u64,
    /// Which event of that packet it is.
    pub step: u32,
    /// When that packet was captured.
    pub time: Timestamp,
}

/// The protocol's own status of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Code {
    /// None.
    #[default]
    None,
    /// Printed in decimal: FTP, SMTP, HTTP, MQTT.
    Decimal(u32),
    /// Printed as `0x` and eight hex digits: SMB.
    Hex(u32),
}

impl Code {
    /// The number, where there is one.
    pub fn number(self) -> Option<u32> {
        match self {
            Self::None => None,
            Self::Decimal(number) | Self::Hex(number) => Some(number),
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Decimal(number) => write!(f, "{number}"),
            Self::Hex(number) => write!(f, "{number:#010x}"),
        }
    }
}

/// Something that happened in a session, in one of the twelve words. One event is the whole of a message; where a
/// message means several things, only the first of its events has `op` or `code`.
#[derive(Debug, Clone)]
pub struct Event {
    /// When, and in which order.
    pub moment: Moment,
    /// On which connection.
    pub connection: ConnectionKey,
    /// The protocol's catalogue name; `tcp` for what the transport itself does.
    pub protocol: &'static str,
    /// Who says it.
    pub side: Side,
    /// What it is about.
    pub word: Word,
    /// How far it is.
    pub stage: Stage,
    /// Which agreement it speaks of.
    pub scope: Scope,
    /// The grade of a checkpoint.
    pub grade: Option<Grade>,
    /// What else is true of it.
    pub marks: Marks,
    /// How sure we are of it.
    pub confidence: Confidence,
    /// The command or method, in upper case, of the asking message; in binary protocols the message's own name.
    pub op: ShortText,
    /// The status of an answer.
    pub code: Code,
    /// How many equal events this one stands for.
    pub count: u32,
    /// The protocol's own number of a multiplexed part.
    pub channel: Option<u32>,
    /// Which frames and bytes it rests on.
    pub extent: Extent,
    /// What only some events have.
    pub details: Option<Box<Details>>,
}

/// What only some events have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// Ties an answer to its question where order alone does not.
    pub tag: Option<u64>,
    /// What the message shows, issues or drops.
    pub identities: Vec<Identity>,
    /// Where work stands: of a checkpoint, or asked for or granted by a resume.
    pub position: Option<Position>,
    /// Timers that the message declares.
    pub declared: Vec<Declared>,
    /// What is asked for, to know it again.
    pub action: Option<Action>,
    /// What it is about, for people: a path, a topic, a mailbox. From the wire: escaped by whoever prints.
    pub object: Option<Box<str>>,
    /// The protocol's own words, cut. From the wire: escaped by whoever prints. Never a secret.
    pub text: Option<Box<str>>,
    /// The mechanism of a login or a resumption (`interface.md` 3: `resume.mechanism`).
    pub mechanism: Option<&'static str>,
    /// Who logs in.
    pub principal: Option<Principal>,
    /// For how long neither side had sent payload before this.
    pub quiet: Option<Span>,
    /// The facts of a security handshake.
    pub security: Option<Box<SecurityFacts>>,
    /// A connection that is going to belong to this session.
    pub expects: Option<Expectation>,
}

impl Event {
    /// What only some events have, or nothing.
    pub fn details(&self) -> &Details {
        const NOTHING: &Details = &Details {
            tag: None,
            identities: Vec::new(),
            position: None,
            declared: Vec::new(),
            action: None,
            object: None,
            text: None,
            mechanism: None,
            principal: None,
            quiet: None,
            security: None,
            expects: None,
        };
        self.details.as_deref().unwrap_or(NOTHING)
    }

    /// Whether it is the first thing that its message says: the one with the message's name or status. Only these
    /// ask and answer; a message's further events tell what else it means.
    pub fn leads(&self) -> bool {
        !self.op.is_empty() || self.code != Code::None || self.marks.has(Marks::NAMELESS)
    }

    /// Whether it is this word in this stage.
    pub fn is(&self, word: Word, stage: Stage) -> bool {
        self.word == word && self.stage == stage
    }
}

/// A text from the wire, cut to [`EVENT_TEXT_BYTES`] at a character.
pub(crate) fn bounded(text: &str) -> Box<str> {
    let mut end = text.len().min(EVENT_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_without_details_is_small() {
        assert!(size_of::<Event>() <= 224, "{}", size_of::<Event>());
    }

    #[test]
    fn codes_print_as_their_protocols_do() {
        assert_eq!(Code::Decimal(226).to_string(), "226");
        assert_eq!(Code::Hex(0xC000_0034).to_string(), "0xc0000034");
    }
}
