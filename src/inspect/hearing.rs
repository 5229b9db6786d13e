//! Listens to connections for the sake of their packets: what each segment is, and what its bytes say.

use std::collections::{BTreeMap, VecDeque};

use super::segments::{Follower, Segment};
use crate::events::Side;
use crate::limits::OPEN_QUESTIONS;
use crate::protocols::labels::{LabelValue, Message};
use crate::protocols::{Conversation, Said};
use crate::stream::receiver::{Counted, Heard, Origin, Parties, Receiver};
use crate::time::{Span, Timestamp};

/// Listens to one connection.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    follower: Option<Box<Follower>>,
    talk: Conversation,
    /// When requests of HTTP came that were not answered yet.
    asked: VecDeque<Timestamp>,
}

/// A message, and how long its question had waited for it.
#[derive(Debug)]
pub(super) struct Heeded {
    pub(super) message: Message,
    /// `http.time`.
    pub(super) waited: Option<Span>,
}

/// What was heard in a batch.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// The segments by their place in the run.
    pub(super) segments: BTreeMap<u64, Segment>,
    /// Where the captured payload of a packet ends in its stream, by the packet's place in the run.
    pub(super) ends: BTreeMap<u64, u64>,
    /// Messages that became whole, in order.
    pub(super) messages: Vec<Heeded>,
    /// What the conversations say; its labels are there where they are wanted.
    said: Said,
}

impl Account {
    /// Lets conversations name the bytes that they read.
    pub(super) fn label(&mut self) {
        self.said.labels = Some(Box::default());
    }

    /// Forgets what was heard in the last batch.
    pub(super) fn clear(&mut self) {
        self.segments.clear();
        self.ends.clear();
        self.messages.clear();
    }
}

impl Receiver for Hearing {
    type Sink = Account;

    fn wants_bytes(&self) -> bool {
        self.talk.wants_bytes()
    }

    fn may_rest(&self) -> bool {
        self.talk.may_rest() && self.asked.is_empty()
    }

    fn counted(&mut self, segment: &Counted<'_>, parties: &Parties, account: &mut Account) {
        let follower = self.follower.get_or_insert_default();
        account.segments.insert(segment.order, follower.segment(segment, parties));
    }

    fn hear(&mut self, side: Side, heard: Heard<'_>, now: Origin, parties: &Parties, account: &mut Account) {
        if account.said.labels.is_none() {
            return;
        }
        if let Heard::Bytes { offset, bytes, from } = heard {
            // What is delivered of a packet goes to the end of what was captured of it.
            account.ends.insert(from.order, offset + bytes.len() as u64);
        }
        self.talk.hear(side, heard, now, parties, &mut account.said);
        // Events and troubles were told by the analysis.
        account.said.events.clear();
        account.said.given_up.clear();
        let Some(labels) = &mut account.said.labels else { return };
        for message in labels.messages.drain(..) {
            let waited = waited(&mut self.asked, &message);
            account.messages.push(Heeded { message, waited });
        }
    }
}

/// How long the question of an answer of HTTP had waited.
fn waited(asked: &mut VecDeque<Timestamp>, message: &Message) -> Option<Span> {
    if message.labels.iter().any(|label| label.name == "http.request") {
        if asked.len() < OPEN_QUESTIONS {
            asked.push_back(message.at.time);
        }
        return None;
    }
    let code = message.labels.iter().find(|label| label.name == "http.response.code")?;
    let is_final = matches!(code.value, LabelValue::Unsigned(101 | 200..));
    if is_final { asked.pop_front().map(|asked| message.at.time - asked) } else { None }
}
