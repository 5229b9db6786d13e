//! What a dissector writes to: it says events, and learns where it is.

use std::ops::Range;

use super::labels::{Labeller, Labels};
use super::provenance::Provenance;
use crate::events::{
    Action, Code, Confidence, ConnectionKey, Declared, Details, Event, Expectation, Extent, Grade, Identity,
    Marks, Moment, PerSide, Position, Principal, Scope, SecurityFacts, ShortText, Side, Stage, Timer, Word,
    bounded,
};
use crate::stream::receiver::{Origin, Parties};
use crate::time::Span;

/// The pen of one dissector while it reads.
#[derive(Debug)]
pub struct Notes<'n> {
    pub(super) events: &'n mut Vec<Event>,
    pub(super) steps: &'n mut u32,
    pub(super) provenance: &'n PerSide<Provenance>,
    pub(super) parties: &'n Parties,
    pub(super) protocol: &'static str,
    pub(super) side: Side,
    /// Offset, in the stream of `side`, of the first byte that the dissector is given.
    pub(super) base: u64,
    pub(super) now: Origin,
    /// Where labels go, where they are wanted.
    pub(super) labels: Option<&'n mut Labels>,
}

impl Notes<'_> {
    /// Says something of these bytes (a range of what the dissector was given). More is said of it by the methods
    /// of [`Saying`].
    pub fn say(&mut self, word: Word, stage: Stage, bytes: Range<usize>) -> Saying<'_> {
        let (extent, from) = self.locate(&bytes);
        self.say_at(word, stage, extent, from)
    }

    /// The pen for the fields of single packets, where somebody wants them. Ranges are those of the bytes at hand.
    pub fn labels(&mut self) -> Option<Labeller<'_>> {
        let base = self.base;
        self.labels.as_deref_mut().map(|labels| Labeller::new(labels, base))
    }

    /// The message goes on behind the bytes that are taken now: its fields are shown where it ends.
    pub fn goes_on(&mut self) {
        if let Some(labels) = &mut self.labels {
            labels.go_on();
        }
    }

    /// Which frames these bytes came in, to be cited later.
    pub fn extent(&self, bytes: Range<usize>) -> Extent {
        self.locate(&bytes).0
    }

    /// Offset of the first byte at hand in its side's stream.
    pub fn offset(&self) -> u64 {
        self.base
    }

    /// Who is being asked: part of what makes a user or a handle unique.
    pub fn server(&self) -> crate::events::Endpoint {
        self.parties.server
    }

    /// Who asks.
    pub fn client(&self) -> crate::events::Endpoint {
        self.parties.client
    }

    /// Whether the connection was heard from its beginning.
    pub fn from_start(&self) -> bool {
        self.parties.from_start
    }

    /// The time of the packet at hand.
    pub fn time(&self) -> crate::time::Timestamp {
        self.now.time
    }

    /// How many events were said so far, here and elsewhere: the place of the next one.
    pub(super) fn next_place(&self) -> usize {
        self.events.len()
    }

    /// Takes an event back that was just said: its message is not complete yet.
    pub(super) fn withdraw(&mut self, place: usize) -> Option<Event> {
        (place < self.events.len()).then(|| self.events.remove(place))
    }

    /// Says an event that was taken back: these bytes complete its message.
    pub(super) fn say_again(&mut self, mut event: Event, bytes: Range<usize>) {
        let (extent, from) = self.locate(&bytes);
        event.moment = Moment { packet: self.now.order, step: *self.steps, time: from.time };
        *self.steps += 1;
        event.extent.last = event.extent.last.max(extent.last);
        self.events.push(event);
    }

    fn locate(&self, bytes: &Range<usize>) -> (Extent, Origin) {
        let length = bytes.end.saturating_sub(bytes.start) as u64;
        let start = self.base + bytes.start as u64;
        // An empty range is the place of the byte before it: "here it ended".
        let start = if length == 0 { start.saturating_sub(1) } else { start };
        let (mut extent, from) = self.provenance[self.side].resolve(start, length, self.now);
        extent.length = length;
        (extent, from)
    }

    fn say_at(&mut self, word: Word, stage: Stage, extent: Extent, from: Origin) -> Saying<'_> {
        let moment = Moment { packet: self.now.order, step: *self.steps, time: from.time };
        *self.steps += 1;
        self.events.push(Event {
            moment,
            connection: self.parties.key,
            protocol: self.protocol,
            side: self.side,
            word,
            stage,
            scope: Scope::default(),
            grade: None,
            marks: Marks::default(),
            confidence: Confidence::Certain,
            op: ShortText::default(),
            code: Code::None,
            count: 1,
            channel: None,
            extent,
            details: None,
        });
        let last = self.events.len() - 1;
        Saying { event: self.events.get_mut(last) }
    }

    /// The connection's name.
    pub fn connection(&self) -> ConnectionKey {
        self.parties.key
    }
}

/// An event that is being said.
#[derive(Debug)]
pub struct Saying<'e> {
    event: Option<&'e mut Event>,
}

#[allow(clippy::return_self_not_must_use, reason = "an event is said already; what follows only adds to it")]
impl Saying<'_> {
    fn set(mut self, change: impl FnOnce(&mut Event)) -> Self {
        if let Some(event) = &mut self.event {
            change(event);
        }
        self
    }

    fn detail(self, change: impl FnOnce(&mut Details)) -> Self {
        self.set(|event| change(event.details.get_or_insert_default()))
    }

    /// Which agreement is meant.
    pub fn scope(self, scope: Scope) -> Self {
        self.set(|event| event.scope = scope)
    }

    /// It is said by this side, not by the one whose bytes are read.
    pub fn by(self, side: Side) -> Self {
        self.set(|event| event.side = side)
    }

    /// The grade of a checkpoint.
    pub fn grade(self, grade: Grade) -> Self {
        self.set(|event| event.grade = Some(grade))
    }

    /// What else is true; adds to what was said before.
    pub fn mark(self, marks: Marks) -> Self {
        self.set(|event| event.marks = event.marks.with(marks))
    }

    /// It is true as far as this can be told.
    pub fn confidence(self, confidence: Confidence) -> Self {
        self.set(|event| event.confidence = confidence)
    }

    /// The command, method or message name of the wire, which becomes upper case. Once a message.
    pub fn op(self, command: &[u8]) -> Self {
        self.set(|event| event.op = ShortText::command(command))
    }

    /// The status of an answer. Once a message.
    pub fn code(self, code: u32) -> Self {
        self.set(|event| event.code = Code::Decimal(code))
    }

    /// The multiplexed part.
    pub fn channel(self, channel: u32) -> Self {
        self.set(|event| event.channel = Some(channel))
    }

    /// It rests on this too: the frame that began what these bytes end.
    pub fn since(self, earlier: Extent) -> Self {
        self.set(|event| event.extent.first = event.extent.first.min(earlier.first))
    }

    /// It rests on these bytes instead: on what was read before, and told only now.
    pub fn at(self, extent: Extent) -> Self {
        self.set(|event| event.extent = extent)
    }

    /// Ties question and answer.
    pub fn tag(self, tag: u64) -> Self {
        self.detail(|details| details.tag = Some(tag))
    }

    /// The message shows, issues or drops this.
    pub fn identity(self, identity: Identity) -> Self {
        self.detail(|details| {
            if details.identities.len() < crate::limits::EVENT_IDENTITIES {
                details.identities.push(identity);
            }
        })
    }

    /// Where work stands.
    pub fn position(self, position: Position) -> Self {
        self.detail(|details| details.position = Some(position))
    }

    /// The message declares a timer.
    pub fn declares(self, timer: Timer, span: Span) -> Self {
        self.detail(|details| details.declared.push(Declared { timer, span }))
    }

    /// What is asked for, to know it again.
    pub fn action(self, action: Action) -> Self {
        self.detail(|details| details.action = Some(action))
    }

    /// What it is about: a path, a topic. Never a secret.
    pub fn object(self, object: &[u8]) -> Self {
        self.detail(|details| details.object = Some(bounded(&String::from_utf8_lossy(object))))
    }

    /// The protocol's own words. Never a secret.
    pub fn text(self, text: &[u8]) -> Self {
        self.detail(|details| details.text = Some(bounded(&String::from_utf8_lossy(text))))
    }

    /// The mechanism of a login or a resumption.
    pub fn mechanism(self, mechanism: &'static str) -> Self {
        self.detail(|details| details.mechanism = Some(mechanism))
    }

    /// Who logs in.
    pub fn principal(self, principal: Principal) -> Self {
        self.detail(|details| details.principal = Some(principal))
    }

    /// The facts of a security handshake.
    pub fn security(self, facts: SecurityFacts) -> Self {
        self.detail(|details| details.security = Some(Box::new(facts)))
    }

    /// A connection to come belongs to this session.
    pub fn expects(self, expectation: Expectation) -> Self {
        self.detail(|details| details.expects = Some(expectation))
    }
}
