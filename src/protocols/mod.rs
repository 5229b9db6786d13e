//! Ordered bytes to session events: one dissector a protocol, each translating into the twelve words.
//!
//! A [`Protocol`] describes itself (the catalogue is [`CATALOGUE`]); its [`Dissector`] is run by a
//! [`Conversation`], one for each connection.

mod conversation;
mod identification;
pub mod labels;
pub mod lines;
mod notes;
pub mod opaque;
mod provenance;
pub mod read;
#[cfg(test)]
mod rehearsal;
pub mod transport;
mod verdict;

pub use conversation::{Conversation, GivenUp, Said};
pub use labels::{Label, LabelValue, Labeller, Labels};
pub use notes::{Notes, Saying};
pub use verdict::{End, Step, Verdict, Why};

use crate::events::{Side, Word};

/// A protocol: how it is known, what it says, and who reads it.
#[derive(Debug)]
pub struct Protocol {
    /// Its name in filters and reports: lower case.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Ports that hint at it; they break ties and decide nothing.
    pub ports: &'static [u16],
    /// Whether these are the first bytes that this side of it says.
    pub probe: fn(Side, &[u8]) -> Verdict,
    /// A dissector at the beginning of a connection.
    pub start: fn() -> Box<dyn Dissector>,
    /// Its good-bye, where whoever leaves without it leaves abruptly: `QUIT`, `DISCONNECT`.
    pub goodbye: Option<&'static str>,
    /// Which words it can say.
    pub words: &'static [Word],
    /// Standards, with the sections that were read.
    pub sources: &'static [&'static str],
}

/// Reads one protocol on one connection.
pub trait Dissector: std::fmt::Debug + Send {
    /// The next bytes of a side, from where it left off. Says what they mean in `notes`.
    fn read(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step;

    /// The last byte of a [`Step::Skip`] was seen (or would have been, where it was lost): `notes` stands there.
    fn skipped(&mut self, _side: Side, _notes: &mut Notes<'_>) {}

    /// Bytes of this side are missing from the capture, outside of any skip. What it was reading is lost. To go on,
    /// it answers `Took(0)`, and reads from the next byte; else it answers [`Step::NotMine`].
    fn gap(&mut self, _side: Side, _missing: u64, _notes: &mut Notes<'_>) -> Step {
        Step::NotMine(Why::Gap)
    }

    /// This side says no more. `unread` are bytes that it waited for more of; `pending` how many of a skip did not come.
    fn end(&mut self, _side: Side, _how: End, _unread: &[u8], _pending: u64, _notes: &mut Notes<'_>) {}

    /// A copy of its state.
    fn fork(&self) -> Box<dyn Dissector>;
}

/// Names the modules, and lists what they describe.
macro_rules! catalogue {
    ($($protocol:ident),* $(,)?) => {
        $(pub mod $protocol;)*

        /// All protocols, in order of their names.
        pub static CATALOGUE: &[&Protocol] = &[$(&$protocol::PROTOCOL),*];
    };
}

catalogue! { ftp, http, mqtt, openvpn, smtp, tls, websocket }

/// The protocol of this name.
pub fn named(name: &str) -> Option<&'static Protocol> {
    CATALOGUE.iter().find(|protocol| protocol.name == name).copied()
}

/// Whether whoever leaves a session of this protocol is expected to say so.
pub fn says_goodbye(name: &str) -> bool {
    named(name).is_some_and(|protocol| protocol.goodbye.is_some())
}
