//! The fields of TCP and UDP.

use std::fmt::Write as _;

use super::field::Value;
use super::segments::Segment;
use super::tree::Tree;
use crate::events::Connection;
use crate::packet::{ParityLength, TcpFlags, TcpHead};
use crate::stream::wireshark::Flags;
use crate::time::Span;

/// Octets of a TCP header without options.
const FIXED: usize = 20;

/// The flags, from the highest bit to the lowest: name, label, bit.
const FLAGS: [(&str, &str, u16); 9] = [
    ("tcp.flags.ae", "Accurate ECN", 0x100),
    ("tcp.flags.cwr", "Congestion Window Reduced", 0x80),
    ("tcp.flags.ece", "ECN-Echo", 0x40),
    ("tcp.flags.urg", "Urgent", 0x20),
    ("tcp.flags.ack", "Acknowledgment", 0x10),
    ("tcp.flags.push", "Push", 0x08),
    ("tcp.flags.reset", "Reset", 0x04),
    ("tcp.flags.syn", "Syn", 0x02),
    ("tcp.flags.fin", "Fin", 0x01),
];

/// What people call the flags, from the lowest bit to the highest.
const NAMES: [&str; 9] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];

/// The analysis flags: name, and what the line says.
const ANALYSIS: [(Flags, &str, &str); 15] = [
    (Flags::REUSED_PORTS, "tcp.analysis.reused_ports", "The ports are used again"),
    (Flags::RETRANSMISSIONS, "tcp.analysis.retransmission", "A retransmission"),
    (Flags::FAST_RETRANSMISSION, "tcp.analysis.fast_retransmission", "A fast retransmission"),
    (Flags::SPURIOUS_RETRANSMISSION, "tcp.analysis.spurious_retransmission", "A spurious retransmission"),
    (Flags::OUT_OF_ORDER, "tcp.analysis.out_of_order", "Out of order"),
    (Flags::LOST_SEGMENT, "tcp.analysis.lost_segment", "A segment before it was not captured"),
    (
        Flags::ACK_LOST_SEGMENT,
        "tcp.analysis.ack_lost_segment",
        "Acknowledges a segment that was not captured",
    ),
    (Flags::WINDOW_UPDATE, "tcp.analysis.window_update", "A window update"),
    (Flags::WINDOW_FULL, "tcp.analysis.window_full", "Fills the receiver's window"),
    (Flags::KEEP_ALIVE, "tcp.analysis.keep_alive", "A keep-alive"),
    (Flags::KEEP_ALIVE_ACK, "tcp.analysis.keep_alive_ack", "The answer to a keep-alive"),
    (Flags::DUPLICATE_ACK, "tcp.analysis.duplicate_ack", "A duplicate ACK"),
    (Flags::ZERO_WINDOW_PROBE, "tcp.analysis.zero_window_probe", "A probe of a closed window"),
    (Flags::ZERO_WINDOW, "tcp.analysis.zero_window", "The window is closed"),
    (
        Flags::ZERO_WINDOW_PROBE_ACK,
        "tcp.analysis.zero_window_probe_ack",
        "The answer to a probe of a closed window",
    ),
];

/// The names of the flags that are set, in brackets.
pub(super) fn flag_names(flags: TcpFlags) -> String {
    let set: Vec<&str> =
        NAMES.iter().enumerate().filter(|(bit, _)| flags.0 & 1 << bit != 0).map(|(_, name)| *name).collect();
    if set.is_empty() { "none".to_owned() } else { set.join(", ") }
}

/// What tshark's analysis says of a segment, in brackets before its line.
pub(super) fn marks(flags: Flags) -> String {
    let mut marks = String::new();
    for (flag, name, _) in ANALYSIS {
        // A fast or spurious one is named by that.
        let special = flag == Flags::RETRANSMISSIONS && !flags.has(Flags::RETRANSMISSION);
        if flags.has(flag) && !special {
            let name = name.rsplit('.').next().unwrap_or_default();
            // Writing to a String cannot fail.
            let _ = write!(marks, "[{}] ", name.replace('_', " "));
        }
    }
    marks
}

/// The length of a segment's payload as tshark takes it.
pub(super) fn length(head: &TcpHead) -> Option<u32> {
    match head.parity {
        ParityLength::Same => Some(head.payload.length),
        ParityLength::Length(length) | ParityLength::BadHeader(length) => Some(length),
        ParityLength::Unknown => None,
    }
}

/// A TCP header with what is known of its segment.
pub(super) fn tcp(
    tree: &mut Tree<'_>,
    head: &TcpHead,
    segment: Option<&Segment>,
    connection: Option<&Connection>,
) -> Option<()> {
    let (source, destination) = (tree.read(0..2)?, tree.read(2..4)?);
    let relative = |number: u32, base: Option<u32>| number.wrapping_sub(base.unwrap_or(0));
    let (own, other) = segment.map_or((None, None), |segment| segment.bases);
    let seq = relative(head.seq, own);
    let ack = if head.flags.has(TcpFlags::ACK) { relative(head.ack, other) } else { head.ack };
    let length = length(head);
    let header = usize::from(tree.bytes().get(12)? >> 4) * 4;
    let mut label =
        format!("Transmission Control Protocol, Src Port: {source}, Dst Port: {destination}, Seq: {seq}");
    if head.flags.has(TcpFlags::ACK) {
        let _ = write!(label, ", Ack: {ack}");
    }
    if let Some(length) = length {
        let _ = write!(label, ", Len: {length}");
    }
    tree.protocol("tcp", label, header.max(FIXED));
    ports(tree, ["tcp.srcport", "tcp.dstport", "tcp.port"], (source, destination));
    if let Some(connection) = connection {
        if let Some(stream) = connection.stream {
            tree.computed("tcp.stream", "Stream index", Value::Unsigned(u64::from(stream)));
        }
        let bits = u64::from(connection.completeness);
        tree.computed("tcp.completeness", "Conversation completeness", Value::Unsigned(bits));
        tree.meaning(completeness(connection.completeness));
    }
    if let Some(length) = length {
        tree.computed("tcp.len", "TCP Segment Len", Value::Unsigned(u64::from(length)));
    }
    tree.put("tcp.seq", "Sequence Number", Value::Unsigned(u64::from(seq)), 4..8);
    tree.meaning("relative sequence number");
    tree.number("tcp.seq_raw", "Sequence Number (raw)", 4..8)?;
    if let Some(length) = length {
        let control = head.flags.has(TcpFlags::SYN | TcpFlags::FIN);
        let next = seq.wrapping_add(length).wrapping_add(u32::from(control));
        tree.computed("tcp.nxtseq", "Next Sequence Number", Value::Unsigned(u64::from(next)));
        tree.meaning("relative sequence number");
    }
    tree.put("tcp.ack", "Acknowledgment Number", Value::Unsigned(u64::from(ack)), 8..12);
    tree.meaning("relative ack number");
    tree.number("tcp.ack_raw", "Acknowledgment number (raw)", 8..12)?;
    tree.put("tcp.hdr_len", "Header Length", Value::Unsigned(header as u64), 12..13);
    flags(tree, head.flags);
    if let Some(segment) = segment {
        connection_notes(tree, head.flags, segment);
    }
    window(tree, head, segment)?;
    tree.number("tcp.checksum", "Checksum", 16..18);
    tree.number("tcp.urgent_pointer", "Urgent Pointer", 18..20);
    options(tree, header, other.unwrap_or(0));
    if let Some(segment) = segment {
        times(tree, ["tcp.time_relative", "tcp.time_delta"], (segment.relative, segment.delta));
        analysis(tree, segment, connection.and_then(|connection| connection.rtt.initial));
    }
    Some(())
}

/// Both ports, and the name that stands for either.
fn ports(tree: &mut Tree<'_>, names: [&'static str; 3], (source, destination): (u64, u64)) {
    let [name_of_source, name_of_destination, either] = names;
    for (name, label, port, at) in [
        (name_of_source, "Source Port", source, 0..2),
        (name_of_destination, "Destination Port", destination, 2..4),
    ] {
        tree.put(name, label, Value::Unsigned(port), at.clone());
        tree.also(either, Value::Unsigned(port), at);
    }
}

fn times(tree: &mut Tree<'_>, names: [&'static str; 2], (relative, delta): (Span, Span)) {
    let [first, previous] = names;
    tree.computed(first, "Time since first frame in this stream", Value::Span(relative));
    tree.computed(previous, "Time since previous frame in this stream", Value::Span(delta));
}

fn flags(tree: &mut Tree<'_>, flags: TcpFlags) {
    tree.put("tcp.flags", "Flags", Value::Unsigned(u64::from(flags.0)), 12..14);
    tree.meaning(flag_names(flags));
    tree.open();
    tree.flag("tcp.flags.res", "Reserved", flags.0 & 0xe00 != 0, 12..13);
    for (name, label, bit) in FLAGS {
        let at = if bit > 0xff { 12..13 } else { 13..14 };
        tree.flag(name, label, flags.0 & bit != 0, at);
    }
    tree.close();
}

/// The notes of tshark's expert system on how connections begin and end.
fn connection_notes(tree: &mut Tree<'_>, flags: TcpFlags, segment: &Segment) {
    let mut note = |name: &'static str, label: &'static str| {
        tree.computed(name, label, Value::Present);
    };
    if flags.is_syn_ack() {
        note("tcp.connection.synack", "Connection establish acknowledge (SYN+ACK)");
    } else if flags.has(TcpFlags::SYN) {
        note("tcp.connection.syn", "Connection establish request (SYN)");
    }
    if flags.has(TcpFlags::FIN) {
        note("tcp.connection.fin", "Connection finish (FIN)");
        if segment.is_first_to_close {
            note("tcp.connection.fin_active", "This side closes first");
        } else {
            note("tcp.connection.fin_passive", "The other side has closed before");
        }
    }
    if flags.has(TcpFlags::RST) {
        note("tcp.connection.rst", "Connection reset (RST)");
    }
}

fn window(tree: &mut Tree<'_>, head: &TcpHead, segment: Option<&Segment>) -> Option<()> {
    let window = tree.number("tcp.window_size_value", "Window", 14..16)?;
    let syn = head.flags.has(TcpFlags::SYN);
    let scale = segment.map_or(-1, |segment| segment.scale);
    let factor = if syn { 1 } else { scale.max(1) as u64 };
    tree.computed("tcp.window_size", "Calculated window size", Value::Unsigned(window * factor));
    if !syn && segment.is_some_and(|segment| segment.flags.is_some()) {
        tree.computed("tcp.window_size_scalefactor", "Window size scaling factor", Value::Signed(scale));
        tree.meaning(match scale {
            -1 => "unknown",
            -2 => "no window scaling used",
            _ => "",
        });
    }
    Some(())
}

/// What the bits of `tcp.completeness` say.
fn completeness(bits: u8) -> String {
    let names = ["SYN", "SYN-ACK", "ACK", "DATA", "FIN", "RST"];
    let seen: Vec<&str> =
        names.iter().enumerate().filter(|(bit, _)| bits & 1 << bit != 0).map(|(_, name)| *name).collect();
    seen.join(", ")
}

/// The options, each with its bytes, and edges relative to the other side's `base`; reading ends at the first that contradicts its length.
fn options(tree: &mut Tree<'_>, header: usize, base: u32) {
    let bytes = tree.bytes();
    let Some(list) = bytes.get(FIXED..header.min(bytes.len())).filter(|list| !list.is_empty()) else {
        return;
    };
    tree.put("tcp.options", "Options", Value::Bytes(list.to_vec()), FIXED..header);
    tree.open();
    let mut at = FIXED;
    while at < header {
        let length = match tree.bytes().get(at).copied() {
            None | Some(0) => break,
            Some(1) => 1,
            Some(_) => usize::from(tree.bytes().get(at + 1).copied().unwrap_or(0)),
        };
        if length == 0 || at + length > header || (length == 1 && tree.bytes().get(at) != Some(&1)) {
            break;
        }
        option(tree, at, length, base);
        at += length;
    }
    tree.close();
}

fn option(tree: &mut Tree<'_>, at: usize, length: usize, base: u32) -> Option<()> {
    let kind = *tree.bytes().get(at)?;
    let (name, label) = match kind {
        1 => ("tcp.options.nop", "No-Operation"),
        2 => ("tcp.options.mss", "Maximum segment size"),
        3 => ("tcp.options.wscale", "Window scale"),
        4 => ("tcp.options.sack_perm", "SACK permitted"),
        5 => ("tcp.options.sack", "SACK"),
        8 => ("tcp.options.timestamp", "Timestamps"),
        19 => ("tcp.options.md5", "MD5 signature"),
        28 => ("tcp.options.user_to", "User Timeout"),
        29 => ("tcp.options.ao", "Authentication Option"),
        30 => ("tcp.options.mptcp", "Multipath TCP"),
        34 => ("tcp.options.tfo", "Fast Open"),
        _ => ("tcp.options.unknown", "Unknown"),
    };
    tree.put(name, label, Value::Present, at..at + length);
    tree.open();
    match (kind, length) {
        (2, 4) => _ = tree.number("tcp.options.mss_val", "MSS Value", at + 2..at + 4),
        (3, 3) => {
            if let Some(shift) = tree.number("tcp.options.wscale.shift", "Shift count", at + 2..at + 3) {
                let factor = 1 << shift.min(14);
                tree.computed("tcp.options.wscale.multiplier", "Multiplier", Value::Unsigned(factor));
            }
        }
        (5, _) => {
            for block in (at + 2..(at + length).saturating_sub(7)).step_by(8) {
                for (name, label, at) in [
                    ("tcp.options.sack_le", "left edge", block),
                    ("tcp.options.sack_re", "right edge", block + 4),
                ] {
                    if let Some(edge) = tree.read(at..at + 4) {
                        let edge = (edge as u32).wrapping_sub(base);
                        tree.put(name, label, Value::Unsigned(u64::from(edge)), at..at + 4);
                    }
                }
            }
        }
        (8, 10) => {
            tree.number("tcp.options.timestamp.tsval", "Timestamp value", at + 2..at + 6);
            tree.number("tcp.options.timestamp.tsecr", "Timestamp echo reply", at + 6..at + 10);
        }
        _ => {}
    }
    tree.close();
    Some(())
}

/// What tshark's sequence number analysis says, where it says anything.
fn analysis(tree: &mut Tree<'_>, segment: &Segment, initial: Option<Span>) {
    let flags = segment.flags.unwrap_or_default();
    let flagged = flags != Flags::default();
    if !flagged && segment.acks.is_none() && !segment.is_tracked {
        return;
    }
    tree.computed("tcp.analysis", "SEQ/ACK analysis", Value::Present);
    tree.open();
    if let Some((frame, span)) = segment.acks {
        tree.computed(
            "tcp.analysis.acks_frame",
            "This is an ACK to the segment in frame",
            Value::Unsigned(frame),
        );
        tree.computed("tcp.analysis.ack_rtt", "The RTT to ACK the segment was", Value::Span(span));
    }
    if let Some(initial) = initial {
        tree.computed("tcp.analysis.initial_rtt", "iRTT", Value::Span(initial));
    }
    if let Some(bytes) = segment.in_flight {
        let bytes = Value::Unsigned(u64::from(bytes));
        tree.computed("tcp.analysis.bytes_in_flight", "Bytes in flight", bytes);
    }
    if let Some(bytes) = segment.pushed {
        let bytes = Value::Unsigned(u64::from(bytes));
        tree.computed("tcp.analysis.push_bytes_sent", "Bytes sent since last PSH flag", bytes);
    }
    if flagged {
        tree.computed("tcp.analysis.flags", "TCP Analysis Flags", Value::Present);
        tree.open();
        for (flag, name, label) in ANALYSIS {
            if flags.has(flag) {
                tree.computed(name, label, Value::Present);
            }
        }
        tree.close();
    }
    if let Some((number, frame)) = segment.duplicate {
        let number = Value::Unsigned(u64::from(number));
        tree.computed("tcp.analysis.duplicate_ack_num", "Duplicate ACK #", number);
        tree.computed(
            "tcp.analysis.duplicate_ack_frame",
            "Duplicate to the ACK in frame",
            Value::Unsigned(frame),
        );
    }
    if let Some((span, frame)) = segment.timeout {
        tree.computed("tcp.analysis.rto", "The RTO for this segment was", Value::Span(span));
        tree.computed("tcp.analysis.rto_frame", "RTO based on delta from frame", Value::Unsigned(frame));
    }
    tree.close();
}

/// A UDP header; `spans` are the times since the first and the previous datagram of its stream.
pub(super) fn udp(
    tree: &mut Tree<'_>,
    connection: Option<&Connection>,
    spans: Option<(Span, Span)>,
) -> Option<()> {
    let (source, destination) = (tree.read(0..2)?, tree.read(2..4)?);
    let label = format!("User Datagram Protocol, Src Port: {source}, Dst Port: {destination}");
    tree.protocol("udp", label, 8);
    ports(tree, ["udp.srcport", "udp.dstport", "udp.port"], (source, destination));
    tree.number("udp.length", "Length", 4..6)?;
    tree.number("udp.checksum", "Checksum", 6..8)?;
    if let Some(stream) = connection.and_then(|connection| connection.stream) {
        tree.computed("udp.stream", "Stream index", Value::Unsigned(u64::from(stream)));
    }
    if let Some(spans) = spans {
        times(tree, ["udp.time_relative", "udp.time_delta"], spans);
    }
    Some(())
}

/// The ports of a quoted segment or datagram, as far as they are quoted.
pub(super) fn quoted(tree: &mut Tree<'_>, protocol: u64, connection: Option<&Connection>) -> Option<()> {
    let (source, destination) = (tree.read(0..2)?, tree.read(2..4)?);
    let stream = connection.and_then(|connection| connection.stream).map(u64::from);
    match protocol {
        6 => {
            let label = format!(
                "Transmission Control Protocol, Src Port: {source}, Dst Port: {destination} (quoted)"
            );
            tree.protocol("tcp", label, FIXED);
            ports(tree, ["tcp.srcport", "tcp.dstport", "tcp.port"], (source, destination));
            if let Some(stream) = stream {
                tree.computed("tcp.stream", "Stream index", Value::Unsigned(stream));
            }
            if let Some(connection) = connection {
                let bits = u64::from(connection.completeness);
                tree.computed("tcp.completeness", "Conversation completeness", Value::Unsigned(bits));
            }
            // Nothing is relative in a quotation, as in tshark.
            tree.number("tcp.seq", "Sequence Number", 4..8)?;
            tree.number("tcp.ack", "Acknowledgment Number", 8..12)?;
            tree.number("tcp.ack_raw", "Acknowledgment number (raw)", 8..12)?;
            let bits = tree.read(12..14)?;
            let header = (bits >> 12) as usize * 4;
            tree.put("tcp.hdr_len", "Header Length", Value::Unsigned(header as u64), 12..13);
            let set = TcpFlags((bits & 0xfff) as u16);
            flags(tree, set);
            // Which side closed first, a quotation cannot tell.
            if !set.has(TcpFlags::FIN) {
                connection_notes(tree, set, &Segment::default());
            }
            let window = tree.number("tcp.window_size_value", "Window", 14..16)?;
            tree.computed("tcp.window_size", "Calculated window size", Value::Unsigned(window));
            tree.number("tcp.checksum", "Checksum", 16..18)?;
            tree.number("tcp.urgent_pointer", "Urgent Pointer", 18..20)?;
            options(tree, header, 0);
        }
        17 => {
            let label =
                format!("User Datagram Protocol, Src Port: {source}, Dst Port: {destination} (quoted)");
            tree.protocol("udp", label, 8);
            ports(tree, ["udp.srcport", "udp.dstport", "udp.port"], (source, destination));
            tree.number("udp.length", "Length", 4..6);
            tree.number("udp.checksum", "Checksum", 6..8);
            if let Some(stream) = stream {
                tree.computed("udp.stream", "Stream index", Value::Unsigned(stream));
            }
        }
        _ => {}
    }
    Some(())
}
