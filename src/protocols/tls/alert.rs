//! The names of alerts (RFC 8446 §6, RFC 5246 §7.2, IANA TLS Alerts).

/// The level of an alert that ends the connection.
pub(super) const FATAL: u8 = 2;

/// The alert that is a good-bye.
pub(super) const CLOSE_NOTIFY: u8 = 0;

/// Whether an alert says that the peer's certificate is missing or will not do.
pub(super) fn blames_certificate(number: u8) -> bool {
    matches!(number, 41..=46 | 48 | 49 | 116)
}

/// The name of an alert's description.
pub(super) fn name(number: u8) -> &'static str {
    match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "unknown alert",
    }
}
