//! Connections whose first closing act is a RST.

use super::{Case, Verdict};
use crate::events::transport::{By, Confidence, How, Reason, RstClass};
use crate::stream::tcp::Closing;
use crate::stream::tcp::reset::{FORGED, Reset};
use crate::time::Span;

/// Unanswered probes after which the prober's RST is a keep-alive time-out (`domain.md` B.3).
const PROBES: u32 = 2;

/// A quiet time after which a box may have forgotten the connection. Whole minutes are usual; recordings of short
/// timers exist, and so the pattern counts: far longer than the connection's own pauses.
const QUIET: Span = Span::from_secs(3);

/// The whole score of a RST: what its headers and timing said, and what followed it.
pub(super) fn score(case: &Case<'_>, reset: &Reset) -> f32 {
    let connection = case.connection;
    let [up, down] = &connection.resets;
    let mut score = reset.score;
    if let (Some(one), Some(other)) = (up, down) {
        let apart = Span(one.act.time.0.saturating_sub(other.act.time.0).saturating_abs());
        let rtt = connection.halves.iter().filter_map(|half| half.rtt.min()).max().unwrap_or(Span::ZERO);
        let first_of_both = one.class != RstClass::AfterClose && other.class != RstClass::AfterClose;
        if first_of_both && rtt > Span::ZERO && apart.0 <= rtt.0 / 2 {
            score += 0.5;
        }
    }
    let sender = connection.closing.map(|closing| connection.half(closing.direction));
    if sender.is_some_and(|half| half.after_reset > 0) {
        score += 0.5;
    }
    if connection.burst {
        score += 0.35;
    }
    score.min(1.0)
}

/// The quiet time before the segment that the RST answers, or before the RST itself.
fn quiet_before(case: &Case<'_>, reset: &Reset) -> Span {
    match case.connection.longest_silence {
        (gap, Some((_, after)))
            if Some(after.at) == reset.trigger.map(|act| act.at) || after.at == reset.act.at =>
        {
            gap
        }
        _ => Span::ZERO,
    }
}

pub(super) fn verdict(case: &Case<'_>, closing: &Closing) -> Verdict {
    let connection = case.connection;
    let side = case.side(closing.direction);
    let Some(reset) = connection.resets.get(closing.direction.index()).copied().flatten() else {
        let because = format!("the {} sent a RST", side.name());
        return Verdict::new(How::Rst, side.into(), Reason::Unknown, Confidence::Low, because)
            .citing([Some(closing.act)]);
    };
    let score = score(case, &reset);
    let quiet = quiet_before(case, &reset);
    let long_quiet = quiet >= QUIET && quiet.0 >= connection.longest_idle.0 / 2;
    let cited = [reset.trigger, Some(reset.act)];
    let after_idle = reset.class == RstClass::NoState && long_quiet && (score >= 0.35 || reset.other_ttl);
    if score >= FORGED || after_idle {
        let marks = format!(
            "the RST in the {}'s name does not look like the {}'s other segments (score {score:.2} of 1)",
            side.name(),
            side.name()
        );
        return if long_quiet {
            let because = format!("after {quiet} of quiet, {marks}");
            Verdict::new(How::Rst, By::Middlebox, Reason::MiddleboxTimeout, confidence(score), because)
                .detail("reset")
        } else {
            Verdict::new(How::Rst, By::Middlebox, Reason::MiddleboxReset, confidence(score), marks)
        }
        .citing(cited);
    }
    if let Some(open) = closing.unanswered {
        if open.probes >= PROBES && open.probes >= open.transmissions.saturating_sub(1) {
            let because =
                format!("{} keep-alive probes went unanswered, then the {} reset", open.probes, side.name());
            return Verdict::new(How::Rst, side.into(), Reason::KeepaliveTimeout, Confidence::High, because)
                .citing([Some(open.first), Some(open.last), Some(reset.act)]);
        }
        if open.transmissions >= 3 {
            let because = format!(
                "the {} sent the same bytes {} times over {} without an answer, then reset",
                side.name(),
                open.transmissions,
                open.last.time.since(open.first.time)
            );
            return Verdict::new(How::Rst, side.into(), Reason::UserTimeout, Confidence::High, because)
                .citing([Some(open.first), Some(open.last), Some(reset.act)]);
        }
    }
    let (detail, confidence, because) = match reset.class {
        RstClass::NoState => (
            "provider",
            Confidence::High,
            format!(
                "the {}'s host answered with a RST without state: it no longer knew the connection",
                side.name()
            ),
        ),
        RstClass::ZeroWindowAbort => (
            "user",
            Confidence::Medium,
            format!("the {} gave up on a peer whose window had been closed for long", side.name()),
        ),
        _ => (
            "user",
            Confidence::Medium,
            format!("the {} reset a live connection{}", side.name(), owed(case, closing)),
        ),
    };
    Verdict::new(How::Rst, side.into(), Reason::Abort, confidence, because).detail(detail).citing(cited)
}

fn confidence(score: f32) -> Confidence {
    if score >= 0.8 { Confidence::High } else { Confidence::Medium }
}

/// What was unfinished, as the tail of a sentence.
fn owed(case: &Case<'_>, closing: &Closing) -> String {
    match closing.spoke_last {
        Some((way, last)) => format!(
            " {} after the {}'s last payload",
            closing.act.time.since(last.time),
            case.side(way).name()
        ),
        None => String::new(),
    }
}
