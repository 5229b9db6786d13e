//! Actions, timers and expectations: what a protocol says about its own work.

use std::net::IpAddr;

use super::identity::Hash128;
use crate::time::Span;

/// Whether doing it twice matters (`domain.md` D.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Safety {
    /// It changes nothing.
    Safe,
    /// Twice is as good as once.
    Idempotent,
    /// Twice is not once.
    Unsafe,
    /// Nobody can tell.
    #[default]
    Unknown,
}

impl Safety {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Idempotent => "idempotent",
            Self::Unsafe => "unsafe",
            Self::Unknown => "unknown",
        }
    }
}

/// The fingerprint of what a request asks for: equal for a repetition of the same work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// Hash of the operation and what it is applied to, and of as much of the content as was read.
    pub key: Hash128,
    /// Whether doing it twice matters.
    pub safety: Safety,
    /// Hash of an explicit token by which the server can know a repetition (Idempotency-Key, MQTT packet id).
    pub token: Option<Hash128>,
}

/// Which timer a protocol declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// How often the speaker promises (or asks) to show life.
    KeepAlive,
    /// After how much idleness the speaker closes.
    Idle,
    /// How long state is held after an interruption.
    Hold,
    /// How long the thing that was issued is good for.
    Lifetime,
    /// How long to wait before trying again.
    RetryAfter,
}

impl Timer {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeepAlive => "keep-alive",
            Self::Idle => "idle",
            Self::Hold => "hold",
            Self::Lifetime => "lifetime",
            Self::RetryAfter => "retry-after",
        }
    }
}

/// A timer that was announced in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// Which.
    pub timer: Timer,
    /// How long.
    pub span: Span,
}

/// A connection that is going to belong to the session: FTP's data connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expectation {
    /// Who will listen; the announced address may be wrong behind a NAT, so the port counts most.
    pub listener: (IpAddr, u16),
    /// What it is for.
    pub role: &'static str,
}
