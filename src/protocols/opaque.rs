//! Bytes that no dissector understands, or that are encrypted: who spoke when, and no more. Everything is inferred.
//!
//! A *turn* is a run of bytes of one side, however many deliveries it takes; it is told when it begins, and what ends
//! it is the other side's turn. Turns at a steady rhythm and of always the same size are keep-alives. The sizes of
//! the first three turns are a fingerprint, by which a login that is played again is known (`domain.md` B.4, H).

use std::net::IpAddr;

use super::Notes;
use super::verdict::End;
use crate::events::{Confidence, Extent, Identity, IdentityKind, Marks, Side, Stage, Strength, Use, Word};
use crate::time::{Span, Timestamp};

/// The catalogue name of what nobody understands.
pub const NAME: &str = "opaque";

/// Turns told one by one; beyond, a talk is known well enough.
const TURNS: u32 = 4_096;

/// Turns that make the fingerprint.
const FINGERPRINT: usize = 3;

/// Exchanges from which a talk counts as question and answer (`domain.md` C.5).
const EXCHANGES: u32 = 5;

/// Periods that have to be alike for a rhythm (`domain.md` E.1: at least four times).
const PERIODS: usize = 4;

/// A rhythm faster than this is a poll or a transfer, no sign of life.
const SHORTEST_PERIOD: Span = Span::from_secs(1);

/// A side that goes on after so long a pause did not wait for an answer.
const PAUSE: Span = Span::from_secs(1);

/// The turns of one conversation.
#[derive(Debug, Clone, Default)]
pub struct Opaque {
    /// The run at hand.
    run: Option<Run>,
    opener: Option<Side>,
    /// Events told so far.
    told: u32,
    /// The runs before the one at hand, the latest first.
    past: [Option<Past>; 2 * PERIODS],
    opening: Opening,
    pattern: Pattern,
    beat: Option<Beat>,
}

/// Bytes of one side with none of the other between them.
#[derive(Debug, Clone, Copy)]
struct Run {
    side: Side,
    bytes: u64,
    began: Timestamp,
    /// The last byte so far.
    last: Timestamp,
    /// Told as a keep-alive, of this place and of at most so many bytes.
    beat: Option<(Extent, u64)>,
}

/// What is remembered of an earlier run.
#[derive(Debug, Clone, Copy)]
struct Past {
    side: Side,
    bytes: u64,
    began: Timestamp,
    beat: bool,
}

/// The first turns of a connection that was heard from its beginning.
#[derive(Debug, Clone, Copy, Default)]
enum Opening {
    #[default]
    Unknown,
    /// Sides and sizes, and how many of them are known.
    Sizes([(Side, u64); FINGERPRINT], usize),
    Told,
}

/// How well the talk keeps to question and answer.
#[derive(Debug, Clone, Copy, Default)]
struct Pattern {
    exchanges: u32,
    /// Times that a side went on without waiting for an answer.
    breaks: u32,
    /// The longest wait for an answer so far.
    longest: Span,
}

impl Pattern {
    /// Whether at least nine exchanges of ten are question and answer, and there were enough of them.
    fn is_kept(self) -> bool {
        self.exchanges >= EXCHANGES && self.breaks * 10 <= self.exchanges
    }
}

/// A rhythm that was found.
#[derive(Debug, Clone, Copy)]
struct Beat {
    asker: Side,
    ask: u64,
    answer: u64,
    period: Span,
}

impl Opaque {
    /// A side says so many bytes, of which so many are at hand, from the place of `notes` on.
    pub fn read(&mut self, side: Side, bytes: u64, seen: usize, notes: &mut Notes<'_>) {
        self.read_at(side, bytes, seen, notes.time(), notes);
    }

    /// The same of bytes that came earlier.
    pub(super) fn read_at(
        &mut self,
        side: Side,
        bytes: u64,
        length: usize,
        at: Timestamp,
        notes: &mut Notes<'_>,
    ) {
        if self.run.is_some_and(|run| run.side == side) {
            return self.go_on(bytes, length, at, notes);
        }
        let begins = self.run.is_none();
        if begins && notes.from_start() && notes.offset() == 0 {
            self.opening = Opening::Sizes([(side, 0); FINGERPRINT], 0);
        }
        let quiet = self.run.map(|run| at.since(run.last));
        self.finish(at);
        let opener = *self.opener.get_or_insert(side);
        let expected = self.expected(side, bytes, at, quiet);
        self.run = Some(Run { side, bytes, began: at, last: at, beat: None });
        if let Some((stage, most)) = expected {
            let extent = notes.extent(0..length);
            if let Some(run) = &mut self.run {
                run.beat = Some((extent, most));
            }
            self.tell_beat(stage, length, notes);
        } else {
            self.tell_turn(side, opener, None, length, notes);
        }
    }

    /// More bytes of the run at hand.
    fn go_on(&mut self, bytes: u64, length: usize, at: Timestamp, notes: &mut Notes<'_>) {
        let Some(run) = &mut self.run else { return };
        let pause = at.since(run.last);
        run.bytes += bytes;
        run.last = at;
        if pause > PAUSE && pause > self.pattern.longest {
            self.pattern.breaks = self.pattern.breaks.saturating_add(1);
        }
        // What was taken for a keep-alive is longer than one: a turn after all.
        if let Some((extent, most)) = run.beat
            && run.bytes > most
        {
            run.beat = None;
            let (side, opener) = (run.side, self.opener.unwrap_or(run.side));
            self.tell_turn(side, opener, Some(extent), length, notes);
        }
    }

    /// The run at hand is over: the other side speaks.
    fn finish(&mut self, now: Timestamp) {
        let Some(run) = self.run.take() else { return };
        if let Opening::Sizes(sizes, known) = &mut self.opening
            && let Some(size) = sizes.get_mut(*known)
        {
            *size = (run.side, run.bytes);
            *known += 1;
        }
        if Some(run.side) == self.opener {
            self.pattern.longest = self.pattern.longest.max(now.since(run.last));
        } else {
            self.pattern.exchanges = self.pattern.exchanges.saturating_add(1);
        }
        self.past.rotate_right(1);
        let past = Past { side: run.side, bytes: run.bytes, began: run.began, beat: run.beat.is_some() };
        if let Some(latest) = self.past.first_mut() {
            *latest = Some(past);
        }
    }

    /// Whether the run that begins is part of a rhythm: question or answer, and how long it may be.
    fn expected(
        &mut self,
        side: Side,
        bytes: u64,
        at: Timestamp,
        quiet: Option<Span>,
    ) -> Option<(Stage, u64)> {
        if let Some(found) = self.rhythm(side, at) {
            self.beat = Some(found);
        }
        let beat = self.beat?;
        if beat.asker != side {
            let asked = self.past.first().copied().flatten().is_some_and(|run| run.beat);
            return (asked && bytes <= beat.answer).then_some((Stage::Granted, beat.answer));
        }
        // It keeps the time since the last question, or since anything was said.
        let last = self.past.iter().flatten().find(|run| run.side == side).map(|run| at.since(run.began));
        let in_time = [last, quiet].into_iter().flatten().any(|span| alike(&[span], beat.period));
        (in_time && bytes <= beat.ask).then_some((Stage::Asked, beat.ask))
    }

    /// A rhythm, if the runs before one of this side that begins now have one: the same sizes, answers that come
    /// promptly, and periods whose coefficient of variation is below a tenth.
    fn rhythm(&self, side: Side, now: Timestamp) -> Option<Beat> {
        let mut periods = [Span::ZERO; PERIODS];
        let mut sizes = None;
        let mut next = now;
        for (period, pair) in periods.iter_mut().zip(self.past.chunks_exact(2)) {
            let [Some(answer), Some(ask)] = pair else { return None };
            *period = next.since(ask.began);
            let prompt = answer.began.since(ask.began).0.saturating_mul(2) < period.0;
            let (known_ask, known_answer) = *sizes.get_or_insert((ask.bytes, answer.bytes));
            if ask.side != side || !prompt || (ask.bytes, answer.bytes) != (known_ask, known_answer) {
                return None;
            }
            next = ask.began;
        }
        let period = Span(periods.iter().map(|period| period.0 / PERIODS as i64).sum());
        let (ask, answer) = sizes?;
        (period >= SHORTEST_PERIOD && alike(&periods, period)).then_some(Beat {
            asker: side,
            ask,
            answer,
            period,
        })
    }

    fn tell_turn(
        &mut self,
        side: Side,
        opener: Side,
        since: Option<Extent>,
        length: usize,
        notes: &mut Notes<'_>,
    ) {
        if self.told >= TURNS {
            return;
        }
        self.told += 1;
        let stage = if side == opener { Stage::Asked } else { Stage::Granted };
        let fingerprint = self.fingerprint(notes);
        let mut saying = notes
            .say(Word::Turn, stage, 0..length)
            .mark(Marks::INFERRED.with(Marks::OPAQUE))
            .confidence(if self.pattern.is_kept() { Confidence::Medium } else { Confidence::Low });
        if let Some(since) = since {
            saying = saying.since(since);
        }
        if let Some(fingerprint) = fingerprint {
            saying.identity(fingerprint);
        }
    }

    fn tell_beat(&mut self, stage: Stage, length: usize, notes: &mut Notes<'_>) {
        let Some(beat) = self.beat.filter(|_| self.told < TURNS) else { return };
        self.told += 1;
        let text = format!("every {:.1} s", beat.period.as_secs());
        notes
            .say(Word::KeepAlive, stage, 0..length)
            .mark(Marks::INFERRED.with(Marks::OPAQUE).with(Marks::APP_PING))
            .confidence(Confidence::Medium)
            .text(text.as_bytes());
    }

    /// The sizes of the first turns, once the last of them is over.
    fn fingerprint(&mut self, notes: &Notes<'_>) -> Option<Identity> {
        let Opening::Sizes(sizes, FINGERPRINT) = self.opening else { return None };
        self.opening = Opening::Told;
        let server = notes.server();
        let address = match server.ip {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let mut value = Vec::with_capacity(9 * FINGERPRINT);
        let mut hint = String::new();
        for (side, bytes) in sizes {
            value.push(side as u8);
            value.extend(bytes.to_be_bytes());
            hint.push(if side == Side::Client { '>' } else { '<' });
            hint.push_str(&bytes.to_string());
        }
        let parts: [&[u8]; 3] = [&address.octets(), &server.port.to_be_bytes(), &value];
        let identity = Identity::new(IdentityKind::Other, Use::Shows, Strength::Heuristic, NAME, &parts);
        Some(identity.hinted(&hint))
    }

    /// A side says no more. That is the transport's to tell.
    pub fn end(&mut self, _side: Side, _how: End, _notes: &mut Notes<'_>) {}
}

/// Whether the spread of these spans (their standard deviation) is below a tenth of this mean.
fn alike(spans: &[Span], mean: Span) -> bool {
    let squares: i128 = spans.iter().map(|span| i128::from(span.0 - mean.0).pow(2)).sum();
    squares * 100 < i128::from(mean.0).pow(2) * spans.len() as i128
}

#[cfg(test)]
mod tests {
    use crate::events::{Confidence, Side, Word};
    use crate::protocols::rehearsal::{Act, play, rehearse, rehearse_in_pieces};
    use Act::{C, Fin, S};

    /// Words of a made-up protocol, which are nobody's.
    const LOGIN: [Act<'static>; 4] =
        [S(b"\x01hello"), C(b"\x01I am anna"), S(b"\x02who?"), C(b"\x03anna of the mill")];

    #[test]
    fn turns_are_runs_and_not_deliveries() {
        let script = [C(b"\x01one"), C(b"two"), S(b"\x01yes"), S(b"and"), C(b"\x02three"), Fin(Side::Client)];
        let whole = rehearse(9, &script);
        insta::assert_snapshot!(whole, @r#"
    1 C opaque turn asked inferred opaque
    3 S opaque turn granted inferred opaque
    5 C opaque turn asked inferred opaque
    "#);
        assert_eq!(rehearse_in_pieces(9, &script, 1), whole);
    }

    #[test]
    fn the_first_three_turns_are_a_fingerprint() {
        let said = rehearse(9, &LOGIN);
        insta::assert_snapshot!(said, @r#"
    1 S opaque turn asked inferred opaque
    2 C opaque turn granted inferred opaque
    3 S opaque turn asked inferred opaque
    4 C opaque turn granted inferred opaque Shows:other(H)
    "#);
        let print = |port: u16, script: &[Act<'_>], piece: usize| {
            let events = play(port, script, piece);
            let all: Vec<_> = events.iter().flat_map(|event| event.details().identities.clone()).collect();
            assert!(all.len() <= 1, "told once");
            all.first().map(|identity| identity.hash)
        };
        let whole = print(9, &LOGIN, usize::MAX);
        assert!(whole.is_some());
        assert_eq!(print(9, &LOGIN, 1), whole);
        assert_ne!(print(8, &LOGIN, 1), whole, "another service");
        assert_eq!(print(9, &LOGIN[..3], 1), None, "the third turn may go on");
        let mut other = LOGIN;
        other[1] = C(b"\x01I am bertha");
        assert_ne!(print(9, &other, 1), whole);
    }

    /// A second in which nobody speaks.
    const IDLE: Act<'static> = S(b"");

    /// A login, and then a heartbeat each four seconds.
    fn beating(times: usize) -> Vec<Act<'static>> {
        let mut script = LOGIN.to_vec();
        script.push(S(b"\x04welcome"));
        for _ in 0..times {
            script.extend([IDLE, IDLE, C(b"\x05\x05"), S(b"\x06\x06\x06")]);
        }
        script
    }

    #[test]
    fn a_steady_rhythm_is_a_keep_alive() {
        let mut script = beating(6);
        script.extend([C(b"\x07a real question"), S(b"\x08an answer"), IDLE, IDLE, IDLE]);
        script.extend([C(b"\x05\x05"), S(b"\x06\x06\x06")]);
        insta::assert_snapshot!(rehearse(9, &script), @r#"
    1 S opaque turn asked inferred opaque
    2 C opaque turn granted inferred opaque
    3 S opaque turn asked inferred opaque
    4 C opaque turn granted inferred opaque Shows:other(H)
    5 S opaque turn asked inferred opaque
    8 C opaque turn granted inferred opaque
    9 S opaque turn asked inferred opaque
    12 C opaque turn granted inferred opaque
    13 S opaque turn asked inferred opaque
    16 C opaque turn granted inferred opaque
    17 S opaque turn asked inferred opaque
    20 C opaque turn granted inferred opaque
    21 S opaque turn asked inferred opaque
    24 C opaque keep-alive asked inferred opaque app-ping says="every 4.0 s"
    25 S opaque keep-alive granted inferred opaque app-ping says="every 4.0 s"
    28 C opaque keep-alive asked inferred opaque app-ping says="every 4.0 s"
    29 S opaque keep-alive granted inferred opaque app-ping says="every 4.0 s"
    30 C opaque turn granted inferred opaque
    31 S opaque turn asked inferred opaque
    35 C opaque keep-alive asked inferred opaque app-ping says="every 4.0 s"
    36 S opaque keep-alive granted inferred opaque app-ping says="every 4.0 s"
    "#);
        let beats = |script: &[Act<'_>]| rehearse(9, script).matches("keep-alive asked").count();
        assert_eq!(beats(&beating(4)), 0, "the fourth period is not yet over");
        assert_eq!(beats(&beating(5)), 1);
    }

    #[test]
    fn what_varies_is_no_keep_alive() {
        let mut sizes = beating(5);
        sizes[11] = C(b"\x05\x05\x05");
        let mut slow = beating(5);
        slow.insert(10, IDLE);
        for script in [sizes, slow] {
            assert!(!rehearse(9, &script).contains("keep-alive"), "{script:?}");
        }
    }

    #[test]
    fn what_grows_beyond_a_keep_alive_was_a_turn() {
        let mut script = beating(5);
        script.extend([IDLE, IDLE, C(b"\x05"), C(b"\x05 and a question")]);
        let said = rehearse(9, &script);
        let last: Vec<_> = said.lines().rev().take(2).collect();
        assert!(last[1].contains("C opaque keep-alive asked"), "{said}");
        assert!(last[0].starts_with("28-29 C opaque turn granted"), "{said}");
    }

    #[test]
    fn question_and_answer_is_believed_after_five_exchanges() {
        let mut script = Vec::new();
        for _ in 0..7 {
            script.extend([C(b"\x05a"), S(b"\x06b")]);
        }
        let sure = |script: &[Act<'_>]| {
            let events = play(9, script, usize::MAX);
            events.iter().filter(|e| e.word == Word::Turn && e.confidence == Confidence::Medium).count()
        };
        assert_eq!(sure(&script[..10]), 0);
        assert!(sure(&script[..12]) >= 1, "{}", rehearse(9, &script[..12]));
        // Somebody who goes on without an answer: after two seconds' pause he did not wait for one.
        let mut pushed = script[..2].to_vec();
        pushed.extend([C(b"\x05a"), C(b""), C(b""), C(b"a")]);
        pushed.extend_from_slice(&script[1..12]);
        assert_eq!(sure(&pushed), 0);
    }
}
