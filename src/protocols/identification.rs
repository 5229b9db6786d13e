//! Which protocol the first bytes of a connection are.

use super::Protocol;
use super::verdict::Verdict;
use crate::events::{PerSide, Side};
use crate::limits::PROBE_BYTES;

/// What the bytes of both sides allow to say.
#[derive(Debug, Clone, Copy)]
pub(super) enum Choice {
    /// They are this protocol's.
    Known(&'static Protocol),
    /// More of them are needed.
    Wait,
    /// They are nobody's. A side marked here is to blame alone: its bytes fit no protocol, whatever the other says.
    Nobody(PerSide<bool>),
}

/// Chooses among these protocols. `heard` is what each side said first, `port` the server's, and `finally` means that
/// no more will come.
pub(super) fn choose(among: &[&'static Protocol], heard: PerSide<&[u8]>, port: u16, finally: bool) -> Choice {
    let full = Side::BOTH.iter().any(|side| heard[*side].len() >= PROBE_BYTES);
    let both = Side::BOTH.iter().all(|side| !heard[*side].is_empty());
    let mut best: Option<(Likelihood, &'static Protocol)> = None;
    let (mut candidates, mut unsure) = (0, false);
    let mut alone = PerSide { client: !heard.client.is_empty(), server: !heard.server.is_empty() };
    for protocol in among {
        let verdicts = Side::BOTH.map(|side| match heard[side] {
            [] => None,
            bytes => Some((protocol.probe)(side, bytes)),
        });
        for (side, verdict) in Side::BOTH.into_iter().zip(verdicts) {
            alone[side] &= verdict == Some(Verdict::No);
        }
        if verdicts.contains(&Some(Verdict::No)) || verdicts == [None, None] {
            continue;
        }
        candidates += 1;
        unsure |= verdicts.contains(&Some(Verdict::Unsure));
        let likelihood = Likelihood::of(verdicts, protocol.ports.contains(&port));
        if best.is_none_or(|(known, _)| likelihood > known) {
            best = Some((likelihood, protocol));
        }
    }
    let decided = finally || full || best.is_some_and(|(likelihood, _)| likelihood.certain > 0);
    match best {
        Some((likelihood, protocol))
            if likelihood.enough() && (decided || (!unsure && (both || candidates == 1))) =>
        {
            Choice::Known(protocol)
        }
        Some(_) if !finally && !full => Choice::Wait,
        _ => Choice::Nobody(alone),
    }
}

/// How well the first bytes fit a protocol; greater is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Likelihood {
    certain: u8,
    likely: u8,
    on_port: bool,
}

impl Likelihood {
    fn of(verdicts: [Option<Verdict>; 2], on_port: bool) -> Self {
        let count =
            |wanted: Verdict| verdicts.iter().filter(|verdict| **verdict == Some(wanted)).count() as u8;
        Self { certain: count(Verdict::Certain), likely: count(Verdict::Likely), on_port }
    }

    /// One side that is certain, two that are likely, or one that is likely on its port.
    fn enough(self) -> bool {
        self.certain > 0 || self.likely > 1 || (self.likely > 0 && self.on_port)
    }
}
