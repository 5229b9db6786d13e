//! The stage on which a story is played: the clock, what is under way, the tap, and the recording.
//!
//! The tap is the only place with a clock. A packet that passes it towards a side can be answered at the tap
//! one turn later (`rtt`: 20 ms for the server, 100 µs for the client, if the story says nothing), so the side
//! is taken to act at that moment. Everything waits in one queue in order of time and of its making.

mod actions;
mod opening;

use std::collections::BTreeMap;

use crate::limits;
use crate::time::Timestamp;

use super::complaint::Complaint;
use super::faults::{Faults, Strokes};
use super::script::{Clock, Line, Link, Mishap, Pair, Setup, Side, Statement, Unreachable};
use super::segment::Segment;
use super::stack::Stack;
use super::wire::{self, Envelope, Packet};
use super::{Frame, Recording};

/// Time between two packets of one side: one after the other, never at once.
const GAP: i64 = 10_000;

/// How soon a swapped packet follows the one that overtook it.
const SWAP_GAP: i64 = 5_000;

/// Latest moment of a story, in nanoseconds after its start: 130 years, so that sums cannot overflow.
const LATEST: i64 = 130 * 365 * 86_400 * 1_000_000_000;

/// When a story begins that does not say: 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000_000_000;

/// Something that will happen.
#[derive(Debug)]
enum Event {
    /// A packet comes to the tap.
    Pass(Passage),
    /// What passed the tap is answered, or would be.
    Arrive(usize, Side, Delivery),
    /// Something is recorded that was recorded before.
    Record(Side, Vec<Vec<u8>>),
    /// An application that followed its peer's end closes.
    Follow(usize, Side),
    /// A further keep-alive probe.
    Probe { conn: usize, side: Side, byte: bool, left: u32, every: i64 },
}

/// A packet on its way through the tap.
#[derive(Debug)]
struct Passage {
    conn: usize,
    from: Side,
    frames: Vec<Vec<u8>>,
    /// Recorded again, and when.
    again: Option<(i64, Vec<Vec<u8>>)>,
    delivery: Delivery,
    strokes: Strokes,
    /// A packet that this one has overtaken.
    overtaken: Option<Box<Passage>>,
}

/// What a packet brings to the side that it reaches.
#[derive(Debug)]
enum Delivery {
    Segment(Segment),
    Complaint(Unreachable),
    /// Nothing that a stack would notice.
    Nothing,
}

/// What passes the tap, before it is made into bytes.
enum Message<'m> {
    Segment(&'m Segment),
    Datagram(&'m [u8]),
    Complaint { kind: Unreachable, from: std::net::IpAddr, quoted: &'m [u8] },
}

/// A connection with both its ends.
#[derive(Debug)]
struct Conn {
    name: String,
    setup: Setup,
    stacks: Pair<Stack>,
    faults: Pair<Faults>,
    /// Next IPv4 identification.
    ids: Pair<u16>,
    /// When the side's last packet passes the tap.
    busy: Pair<i64>,
    /// A packet that waits to be overtaken.
    held: Pair<Option<Passage>>,
    /// The last packet as its sender made it, and when the other side can answer it.
    last: Pair<Option<(i64, Vec<u8>)>>,
    vanished: Pair<bool>,
    /// Whether the side closes as soon as its peer has.
    follows: Pair<bool>,
}

/// The whole scene.
#[derive(Debug)]
struct Stage {
    /// Nanoseconds since the start of the story.
    now: i64,
    start: i64,
    link: Link,
    steps: u64,
    /// Bytes that applications were told to send.
    said: usize,
    /// Bytes of the frames recorded so far.
    recorded: usize,
    order: u64,
    queue: BTreeMap<(i64, u64), Event>,
    conns: Vec<Conn>,
    snap: Option<u32>,
    blind: Option<Side>,
    frames: Vec<Frame>,
    title: String,
    stopped: bool,
}

/// Plays a whole story; a complaint comes with its line.
pub(super) fn perform(lines: &[Line]) -> Result<Recording, (usize, Complaint)> {
    let mut setup = Setup::default();
    let mut stage = Stage {
        now: 0,
        start: START,
        link: Link::default(),
        steps: 0,
        said: 0,
        recorded: 0,
        order: 0,
        queue: BTreeMap::new(),
        conns: Vec::new(),
        snap: None,
        blind: None,
        frames: Vec::new(),
        title: String::new(),
        stopped: false,
    };
    for line in lines {
        let done = stage.line(line, &mut setup);
        done.map_err(|complaint| (line.number, complaint))?;
        if stage.stopped {
            break;
        }
    }
    let last = lines.last().map_or(1, |line| line.number);
    stage.finish().map_err(|complaint| (last, complaint))?;
    for conn in &stage.conns {
        for side in Side::BOTH {
            if let Some(unused) = conn.faults.of(side).unused() {
                return Err(unused);
            }
            let held = conn.held.of(side).as_ref().and_then(|passage| passage.strokes.swapped);
            if let Some(line) = held {
                return Err((line, Complaint::Unused));
            }
        }
    }
    Ok(Recording { title: stage.title, interfaces: vec![stage.link], frames: stage.frames })
}

impl Stage {
    /// Plays one line.
    fn line(&mut self, line: &Line, setup: &mut Setup) -> Result<(), Complaint> {
        let whole_story = match &line.statement {
            Statement::Title(_) => "title",
            Statement::Start(_) => "start",
            Statement::Link(_) => "link",
            Statement::Settings(_) => "a setting",
            Statement::Connection(..) => "connection",
            Statement::Clock(_) => "time and recording",
            Statement::Action(_) | Statement::Fault(..) => "",
        };
        if !whole_story.is_empty() && line.connection.is_some() {
            return Err(Complaint::NoConnectionHere(whole_story));
        }
        let early = self.conns.is_empty();
        match &line.statement {
            Statement::Title(title) => title.clone_into(&mut self.title),
            Statement::Start(start) if early && self.now == 0 => self.start = *start,
            Statement::Link(kind) if early => self.link = *kind,
            Statement::Settings(settings) if early => {
                for one in settings {
                    setup.apply(one);
                }
            }
            Statement::Start(_) | Statement::Link(_) | Statement::Settings(_) => {
                return Err(Complaint::LateSetting(whole_story));
            }
            Statement::Connection(name, settings) => {
                self.first_connection(setup)?;
                let mut setup = setup.clone();
                // Another connection of the same client has another port, unless the story says which.
                let port = &mut setup.ends.client.address;
                port.set_port(port.port().wrapping_add(self.conns.len() as u16));
                for one in settings {
                    setup.apply(one);
                }
                self.add_connection(name, setup)?;
            }
            Statement::Clock(clock) => self.clock(*clock)?,
            Statement::Fault(side, mishap) => {
                self.first_connection(setup)?;
                self.fault(line, *side, *mishap)?;
            }
            Statement::Action(action) => {
                self.first_connection(setup)?;
                let conn = self.connection(line)?;
                self.action(conn, action, line.meanwhile)?;
            }
        }
        Ok(())
    }

    /// Makes the story's own connection, `a`, when something first happens.
    fn first_connection(&mut self, setup: &Setup) -> Result<(), Complaint> {
        if self.conns.is_empty() { self.add_connection("a", setup.clone()) } else { Ok(()) }
    }

    fn add_connection(&mut self, name: &str, setup: Setup) -> Result<(), Complaint> {
        if self.conns.iter().any(|conn| conn.name == name) {
            return Err(Complaint::TwiceNamed(name.to_owned()));
        }
        if setup.ends.client.address.is_ipv4() != setup.ends.server.address.is_ipv4() {
            return Err(Complaint::MixedFamilies);
        }
        if !setup.vlans.is_empty() && self.link != Link::Ethernet {
            return Err(Complaint::TagsNeedEthernet);
        }
        let place = self.conns.len() as u32;
        // Of more than some hundred connections two may begin with the same: it is a number of 16 bits on the wire.
        let apart = (place as u16).wrapping_mul(0x100);
        self.conns.push(Conn {
            name: name.to_owned(),
            stacks: Pair {
                client: Stack::new(&setup, Side::Client, place),
                server: Stack::new(&setup, Side::Server, place),
            },
            setup,
            faults: Pair::default(),
            ids: Pair { client: apart.wrapping_add(0x1000), server: apart.wrapping_add(0x8000) },
            busy: Pair { client: -GAP, server: -GAP },
            held: Pair::default(),
            last: Pair::default(),
            vanished: Pair::default(),
            follows: Pair::default(),
        });
        Ok(())
    }

    /// The connection that a line is about.
    fn connection(&self, line: &Line) -> Result<usize, Complaint> {
        let Some(name) = &line.connection else { return Ok(0) };
        let found = self.conns.iter().position(|conn| conn.name == *name);
        found.ok_or_else(|| Complaint::UnknownConnection(name.clone()))
    }

    fn fault(&mut self, line: &Line, side: Side, mishap: Mishap) -> Result<(), Complaint> {
        let conn = self.connection(line)?;
        // The mishap is meant for what the side sends next, not for its answers to what it has yet to hear.
        if !line.meanwhile && self.conns[conn].stacks.of(side).is_open() {
            self.await_all(conn, side)?;
        }
        self.conns[conn].faults.of_mut(side).arm(mishap, line.number);
        Ok(())
    }

    fn clock(&mut self, clock: Clock) -> Result<(), Complaint> {
        match clock {
            Clock::Sleep(nanos) => self.run_until(self.now.saturating_add(nanos))?,
            Clock::At(moment) if moment < self.now => return Err(Complaint::Past(self.now)),
            Clock::At(moment) => self.run_until(moment)?,
            Clock::Settle => self.settle()?,
            Clock::Begin => {
                self.settle()?;
                self.frames.clear();
            }
            Clock::End => {
                self.run_until(self.now)?;
                self.stopped = true;
            }
            Clock::Cut(snap) => self.snap = snap,
            Clock::Blind(side) => self.blind = side,
        }
        Ok(())
    }

    /// Lets time pass up to `moment`.
    fn run_until(&mut self, moment: i64) -> Result<(), Complaint> {
        if moment > LATEST {
            let range = "within 130 years of its start".to_owned();
            return Err(Complaint::OutOfRange { what: "the story", range, found: format!("{moment} ns") });
        }
        while self.next_time().is_some_and(|next| next <= moment) {
            self.step()?;
        }
        self.now = self.now.max(moment);
        Ok(())
    }

    /// Lets everything that is under way arrive and be acknowledged; timers that run longer go on running.
    fn settle(&mut self) -> Result<(), Complaint> {
        let under_way = |event: &Event| !matches!(event, Event::Probe { .. });
        let owed = |conn: &Conn| {
            Side::BOTH.iter().any(|side| conn.stacks.of(*side).owes_ack() && !conn.vanished.of(*side))
        };
        while self.queue.values().any(under_way) || self.conns.iter().any(owed) {
            if !self.step()? {
                break;
            }
        }
        Ok(())
    }

    /// Lets the story end by itself: everything arrives, is sent again, or given up.
    fn finish(&mut self) -> Result<(), Complaint> {
        if self.stopped {
            return Ok(());
        }
        loop {
            let only_probes = |conn: &Conn| {
                Side::BOTH.iter().all(|side| {
                    let stack = conn.stacks.of(*side);
                    *conn.vanished.of(*side) || stack.deadline().is_none() || stack.only_probes()
                })
            };
            if (self.queue.is_empty() && self.conns.iter().all(only_probes)) || !self.step()? {
                return Ok(());
            }
        }
    }

    /// The side that acts by itself first, and when.
    fn next_deadline(&self) -> Option<(i64, usize, Side)> {
        let all = self.conns.iter().enumerate().flat_map(|(index, conn)| {
            let awake = Side::BOTH.into_iter().filter(|side| !conn.vanished.of(*side));
            awake.filter_map(move |side| {
                conn.stacks.of(side).deadline().map(|at| (at.max(self.now), index, side))
            })
        });
        all.min_by_key(|(at, index, side)| (*at, *index, *side == Side::Server))
    }

    fn next_time(&self) -> Option<i64> {
        let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
        let deadline = self.next_deadline().map(|(at, ..)| at);
        queued.into_iter().chain(deadline).min()
    }

    /// The next thing happens; false if nothing will.
    fn step(&mut self) -> Result<bool, Complaint> {
        self.steps += 1;
        if self.steps > limits::STORY_STEPS {
            return Err(Complaint::Endless(limits::STORY_STEPS));
        }
        if self.recorded > limits::STORY_BYTES {
            return Err(Complaint::TooLong(limits::STORY_BYTES));
        }
        let deadline = self.next_deadline();
        let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
        match (queued, deadline) {
            (queued, Some((at, conn, side))) if queued.is_none_or(|queued| at < queued) => {
                self.now = at;
                self.conns[conn].stacks.of_mut(side).expire(at);
                self.flush(conn, side)?;
            }
            (Some(_), _) => {
                if let Some(((at, _), event)) = self.queue.pop_first() {
                    self.now = at;
                    self.happen(event)?;
                }
            }
            (None, _) => return Ok(false),
        }
        Ok(true)
    }

    fn push(&mut self, at: i64, event: Event) {
        self.order += 1;
        self.queue.insert((at, self.order), event);
    }

    fn happen(&mut self, event: Event) -> Result<(), Complaint> {
        match event {
            Event::Pass(passage) => self.pass(passage),
            Event::Record(from, frames) => self.record(from, frames),
            Event::Arrive(conn, to, delivery) => self.arrive(conn, to, &delivery)?,
            Event::Follow(conn, side) => {
                self.conns[conn].stacks.of_mut(side).close(self.now);
                self.flush(conn, side)?;
            }
            Event::Probe { conn, side, byte, left, every } => {
                if self.conns[conn].stacks.of(side).is_open() {
                    self.conns[conn].stacks.of_mut(side).keep_alive(self.now, byte);
                    self.flush(conn, side)?;
                    if left > 1 {
                        self.push(self.now + every, Event::Probe { conn, side, byte, left: left - 1, every });
                    }
                }
            }
        }
        Ok(())
    }

    /// A packet reaches a side, or its answer would pass the tap now.
    fn arrive(&mut self, conn: usize, to: Side, delivery: &Delivery) -> Result<(), Complaint> {
        let now = self.now;
        let this = &mut self.conns[conn];
        if *this.vanished.of(to) {
            return Ok(());
        }
        let stack = this.stacks.of_mut(to);
        match delivery {
            Delivery::Segment(segment) => stack.arrive(now, segment),
            // Hosts that only try to connect give up; synchronised ones go on (RFC 5927).
            Delivery::Complaint(kind) => stack.hear_complaint(*kind),
            Delivery::Nothing => {}
        }
        let follow = *this.follows.of(to) && stack.sees_end() && !stack.is_finished();
        if follow {
            *this.follows.of_mut(to) = false;
        }
        self.flush(conn, to)?;
        if follow {
            // A moment for the application, so that the acknowledgement goes out by itself before.
            self.push(now + 5 * GAP, Event::Follow(conn, to));
        }
        Ok(())
    }

    /// Sends what a stack wants sent.
    fn flush(&mut self, conn: usize, from: Side) -> Result<(), Complaint> {
        for segment in self.conns[conn].stacks.of_mut(from).take_out() {
            if !self.conns[conn].vanished.of(from) {
                self.send(conn, from, &Message::Segment(&segment), Delivery::Segment(segment.clone()))?;
            }
        }
        Ok(())
    }

    /// Makes a packet of a message and lets it go to the tap.
    fn send(
        &mut self,
        conn: usize,
        from: Side,
        message: &Message<'_>,
        delivery: Delivery,
    ) -> Result<(), Complaint> {
        let now = self.now;
        let link = self.link;
        let this = &mut self.conns[conn];
        let strokes = this.faults.of_mut(from).draw();
        let id = *this.ids.of(from);
        *this.ids.of_mut(from) = id.wrapping_add(1);
        let at = now.max(this.busy.of(from) + GAP);
        *this.busy.of_mut(from) = at;

        let setup = &this.setup;
        let (ttl, mac) = match message {
            Message::Segment(segment) => (segment.ttl, segment.mac),
            _ => (None, None),
        };
        let ttl = ttl.unwrap_or(setup.ends.of(from).ttl);
        let packet = |ttl| message.packet(setup, from, ttl, id);
        let frames = |packet: &Packet| -> Result<Vec<Vec<u8>>, Complaint> {
            let parts = match strokes.fragment {
                Some(most) => packet.fragments(most),
                None => vec![packet.to_bytes()],
            };
            parts.iter().map(|part| wire::frame(link, setup, from, mac, part)).collect()
        };
        let first = packet(ttl)?;
        let again = match strokes.again {
            Some((later, change)) => {
                let ttl = (i16::from(ttl) + change).clamp(1, 255) as u8;
                Some((later, frames(&packet(ttl)?)?))
            }
            None => None,
        };
        let frames = frames(&first)?;
        if !matches!(message, Message::Complaint { .. }) {
            *this.last.of_mut(from) = Some((at + setup.turn.of(from.other()), first.to_bytes()));
        }
        let overtaken = this.held.of_mut(from).take().map(Box::new);
        let passage = Passage { conn, from, frames, again, delivery, strokes, overtaken };
        if strokes.swapped.is_some() {
            *this.held.of_mut(from) = Some(passage);
        } else {
            self.push(at, Event::Pass(passage));
        }
        Ok(())
    }

    /// A packet comes to the tap.
    fn pass(&mut self, passage: Passage) {
        let Passage { conn, from, frames, again, delivery, strokes, overtaken } = passage;
        let now = self.now;
        let to = from.other();
        if let Some((later, frames)) = again.filter(|_| !strokes.unseen) {
            self.push(now + later, Event::Record(from, frames));
        }
        if !strokes.unseen {
            self.record(from, frames);
        }
        if !strokes.lost {
            let turn = *self.conns[conn].setup.turn.of(to);
            self.push(now + turn + strokes.delay, Event::Arrive(conn, to, delivery));
        }
        if let Some(overtaken) = overtaken {
            self.push(now + SWAP_GAP, Event::Pass(*overtaken));
        }
    }

    /// The tap sees frames.
    fn record(&mut self, from: Side, frames: Vec<Vec<u8>>) {
        if self.blind == Some(from) {
            return;
        }
        for mut bytes in frames {
            let original = bytes.len() as u32;
            bytes.truncate(self.snap.unwrap_or(u32::MAX) as usize);
            let time = Timestamp(self.start.saturating_add(self.now));
            self.recorded += bytes.len();
            self.frames.push(Frame { time, bytes, original, interface: 0 });
        }
    }
}

impl Message<'_> {
    /// The IP packet of the message.
    fn packet(&self, setup: &Setup, from: Side, ttl: u8, id: u16) -> Result<Packet, Complaint> {
        let (source, target) = (setup.ends.of(from).address, setup.ends.of(from.other()).address);
        let ports = (source.port(), target.port());
        let envelope = Envelope { from: source.ip(), to: target.ip(), ttl, id };
        match self {
            Self::Segment(segment) => Packet::tcp(envelope, ports, segment),
            Self::Datagram(data) => Packet::udp(envelope, ports, data),
            Self::Complaint { kind, from, quoted } => {
                Packet::icmp(Envelope { from: *from, ..envelope }, *kind, quoted)
            }
        }
    }
}
