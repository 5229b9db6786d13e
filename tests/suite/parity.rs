//! Stream numbers and `tcp.completeness`, where tshark makes conversations of more than the segments of TCP.
//!
//! What is expected was read off tshark 4.0.17 (two passes) for the same packets.

use etherparse::PacketBuilder;
use ghostshark::packet::Transport;

use ghostshark::scenario::Format;

use crate::support::run::{Desk, plain, records};
use crate::support::{self, file_of};

const SYN: u8 = 1;
const ACK: u8 = 2;
const PUSH: u8 = 4;
const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];

/// One side of a connection.
#[derive(Clone, Copy)]
struct Side {
    from: ([u8; 4], u16),
    to: ([u8; 4], u16),
}

impl Side {
    fn client(port: u16, service: u16) -> Self {
        Self { from: (CLIENT, port), to: (SERVER, service) }
    }

    fn other(self) -> Self {
        Self { from: self.to, to: self.from }
    }

    fn sends(self, flags: u8, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
        let mut packet =
            PacketBuilder::ipv4(self.from.0, self.to.0, 64).tcp(self.from.1, self.to.1, seq, 1000);
        if flags & SYN != 0 {
            packet = packet.syn();
        }
        if flags & ACK != 0 {
            packet = packet.ack(ack);
        }
        if flags & PUSH != 0 {
            packet = packet.psh();
        }
        let mut bytes = Vec::new();
        packet.write(&mut bytes, payload).unwrap();
        bytes
    }
}

/// The handshake of a connection, and these payloads of its server.
fn opened(port: u16, service: u16, answers: &[&[u8]]) -> Vec<Vec<u8>> {
    let client = Side::client(port, service);
    let server = client.other();
    let mut packets = vec![
        client.sends(SYN, 100, 0, b""),
        server.sends(SYN | ACK, 500, 101, b""),
        client.sends(ACK, 101, 501, b""),
    ];
    let mut seq = 501;
    for answer in answers {
        packets.push(server.sends(ACK | PUSH, seq, 101, answer));
        seq += answer.len() as u32;
    }
    packets
}

/// A handshake and a byte each way.
fn whole(port: u16, service: u16) -> Vec<Vec<u8>> {
    let client = Side::client(port, service);
    let mut packets = opened(port, service, &[]);
    packets.push(client.sends(ACK | PUSH, 101, 501, b"a"));
    packets.push(client.other().sends(ACK | PUSH, 501, 102, b"b"));
    packets
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A datagram to an sFlow collector with one sample of each packet.
fn sflow(sampled: &[Vec<u8>]) -> Vec<u8> {
    let mut datagram = words(&[5, 1, 0x0909_0909, 0, 1, 1000, sampled.len() as u32]);
    for packet in sampled {
        let padded = packet.len().next_multiple_of(4);
        datagram.extend(words(&[1, (32 + 24 + padded) as u32, 1, 1, 100, 100, 0, 1, 2, 1]));
        datagram.extend(words(&[1, (16 + padded) as u32, 11, packet.len() as u32, 0, packet.len() as u32]));
        datagram.extend(packet);
        datagram.resize(datagram.len() + padded - packet.len(), 0);
    }
    let mut bytes = Vec::new();
    let packet = PacketBuilder::ipv4([9, 9, 9, 9], [9, 9, 9, 8], 64).udp(5000, 6343);
    packet.write(&mut bytes, &datagram).unwrap();
    bytes
}

/// An ICMP error about a packet.
fn unreachable(quoted: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let packet = PacketBuilder::ipv4([10, 0, 0, 9], CLIENT, 64).icmpv4_raw(3, 1, [0; 4]);
    packet.write(&mut bytes, quoted).unwrap();
    bytes
}

fn iscsi(text: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 48];
    bytes[..2].copy_from_slice(&[0x24, 0x80]);
    bytes[7] = text.len() as u8;
    bytes.extend(text);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// An H.225 "connect" whose H.245 address is port 9999 of the server.
fn h225() -> Vec<u8> {
    let information = [0x22, 0xc0, 6, 0, 8, 0x91, 0x4a, 0, 3, 0, 10, 0, 0, 2, 0x27, 0x0f, 0x22, 0xc0];
    let head = [3, 0, 0, 30, 8, 2, 0xf7, 0xf4, 7, 0x7e, 0, information.len() as u8 + 1, 5];
    let mut bytes = [head.as_slice(), &information].concat();
    bytes[3] = bytes.len() as u8;
    bytes
}

/// A raw-IP pcap file of packets 10 ms apart.
fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101] {
        bytes.extend(field.to_le_bytes());
    }
    for (packet, time) in packets.iter().zip(0..) {
        for field in [1000, time * 10_000, packet.len() as u32, packet.len() as u32] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(packet);
    }
    bytes
}

/// Stream number and completeness of every TCP connection, in order of its number.
fn streams(packets: &[Vec<u8>]) -> Vec<(u32, u8)> {
    let analysis = Desk::new().analyze("made.pcap", &pcap(packets), &plain()).unwrap();
    let mut found: Vec<(u32, u8)> = analysis
        .connections
        .iter()
        .filter(|connection| connection.transport == Transport::Tcp)
        .map(|connection| (connection.stream.unwrap(), connection.completeness))
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn a_quoted_header_begins_its_stream() {
    let client = Side::client(40000, 7777);
    let (syn, other_syn) = (client.sends(SYN, 100, 0, b""), client.sends(SYN, 90, 0, b""));
    let data = client.sends(ACK | PUSH, 101, 501, b"hello");
    for (name, first, expected) in [
        ("an error about its SYN", unreachable(&syn), 15),
        ("an error about another SYN", unreachable(&other_syn), 15),
        ("an error about data", unreachable(&data), 14),
        ("a sample of its SYN", sflow(&[syn]), 15),
        ("a sample of data", sflow(&[data]), 14),
    ] {
        assert_eq!(streams(&[vec![first], whole(40000, 7777)].concat()), [(0, expected)], "{name}");
    }
}

#[test]
fn samples_of_unknown_flows_use_up_numbers() {
    let sample = |port: u16| Side::client(port, 80).sends(ACK, 1, 1, b"");
    let known = whole(40000, 7777);
    // More samples than most frames hold, one of a flow that is known, and one twice.
    let mut sampled: Vec<Vec<u8>> = (50_000..50_020).map(sample).collect();
    sampled.extend([sample(50_000), known[2].clone()]);
    let packets = [known, vec![sflow(&sampled)], whole(41000, 7777), whole(50_019, 80)].concat();
    assert_eq!(streams(&packets), [(0, 15), (20, 14), (21, 15)]);
}

#[test]
fn an_announced_connection_is_not_new_when_it_begins() {
    let target: &[u8] = b"TargetName=iqn.x\0TargetAddress=10.0.0.2:9999,1\0";
    let (one, two) = (iscsi(target), iscsi(&[target, target].concat()));
    let passive: &[u8] = b"227 Entering Passive Mode (10,0,0,2,39,15).\r\n";
    let connect = h225();
    // What the server says, and the completeness of two connections to its port 9999.
    let cases: [(_, _, Vec<&[u8]>, _); 12] = [
        ("a passive port", 21, vec![passive], [14, 15]),
        ("a passive port twice", 21, vec![passive, passive], [14, 14]),
        ("a target", 3260, vec![&one], [14, 15]),
        ("a target on the old port", 860, vec![&one], [14, 15]),
        ("a target, text apart", 3260, vec![&one[..48], &one[48..]], [14, 15]),
        ("a target twice", 3260, vec![&two], [14, 14]),
        ("a target on another port", 3333, vec![&one], [15, 15]),
        ("an address of H.245", 1720, vec![&connect], [14, 15]),
        ("an address of H.245, framing apart", 1720, vec![&connect[..4], &connect[4..]], [14, 15]),
        ("an address of H.245 twice", 1720, vec![&connect, &connect], [14, 15]),
        ("half an address of H.245", 1720, vec![&connect[..20]], [15, 15]),
        ("nothing", 1720, vec![b"hello"], [15, 15]),
    ];
    for (name, service, answers, expected) in cases {
        let packets = [opened(40000, service, &answers), whole(41000, 9999), whole(41001, 9999)].concat();
        let found: Vec<u8> = streams(&packets)[1..].iter().map(|stream| stream.1).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn what_is_sent_again_announces_nothing_again() {
    let passive: &[u8] = b"227 Entering Passive Mode (10,0,0,2,39,15).\r\n";
    for (service, answer) in [(21, passive.to_vec()), (3260, iscsi(b"TargetAddress=10.0.0.2:9999\0"))] {
        let mut packets = opened(40000, service, &[&answer]);
        packets.extend(packets.last().cloned());
        let packets = [packets, whole(41000, 9999), whole(41001, 9999)].concat();
        assert_eq!(streams(&packets)[1..], [(1, 14), (2, 15)], "{service}");
    }
}

#[test]
fn what_socks_carries_has_a_number_of_its_own() {
    let client = Side::client(40000, 1080);
    let mut packets = opened(40000, 1080, &[]);
    packets.push(client.sends(ACK | PUSH, 101, 501, &[4, 1, 0, 80, 10, 0, 0, 3, 0]));
    packets.push(client.other().sends(ACK | PUSH, 501, 110, &[0, 90, 0, 80, 10, 0, 0, 3]));
    let data = client.sends(ACK | PUSH, 110, 509, b"GET / HTTP/1.0\r\n\r\n");
    for again in [1, 2] {
        let carried = vec![data.clone(); again];
        let packets = [packets.clone(), carried, whole(41000, 9999)].concat();
        assert_eq!(streams(&packets), [(0, 15), (2, 15)]);
    }
}

#[test]
fn a_snoop_file_tells_what_a_pcap_file_tells() {
    let packets = whole(40000, 7777);
    let mut snoop = b"snoop\0\0\0\0\0\0\x02\0\0\0\x04".to_vec();
    let mut framed = Vec::new();
    for (packet, time) in packets.iter().zip(0..) {
        let frame = [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0], packet.as_slice()].concat();
        let length = frame.len() as u32;
        let padded = length.next_multiple_of(4);
        snoop.extend(words(&[length, length, 24 + padded, 0, 1000, time * 10_000]));
        snoop.extend(&frame);
        snoop.resize(snoop.len() + (padded - length) as usize, 0);
        framed.push(frame);
    }
    let mut ethernet = pcap(&framed);
    ethernet[20] = 1;
    let desk = Desk::new();
    let [told, expected] = [("made.snoop", snoop), ("made.pcap", ethernet)].map(|(name, bytes)| {
        let analysis = desk.analyze(name, &bytes, &plain()).unwrap();
        assert_eq!(analysis.totals.packets, 5, "{name}");
        let mut records = records(&analysis, "connection");
        assert_eq!(records.len(), 1, "{name}");
        // Where in the file its frames lie differs, of course.
        without_offsets(&mut records[0]);
        records
    });
    assert_eq!(told, expected);
}

/// Takes the offsets out of a record.
fn without_offsets(record: &mut serde_json::Value) {
    match record {
        serde_json::Value::Object(fields) => {
            fields.remove("offset");
            fields.values_mut().for_each(without_offsets);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_offsets),
        _ => {}
    }
}

/// Wireshark stops at a damaged record; we go on behind it, and what only appears there has no number.
#[test]
fn connections_behind_damage_have_no_stream() {
    let desk = Desk::new();
    let (_, story) = support::stories().into_iter().find(|(name, _)| name == "superseded_by_reuse").unwrap();
    let bytes = file_of(&story, Format::Pcap { nanoseconds: false, big_endian: false });
    let streams = |bytes: &[u8]| -> Vec<Option<u32>> {
        let analysis = desk.analyze("capture", bytes, &plain()).unwrap();
        analysis.connections.iter().map(|connection| connection.stream).collect()
    };
    assert_eq!(streams(&bytes), [Some(0), Some(1)]);
    let whole = desk.analyze("capture", &bytes, &plain()).unwrap();
    // A record's header has 16 bytes before its frame.
    let record = whole.connections[1].first.offset as usize - 16;
    let damaged = [&bytes[..record], &[0xFF; 9], &bytes[record..]].concat();
    assert_eq!(streams(&damaged), [Some(0), None]);
    // An odd version in the file's header damages no record.
    let odd = [&bytes[..4], &[9, 0], &bytes[6..]].concat();
    assert_eq!(streams(&odd), [Some(0), Some(1)]);
}
