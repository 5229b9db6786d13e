//! The words of machine output for every enum of the result: lower-case, with hyphens, one table.

use serde::{Serialize, Serializer};

use crate::events::Side;
use crate::events::transport::{By, Confidence, How, Opened, Reason, RoleEvidence, RstClass};
use crate::events::visibility::Sight;
use crate::packet::Transport;
use crate::problem::ProblemKind;
use crate::rules::{Fault, Layer, Role, Severity};

/// An enum whose variants have names in machine output (`interface.md` 3).
pub trait Word: Copy + 'static {
    /// The name of the enum in the JSON Schema.
    const NAME: &'static str;
    /// Every word it can say.
    const ALL: &'static [&'static str];

    /// The word of this value.
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($($of:ident { $($variant:ident $word:literal),+ $(,)? })+) => { $(
        impl Word for $of {
            const NAME: &'static str = stringify!($of);
            const ALL: &'static [&'static str] = &[$($word),+];

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    )+ };
}

words! {
    Transport { Tcp "tcp", Udp "udp" }
    Side { Client "client", Server "server" }
    RoleEvidence {
        Syn "syn", SynAck "syn-ack", Signature "signature", Port "port", Unknown "unknown",
    }
    Opened { Observed "observed", MidCapture "mid-capture", LostSyn "lost-syn", Never "never" }
    How { Fin "fin", Rst "rst", Silence "silence", Icmp "icmp", CaptureEnd "capture-end" }
    By {
        Client "client", Server "server", Middlebox "middlebox", Network "network", Unknown "unknown",
    }
    Reason {
        Released "released", HalfReleased "half-released", Abort "abort", IdleTimeout "idle-timeout",
        AppTimeout "app-timeout", KeepaliveTimeout "keepalive-timeout",
        AuthRefused "auth-refused", EstablishRefused "establish-refused", EstablishTimeout "establish-timeout",
        MiddleboxTimeout "middlebox-timeout", MiddleboxReset "middlebox-reset",
        PeerVanished "peer-vanished", UserTimeout "user-timeout", Superseded "superseded",
        Network "network", ServerShutdown "server-shutdown", CaptureEnded "capture-ended", Unknown "unknown",
    }
    Confidence { Low "low", Medium "medium", High "high", Certain "certain" }
    RstClass {
        Refused "refused", NoState "no-state", Abort "abort", AfterClose "after-close",
        SynScan "syn-scan", ChallengeReply "challenge-reply", ZeroWindowAbort "zero-window-abort",
        Forged "forged",
    }
    Severity { Info "info", Warning "warning", Error "error", Critical "critical" }
    Fault {
        Client "client", Server "server", Middlebox "middlebox", Network "network", Capture "capture",
        Unknown "unknown",
    }
    Layer {
        Transport "transport", Session "session", Presentation "presentation", Application "application",
        Capture "capture",
    }
    Role { Shows "shows", Context "context", Absence "absence" }
    Sight { Both "both", ClientOnly "client-only", ServerOnly "server-only" }
    ProblemKind {
        UnreadableFile "unreadable-file", CutShort "cut-short", SkippedBytes "skipped-bytes",
        BadRecord "bad-record", BadCompression "bad-compression", UnknownBlock "unknown-block",
        UnknownLinkType "unknown-link-type", BadPacket "bad-packet", BadFragments "bad-fragments",
        LimitReached "limit-reached", DissectorStopped "dissector-stopped", RecorderDrops "recorder-drops", ClockDisorder "clock-disorder",
    }
}

/// A value that is written as its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<T>(pub T);

impl<T: Word> Serialize for Said<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

#[cfg(feature = "cli")]
impl<T: Word> schemars::JsonSchema for Said<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::NAME.into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": T::ALL })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lower_case_with_hyphens_and_said_once() {
        let enums: [&[&str]; 11] = [
            Transport::ALL,
            Side::ALL,
            RoleEvidence::ALL,
            Opened::ALL,
            How::ALL,
            By::ALL,
            Reason::ALL,
            Confidence::ALL,
            RstClass::ALL,
            Sight::ALL,
            ProblemKind::ALL,
        ];
        for words in enums {
            let mut seen = words.to_vec();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), words.len(), "{words:?}");
            for word in words {
                assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{word}");
            }
        }
    }

    #[test]
    fn names_given_elsewhere_are_the_same_words() {
        assert_eq!(Transport::Tcp.word(), Transport::Tcp.name());
        assert_eq!(Side::Server.word(), Side::Server.name());
        for (word, name) in [
            (Reason::KeepaliveTimeout.word(), Reason::KeepaliveTimeout.name()),
            (Reason::CaptureEnded.word(), Reason::CaptureEnded.name()),
            (By::Middlebox.word(), By::Middlebox.name()),
            (How::CaptureEnd.word(), How::CaptureEnd.name()),
            (Confidence::High.word(), Confidence::High.name()),
        ] {
            assert_eq!(word, name);
        }
        for kind in [ProblemKind::CutShort, ProblemKind::UnknownLinkType, ProblemKind::ClockDisorder] {
            assert_eq!(kind.word(), kind.name());
        }
    }
}
