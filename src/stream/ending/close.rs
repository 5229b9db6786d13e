//! Connections whose first closing act is a FIN.

use super::silence::unheard;
use super::{Case, Verdict};
use crate::events::side::Side;
use crate::events::transport::{Confidence, How, Reason};
use crate::stream::tcp::Closing;
use crate::stream::tcp::half::{Act, Half};
use crate::time::Span;

/// A wait from which a close may be a timer's (`domain.md` D.2).
pub(super) const TIMER: Span = Span::from_millis(900);

/// A wait for an answer that is long on any path.
const GAVE_UP: Span = Span::from_secs(3);

/// A protocol's last word (a TLS alert record, `QUIT`, an SQL terminate message) is not longer than this; losing
/// it harms nobody.
const GOOD_BYE: u64 = 64;

/// How long a half-closed connection is watched before the other side's silence is called a leak
/// (`domain.md` D.1, `half_close_wait`).
pub(super) const HALF_CLOSE_WAIT: Span = Span::from_secs(60);

/// Idle timers of well-known products, in seconds (`domain.md` D.2): candidates, never facts.
const KNOWN_TIMERS: [i64; 27] = [
    2, 5, 10, 15, 20, 30, 50, 60, 65, 75, 90, 100, 120, 130, 230, 240, 300, 350, 540, 600, 610, 900, 1200,
    1800, 3600, 7200, 28_800,
];

/// Whether this wait is one of the known timers, within 1 %.
pub(super) fn is_known_timer(wait: Span) -> bool {
    KNOWN_TIMERS
        .iter()
        .any(|secs| wait.0.saturating_sub(secs * 1_000_000_000).saturating_abs() <= secs * 10_000_000)
}

/// Whether the side that closed is the one that had been asked: the other side spoke last.
pub(super) fn owed_by_closer(closing: &Closing) -> bool {
    closing.spoke_last.is_some_and(|(way, _)| way != closing.direction)
}

pub(super) fn verdict(case: &Case<'_>, closing: &Closing) -> Verdict {
    let (side, other) = (case.side(closing.direction), case.side(closing.direction).other());
    let (own, peer) = (case.half(side), case.half(other));
    let fin = Some(closing.act);
    let peer_fin = peer.fin.map(|(_, act)| act);
    if peer_fin.is_none() && peer.reset.is_none() && own.reset.is_none() {
        if let Some((_, open)) = unheard(case).filter(|(repeating, _)| *repeating == side) {
            let times = open.transmissions;
            let (side_name, gone) = (side.name(), other.name());
            let because = if open.first.time < closing.act.time {
                format!(
                    "the {side_name} sent the same bytes {times} times without an answer and closed: the {gone} is gone"
                )
            } else {
                format!(
                    "the {side_name}'s close was sent {times} times without an answer: the {gone} is gone"
                )
            };
            return Verdict::new(How::Fin, side.into(), Reason::PeerVanished, Confidence::High, because)
                .citing([fin, Some(open.last)]);
        }
        return half_closed(case, closing, fin);
    }
    let closed = Verdict::new(How::Fin, side.into(), Reason::Released, Confidence::High, String::new())
        .citing([fin, peer_fin, peer.reset, own.reset]);
    let lost = closing.unacked.iter().sum::<u64>().min(peer.unacked() + own.unacked());
    let sent_after = peer.last_payload.is_some_and(|act| act.time > closing.act.time) && peer.unacked() > 0;
    let reset = peer.reset.is_some() || own.reset.is_some();
    if reset && lost == 0 && sent_after && peer_fin.is_none() {
        let because = format!(
            "the {} closed, and what the {} still sent after it ({} bytes) was never taken: \
             a good-bye too late, or work that was lost",
            side.name(),
            other.name(),
            peer.unacked()
        );
        return Verdict { reason: Reason::Unknown, confidence: Confidence::Low, because, ..closed };
    }
    if reset && (1..=GOOD_BYE).contains(&lost) && peer_fin.is_none() {
        let because = format!(
            "the {} closed, and its last {lost} bytes were reset by a {} that was already gone: \
             a good-bye not waited for, or a short answer that was lost",
            side.name(),
            other.name()
        );
        return Verdict { reason: Reason::Unknown, confidence: Confidence::Low, because, ..closed };
    }
    if reset && lost > 0 && peer_fin.is_none() {
        let who = if peer.reset.is_some() { other } else { side };
        let because = format!(
            "the {} closed, and the {} reset it with {lost} bytes not acknowledged",
            side.name(),
            who.name()
        );
        return Verdict {
            reason: Reason::Abort,
            confidence: Confidence::Medium,
            detail: Some("user"),
            because,
            ..closed
        };
    }
    orderly(case, closing, closed)
}

/// One side closed, the other has not.
fn half_closed(case: &Case<'_>, closing: &Closing, fin: Option<Act>) -> Verdict {
    let side = case.side(closing.direction);
    let peer = case.half(side.other());
    let heard = peer.last_payload.filter(|last| last.time > closing.act.time);
    let since = heard.unwrap_or(closing.act);
    let waited = case.watched(since);
    let name = side.other().name();
    let cited = [fin, case.half(side).fin_acked, heard];
    if let (Side::Client, None, Some((way, last))) = (side, heard, closing.spoke_last)
        && way == closing.direction
        && closing.act.time.since(last.time) >= GAVE_UP
    {
        let wait = closing.act.time.since(last.time);
        let because = format!("the client waited {wait} for an answer to its last payload, then closed");
        return Verdict::new(How::Fin, side.into(), Reason::AppTimeout, Confidence::Medium, because)
            .citing(cited)
            .citing([Some(last)]);
    }
    if waited >= HALF_CLOSE_WAIT && case.half(side).fin_acked.is_some() {
        let because = format!("the {} closed; the {name} never did, watched for {waited}", side.name());
        return Verdict::new(How::Fin, side.into(), Reason::HalfReleased, Confidence::High, because)
            .citing(cited);
    }
    let because =
        format!("the {} closed; the capture ended {waited} later, before the {name} did", side.name());
    Verdict::new(How::Fin, side.into(), Reason::CaptureEnded, Confidence::Medium, because).citing(cited)
}

/// How a connection went that the other side never closed: by whose reset. None where it closed.
fn followed(own: &Half, peer: &Half, side: Side) -> Option<String> {
    if peer.fin.is_some() {
        None
    } else if peer.reset.is_some() {
        Some(format!("the {} reset it instead of closing", side.other().name()))
    } else {
        own.reset.map(|_| "then reset it, before the other side closed".to_owned())
    }
}

/// Both sides are done. What does the wait before it tell?
fn orderly(case: &Case<'_>, closing: &Closing, closed: Verdict) -> Verdict {
    let side = case.side(closing.direction);
    let (own, peer) = (case.half(side), case.half(side.other()));
    let name = side.name();
    let Some((way, last)) = closing.spoke_last else {
        let because = match followed(own, peer, side) {
            None => format!("both sides closed, the {name} first, and nothing was ever said"),
            Some(how) => format!("the {name} closed and {how}, and nothing was ever said"),
        };
        return Verdict { because, ..closed };
    };
    let wait = closing.act.time.since(last.time);
    let answered_after = peer.last_payload.is_some_and(|act| act.time > closing.act.time);
    let closed = Verdict { acts: [closed.acts, vec![last]].concat(), ..closed };
    let spoke_itself = way == closing.direction;
    if answered_after {
        let other = side.other().name();
        let because = match followed(own, peer, side) {
            None => format!("the {name} closed its half, the {other} answered and closed too"),
            Some(how) => format!("the {name} closed its half, the {other} answered, and {how}"),
        };
        return Verdict { because, ..closed };
    }
    if side == Side::Client {
        if spoke_itself && wait >= GAVE_UP && (peer.turns > 0 || own.turns == 1) {
            let because = format!("the client waited {wait} for an answer to its last payload, then closed");
            return Verdict { reason: Reason::AppTimeout, confidence: Confidence::Medium, because, ..closed };
        }
        let because = match followed(own, peer, side) {
            None => {
                format!("both sides closed, the client first, {wait} after the last payload, nothing owed")
            }
            Some(how) => {
                format!("the client closed {wait} after the last payload and {how}; nothing was owed")
            }
        };
        return Verdict { because, ..closed };
    }
    if !spoke_itself && (peer.turns > 1 || own.turns > 0) && peer.turns > 0 {
        let because = format!(
            "the server closed {wait} after the client's last payload, which got no answer: \
             a good-bye of the client's, or a request that was never finished"
        );
        return Verdict { reason: Reason::Unknown, confidence: Confidence::Low, because, ..closed };
    }
    if wait < TIMER {
        let because = match followed(own, peer, side) {
            None => format!("the server closed {wait} after its own last payload, the client followed"),
            Some(how) => format!("the server closed {wait} after its own last payload and {how}"),
        };
        return Verdict { because, ..closed };
    }
    if is_known_timer(wait) {
        let because = format!(
            "the server closed after {wait} without payload, a usual idle timer; one closing alone does not prove it"
        );
        return Verdict { reason: Reason::IdleTimeout, confidence: Confidence::Low, because, ..closed };
    }
    let because = format!(
        "the server closed after {wait} without payload, nothing owed: a timer, a shutdown and a crash look the same here"
    );
    Verdict { reason: Reason::Unknown, confidence: Confidence::Low, because, ..closed }
}
