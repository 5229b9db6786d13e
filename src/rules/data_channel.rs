//! The side channel that carried a transfer, and how far it came.

use super::subject::Subject;
use crate::events::Connection;
use crate::session::{Role, Work};

/// The data connection of a transfer: the first of its session with bytes that lived in its time.
pub(super) fn data_of<'a>(subject: Subject<'a>, work: &Work) -> Option<&'a Connection> {
    let until = work.ended.map(|(_, at)| at.time);
    subject
        .parts()
        .filter(|part| part.leg.role == Role::Data)
        .map(|part| part.connection)
        .filter(|data| carried(data) > 0)
        .find(|data| data.end >= work.begun.time && until.is_none_or(|until| data.start <= until))
}

/// Bytes of content that a data connection carried.
pub(super) fn carried(data: &Connection) -> u64 {
    data.sides.client.delivered_bytes + data.sides.server.delivered_bytes
}

/// How far a transfer came: by what the protocol says, or by what its data connection carried.
pub(super) fn came(work: &Work, data: Option<&Connection>) -> u64 {
    let said = work.reached.map_or(0, |position| position.value);
    let from = work.resumed_at.map_or(0, |position| position.value);
    said.max(from.saturating_add(data.map_or(0, carried)))
}
