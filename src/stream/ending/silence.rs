//! Connections without FIN or RST: given up in silence, refused by the network, or simply still open.

use super::opening::icmp_name;
use super::{Case, Verdict, WATCHED, after_start};
use crate::events::side::Side;
use crate::events::transport::{By, Confidence, How, Reason};
use crate::stream::tcp::half::Unanswered;

/// Transmissions of the same bytes without any segment of the peer that make a probable death (`domain.md` C.5).
const TRANSMISSIONS: u32 = 3;

/// The side that repeats itself in vain, and what it repeats.
pub(super) fn unheard(case: &Case<'_>) -> Option<(Side, Unanswered)> {
    Side::BOTH
        .into_iter()
        .filter_map(|side| case.half(side).unanswered.map(|open| (side, open)))
        .filter(|(side, _)| case.half(side.other()).packets > 0)
        .find(|(_, open)| {
            let repeated = open.transmissions >= TRANSMISSIONS || open.probes >= TRANSMISSIONS;
            repeated && open.last.time.since(open.first.time) >= WATCHED
        })
}

pub(super) fn verdict(case: &Case<'_>) -> Verdict {
    let connection = case.connection;
    if let Some(note) = connection
        .icmp
        .filter(|note| !note.contradicted && is_unreachable(note.error.kind, note.error.from.is_ipv6()))
    {
        let because = format!(
            "{} reported {} and nothing of the {} came after it",
            note.error.from,
            icmp_name(&note.error),
            case.side(note.direction).other().name()
        );
        let first = case.half(case.side(note.direction)).unanswered.map(|open| open.first);
        return Verdict::new(How::Icmp, By::Network, Reason::Network, Confidence::High, because)
            .detail("icmp")
            .citing([first, Some(note.act)]);
    }
    if let Some((side, open)) = unheard(case) {
        let silent = side.other();
        let what = if open.probes >= open.transmissions {
            "keep-alive probes"
        } else {
            "transmissions of the same bytes"
        };
        let count = open.transmissions.max(open.probes);
        let because = format!(
            "{count} {what} by the {} over {} got no answer: the {} has been silent since {} after the start",
            side.name(),
            open.last.time.since(open.first.time),
            silent.name(),
            after_start(case, case.half(silent).last.map_or(open.first.time, |last| last.time)),
        );
        let watched = case.watched(open.last) > open.longest;
        let confidence = if watched { Confidence::High } else { Confidence::Medium };
        return Verdict::new(How::Silence, silent.into(), Reason::PeerVanished, confidence, because)
            .citing([case.half(silent).last, Some(open.first), Some(open.last)]);
    }
    let last = connection.halves.iter().filter_map(|half| half.last).max_by_key(|act| act.at);
    if case.superseded {
        let because =
            "the same addresses and ports began anew without this one having been closed".to_owned();
        return Verdict::new(How::Silence, By::Client, Reason::Superseded, Confidence::High, because)
            .detail("reuse")
            .citing([Some(connection.first), last]);
    }
    let because = match last {
        Some(last) => {
            format!("the capture ended {} after its last frame, with nothing closed", case.watched(last))
        }
        None => "the capture ended with nothing closed".to_owned(),
    };
    Verdict::new(How::CaptureEnd, By::Unknown, Reason::CaptureEnded, Confidence::High, because).citing([last])
}

/// Whether the error says that packets cannot arrive; "packet too big" and redirects do not.
fn is_unreachable(kind: u8, v6: bool) -> bool {
    if v6 { matches!(kind, 1 | 3) } else { matches!(kind, 3 | 11) }
}
