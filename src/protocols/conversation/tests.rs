//! The frame itself, with two tiny protocols: who is taken for what, and what becomes of bytes that wait, are passed
//! over, lost, or handed to another protocol.

use super::identification::{Choice, choose};
use crate::events::{PerSide, Side, Stage, Word};
use crate::limits::{MESSAGE_BYTES, PROBE_BYTES};
use crate::protocols::rehearsal::{Act, rehearse_among};
use crate::protocols::{Dissector, End, Notes, Protocol, Step, Verdict, Why};
use Act::{C, Fin, Gap, Reset, S};

/// Messages `<x…>`: the letter says what the dissector does with it.
static ANGLE: Protocol = Protocol {
    name: "angle",
    title: "Angle",
    ports: &[70],
    probe: |_, bytes| if bytes.first() == Some(&b'<') { Verdict::Certain } else { Verdict::No },
    start: || Box::new(Angle::default()),
    goodbye: None,
    words: &[Word::Turn],
    sources: &[],
};

/// Every byte is a message.
static BYTES: Protocol = Protocol {
    name: "bytes",
    title: "Bytes",
    ports: &[71],
    probe: |_, bytes| if bytes.first() == Some(&b'*') { Verdict::Likely } else { Verdict::No },
    start: || Box::new(Bytes),
    goodbye: None,
    words: &[Word::Turn],
    sources: &[],
};

#[derive(Debug, Clone, Copy, Default)]
struct Angle {
    /// Messages of each side so far.
    said: PerSide<u32>,
}

impl Dissector for Angle {
    fn read(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        if bytes[0] != b'<' {
            return Step::NotMine(Why::Grammar);
        }
        let Some(end) = bytes.iter().position(|byte| *byte == b'>') else {
            return Step::NeedMore(bytes.len() + 1);
        };
        let length = end + 1;
        // `<h…>` waits until the other side has said as much as this one.
        if bytes[1] == b'h' && self.said[side.other()] < self.said[side] {
            return Step::Hold;
        }
        self.said[side] += 1;
        notes.say(Word::Turn, Stage::Told, 0..length).op(&bytes[1..end]);
        match bytes[1] {
            b's' => Step::Skip(length as u64 + 10),
            b'r' => Step::Replace(length, &BYTES),
            b'u' => Step::Under(length, &BYTES),
            b'd' => Step::Done,
            b'n' => Step::NotMine(Why::Unsupported),
            b'0' => Step::Took(0),
            _ => Step::Took(length),
        }
    }

    fn skipped(&mut self, side: Side, notes: &mut Notes<'_>) {
        self.said[side] += 1;
        notes.say(Word::Activity, Stage::Granted, 0..0);
    }

    fn gap(&mut self, _: Side, missing: u64, notes: &mut Notes<'_>) -> Step {
        notes.say(Word::Error, Stage::Told, 0..0).text(format!("{missing} lost").as_bytes());
        if missing < 100 { Step::Took(0) } else { Step::NotMine(Why::Gap) }
    }

    fn end(&mut self, _: Side, how: End, unread: &[u8], pending: u64, notes: &mut Notes<'_>) {
        let text = format!("{how:?}, {} unread, {pending} to come", unread.len());
        notes.say(Word::Release, Stage::Told, 0..0).text(text.as_bytes());
    }

    fn fork(&self) -> Box<dyn Dissector> {
        Box::new(*self)
    }
}

#[derive(Debug, Clone, Copy)]
struct Bytes;

impl Dissector for Bytes {
    fn read(&mut self, _: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        notes.say(Word::Turn, Stage::Told, 0..1).op(&bytes[..1]);
        Step::Took(1)
    }

    fn fork(&self) -> Box<dyn Dissector> {
        Box::new(*self)
    }
}

const BOTH: &[&Protocol] = &[&ANGLE, &BYTES];

/// What is told, in whatever pieces the bytes come.
fn told(script: &[Act<'_>]) -> String {
    let whole = rehearse_among(BOTH, 70, true, script, usize::MAX);
    for piece in [1, 3] {
        assert_eq!(rehearse_among(BOTH, 70, true, script, piece), whole, "in pieces of {piece}");
    }
    whole
}

#[test]
fn a_message_in_pieces_is_one_message() {
    let script = [C(b"<a"), S(b"<b>"), C(b"bc><e>"), Fin(Side::Client), S(b"<f")];
    insta::assert_snapshot!(told(&script), @r#"
    2 S angle turn told B
    1-3 C angle turn told ABC
    3 C angle turn told E
    3 C angle release told says="Fin, 0 unread, 0 to come"
    2 S angle release told says="Over, 2 unread, 0 to come"
    "#);
}

#[test]
fn what_waits_is_read_when_the_other_side_was_heard() {
    let script = [C(b"<a><h1><h2>"), S(b"<b>"), S(b"<c>")];
    insta::assert_snapshot!(told(&script), @r#"
    1 C angle turn told A
    2 S angle turn told B
    1 C angle turn told H1
    3 S angle turn told C
    1 C angle turn told H2
    1 C angle release told says="Over, 0 unread, 0 to come"
    3 S angle release told says="Over, 0 unread, 0 to come"
    "#);
}

#[test]
fn both_sides_can_wait_in_turn() {
    // Whose message of one packet comes first depends on how far the other side can be read: not in pieces.
    let script = [C(b"<a><h3><h5>"), S(b"<h2><h4><h6>")];
    insta::assert_snapshot!(rehearse_among(BOTH, 70, true, &script, usize::MAX), @r#"
    1 C angle turn told A
    2 S angle turn told H2
    2 S angle turn told H4
    1 C angle turn told H3
    1 C angle turn told H5
    2 S angle turn told H6
    1 C angle release told says="Over, 0 unread, 0 to come"
    2 S angle release told says="Over, 0 unread, 0 to come"
    "#);
}

#[test]
fn a_fin_does_not_take_what_still_waits() {
    let answered = [C(b"<a><h1>"), Fin(Side::Client), S(b"<b>"), S(b"<c>"), Fin(Side::Server)];
    insta::assert_snapshot!(told(&answered), @r#"
    1 C angle turn told A
    3 S angle turn told B
    1 C angle turn told H1
    1 C angle release told says="Fin, 0 unread, 0 to come"
    4 S angle turn told C
    4 S angle release told says="Fin, 0 unread, 0 to come"
    "#);
    let closed = [C(b"<a><h1>"), Fin(Side::Client), Fin(Side::Server)];
    insta::assert_snapshot!(told(&closed), @r#"
    1 C angle turn told A
    3 S angle release told says="Fin, 0 unread, 0 to come"
    1 C angle release told says="Fin, 4 unread, 0 to come"
    "#);
    let reset = [C(b"<a><h1>"), Fin(Side::Client), Reset(Side::Server)];
    insta::assert_snapshot!(told(&reset), @r#"
    1 C angle turn told A
    1 C angle release told says="Reset, 4 unread, 0 to come"
    3 S angle release told says="Reset, 0 unread, 0 to come"
    "#);
}

#[test]
fn skipped_bytes_may_come_in_any_deliveries_or_be_lost() {
    insta::assert_snapshot!(told(&[C(b"<s>01234"), C(b"56789<a>")]), @r#"
    1 C angle turn told S
    2 C angle activity granted
    2 C angle turn told A
    2 C angle release told says="Over, 0 unread, 0 to come"
    2 S angle release told says="Over, 0 unread, 0 to come"
    "#);
    insta::assert_snapshot!(told(&[C(b"<s>01"), Gap(Side::Client, 5), C(b"789<a>")]), @r#"
    1 C angle turn told S
    3 C angle activity granted
    3 C angle turn told A
    3 C angle release told says="Over, 0 unread, 0 to come"
    3 S angle release told says="Over, 0 unread, 0 to come"
    "#);
    insta::assert_snapshot!(told(&[C(b"<s>01"), Gap(Side::Client, 12), C(b"<a>")]), @r#"
    1 C angle turn told S
    1 C angle activity granted
    1 C angle error told says="4 lost"
    3 C angle turn told A
    3 C angle release told says="Over, 0 unread, 0 to come"
    3 S angle release told says="Over, 0 unread, 0 to come"
    "#);
    insta::assert_snapshot!(told(&[C(b"<s>01"), Fin(Side::Client)]), @r#"
    1 C angle turn told S
    1 C angle release told says="Fin, 0 unread, 8 to come"
    2 S angle release told says="Over, 0 unread, 0 to come"
    "#);
}

#[test]
fn the_end_of_a_skip_wakes_the_other_side() {
    let came = [S(b"<s>01234"), C(b"<a><h1>"), C(b"<h2>"), S(b"56789")];
    insta::assert_snapshot!(told(&came), @r#"
    1 S angle turn told S
    2 C angle turn told A
    2 C angle turn told H1
    4 S angle activity granted
    3 C angle turn told H2
    3 C angle release told says="Over, 0 unread, 0 to come"
    4 S angle release told says="Over, 0 unread, 0 to come"
    "#);
    let lost = [S(b"<s>01234"), C(b"<a><h1>"), C(b"<h2>"), Gap(Side::Server, 5)];
    insta::assert_snapshot!(told(&lost), @r#"
    1 S angle turn told S
    2 C angle turn told A
    2 C angle turn told H1
    1 S angle activity granted
    3 C angle turn told H2
    3 C angle release told says="Over, 0 unread, 0 to come"
    1 S angle release told says="Over, 0 unread, 0 to come"
    "#);
}

#[test]
fn another_protocol_takes_over_on_both_sides() {
    insta::assert_snapshot!(told(&[C(b"<a>"), S(b"<r>*1"), C(b"*2"), Fin(Side::Client)]), @r#"
    1 C angle turn told A
    2 S angle turn told R
    2 S bytes turn told *
    2 S bytes turn told 1
    3 C bytes turn told *
    3 C bytes turn told 2
    "#);
    // What the other side has sent and nobody took is the new one's.
    insta::assert_snapshot!(told(&[C(b"<b><h1>"), S(b"<r>*"), C(b"9")]), @r#"
    1 C angle turn told B
    2 S angle turn told R
    1 C bytes turn told <
    1 C bytes turn told H
    1 C bytes turn told 1
    1 C bytes turn told >
    2 S bytes turn told *
    3 C bytes turn told 9
    "#);
}

#[test]
fn the_outer_protocol_hears_the_end_too() {
    insta::assert_snapshot!(told(&[C(b"<u>*"), S(b"*"), Fin(Side::Server), Fin(Side::Client)]), @r#"
    1 C angle turn told U
    1 C bytes turn told *
    2 S bytes turn told *
    2 S angle release told says="Fin, 0 unread, 0 to come"
    1 C angle release told says="Fin, 0 unread, 0 to come"
    "#);
}

#[test]
fn a_dissector_that_cannot_go_on_gives_up_in_peace() {
    // Not its own, nothing taken, broken, and done.
    for message in ["<n>", "<0>", "x", "<d>"] {
        let script = [C(b"<a>"), S(b"<b>"), C(message.as_bytes()), S(b"***"), C(b"<c>")];
        let said = rehearse_among(BOTH, 70, true, &script, usize::MAX);
        let after: Vec<_> = said.lines().filter(|line| line.starts_with(['4', '5'])).collect();
        assert_eq!(after.len(), 2, "{said}");
        assert!(after.iter().all(|line| line.contains("opaque")), "{said}");
    }
}

#[test]
fn what_is_said_after_giving_up_is_cited_where_it_is() {
    let said =
        rehearse_among(BOTH, 70, true, &[C(b"<a>"), C(b"xxxxxxxxxxxx"), S(b"0"), C(b"1"), S(b"2")], 100);
    insta::assert_snapshot!(said, @r#"
    1 C angle turn told A
    3 S opaque turn asked inferred opaque
    4 C opaque turn granted inferred opaque
    5 S opaque turn asked inferred opaque
    "#);
}

#[test]
fn a_message_without_end_is_given_up() {
    let endless = vec![b'a'; MESSAGE_BYTES];
    let said = rehearse_among(BOTH, 70, true, &[C(b"<"), C(&endless), C(b"1"), S(b"2")], 10_000);
    assert!(!said.contains("angle turn") && said.contains("4 S opaque turn"), "{said}");
}

#[test]
fn after_a_gap_the_dissector_decides() {
    insta::assert_snapshot!(told(&[C(b"<a>"), C(b"<b"), Gap(Side::Client, 7), C(b"<c>")]), @r#"
    1 C angle turn told A
    2 C angle error told says="7 lost"
    4 C angle turn told C
    4 C angle release told says="Over, 0 unread, 0 to come"
    4 S angle release told says="Over, 0 unread, 0 to come"
    "#);
    insta::assert_snapshot!(told(&[C(b"<a>"), Gap(Side::Client, 100), C(b"<c>"), S(b"<e>")]), @r#"
    1 C angle turn told A
    1 C angle error told says="100 lost"
    3 C opaque turn asked inferred opaque
    4 S opaque turn granted inferred opaque
    "#);
}

#[test]
fn a_capture_that_begins_in_the_middle_looks_for_a_message() {
    let middle = [C(b"tail>"), C(b"more"), S(b"<b>"), C(b"<c>")];
    let late = rehearse_among(BOTH, 70, false, &middle, usize::MAX);
    insta::assert_snapshot!(late, @r#"
    3 S angle turn told B
    4 C angle turn told C
    4 C angle release told says="Over, 0 unread, 0 to come"
    3 S angle release told says="Over, 0 unread, 0 to come"
    "#);
    let first = rehearse_among(BOTH, 70, true, &middle, usize::MAX);
    assert!(!first.contains("angle"), "from the beginning there is nothing to look for: {first}");
    let lost = rehearse_among(BOTH, 70, true, &[Gap(Side::Client, 9), C(b"tail>"), C(b"<c>")], usize::MAX);
    assert!(lost.contains("angle turn told C"), "the beginning was lost: {lost}");
}

#[test]
fn the_middle_of_one_side_does_not_cost_the_beginning_of_the_other() {
    // The server's first byte is likely its protocol's, and waits for the client, which is in mid-message.
    let script = [S(b"*1"), C(b"tail"), C(b"*2")];
    let said = rehearse_among(BOTH, 9, false, &script, usize::MAX);
    insta::assert_snapshot!(said, @r#"
    1 S bytes turn told *
    1 S bytes turn told 1
    3 C bytes turn told *
    3 C bytes turn told 2
    "#);
}

#[test]
fn unknown_talk_is_told_in_the_order_in_which_it_came() {
    // Nobody knows what it is until the client's second word, which fits nothing.
    let said = rehearse_among(&[&MAYBE], 9, true, &[C(b"?"), S(b"*"), S(b"*"), C(b"?"), S(b"1")], usize::MAX);
    insta::assert_snapshot!(said, @r#"
    1 C opaque turn asked inferred opaque
    2 S opaque turn granted inferred opaque
    4 C opaque turn asked inferred opaque
    5 S opaque turn granted inferred opaque Shows:other(H)
    "#);
    // Or until it ends: a star is likely, and on this port not enough.
    let said = rehearse_among(BOTH, 9, true, &[C(b"*"), C(b"1")], usize::MAX);
    insta::assert_snapshot!(said, @r#"
    1 C opaque turn asked inferred opaque
    "#);
}

static MAYBE: Protocol = Protocol {
    name: "maybe",
    title: "Maybe",
    ports: &[72],
    probe: |_, bytes| match bytes {
        [b'*', ..] => Verdict::Likely,
        [b'?'] => Verdict::Unsure,
        _ => Verdict::No,
    },
    start: || Box::new(Bytes),
    goodbye: None,
    words: &[],
    sources: &[],
};

/// What the client and the server say, the port, whether it is heard from the start, and who reads it.
type Case<'a> = (&'a [u8], &'a [u8], u16, bool, &'a str);

#[test]
fn who_is_taken_for_what() {
    let long = vec![b'*'; PROBE_BYTES];
    let three: &[&'static Protocol] = &[&ANGLE, &BYTES, &MAYBE];
    let cases: &[Case<'_>] = &[
        (b"<a>", b"", 9, false, "angle"),
        (b"<a>", b"nonsense", 9, false, "nobody, server alone"),
        (b"", b"<a>", 9, false, "angle"),
        (b"*", b"", 9, false, "wait"),
        (b"*", b"", 71, false, "wait"),
        (b"*", b"*", 71, false, "bytes"),
        (b"*", b"*", 72, false, "maybe"),
        (b"*", b"*", 9, false, "bytes"),
        (b"?", b"", 72, false, "wait"),
        (b"?", b"*", 72, false, "wait"),
        (b"?", b"*", 72, true, "maybe"),
        (b"?", b"", 72, true, "nobody"),
        (b"*", b"", 9, true, "nobody"),
        (&long, b"", 9, false, "nobody"),
        (&long, b"", 71, false, "bytes"),
        (b"x", b"*", 71, false, "nobody, client alone"),
        (b"<", b"*", 71, false, "nobody"),
    ];
    for (client, server, port, finally, expected) in cases {
        let choice = match choose(three, PerSide { client, server }, *port, *finally) {
            Choice::Known(protocol) => protocol.name,
            Choice::Wait => "wait",
            Choice::Nobody(PerSide { client: true, server: false }) => "nobody, client alone",
            Choice::Nobody(PerSide { client: false, server: true }) => "nobody, server alone",
            Choice::Nobody(PerSide { client: false, server: false }) => "nobody",
            Choice::Nobody(_) => "nobody, both alone",
        };
        let (client, server) = (client.get(..9).unwrap_or(client), server);
        assert_eq!(choice, *expected, "{client:?} {server:?} port {port} finally {finally}");
    }
}
