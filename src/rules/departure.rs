//! Ends that left without a word: which side is gone, how it was noticed, and whether it was reached again.

use super::{Part, Subject};
use crate::events::Side;
use crate::events::transport::{By, How, Opened, Reason, RstClass};
use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// A pause from which a session counts as at rest.
const REST: Span = Span::from_secs(1);

/// Repetitions without an answer that show a silent peer.
const REPEATED: u32 = 2;

/// Sessions of the same two hosts that are looked through for a sign of life.
const LOOKED_THROUGH: usize = 256;

/// A side that is gone while the other one still holds the session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Departure {
    /// Who is gone.
    pub gone: Side,
    /// Its last sign of life.
    pub last_sign: Timestamp,
    /// Whether the side that stayed noticed, and gave the session up.
    pub given_up: bool,
}

impl Departure {
    /// Who stayed.
    pub(super) fn holder(&self) -> Side {
        self.gone.other()
    }
}

/// The end that this names; none for boxes, networks and the unknown.
pub(super) fn side(by: By) -> Option<Side> {
    match by {
        By::Client => Some(Side::Client),
        By::Server => Some(Side::Server),
        By::Middlebox | By::Network | By::Unknown => None,
    }
}

/// Whether both ends once agreed on the connection.
pub(super) fn established(part: Part<'_>) -> bool {
    let connection = part.connection;
    let heard = |side: Side| connection.sides[side].packets > 0;
    connection.opened != Opened::Never
        && heard(Side::Client)
        && heard(Side::Server)
        && !matches!(connection.ended.reason, Reason::EstablishRefused | Reason::EstablishTimeout)
}

/// The side of an established connection that never answered again, and closed nothing.
pub(super) fn vanished(part: Part<'_>) -> Option<Departure> {
    let ended = &part.connection.ended;
    if !established(part) || !part.sees_both() {
        return None;
    }
    let by = side(ended.by)?;
    let (gone, given_up) = match (ended.reason, ended.how) {
        (Reason::PeerVanished, How::Silence) => (by, false),
        (Reason::PeerVanished | Reason::KeepaliveTimeout | Reason::UserTimeout, How::Fin | How::Rst) => {
            (by.other(), true)
        }
        _ => return None,
    };
    let last_sign = part.connection.sides[gone].last?;
    Some(Departure { gone, last_sign, given_up })
}

/// A watch of which part does not count must still be as long as this (`domain.md` D.1, `half_close_wait`).
const HALF_CLOSE_WAIT: Span = Span::from_secs(60);

/// For how long one side left a connection open that the other had closed; none where it is no such case.
pub(super) fn left_open(subject: Subject<'_>, part: Part<'_>) -> Option<Span> {
    let ended = &part.connection.ended;
    if ended.reason != Reason::HalfReleased || ended.how != How::Fin || !part.sees_both() {
        return None;
    }
    let watched = subject.population.watched_after(part.connection, part.connection.end);
    let whole = watched == part.watched_after(part.connection.end);
    (whole && watched > Span::ZERO || watched >= HALF_CLOSE_WAIT).then_some(watched)
}

/// A side whose host answered for a session that it no longer knew.
#[derive(Debug, Clone, Copy)]
pub(super) struct Oblivion {
    /// Who had forgotten.
    pub forgetful: Side,
    /// How long nothing was said before it showed; none where the peer had been repeating itself in vain.
    pub quiet: Option<Span>,
}

/// Whether the connection was ended by a reset of a host without state, after a rest or a silence: in the middle of a
/// flowing talk such a reset is how some stacks and load balancers give up.
pub(super) fn forgotten(part: Part<'_>) -> Option<Oblivion> {
    let connection = part.connection;
    let ended = &connection.ended;
    let rst = ended.rst.filter(|rst| rst.class == RstClass::NoState)?;
    if ended.how != How::Rst || ended.reason != Reason::Abort || !established(part) || !part.sees_both() {
        return None;
    }
    let forgetful = side(ended.by).filter(|_| rst.forgery_score < 0.35)?;
    let (own, peer) = (connection.sides[forgetful], connection.sides[forgetful.other()]);
    let probed = peer.keepalive_probes > peer.keepalive_answered;
    let quiet = quiet_until(part, ended.frames.first().copied());
    let rested = quiet.is_some_and(|quiet| quiet >= REST);
    // Who repeats itself too was alive and cut off: it gave up, and forgot nothing.
    let in_vain = peer.unacked_bytes > 0
        && peer.retransmitted_segments >= REPEATED
        && own.retransmitted_segments < REPEATED;
    (probed || rested || in_vain).then_some(Oblivion { forgetful, quiet })
}

/// How long nothing was said before this packet.
fn quiet_until(part: Part<'_>, packet: Option<PacketRef>) -> Option<Span> {
    let packet = packet?;
    let ends_there = part.leg.clocks.quiet.iter().find(|quiet| quiet.until.last == packet);
    ends_there.map(|quiet| quiet.span)
}

/// A later connection of the same client host with the same service, begun in this window, on which both sides spoke: the
/// hosts could reach each other again.
pub(super) fn reached_again(
    subject: Subject<'_>,
    (after, before): (Timestamp, Timestamp),
) -> Option<Part<'_>> {
    let others = subject.later_of_pair().take(LOOKED_THROUGH).flat_map(Subject::parts);
    subject.parts().chain(others).find(|part| {
        let connection = part.connection;
        let talked = Side::BOTH.iter().all(|side| connection.sides[*side].payload_bytes > 0);
        connection.start > after && connection.start < before && talked
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ends_are_sides() {
        assert_eq!(side(By::Client), Some(Side::Client));
        assert_eq!(side(By::Server), Some(Side::Server));
        for other in [By::Middlebox, By::Network, By::Unknown] {
            assert_eq!(side(other), None);
        }
    }
}
