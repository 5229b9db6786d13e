//! Which ends hurt, and what each reason means in plain words.

use super::paint::Tone;
use crate::events::transport::{Ending, Reason};

/// How much an end concerns the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum Concern {
    /// Somebody was hurt: work was lost, refused or left hanging.
    Hurts,
    /// It may be as intended, and deserves a look.
    Odd,
    /// As it should be, or nothing can be said.
    Quiet,
}

impl Concern {
    pub(super) fn tone(self) -> Tone {
        match self {
            Self::Hurts => Tone::Bad,
            Self::Odd => Tone::Odd,
            Self::Quiet => Tone::Good,
        }
    }
}

/// How much this reason concerns the reader.
pub(in crate::report) fn concern(reason: Reason) -> Concern {
    match reason {
        Reason::MiddleboxTimeout
        | Reason::MiddleboxReset
        | Reason::PeerVanished
        | Reason::UserTimeout
        | Reason::KeepaliveTimeout
        | Reason::AppTimeout
        | Reason::Abort
        | Reason::Network
        | Reason::EstablishTimeout
        | Reason::AuthRefused
        | Reason::EstablishRefused
        | Reason::HalfReleased => Concern::Hurts,
        Reason::IdleTimeout | Reason::ServerShutdown | Reason::Superseded => Concern::Odd,
        Reason::Unknown | Reason::CaptureEnded | Reason::Released => Concern::Quiet,
    }
}

/// The order of [`rank`].
const ORDER: [Reason; 18] = [
    Reason::MiddleboxTimeout,
    Reason::MiddleboxReset,
    Reason::PeerVanished,
    Reason::UserTimeout,
    Reason::KeepaliveTimeout,
    Reason::AppTimeout,
    Reason::Abort,
    Reason::HalfReleased,
    Reason::Network,
    Reason::EstablishTimeout,
    Reason::AuthRefused,
    Reason::EstablishRefused,
    Reason::ServerShutdown,
    Reason::IdleTimeout,
    Reason::Superseded,
    Reason::Unknown,
    Reason::CaptureEnded,
    Reason::Released,
];

/// The place of an end in a list that begins with the most interesting: what is hardest to find otherwise comes
/// first, what an application's own log says anyway (refused, timed out) later.
pub fn rank(ending: &Ending) -> usize {
    rank_of(ending.reason)
}

/// The same for a reason.
pub(in crate::report) fn rank_of(reason: Reason) -> usize {
    ORDER.iter().position(|other| *other == reason).unwrap_or(ORDER.len())
}

/// What a reason means, in a few plain words.
pub(in crate::report) fn meaning(reason: Reason) -> &'static str {
    match reason {
        Reason::Released => "both sides closed, nothing owed",
        Reason::HalfReleased => "one side closed, the other never",
        Reason::Abort => "one end gave up in the middle",
        Reason::IdleTimeout => "closed after an idle time",
        Reason::AppTimeout => "gave up waiting for an answer",
        Reason::KeepaliveTimeout => "keep-alive probes unanswered",
        Reason::AuthRefused => "the login was refused",
        Reason::EstablishRefused => "the set-up was refused",
        Reason::EstablishTimeout => "the set-up was never answered",
        Reason::MiddleboxTimeout => "a box between them forgot it",
        Reason::MiddleboxReset => "a box between them reset it",
        Reason::PeerVanished => "one end fell silent for good",
        Reason::UserTimeout => "the sender gave up repeating",
        Reason::Superseded => "same ports, begun anew",
        Reason::Network => "the network could not deliver",
        Reason::ServerShutdown => "the server stopped",
        Reason::CaptureEnded => "still open at the end",
        Reason::Unknown => "the capture does not tell",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::transport::{By, Confidence, How};

    #[test]
    fn meanings_leave_room_for_the_table() {
        for reason in ORDER {
            assert!(meaning(reason).len() <= 33, "{reason:?}");
        }
    }

    #[test]
    fn what_hurts_ranks_before_what_does_not() {
        let ending = |reason| Ending {
            how: How::Fin,
            by: By::Client,
            reason,
            detail: None,
            confidence: Confidence::High,
            frames: Vec::new(),
            because: String::new(),
            rst: None,
        };
        assert!(rank(&ending(Reason::Abort)) < rank(&ending(Reason::IdleTimeout)));
        assert!(rank(&ending(Reason::IdleTimeout)) < rank(&ending(Reason::Released)));
        for (a, b) in [(Reason::EstablishRefused, Reason::Superseded), (Reason::Superseded, Reason::Unknown)]
        {
            assert!(concern(a) < concern(b));
            assert!(rank(&ending(a)) < rank(&ending(b)));
        }
    }
}
