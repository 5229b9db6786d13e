//! Work on an object that broke off earlier: what the rules of resumption hold a later attempt against.

use super::subject::Subject;
use crate::events::Position;
use crate::session::{Point, Resumption, Work};

/// Earlier sessions of the same client and server that are looked at.
const LOOKED_AT: usize = 16;

/// An earlier, unfinished transfer of the same object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Earlier {
    /// Its connection, by id.
    pub(super) connection: u32,
    /// How many bytes of it came.
    pub(super) reached: u64,
    /// How large the object was said to be then.
    pub(super) whole: Option<u64>,
    /// Where it stopped, or began.
    pub(super) at: Point,
}

/// The last transfer of the object of this resumption that broke off before it, in this session or in an earlier one of
/// the same client with the same server.
pub(super) fn earlier(subject: Subject<'_>, resume: &Resumption) -> Option<Earlier> {
    of_object(subject, resume.object.as_deref()?, resume.begun)
}

/// The same for any object and moment.
pub(super) fn of_object(subject: Subject<'_>, object: &str, before: Point) -> Option<Earlier> {
    let own = subject.session;
    let neighbours = subject.population.of_pair(own.client.ip, own.server);
    let near = neighbours.rev().skip_while(|other| other.session.start > own.start).take(LOOKED_AT);
    near.flat_map(Subject::parts)
        .flat_map(|part| part.leg.works.list.iter().map(move |work| (part.connection.id, work)))
        .filter(|(_, work)| work.object.as_deref() == Some(object) && work.is_broken())
        .filter(|(_, work)| ended(work).time <= before.time && ended(work) != before)
        .filter_map(|(connection, work)| {
            let Position { value, of, .. } = work.reached?;
            (value > 0).then_some(Earlier { connection, reached: value, whole: of, at: ended(work) })
        })
        .max_by_key(|earlier| earlier.at.time)
}

fn ended(work: &Work) -> Point {
    work.ended.map_or(work.begun, |(_, at)| at)
}
