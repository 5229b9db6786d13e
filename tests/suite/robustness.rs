//! Bad input is data: whatever is done to a capture, the analysis ends soon, does not panic, and its account
//! still adds up.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ghostshark::analysis::Analysis;
use ghostshark::error::Error;
use ghostshark::limits;
use ghostshark::packet::Transport;
use ghostshark::scenario::{Format, Recording};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::run::{Desk, jsonl, plain};
use crate::support::{self, Sample, file_of};

/// Longest time of one run. These captures take milliseconds; the rest is for machines that are busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Analyses and checks what must hold for every result; none where the bytes are no capture at all.
fn account(desk: &Desk, what: &str, bytes: &[u8]) -> Option<Analysis> {
    let begun = Instant::now();
    let result = desk.analyze("capture", bytes, &plain());
    let taken = begun.elapsed();
    assert!(taken < PATIENCE, "{what}: took {taken:?}");
    match result {
        Ok(analysis) => {
            adds_up(what, &analysis);
            Some(analysis)
        }
        Err(Error::NotACapture { .. } | Error::Read { .. }) => None,
        Err(other) => panic!("{what}: {other}"),
    }
}

/// What holds for the result of any input of one file.
fn adds_up(what: &str, analysis: &Analysis) {
    let totals = &analysis.totals;
    assert_eq!(analysis.files.len(), 1, "{what}");
    assert_eq!(analysis.files[0].packets, totals.packets, "{what}: packets");
    let named = totals.tcp_segments + totals.udp_datagrams + totals.icmp_errors;
    let other: u64 = totals.other.iter().map(|(_, packets)| packets).sum();
    assert!(totals.packets == 0 || named + other > 0, "{what}: {} packets of no kind", totals.packets);
    let (mut tcp, mut udp) = (0, 0);
    for (id, connection) in analysis.connections.iter().enumerate() {
        let what = format!("{what}, connection {id}");
        assert_eq!(connection.id as usize, id, "{what}");
        let packets = connection.sides.client.packets + connection.sides.server.packets;
        match connection.transport {
            Transport::Tcp => tcp += packets,
            Transport::Udp => udp += packets,
        }
        assert!(packets > 0, "{what}: without packets");
        assert!(connection.first <= connection.last, "{what}: last before first");
        assert!(connection.start <= connection.end, "{what}: ends before its start");
        let ended = &connection.ended;
        assert!(ended.frames.len() <= limits::CITED_FRAMES, "{what}: cites {}", ended.frames.len());
        assert!(!ended.because.is_empty(), "{what}: {:?} without a sentence", ended.reason);
        let cited: Vec<u64> = ended.frames.iter().map(|at| at.number).collect();
        let sorted: BTreeSet<u64> = cited.iter().copied().collect();
        assert_eq!(cited, sorted.iter().copied().collect::<Vec<_>>(), "{what}: order of cited frames");
        for at in ended.frames.iter().chain([&connection.first, &connection.last]) {
            assert!(at.frame >= 1, "{what}: cites frame 0");
        }
        assert!(connection.visibility.gaps.len() <= limits::GAPS, "{what}: gaps");
        let lost = connection.visibility.loss_ratio;
        assert!((0.0..=1.0).contains(&lost), "{what}: loss ratio {lost}");
    }
    if totals.folded_connections == 0 {
        assert_eq!((tcp, udp), (totals.tcp_segments, totals.udp_datagrams), "{what}: packets told");
    }
    for line in jsonl(analysis).lines() {
        let read = serde_json::from_str::<serde_json::Value>(line);
        assert!(read.is_ok(), "{what}: {line}");
    }
}

/// Every story and recorded capture as a file, the pcap form and the block form in turn.
fn samples() -> Vec<Sample> {
    let form = |index: usize, recording: &Recording| {
        let one_link = recording.interfaces.iter().all(|link| *link == recording.interfaces[0]);
        if index.is_multiple_of(2) && one_link {
            Format::Pcap { nanoseconds: false, big_endian: index.is_multiple_of(4) }
        } else {
            Format::Pcapng
        }
    };
    let made = support::stories().into_iter().enumerate().map(|(index, (name, recording))| Sample {
        name,
        bytes: file_of(&recording, form(index, &recording)),
    });
    support::captures().into_iter().chain(made).collect()
}

/// A row of numbers without pattern that is the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        // xorshift64 (Marsaglia 2003): any state but zero.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }
}

#[test]
fn whole_captures_add_up() {
    let desk = Desk::new();
    for Sample { name, bytes } in samples() {
        let analysis = account(&desk, &name, &bytes).unwrap();
        assert!(analysis.totals.packets > 0, "{name}");
        assert!(!analysis.files[0].truncated, "{name}");
    }
    let bytes = file_of(&support::all_stories_at_once(), Format::Pcapng);
    account(&desk, "all stories at once", &bytes).unwrap();
}

#[test]
fn a_cut_file_gives_what_came_before() {
    let desk = Desk::new();
    for Sample { name, bytes } in samples() {
        let mut packets = 0;
        // Every length of the head, then lengths spread over the file with all remainders of division by four.
        let step = (bytes.len() / 24).max(1) | 1;
        let spread = (48..bytes.len()).step_by(step).chain([bytes.len() - 1]);
        for length in (0..48.min(bytes.len())).chain(spread) {
            let analysis = account(&desk, &format!("{name} cut at {length}"), &bytes[..length]);
            let now = analysis.map_or(0, |analysis| analysis.totals.packets);
            assert!(now >= packets, "{name}: {now} packets at {length}, {packets} before");
            packets = now;
        }
        let whole = account(&desk, &name, &bytes).unwrap();
        // Without its last byte a file has lost its last record at most.
        let lost = whole.totals.packets - packets;
        assert!(lost <= 1, "{name}: {packets} of {}", whole.totals.packets);
    }
}

#[test]
fn flipped_bits_do_no_harm() {
    let desk = Desk::new();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for Sample { name, bytes } in samples() {
        for round in 0..20 {
            let mut flipped = bytes.clone();
            let mut places = Vec::new();
            for _ in 0..=round {
                let place = dice.below(flipped.len() * 8);
                flipped[place / 8] ^= 1 << (place % 8);
                places.push(place);
            }
            account(&desk, &format!("{name} with bits {places:?} flipped"), &flipped);
        }
    }
}

#[test]
fn packets_may_be_shuffled_lost_and_doubled() {
    let desk = Desk::new();
    let mut dice = Dice(0xd1b5_4a32_d192_ed03);
    for (name, recording) in support::stories() {
        for round in 0..12 {
            let mut changed = recording.clone();
            let frames = &mut changed.frames;
            let count = frames.len();
            match round % 4 {
                // Shuffled, each with its own time: time runs back.
                0 => (1..count).rev().for_each(|last| frames.swap(last, dice.below(last + 1))),
                // Shuffled, the times in order.
                1 => {
                    let times: Vec<_> = frames.iter().map(|frame| frame.time).collect();
                    (1..count).rev().for_each(|last| frames.swap(last, dice.below(last + 1)));
                    frames.iter_mut().zip(times).for_each(|(frame, time)| frame.time = time);
                }
                2 => frames.retain(|_| dice.below(3) > 0),
                _ => {
                    for _ in 0..count {
                        let again = frames[dice.below(frames.len())].clone();
                        frames.insert(dice.below(frames.len() + 1), again);
                    }
                }
            }
            let kept = frames.len();
            let bytes = file_of(&changed, Format::Pcapng);
            let analysis = account(&desk, &format!("{name}, round {round}"), &bytes).unwrap();
            assert_eq!(analysis.totals.packets, kept as u64, "{name}, round {round}");
        }
    }
}

/// Something that can happen to a frame.
#[derive(Debug, Clone)]
enum Mishap {
    Lost(Index),
    Doubled(Index, Index),
    Swapped(Index, Index),
    Cut(Index, Index),
    Flipped(Index, Index, u8),
    Later(Index, i64),
}

fn mishap() -> impl Strategy<Value = Mishap> {
    let any = any::<Index>;
    prop_oneof![
        any().prop_map(Mishap::Lost),
        (any(), any()).prop_map(|(a, b)| Mishap::Doubled(a, b)),
        (any(), any()).prop_map(|(a, b)| Mishap::Swapped(a, b)),
        (any(), any()).prop_map(|(a, b)| Mishap::Cut(a, b)),
        (any(), any(), 1..=255_u8).prop_map(|(a, b, bits)| Mishap::Flipped(a, b, bits)),
        (any(), -90_000_000_000..90_000_000_000_i64).prop_map(|(a, by)| Mishap::Later(a, by)),
    ]
}

fn befall(recording: &mut Recording, mishap: &Mishap) {
    let frames = &mut recording.frames;
    if frames.is_empty() {
        return;
    }
    let at = |index: &Index| index.index(frames.len());
    match mishap {
        Mishap::Lost(which) => {
            let which = at(which);
            frames.remove(which);
        }
        Mishap::Doubled(which, place) => {
            let (which, place) = (at(which), at(place));
            frames.insert(place, frames[which].clone());
        }
        Mishap::Swapped(one, other) => {
            let (one, other) = (at(one), at(other));
            frames.swap(one, other);
        }
        Mishap::Cut(which, length) => {
            let which = at(which);
            let length = length.index(frames[which].bytes.len() + 1);
            frames[which].bytes.truncate(length);
        }
        Mishap::Flipped(which, byte, bits) => {
            let which = at(which);
            let bytes = &mut frames[which].bytes;
            if !bytes.is_empty() {
                let byte = byte.index(bytes.len());
                bytes[byte] ^= bits;
            }
        }
        Mishap::Later(which, by) => {
            let which = at(which);
            frames[which].time.0 += by;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mishaps_to_any_story(
        story in any::<Index>(),
        mishaps in prop::collection::vec(mishap(), 1..16),
    ) {
        thread_local! {
            static STORIES: (Desk, Vec<(String, Recording)>) = (Desk::new(), support::stories());
        }
        STORIES.with(|(desk, stories)| {
            let (name, recording) = &stories[story.index(stories.len())];
            let mut changed = recording.clone();
            for mishap in &mishaps {
                befall(&mut changed, mishap);
            }
            let analysis = account(desk, name, &file_of(&changed, Format::Pcapng)).unwrap();
            assert_eq!(analysis.totals.packets, changed.frames.len() as u64, "{name}");
        });
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400), head in 0..4_usize) {
        let heads: [&[u8]; 4] = [
            b"",
            b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0",
            b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
        ];
        account(&Desk::new(), "any bytes", &[heads[head], &bytes].concat());
    }
}
