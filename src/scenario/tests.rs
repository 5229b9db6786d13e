//! Stories played and read back with nothing but byte positions, so that no code of this project judges itself.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapNGSlice};

use proptest::prelude::*;

use super::*;
use crate::time::Span;

fn play(story: &str) -> Recording {
    compile(story, Path::new("test.story")).unwrap_or_else(|error| panic!("{error}\n{story}"))
}

fn complaint(story: &str) -> String {
    compile(story, Path::new("test.story")).expect_err(story).to_string()
}

fn stories() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stories");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "story"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

fn four(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn two(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap())
}

/// What a recording of one TCP connection on link `raw` over IPv4 says, one line a segment: milliseconds, who,
/// flags, sequence and acknowledgement number from the first SYN of each side on, length.
fn trace(recording: &Recording) -> String {
    let mut said = String::new();
    let mut first = [None, None];
    let start = recording.frames[0].time;
    for frame in &recording.frames {
        let bytes = &frame.bytes;
        let tcp = &bytes[20..];
        let server = two(tcp, 0) < 30_000;
        let (seq, ack, flags) = (four(tcp, 4), four(tcp, 8), tcp[13]);
        let data = usize::from(two(bytes, 2)) - 20 - usize::from(tcp[12] >> 4) * 4;
        if flags & 4 == 0 || flags & 16 == 0 {
            first[usize::from(server)].get_or_insert(seq);
        }
        let relative = |number: u32, of: bool| number.wrapping_sub(first[usize::from(of)].unwrap_or(0));
        let letters: String = [(2, 'S'), (1, 'F'), (4, 'R'), (8, 'P'), (16, 'A')]
            .iter()
            .filter(|(bit, _)| flags & bit != 0)
            .map(|(_, c)| *c)
            .collect();
        let who = if server { 's' } else { 'c' };
        let millis = (frame.time - start).0 / 1_000_000;
        let ack = if flags & 16 != 0 { relative(ack, !server).to_string() } else { "-".to_owned() };
        writeln!(said, "{millis} {who} {letters} {} {ack} {data}", relative(seq, server)).unwrap();
    }
    said
}

/// The trace of a story on link `raw`, with lines laid out as in the source.
fn expect(story: &str, expected: &str) {
    let got = trace(&play(&format!("link raw\n{story}")));
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    let got: Vec<&str> = got.lines().collect();
    assert_eq!(got, expected, "{story}");
}

#[test]
fn an_orderly_story_is_a_textbook_picture() {
    expect(
        "open\nclient \"abc\"\nserver \"de\"\nclose by client",
        "0 c S 0 - 0
         20 s SA 0 1 0
         20 c A 1 1 0
         20 c PA 1 1 3
         40 s PA 1 4 2
         40 c FA 4 3 0
         60 s A 3 5 0
         60 s FA 3 5 0
         60 c A 5 4 0",
    );
}

#[test]
fn a_lost_segment_is_sent_again_by_timeout() {
    // The timeout is the mean round trip, 20 ms, plus four deviations of at least 50 ms, and doubles.
    expect(
        "open\nlose client 2\nclient \"abc\"\nsleep 1s\nclient reset",
        "0 c S 0 - 0
         20 s SA 0 1 0
         20 c A 1 1 0
         20 c PA 1 1 3
         240 c PA 1 1 3
         680 c PA 1 1 3
         740 s A 1 4 0
         1020 c RA 4 1 0",
    );
}

#[test]
fn three_duplicates_bring_a_fast_retransmission() {
    expect(
        "timestamps off\nsack off\nmss 100\nopen\nlose client\nclient bytes 500\nserver \"ok\"\nclient reset",
        "0 c S 0 - 0
         20 s SA 0 1 0
         20 c A 1 1 0
         20 c A 1 1 100
         20 c A 101 1 100
         20 c A 201 1 100
         20 c A 301 1 100
         20 c PA 401 1 100
         40 s A 1 1 0
         40 s A 1 1 0
         40 s A 1 1 0
         40 s A 1 1 0
         40 c A 1 1 100
         60 s A 1 501 0
         60 s PA 1 501 2
         60 c RA 501 3 0",
    );
}

#[test]
fn a_closed_window_is_probed_and_opens() {
    expect(
        "wscale off\ntimestamps off\nwindow server 1000\nopen\nserver stall\nclient bytes 1500\nsleep 1s\n\
         server read\nsleep 1s\nclient reset",
        "0 c S 0 - 0
         20 s SA 0 1 0
         20 c A 1 1 0
         20 c A 1 1 1000
         40 s A 1 1001 0
         260 c A 1001 1 1
         280 s A 1 1001 0
         700 c A 1001 1 1
         720 s A 1 1001 0
         1020 s A 1 1001 0
         1020 c PA 1001 1 500
         1080 s A 1 1501 0
         2020 c RA 1501 1 0",
    );
}

#[test]
fn a_forgotten_connection_is_answered_bare_and_a_new_one_is_challenged() {
    expect(
        "open\nclient \"abc\"\nserver forget\nclient \"d\"",
        "0 c S 0 - 0
         20 s SA 0 1 0
         20 c A 1 1 0
         20 c PA 1 1 3
         80 s A 1 4 0
         80 c PA 4 1 1
         100 s R 1 - 0",
    );
    let whole =
        trace(&play("link raw\nopen isn 1000\nclient forget\nopen isn 9000\nclient \"x\"\nclient reset"));
    let kinds: Vec<&str> = whole.lines().map(|line| line.split(' ').nth(2).unwrap()).collect();
    assert_eq!(kinds, ["S", "SA", "A", "S", "A", "R", "S", "SA", "A", "PA", "RA"], "{whole}");
}

#[test]
fn refusals_and_silence() {
    expect("open refused", "0 c S 0 - 0\n20 s RA 0 1 0");
    expect("open unanswered 2", "0 c S 0 - 0\n1000 c S 0 - 0\n3000 c S 0 - 0");
    expect("open scan", "0 c S 0 - 0\n20 s SA 0 1 0\n20 c R 1 - 0");
    let vanished = trace(&play("link raw\nretries 4\nopen\nserver vanish\nclient \"x\""));
    assert_eq!(vanished.lines().filter(|line| line.contains("c PA 1 1 1")).count(), 5, "{vanished}");
}

#[test]
fn packets_fill_the_mtu_with_either_family() {
    for (head, most) in [("", 1500), ("mtu 600\n", 600), ("mss 1000 timestamps off\n", 1040)] {
        let v4 = play(&format!("link raw\n{head}open\nclient bytes 3000\nsettle\nend"));
        assert_eq!(v4.frames.iter().map(|frame| frame.original).max(), Some(most), "{head}");
        let ends = "client [2001:db8::1]:40000 server [2001:db8::2]:80";
        let v6 = play(&format!("link raw\n{ends}\n{head}open\nclient bytes 3000\nsettle\nend"));
        let most = if head.starts_with("mss") { most + 20 } else { most };
        assert_eq!(v6.frames.iter().map(|frame| frame.original).max(), Some(most), "{head}");
    }
}

#[test]
fn sequence_numbers_wrap_on_the_wire() {
    let recording =
        play("link raw\nisn client 4294967294 server 4294967295\nopen\nclient \"abcdef\"\nclose by client");
    let numbers: Vec<u32> = recording.frames.iter().map(|frame| four(&frame.bytes, 24)).collect();
    assert_eq!(numbers[..4], [4_294_967_294, u32::MAX, u32::MAX, u32::MAX]);
    assert!(trace(&recording).contains("c FA 7 1 0"), "{}", trace(&recording));
}

#[test]
fn faults_change_the_recording_as_they_say() {
    let base = "link raw\nopen\n";
    let plain = trace(&play(&format!("{base}client \"abc\"\nsettle\nend")));
    let missed = trace(&play(&format!("{base}miss client\nclient \"abc\"\nsettle\nend")));
    assert_eq!(plain.replace("20 c PA 1 1 3\n", ""), missed);
    let twice = trace(&play(&format!("{base}repeat client\nclient \"abc\"\nsettle\nend")));
    assert_eq!(plain.replace("20 c PA 1 1 3\n", "20 c PA 1 1 3\n20 c PA 1 1 3\n"), twice);
    let blind = trace(&play(&format!("{base}blind server\nclient \"abc\"\nsettle\nend")));
    assert!(!blind.lines().skip(3).any(|line| line.contains(" s ")), "{blind}");
    let mid = play(&format!("{base}begin\nclient \"abc\"\nsettle\nend"));
    assert_eq!(mid.frames.len(), 2);
    let cut = play(&format!("{base}cut 40\nclient \"abc\"\nsettle\nend"));
    assert_eq!((cut.frames[3].bytes.len(), cut.frames[3].original), (40, 55));
    let swapped =
        trace(&play("link raw\ntimestamps off\nmss 10\nopen\nswap client\nclient bytes 20\nsettle\nend"));
    let data: Vec<&str> = swapped.lines().filter(|line| line.ends_with(" 10")).collect();
    assert_eq!(data, ["20 c PA 11 1 10", "20 c A 1 1 10"]);
    let hops = play(&format!("{base}repeat client 1 later 1ms ttl -1\nclient \"abc\"\nsettle\nend"));
    assert_eq!((hops.frames[3].bytes[8], hops.frames[4].bytes[8]), (64, 63));
    assert_eq!(hops.frames[4].time - hops.frames[3].time, Span(1_000_000));
}

#[test]
fn complaints_of_the_stage_name_line_and_reason() {
    let table = [
        ("client \"x\"", "test.story:1: the client cannot do this: its connection is not open"),
        ("open refused\nserver \"x\"", "test.story:2: the server cannot do this: its connection is not open"),
        ("open\nopen", "test.story:2: the connection is open already"),
        ("open\nb: client fin", "test.story:2: no connection is named `b`"),
        ("open\nconnection a", "test.story:2: a connection named `a` exists already"),
        ("open\nmss 500", "test.story:2: `a setting` belongs to the head of the story"),
        ("open\nclient fin\nclient \"x\"", "test.story:3: the client cannot send any more"),
        ("open\nserver vanish\nserver \"x\"", "test.story:3: the server cannot do this: it has vanished"),
        ("open\nsleep 2s\nat 1s", "test.story:3: that moment is past"),
        ("open\nswap client\nclient reset", "test.story:2: nothing follows that this could happen to"),
        ("open\n\nlose client 5\nsettle", "test.story:3: nothing follows that this could happen to"),
        ("icmp port-unreachable quoting client", "test.story:1: nothing was sent by the client"),
        ("client [::1]:5\nopen", "test.story:2: the ends of a connection must both be IPv4 or both IPv6"),
        ("link raw\nvlan 5\nopen", "test.story:3: VLAN tags need `link ethernet`"),
        ("open\nsleep 80y", "test.story:2: expected how long"),
        ("sleep 36500d\nsleep 36500d", "test.story:2: the story must be within 130 years"),
    ];
    for (story, expected) in table {
        let said = complaint(story);
        assert!(said.starts_with(expected), "{story}: {said}");
    }
}

/// The Internet checksum (RFC 1071): over data that hold their own checksum it gives zero.
fn ones_complement(parts: &[&[u8]]) -> u16 {
    let all: Vec<u8> = parts.concat();
    let mut sum: u64 = 0;
    for pair in all.chunks(2) {
        sum += u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Whether all checksums of a whole IP packet are right.
fn sums_are_right(packet: &[u8]) -> bool {
    let (addresses, protocol, payload) = if packet[0] >> 4 == 4 {
        let head = usize::from(packet[0] & 15) * 4;
        if ones_complement(&[&packet[..head]]) != 0 {
            return false;
        }
        (&packet[12..20], packet[9], &packet[head..])
    } else {
        (&packet[8..40], packet[6], &packet[40..])
    };
    let length = (payload.len() as u32).to_be_bytes();
    let pseudo = [addresses, &length, &[0, 0, 0, protocol]].concat();
    let pseudo: &[u8] = if protocol == 1 { &[] } else { &pseudo };
    ones_complement(&[pseudo, payload]) == 0
}

#[test]
fn every_checksum_is_right() {
    let talk = "open\nclient bytes 3001\nserver \"odd\"\nicmp host-unreachable quoting client\nudp client \"xyz\"\n\
                client segment flags SF \"abc\"\nclose by client";
    let v6 = "client [2001:db8::1]:40000 server [2001:db8::2]:80\n";
    for head in ["link raw\n", &format!("link raw\n{v6}")] {
        let recording = play(&format!("{head}{talk}"));
        assert!(recording.frames.len() > 12);
        for (index, frame) in recording.frames.iter().enumerate() {
            assert!(sums_are_right(&frame.bytes), "frame {} of\n{head}{talk}", index + 1);
            let mut damaged = frame.bytes.clone();
            *damaged.last_mut().unwrap() ^= 1;
            assert!(!sums_are_right(&damaged), "the test must notice damage");
        }
    }
}

#[test]
fn fragments_join_to_the_very_datagram() {
    let story = |fault: &str| play(&format!("link raw\nopen\n{fault}\nclient bytes 1400\nsettle\nend"));
    let whole = &story("").frames[3].bytes;
    let parts = story("fragment client 600").frames[3..6].to_vec();
    let mut joined: Vec<u8> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        assert_eq!(ones_complement(&[&part.bytes[..20]]), 0);
        let field = two(&part.bytes, 6);
        assert_eq!(usize::from(field & 0x1fff) * 8, joined.len());
        assert_eq!(field & 0x2000 != 0, index < 2);
        assert_eq!(two(&part.bytes, 4), two(whole, 4));
        joined.extend(&part.bytes[20..]);
    }
    assert_eq!(joined, whole[20..]);
}

#[test]
fn every_link_type_and_wrapping_leads_to_the_same_packet() {
    let story = "open\nclient \"abc\"\nclose by client";
    let bare = play(&format!("link raw\n{story}"));
    let table = [
        ("link ethernet", 14, "0200000000020200000000010800"),
        ("link cooked", 16, "00040001000602000000000100000800"),
        ("link null", 4, "02000000"),
        ("vlan 7", 18, "020000000002020000000001810000070800"),
        ("vlan 100 7", 22, "02000000000202000000000188a80064810000070800"),
        ("link raw tunnel", 24, ""),
    ];
    for (head, skip, prefix) in table {
        let head = head.replace("link raw tunnel", "link raw\ntunnel gre from 192.0.2.1 to 192.0.2.2");
        let recording = play(&format!("{head}\n{story}"));
        assert_eq!(recording.frames.len(), bare.frames.len());
        for (wrapped, bare) in recording.frames.iter().zip(&bare.frames) {
            assert_eq!(wrapped.bytes[skip..], bare.bytes, "{head}");
        }
        let hex = recording.frames[0].bytes[..skip]
            .iter()
            .fold(String::new(), |all, byte| all + &format!("{byte:02x}"));
        assert!(hex.starts_with(prefix), "{head}: {hex}");
    }
}

#[test]
fn pcap_in_all_forms_is_read_by_another_library() {
    let recording =
        play("start 2026-01-02T03:04:05.123456789Z\nopen\nclient bytes 5\ncut 60\nclose by client");
    for (nanoseconds, big_endian) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut file = Vec::new();
        recording.write(Format::Pcap { nanoseconds, big_endian }, &mut file).unwrap();
        let unit = if nanoseconds { 1 } else { 1_000 };
        // The library's slice iterator knows little-endian files only, so the reader it is.
        let mut reader = LegacyPcapReader::new(65_536, file.as_slice()).unwrap();
        let mut read = Vec::new();
        while let Ok((used, block)) = reader.next() {
            match block {
                PcapBlockOwned::LegacyHeader(head) => {
                    assert_eq!(head.is_nanosecond_precision(), nanoseconds);
                    assert_eq!(head.is_bigendian(), big_endian);
                    assert_eq!(head.network.0, 1);
                }
                PcapBlockOwned::Legacy(packet) => {
                    let time = i64::from(packet.ts_sec) * 1_000_000_000 + i64::from(packet.ts_usec) * unit;
                    read.push((time, packet.origlen, packet.data.to_vec()));
                }
                PcapBlockOwned::NG(_) => panic!("a block that was not written"),
            }
            reader.consume(used);
        }
        let written: Vec<_> =
            recording.frames.iter().map(|f| (f.time.0 / unit * unit, f.original, f.bytes.clone())).collect();
        assert_eq!(read, written);
    }
}

#[test]
fn pcapng_is_read_by_another_library() {
    let mut recording = play("title Two taps\nopen\nclient bytes 5\nclose by client");
    recording.interfaces.push(Link::Raw);
    recording.frames[1].interface = 1;
    let mut file = Vec::new();
    recording.write(Format::Pcapng, &mut file).unwrap();
    let (mut links, mut read) = (Vec::new(), Vec::new());
    for block in PcapNGSlice::from_slice(&file).unwrap() {
        match block.unwrap() {
            PcapBlockOwned::NG(pcap_parser::Block::SectionHeader(head)) => {
                assert_eq!(head.options[0].value.as_ref(), b"Two taps");
            }
            PcapBlockOwned::NG(pcap_parser::Block::InterfaceDescription(interface)) => {
                assert_eq!(interface.if_tsresol, 9);
                links.push(interface.linktype.0);
            }
            PcapBlockOwned::NG(pcap_parser::Block::EnhancedPacket(packet)) => {
                let time = i64::from(packet.ts_high) << 32 | i64::from(packet.ts_low);
                let kept = packet.data[..packet.caplen as usize].to_vec();
                read.push((packet.if_id, time, packet.origlen, kept));
            }
            _ => panic!("a block that was not written"),
        }
    }
    assert_eq!(links, [1, 101]);
    let written: Vec<_> =
        recording.frames.iter().map(|f| (f.interface, f.time.0, f.original, f.bytes.clone())).collect();
    assert_eq!(read, written);
    let pcap = Format::Pcap { nanoseconds: true, big_endian: false };
    let refused = recording.write(pcap, &mut Vec::new()).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn every_story_compiles_always_to_the_same_bytes_in_order_of_time() {
    let stories = stories();
    assert!(stories.len() >= 30);
    for (path, text) in stories {
        let name = path.display();
        let forge = || {
            let recording = compile(&text, &path).unwrap_or_else(|error| panic!("{error}"));
            let mut file = Vec::new();
            recording.write(Format::Pcapng, &mut file).unwrap();
            (recording, file)
        };
        let (recording, file) = forge();
        assert!(!recording.title.is_empty(), "{name}: a story begins with a title");
        assert!(!recording.frames.is_empty(), "{name}");
        assert!(recording.frames.is_sorted_by_key(|frame| frame.time), "{name}");
        assert_eq!(forge().1, file, "{name}");
    }
}

#[test]
fn the_examples_of_the_documentation_compile() {
    let page = include_str!("../../docs/stories.md");
    let examples: Vec<&str> =
        page.split("```story\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 2);
    for example in examples {
        play(example);
    }
}

/// Lines that make sense somewhere; in random order most do not.
const LINES: &[&str] = &[
    "open",
    "open refused",
    "open unanswered 1",
    "open both",
    "open scan",
    "open early \"x\"",
    "open isn 4294967295",
    "open early bytes 1400 ignored",
    "client \"a\"",
    "server \"b\"",
    "client bytes 20000",
    "server bytes 70000",
    "meanwhile server bytes 9000",
    "meanwhile client fin",
    "client fin",
    "server fin",
    "client close",
    "server close",
    "close by client",
    "close by server",
    "client reset",
    "server reset bare",
    "client keepalive",
    "server keepalive byte 3 every 10s",
    "client window 0",
    "server window 0",
    "server window 4000",
    "client stall",
    "server stall",
    "client read",
    "server read",
    "client ack",
    "server forget",
    "client forget",
    "server vanish",
    "server return",
    "client segment seq -4000000000 ack +5 flags SFRPUEC len 9",
    "server segment seq 4294967295 flags none",
    "middlebox reset both ttl 9",
    "middlebox reset client bare",
    "icmp prohibited quoting client",
    "icmp too-big mtu 0 from 10.9.9.9 quoting server",
    "udp client \"q\"",
    "udp server bytes 9000",
    "sleep 1ms",
    "sleep 300ms",
    "sleep 2h",
    "settle",
    "begin",
    "lose client",
    "lose server 3 after 1",
    "lose client all",
    "lose client none",
    "lose server before",
    "miss client 2",
    "repeat server 2 ttl -255",
    "swap client",
    "swap server 2",
    "delay client 3s",
    "fragment server 8 3",
    "cut 1",
    "cut off",
    "blind client",
    "blind none",
    "connection b",
    "b: open",
    "b: client \"c\"",
    "b: close by server",
];

/// Heads under which they are played.
const HEADS: &[&str] = &[
    "",
    "link raw",
    "mss 1",
    "wscale off\nwindow server 0",
    "timestamps off sack off",
    "retries 0",
    "rtt 0ns near 0ns",
    "isn client 4294967295 server 4294967295",
    "client [::1]:0\nserver [::2]:65535\ntunnel vxlan 1 from ::1 to ::2",
    "window client 1 server 1000000000 wscale 14",
    "delayed-ack 0ns",
    "vlan 1 2 3",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_lines_makes_the_stage_fall(
        head in prop::sample::select(HEADS),
        opened in any::<bool>(),
        lines in prop::collection::vec(prop::sample::select(LINES), 1..14),
    ) {
        let story = format!("{head}\n{}{}", if opened { "open\n" } else { "" }, lines.join("\n"));
        if let Ok(recording) = compile(&story, Path::new("random.story")) {
            prop_assert!(recording.frames.is_sorted_by_key(|frame| frame.time));
        }
    }

    #[test]
    fn what_is_lost_for_a_while_arrives_in_the_end(
        sack in any::<bool>(),
        mishaps in prop::collection::vec(
            (
                prop::sample::select(&["client", "server"][..]),
                prop::sample::select(&[
                    "lose SIDE", "lose SIDE before", "swap SIDE", "delay SIDE 30ms", "delay SIDE 700ms",
                    "repeat SIDE later 1ms", "miss SIDE", "fragment SIDE 100",
                ][..]),
                0..6_u32,
            ),
            0..6,
        ),
    ) {
        let mut story = format!("link raw\nmss 500\nsack {}\nopen\n", if sack { "on" } else { "off" });
        for (side, mishap, after) in &mishaps {
            writeln!(story, "{} after {after}", mishap.replace("SIDE", side)).unwrap();
        }
        story += "client bytes 8000\nserver bytes 8000\nclose by client";
        let recording = play(&story);
        // Both FINs, at 8001, are acknowledged in the end.
        for server in [false, true] {
            let highest = recording.frames.iter().filter(|f| f.bytes[9] == 6 && two(&f.bytes, 6) << 3 == 0);
            let highest = highest.filter(|f| (two(&f.bytes, 20) == 80) == server && f.bytes[33] & 2 == 0);
            let highest = highest.map(|f| four(&f.bytes, 28)).max().unwrap();
            let first = if server { 0x1234_5000 } else { 0x4321_9000 };
            prop_assert_eq!(highest, first + 8002, "{}\n{}", story, server);
        }
    }

    #[test]
    fn no_text_makes_the_parser_fall(text in "(open|client|[a-z:]{1,9}|\"|\\\\|#|[0-9.+-]{1,12}|[[:alnum:]]{1,5}|\\PC| |\n){0,40}") {
        let _ = compile(&text, Path::new("random.story"));
    }
}
