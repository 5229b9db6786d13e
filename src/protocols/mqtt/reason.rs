//! Return codes of MQTT 3 (3.1.1 §3.2.2.3) and reason codes of MQTT 5 (5.0 §2.4): their names and what they mean for a
//! session.

use crate::events::Marks;

/// The reason code of version 5 that means the same as a return code of version 3.
pub(super) fn of_return_code(code: u8) -> u8 {
    match code {
        0 => SUCCESS,
        1 => 0x84,
        2 => 0x85,
        3 => UNAVAILABLE,
        4 => BAD_CREDENTIALS,
        5 => NOT_AUTHORIZED,
        _ => UNSPECIFIED,
    }
}

pub(super) const SUCCESS: u8 = 0x00;
pub(super) const UNSPECIFIED: u8 = 0x80;
pub(super) const BAD_CREDENTIALS: u8 = 0x86;
pub(super) const NOT_AUTHORIZED: u8 = 0x87;
const PROTOCOL_ERROR: u8 = 0x82;
const UNAVAILABLE: u8 = 0x88;
const SHUTTING_DOWN: u8 = 0x8b;
const BAD_METHOD: u8 = 0x8c;
const USE_ANOTHER: u8 = 0x9c;
const MOVED: u8 = 0x9d;

/// Whether it says no.
pub(super) fn is_failure(code: u8) -> bool {
    code >= UNSPECIFIED
}

/// Whether it is the proof of identity that failed.
pub(super) fn concerns_login(code: u8) -> bool {
    matches!(code, BAD_CREDENTIALS | NOT_AUTHORIZED | BAD_METHOD)
}

/// Whether it is an orderly good-bye rather than an end without agreement.
pub(super) fn is_orderly(code: u8) -> bool {
    !is_failure(code) || matches!(code, SHUTTING_DOWN | USE_ANOTHER | MOVED)
}

/// What else a reason code says.
pub(super) fn marks(code: u8) -> Marks {
    match code {
        PROTOCOL_ERROR => Marks::OUT_OF_TURN,
        UNAVAILABLE => Marks::RETRYABLE,
        0x89 | 0x96 | 0x9f => Marks::LIMIT.with(Marks::RETRYABLE),
        0x93 | 0x97 => Marks::LIMIT,
        SHUTTING_DOWN | USE_ANOTHER | MOVED => Marks::SHUTDOWN,
        0x8d | 0xa0 => Marks::TIMER,
        0x8e => Marks::TAKEN_OVER,
        0x92 => Marks::STATE_LOST,
        _ => Marks::default(),
    }
}

/// Its name in the standard.
pub(super) fn name(code: u8) -> &'static [u8] {
    match code {
        0x00 => b"success",
        0x01 => b"granted QoS 1",
        0x02 => b"granted QoS 2",
        0x04 => b"disconnect with will message",
        0x10 => b"no matching subscribers",
        0x11 => b"no subscription existed",
        0x18 => b"continue authentication",
        0x19 => b"re-authenticate",
        0x80 => b"unspecified error",
        0x81 => b"malformed packet",
        PROTOCOL_ERROR => b"protocol error",
        0x83 => b"implementation specific error",
        0x84 => b"unsupported protocol version",
        0x85 => b"client identifier not valid",
        0x86 => b"bad user name or password",
        0x87 => b"not authorized",
        0x88 => b"server unavailable",
        0x89 => b"server busy",
        0x8a => b"banned",
        0x8b => b"server shutting down",
        0x8c => b"bad authentication method",
        0x8d => b"keep alive timeout",
        0x8e => b"session taken over",
        0x8f => b"topic filter invalid",
        0x90 => b"topic name invalid",
        0x91 => b"packet identifier in use",
        0x92 => b"packet identifier not found",
        0x93 => b"receive maximum exceeded",
        0x94 => b"topic alias invalid",
        0x95 => b"packet too large",
        0x96 => b"message rate too high",
        0x97 => b"quota exceeded",
        0x98 => b"administrative action",
        0x99 => b"payload format invalid",
        0x9a => b"retain not supported",
        0x9b => b"QoS not supported",
        0x9c => b"use another server",
        0x9d => b"server moved",
        0x9e => b"shared subscriptions not supported",
        0x9f => b"connection rate exceeded",
        0xa0 => b"maximum connect time",
        0xa1 => b"subscription identifiers not supported",
        0xa2 => b"wildcard subscriptions not supported",
        _ => b"unknown reason",
    }
}
