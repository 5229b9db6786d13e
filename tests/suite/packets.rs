//! The fields of packets: the same as tshark's where it has them, and the same for every way to reach a packet.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use ghostshark::analysis::{self, Analysis};
use ghostshark::capture::{Input, Lookup};
use ghostshark::inspect::{Dissection, Index, Value, Wanted, dissect};
use ghostshark::report::packets::{PacketForm, PacketWriter};
use ghostshark::report::text::Look;

use crate::support::fixtures;
use crate::support::run::plain;

/// Fields that are compared: every one of them in every packet of every recording.
const FIELDS: &str = "frame.number frame.time_epoch frame.time_relative frame.time_delta frame.len frame.cap_len \
    eth.src eth.dst eth.addr eth.type vlan.id sll.pkttype sll.etype \
    ip.version ip.hdr_len ip.dsfield ip.len ip.id ip.flags ip.flags.df ip.flags.mf ip.frag_offset ip.ttl ip.proto \
    ip.src ip.dst ip.addr ip.checksum ipv6.src ipv6.dst ipv6.addr ipv6.hlim ipv6.nxt ipv6.plen ipv6.flow ipv6.tclass \
    icmp.type icmp.code icmpv6.type icmpv6.code arp.opcode arp.src.proto_ipv4 arp.dst.proto_ipv4 arp.src.hw_mac \
    tcp.srcport tcp.dstport tcp.port tcp.stream tcp.len tcp.seq tcp.seq_raw tcp.ack tcp.ack_raw tcp.nxtseq \
    tcp.hdr_len tcp.flags tcp.flags.syn tcp.flags.ack tcp.flags.fin tcp.flags.reset tcp.flags.push \
    tcp.window_size_value tcp.window_size tcp.window_size_scalefactor tcp.checksum tcp.urgent_pointer tcp.options \
    tcp.options.mss_val tcp.options.wscale.shift tcp.options.wscale.multiplier tcp.options.sack_le \
    tcp.options.sack_re tcp.options.timestamp.tsval tcp.options.timestamp.tsecr tcp.completeness \
    tcp.time_relative tcp.time_delta tcp.connection.syn tcp.connection.synack tcp.connection.fin \
    tcp.connection.fin_active tcp.connection.fin_passive tcp.connection.rst \
    tcp.analysis tcp.analysis.flags tcp.analysis.retransmission tcp.analysis.fast_retransmission \
    tcp.analysis.spurious_retransmission tcp.analysis.out_of_order tcp.analysis.lost_segment \
    tcp.analysis.ack_lost_segment tcp.analysis.duplicate_ack tcp.analysis.duplicate_ack_num \
    tcp.analysis.duplicate_ack_frame tcp.analysis.keep_alive tcp.analysis.keep_alive_ack \
    tcp.analysis.zero_window tcp.analysis.window_full tcp.analysis.window_update tcp.analysis.reused_ports \
    tcp.analysis.initial_rtt tcp.analysis.ack_rtt tcp.analysis.acks_frame tcp.analysis.bytes_in_flight \
    tcp.analysis.push_bytes_sent tcp.analysis.rto tcp.analysis.rto_frame \
    udp.srcport udp.dstport udp.port udp.length udp.checksum udp.stream udp.time_relative udp.time_delta \
    ftp.request.command ftp.response.code http.request.method http.request.uri http.response.code http.host \
    http.time websocket.opcode mqtt.msgtype mqtt.clientid mqtt.kalive mqtt.conflag.cleansess \
    mqtt.conack.flags.sp mqtt.msgid mqtt.dupflag mqtt.qos mqtt.topic smtp.req.command smtp.response.code \
    tls.record.version tls.record.length tls.handshake.type tls.handshake.session_id \
    tls.handshake.extensions_server_name tls.handshake.ciphersuite tls.alert_message.desc tls.resumed";

/// Where we differ, and know why: recording, frame, and the fields' common beginning.
const DIFFERENT: [(&str, u32, &str); 12] = [
    // An answer that never came whole: we show it where it ends, tshark nowhere.
    ("curl_killed.pcap", 79, "http."),
    ("events_cut.pcapng", 40, "http."),
    ("events_resumed.pcapng", 38, "http."),
    ("lossy_path.pcapng", 130, "http."),
    ("range_resumed.pcapng", 80, "http."),
    // tshark measures this segment by the sequence numbers of a SYN-ACK that comes after it.
    ("client_rebooted.pcapng", 15, "tcp."),
    // What a side sends after a RST is no talk for us.
    ("smtp_sent_twice.pcap", 22, "smtp."),
    // For tshark the segment that an ICMP error quotes is the last one of its stream.
    ("port_prohibited.pcapng", 5, "tcp.time_delta"),
    ("route_lost.pcapng", 45, "tcp.time_delta"),
    ("route_lost.pcapng", 47, "tcp.time_delta"),
    ("route_lost.pcapng", 58, "tcp.time_delta"),
    ("route_lost.pcapng", 60, "tcp.time_delta"),
];

/// Of what an ICMP error quotes we tell no times, no window and, as tshark does only sometimes, no raw number.
const NOT_OF_QUOTES: [&str; 4] = ["tcp.time_", "tcp.window_size", "tcp.seq_raw", "udp.time_"];

fn input(path: &Path) -> Vec<Input> {
    vec![Input::File(path.to_owned())]
}

fn analysed(path: &Path) -> Analysis {
    analysis::analyze(input(path), &plain(), &mut |_, _| ()).unwrap()
}

fn all(path: &Path, analysis: &Analysis, wanted: &Wanted) -> Vec<(Dissection, Vec<u8>)> {
    let mut all = Vec::new();
    dissect(input(path), analysis, wanted, &mut |packet, bytes| {
        all.push((packet.clone(), bytes.to_vec()));
        ControlFlow::Continue(())
    })
    .unwrap();
    all
}

fn recordings() -> Vec<PathBuf> {
    fixtures("captures", &["pcap", "pcapng"])
}

/// The cells that tshark prints; none without it.
fn tshark(path: &Path, fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let mut command = Command::new("tshark");
    command.args(["-2", "-n", "-T", "fields", "-r"]).arg(path);
    for field in fields {
        command.args(["-e", field]);
    }
    let out = command.output().ok().filter(|out| out.status.success())?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    Some(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

fn ours(path: &Path, fields: &[&str]) -> Vec<Vec<String>> {
    let analysis = analysed(path);
    let names = fields.iter().map(|&field| field.to_owned()).collect();
    let mut writer = PacketWriter::new(&analysis, PacketForm::Fields(names), Look::default());
    let mut out = Vec::new();
    for (packet, bytes) in all(path, &analysis, &Wanted::default()) {
        writer.packet(&packet, &bytes, &mut out).unwrap();
    }
    let text = String::from_utf8(out).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// tshark tells a flag of its analysis twice where its expert system tells it too.
fn once(cell: &str) -> &str {
    if cell == "1,1" { "1" } else { cell }
}

#[test]
fn fields_are_those_of_tshark() {
    let version = Command::new("tshark").arg("--version").output();
    let version = version.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    if !version.contains(" 4.0.17") {
        eprintln!("SKIPPED: there is no tshark 4.0.17 here, so the fields of packets were not compared");
        return;
    }
    let fields: Vec<&str> = FIELDS.split_whitespace().collect();
    let mut different = BTreeMap::<&str, Vec<String>>::new();
    for path in recordings() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let theirs = tshark(&path, &fields).unwrap_or_else(|| panic!("{name}: tshark cannot read it"));
        let ours = ours(&path, &fields);
        assert_eq!(theirs.len(), ours.len(), "{name}: packets");
        for (number, (theirs, ours)) in (1_u32..).zip(theirs.iter().zip(&ours)) {
            let mut cells = fields.iter().zip(theirs);
            let is_quote = cells.any(|(field, cell)| {
                field.ends_with("type") && field.starts_with("icmp") && !cell.is_empty()
            });
            for (field, (theirs, ours)) in fields.iter().zip(theirs.iter().zip(ours)) {
                let known = |(file, frame, begin): &(&str, u32, &str)| {
                    *file == name && *frame == number && field.starts_with(begin)
                };
                let left_out = is_quote && NOT_OF_QUOTES.iter().any(|begin| field.starts_with(begin));
                if once(theirs) != once(ours) && !left_out && !DIFFERENT.iter().any(known) {
                    let line = format!("{name} {number}: {theirs:?} against {ours:?}");
                    different.entry(field).or_default().push(line);
                }
            }
        }
    }
    let lines: Vec<String> = different
        .iter()
        .map(|(field, all)| format!("{field}, {} times, first {}", all.len(), all[0]))
        .collect();
    assert!(lines.is_empty(), "tshark and we differ:\n{}", lines.join("\n"));
}

/// The bytes of a field are its bytes: numbers can be read where they are said to lie.
#[test]
fn fields_stand_where_they_say() {
    let mut read = 0;
    for path in recordings() {
        let analysis = analysed(&path);
        for (packet, bytes) in all(&path, &analysis, &Wanted::default()) {
            for field in &packet.fields {
                let Some(range) = field.bytes.clone() else { continue };
                let there = bytes.get(range.start as usize..range.end as usize);
                let there = there.unwrap_or_else(|| panic!("{}: {field:?}", path.display()));
                let number =
                    |bytes: &[u8]| bytes.iter().fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
                match (field.name, &field.value) {
                    (
                        "tcp.srcport"
                        | "tcp.seq_raw"
                        | "ip.ttl"
                        | "ip.id"
                        | "mqtt.kalive"
                        | "tls.record.length"
                        | "tls.handshake.version",
                        Value::Unsigned(value),
                    ) => {
                        assert_eq!(number(there), *value, "{}: {field:?}", path.display());
                        read += 1;
                    }
                    (
                        "http.request.method" | "http.host" | "ftp.request.command" | "mqtt.topic",
                        Value::Text(text),
                    ) => {
                        assert_eq!(there, text.as_bytes(), "{}: {field:?}", path.display());
                        read += 1;
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(read > 1_000, "{read}");
}

/// A packet that is looked up alone has the tree that it has among all others.
#[test]
fn one_packet_alone_is_the_same() {
    for path in recordings().into_iter().step_by(3) {
        let analysis = analysed(&path);
        let index = Index::build(input(&path), &analysis).unwrap();
        let mut lookup = Lookup::open(&input(&path)).unwrap();
        for (packet, bytes) in all(&path, &analysis, &Wanted::default()).into_iter().step_by(5) {
            let alone = index.packet(&mut lookup, &analysis, packet.at.number).unwrap().unwrap();
            assert_eq!(alone.1, bytes, "{} {}", path.display(), packet.at.number);
            assert_eq!(alone.0, packet, "{} {}", path.display(), packet.at.number);
        }
    }
}

/// Only what is wanted is told.
#[test]
fn wanted_frames_and_connections_are_told() {
    let path = recordings().into_iter().find(|path| path.ends_with("ftp_resumed.pcapng")).unwrap();
    let analysis = analysed(&path);
    let frames = Wanted { frames: Some([3, 5].into()), ..Wanted::default() };
    let told: Vec<u64> = all(&path, &analysis, &frames).iter().map(|(packet, _)| packet.at.number).collect();
    assert_eq!(told, [3, 5]);
    let one = Wanted { connections: Some([1].into()), application: false, info: false, ..Wanted::default() };
    let told = all(&path, &analysis, &one);
    let connection = &analysis.connections[1];
    let packets: u64 = [connection.sides.client.packets, connection.sides.server.packets].iter().sum();
    assert_eq!(told.len() as u64, packets);
    assert!(told.iter().all(|(packet, _)| packet.connections == [1]));
    assert!(told.iter().all(|(packet, _)| packet.values("ftp.request.command").next().is_none()));
}
