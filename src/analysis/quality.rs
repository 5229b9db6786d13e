//! How much each capture can be trusted (`domain.md` C.4).

use super::Quality;
use crate::capture::FileFacts;
use crate::events::side::Side;
use crate::events::visibility::Sight;
use crate::packet::Transport;
use crate::stream::ending::Row;

/// Segments from which on a connection seen from one side only counts as one-sided.
const ONE_SIDED: u64 = 5;

#[derive(Default)]
struct Sums {
    connections: u64,
    one_sided: u64,
    acked: u64,
    unseen: u64,
    segments: u64,
    duplicates: u64,
}

/// The quality of each file, from its own facts and from its TCP connections.
pub(super) fn of_files(files: &[FileFacts], rows: &[Row]) -> Vec<Quality> {
    let mut sums: Vec<Sums> = files.iter().map(|_| Sums::default()).collect();
    for row in rows.iter().filter(|row| row.connection.transport == Transport::Tcp) {
        let Some(sum) = sums.get_mut(usize::from(row.connection.first.file.0)) else { continue };
        let connection = &row.connection;
        let packets: u64 = Side::BOTH.map(|side| connection.sides[side].packets).iter().sum();
        sum.segments += packets;
        sum.duplicates += u64::from(connection.visibility.duplicates);
        if packets >= ONE_SIDED {
            sum.connections += 1;
        }
        if connection.visibility.sight == Sight::Both {
            sum.acked += row.facts.acked_bytes;
            sum.unseen += row.facts.unseen_bytes;
        } else {
            sum.one_sided += 1;
        }
    }
    let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    files
        .iter()
        .zip(sums)
        .map(|(file, sum)| Quality {
            one_sided_ratio: ratio(sum.one_sided, sum.connections),
            loss_ratio: ratio(sum.unseen, sum.acked),
            duplicate_ratio: ratio(sum.duplicates, sum.segments),
            snapped_ratio: ratio(file.snapped, file.packets),
            disorder: file.disorder,
        })
        .collect()
}
