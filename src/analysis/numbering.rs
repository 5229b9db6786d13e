//! The numbers by which users find a connection in Wireshark: `tcp.stream` and `udp.stream`.

use crate::capture::FileFacts;
use crate::packet::Transport;
use crate::problem::{Problem, ProblemKind};
use crate::stream::ending::Row;
use crate::stream::wireshark_taps::{Announcement, Announcements};

/// Bytes of a pcap file before its first record.
const PCAP_HEADER: u64 = 24;

/// Gives every row its stream number: the rank of its first packet among the first packets of all streams.
pub(super) fn number(rows: &mut [Row], tcp: &mut Vec<u64>, udp: &mut Vec<u64>) {
    tcp.sort_unstable();
    udp.sort_unstable();
    for row in rows {
        let streams = if row.connection.transport == Transport::Tcp { &*tcp } else { &*udp };
        // A packet that begins a stream and uses up another number has the lower one.
        row.connection.stream = row
            .stream_key
            .map(|key| streams.partition_point(|&other| other < key))
            .and_then(|rank| u32::try_from(rank).ok());
    }
}

/// A connection that first appears in or behind a damaged pcap record has no stream number: Wireshark stops there,
/// or misreads what follows, where we find the next record and go on.
pub(super) fn hide_beyond_damage(rows: &mut [Row], files: &[FileFacts], problems: &[Problem]) {
    for (index, _) in files.iter().enumerate().filter(|(_, file)| file.format == "pcap") {
        let damage = problems
            .iter()
            .filter(|problem| matches!(problem.kind, ProblemKind::SkippedBytes | ProblemKind::BadRecord))
            .filter(|problem| problem.file.is_some_and(|file| usize::from(file.0) == index))
            .filter_map(|problem| problem.offset)
            // What is odd in the file's header hides no record.
            .filter(|offset| *offset >= PCAP_HEADER)
            .min();
        let Some(damage) = damage else { continue };
        let beyond = |row: &&mut Row| {
            usize::from(row.connection.first.file.0) == index && row.connection.first.offset >= damage
        };
        for row in rows.iter_mut().filter(beyond) {
            row.stream_key = None;
        }
    }
}

/// A connection whose conversation tshark made when it was announced is not new when its SYN comes, and the SYN
/// does not count in its completeness.
pub(super) fn forget_announced_syns(rows: &mut [Row], announced: Vec<Announcement>) {
    let mut announced = Announcements::new(announced);
    for row in rows.iter_mut().filter(|row| row.connection.completeness & 1 != 0) {
        let connection = &row.connection;
        if row.stream_key.is_some_and(|key| announced.fulfil(key, connection.client, connection.server)) {
            row.connection.completeness &= !1;
        }
    }
}
