//! The words of the result's enums, as machine output has them (`report/words`), for comparisons.

use crate::events::transport::{By, Confidence, How, Opened, Reason};

/// Who.
pub(super) const BY: &[&str] = &["client", "server", "middlebox", "network", "unknown"];
/// How sure, the least first.
pub(super) const CONFIDENCE: &[&str] = &["low", "medium", "high", "certain"];
/// The first closing act.
pub(super) const HOW: &[&str] = &["fin", "rst", "silence", "icmp", "capture-end"];
/// How a connection began.
pub(super) const OPENED: &[&str] = &["observed", "mid-capture", "lost-syn", "never"];
/// Why it ended.
pub(super) const REASON: &[&str] = &[
    "released",
    "half-released",
    "abort",
    "idle-timeout",
    "app-timeout",
    "keepalive-timeout",
    "auth-refused",
    "establish-refused",
    "establish-timeout",
    "middlebox-timeout",
    "middlebox-reset",
    "peer-vanished",
    "user-timeout",
    "superseded",
    "network",
    "server-shutdown",
    "capture-ended",
    "unknown",
];
/// The end of a session in one word (`interface.md` 3, Values).
pub(super) const END_KIND: &[&str] =
    &["clean", "reset", "silent", "timeout", "refused", "open", "ghost", "error"];
/// The states of a session.
pub(super) const PHASES: &[&str] = &[
    "opening",
    "up",
    "negotiating",
    "authenticating",
    "active",
    "idle",
    "interrupted",
    "resuming",
    "releasing",
    "ended",
];
/// How much it hurts, the least first.
pub(super) const SEVERITY: &[&str] = &["info", "warning", "error", "critical"];
/// Whose fault.
pub(super) const FAULT: &[&str] = &["client", "server", "middlebox", "network", "capture", "unknown"];
/// Which layer.
pub(super) const LAYER: &[&str] = &["transport", "session", "presentation", "application", "capture"];
/// What became of a resumption.
pub(super) const RESUME: &[&str] = &["granted", "refused", "silent", "unanswered"];
/// What became of a login.
pub(super) const LOGIN: &[&str] = &["granted", "refused", "unanswered", "abandoned"];
/// How much was readable.
pub(super) const CLEAR: &[&str] = &["clear", "mixed", "opaque"];

/// The word for who.
pub(super) fn word_of_by(by: By) -> &'static str {
    match by {
        By::Client => "client",
        By::Server => "server",
        By::Middlebox => "middlebox",
        By::Network => "network",
        By::Unknown => "unknown",
    }
}

/// The word for how sure.
pub(super) fn word_of_confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
        Confidence::Certain => "certain",
    }
}

/// The word for the first closing act.
pub(super) fn word_of_how(how: How) -> &'static str {
    match how {
        How::Fin => "fin",
        How::Rst => "rst",
        How::Silence => "silence",
        How::Icmp => "icmp",
        How::CaptureEnd => "capture-end",
    }
}

/// The word for how a connection began.
pub(super) fn word_of_opened(opened: Opened) -> &'static str {
    match opened {
        Opened::Observed => "observed",
        Opened::MidCapture => "mid-capture",
        Opened::LostSyn => "lost-syn",
        Opened::Never => "never",
    }
}

/// The word for why.
pub(super) fn word_of_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Released => "released",
        Reason::HalfReleased => "half-released",
        Reason::Abort => "abort",
        Reason::IdleTimeout => "idle-timeout",
        Reason::AppTimeout => "app-timeout",
        Reason::KeepaliveTimeout => "keepalive-timeout",
        Reason::AuthRefused => "auth-refused",
        Reason::EstablishRefused => "establish-refused",
        Reason::EstablishTimeout => "establish-timeout",
        Reason::MiddleboxTimeout => "middlebox-timeout",
        Reason::MiddleboxReset => "middlebox-reset",
        Reason::PeerVanished => "peer-vanished",
        Reason::UserTimeout => "user-timeout",
        Reason::Superseded => "superseded",
        Reason::Network => "network",
        Reason::ServerShutdown => "server-shutdown",
        Reason::CaptureEnded => "capture-ended",
        Reason::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::words::Word;
    use crate::rules::{Fault, Layer, Severity};

    #[test]
    fn the_words_are_those_of_machine_output() {
        assert_eq!(BY, By::ALL);
        assert_eq!(CONFIDENCE, Confidence::ALL);
        assert_eq!(HOW, How::ALL);
        assert_eq!(OPENED, Opened::ALL);
        assert_eq!(REASON, Reason::ALL);
        assert_eq!(SEVERITY, Severity::ALL.map(Severity::name));
        assert_eq!(FAULT, <Fault as Word>::ALL);
        assert_eq!(LAYER, <Layer as Word>::ALL);
        for by in [By::Client, By::Server, By::Middlebox, By::Network, By::Unknown] {
            assert_eq!(word_of_by(by), by.word());
        }
        for confidence in [Confidence::Low, Confidence::Medium, Confidence::High, Confidence::Certain] {
            assert_eq!(word_of_confidence(confidence), confidence.word());
        }
        for reason in [Reason::Released, Reason::HalfReleased, Reason::KeepaliveTimeout, Reason::Network] {
            assert_eq!(word_of_reason(reason), reason.word());
        }
    }
}
