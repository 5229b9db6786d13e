//! The twelve words and five stages in which every protocol is told, with the service of OSI layer 5 behind each
//! (X.215; `house.md` 4).

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// S-CONNECT: a conversation is agreed on. FTP 220, MQTT CONNECT and CONNACK, a TLS handshake.
    Establish,
    /// Proof of who somebody is: USER and PASS, SASL, a client certificate.
    Authenticate,
    /// A right given or denied to a known identity: HTTP 403, FTP 550.
    Authorize,
    /// S-ACTIVITY-START, -END, -DISCARD: a unit of work with a beginning and an end. A transfer, a mail, an upload.
    Activity,
    /// S-DATA, S-TOKEN-GIVE, -PLEASE: a question and its answer.
    Turn,
    /// S-SYNC-MINOR, -MAJOR: a point from which work need not be done again.
    Checkpoint,
    /// Its only purpose is liveness: PINGREQ, NOOP, a WebSocket ping.
    KeepAlive,
    /// S-ACTIVITY-INTERRUPT: the dialogue stopped, though the session was not over. ABOR, 421.
    Interrupt,
    /// S-ACTIVITY-RESUME, S-RESYNCHRONIZE: earlier state goes on. A ticket, REST, Range, session-present.
    Resume,
    /// S-RELEASE: the protocol's own good-bye. QUIT, DISCONNECT, `close_notify`, FIN.
    Release,
    /// S-U-ABORT, S-P-ABORT: an end without agreement. A fatal alert, RST.
    Abort,
    /// S-U-EXCEPTION-REPORT: the protocol says no, and the session may go on.
    Error,
}

impl Word {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::Establish,
        Self::Authenticate,
        Self::Authorize,
        Self::Activity,
        Self::Turn,
        Self::Checkpoint,
        Self::KeepAlive,
        Self::Interrupt,
        Self::Resume,
        Self::Release,
        Self::Abort,
        Self::Error,
    ];

    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Establish => "establish",
            Self::Authenticate => "authenticate",
            Self::Authorize => "authorize",
            Self::Activity => "activity",
            Self::Turn => "turn",
            Self::Checkpoint => "checkpoint",
            Self::KeepAlive => "keep-alive",
            Self::Interrupt => "interrupt",
            Self::Resume => "resume",
            Self::Release => "release",
            Self::Abort => "abort",
            Self::Error => "error",
        }
    }
}

/// How far the matter is. "Unanswered" is no stage: the session infers it from `Asked` and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// It would be possible: a ticket was issued, ranges are accepted, an expiry was announced.
    Offered,
    /// Request or indication.
    Asked,
    /// The answer is yes.
    Granted,
    /// The answer is no; with [`Marks::SILENT`] the request was passed over without a word.
    Refused,
    /// Nobody has to answer.
    Told,
}

impl Stage {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Asked => "asked",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Told => "told",
        }
    }
}

/// Which agreement an event speaks of: each layer has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Scope {
    /// The transport connection: SYN, FIN, RST.
    Transport,
    /// The security layer: TLS.
    Security,
    /// The session itself.
    #[default]
    Session,
    /// One unit of work in it.
    Activity,
    /// One multiplexed part of it.
    Channel,
    /// One subscription.
    Subscription,
}

impl Scope {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Security => "security",
            Self::Session => "session",
            Self::Activity => "activity",
            Self::Channel => "channel",
            Self::Subscription => "subscription",
        }
    }
}

/// The grade of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// A point inside a unit of work.
    Minor,
    /// The point that ends one.
    Major,
}

impl Grade {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// What else is true of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks(u32);

impl Marks {
    /// Inferred from sizes, timing or order, not read.
    pub const INFERRED: Self = Self(1);
    /// Said of an encrypted flow from outside.
    pub const OPAQUE: Self = Self(1 << 1);
    /// Refused without a word: the peer went on as if nothing had been asked.
    pub const SILENT: Self = Self(1 << 2);
    /// An application's own ping (`NOOP`, `PING`), as opposed to the transport's.
    pub const APP_PING: Self = Self(1 << 3);
    /// The question may stay unanswered for long without anything being wrong: a long poll, a subscription.
    pub const PATIENT: Self = Self(1 << 4);
    /// The answer (or the unit of work) came in part only.
    pub const PARTIAL: Self = Self(1 << 5);
    /// Said out of turn: before the peer's answer was due, or without the floor.
    pub const OUT_OF_TURN: Self = Self(1 << 6);
    /// The error ends the session.
    pub const FATAL: Self = Self(1 << 7);
    /// The peer says that the same request may succeed later.
    pub const RETRYABLE: Self = Self(1 << 8);
    /// The message says that it is sent again (MQTT DUP).
    pub const REPEATED: Self = Self(1 << 9);
    /// The side that answers says that this is its own timer's doing (408, 421, SQLSTATE 57P05).
    pub const TIMER: Self = Self(1 << 10);
    /// The side that answers says that it is shutting down or sends its peers elsewhere.
    pub const SHUTDOWN: Self = Self(1 << 11);
    /// The session is over because another one took its identity.
    pub const TAKEN_OVER: Self = Self(1 << 12);
    /// Asked for more people or sessions than the server allows.
    pub const LIMIT: Self = Self(1 << 13);
    /// The server says that it does not know, or no longer knows, the state that was asked for.
    pub const STATE_LOST: Self = Self(1 << 14);
    /// A message of its own that has neither name nor status: the content of a mail.
    pub const NAMELESS: Self = Self(1 << 15);
    /// The side that answers had asked somebody behind it, who did not answer, or not well (HTTP 502, 504).
    pub const UPSTREAM: Self = Self(1 << 16);

    /// Refused because somebody holds what was asked for: a lock, a file or a mailbox in use.
    pub const HELD: Self = Self(1 << 20);

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of these are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_add_up() {
        let both = Marks::SILENT.with(Marks::OPAQUE);
        assert!(both.has(Marks::SILENT) && both.has(Marks::OPAQUE) && !both.has(Marks::INFERRED));
        assert!(!Marks::SILENT.has(both));
    }

    #[test]
    fn words_are_in_their_order() {
        assert!(Word::ALL.is_sorted());
    }
}
