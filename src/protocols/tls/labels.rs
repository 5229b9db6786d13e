//! The fields of TLS, by Wireshark's names.

use std::ops::Range;

use super::alert;
use super::records::{self, Content, Head};
use crate::protocols::labels::Labeller;
use crate::protocols::read::Cursor;

/// What a record is, besides its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    /// Its head.
    pub(super) head: Head,
    /// Bytes of it at hand, the head included.
    pub(super) seen: usize,
    /// Its content can be read.
    pub(super) is_clear: bool,
    /// It is one of TLS 1.3 that hides what it holds.
    pub(super) is_hidden: bool,
    /// A handshake message began in the record before and goes on here.
    pub(super) continues: bool,
}

/// A record and what stands in it.
pub(super) fn record(mut labels: Labeller<'_>, bytes: &[u8], record: Record) -> Option<()> {
    let Record { head, is_clear, .. } = record;
    let whole = records::HEAD + head.length;
    labels.protocol("tls", "Transport Layer Security", 0..whole);
    let mut cursor = Cursor::new(bytes.get(..record.seen).unwrap_or(bytes), 0);
    let title = match (head.content, is_clear) {
        (Content::ChangeCipherSpec, _) => "Record Layer: Change Cipher Spec Protocol",
        (Content::Alert, true) => "Record Layer: Alert",
        (Content::Alert, false) => "Record Layer: Encrypted Alert",
        (Content::Handshake, true) => "Record Layer: Handshake Protocol",
        (Content::Handshake, false) => "Record Layer: Encrypted Handshake Message",
        (Content::Data, _) => "Record Layer: Application Data Protocol",
        (Content::Heartbeat, _) => "Record Layer: Heartbeat",
    };
    labels.line("tls.record", title, 0..whole);
    labels.open();
    let (kind, at) = cursor.number(1)?;
    let name = if record.is_hidden { "tls.record.opaque_type" } else { "tls.record.content_type" };
    labels.number(name, "Content Type", kind, at);
    labels.meaning(content_name(kind));
    let (version, at) = cursor.number(2)?;
    labels.number("tls.record.version", "Version", version, at);
    labels.meaning(version_name(version));
    let (length, at) = cursor.number(2)?;
    labels.number("tls.record.length", "Length", length, at);
    let body = records::HEAD..whole;
    match (head.content, is_clear) {
        (Content::ChangeCipherSpec, _) => {
            labels.line("tls.change_cipher_spec", "Change Cipher Spec Message", body);
        }
        (Content::Alert, true) => alert_message(&mut labels, &mut cursor)?,
        (Content::Handshake, true) if record.continues => {
            labels.line("", "Handshake message, goes on from the record before", body);
        }
        (Content::Handshake, true) => messages(&mut labels, &mut cursor)?,
        (Content::Data, _) => {
            labels.line("tls.app_data", format!("Encrypted Application Data, {} bytes", head.length), body);
        }
        (Content::Heartbeat, _) => labels.line("tls.heartbeat_message", "Heartbeat Message", body),
        (Content::Alert | Content::Handshake, false) => labels.line("", "Encrypted", body),
    }
    labels.close();
    Some(())
}

/// A hello in the form of SSL 2.0.
pub(super) fn old_hello(mut labels: Labeller<'_>, length: usize) {
    labels.protocol("tls", "Transport Layer Security", 0..length);
    labels.line("", "Client Hello in the form of SSL 2.0", 0..length);
}

/// Bytes in which no record was found.
pub(super) fn lost(mut labels: Labeller<'_>, length: usize) {
    labels.protocol("tls", "Transport Layer Security", 0..length);
    labels.line("", format!("{length} bytes behind a gap, before the next record"), 0..length);
}

fn alert_message(labels: &mut Labeller<'_>, cursor: &mut Cursor<'_>) -> Option<()> {
    labels.line("tls.alert_message", "Alert Message", cursor.at()..cursor.at() + records::ALERT);
    labels.open();
    let (level, at) = cursor.number(1)?;
    labels.number("tls.alert_message.level", "Level", level, at);
    labels.meaning(if level as u8 == alert::FATAL { "Fatal" } else { "Warning" });
    let (description, at) = cursor.number(1)?;
    labels.number("tls.alert_message.desc", "Description", description, at);
    labels.meaning(alert::name(description as u8));
    labels.close();
    Some(())
}

/// The handshake messages of a record; the last may go on in the next.
fn messages(labels: &mut Labeller<'_>, cursor: &mut Cursor<'_>) -> Option<()> {
    while !cursor.is_empty() {
        let start = cursor.at();
        let (kind, at) = cursor.number(1)?;
        let (length, at_length) = cursor.number(3)?;
        let length = length as usize;
        labels.line("tls.handshake", "Handshake Protocol", start..start + 4 + length);
        labels.meaning(message_name(kind));
        labels.open();
        labels.number("tls.handshake.type", "Handshake Type", kind, at);
        labels.meaning(message_name(kind));
        labels.number("tls.handshake.length", "Length", length as u64, at_length);
        let Some(mut body) = cursor.inner(length) else {
            let (rest, at) = cursor.rest();
            labels.line("", format!("{} bytes, goes on in the next record", rest.len()), at);
            labels.close();
            return Some(());
        };
        // What a peer sends wrong is shown as far as it can be read.
        let _ = match kind {
            1 => client_hello(labels, &mut body),
            2 => server_hello(labels, &mut body),
            4 => new_ticket(labels, &mut body),
            11 => certificates(labels, &mut body),
            _ => None,
        };
        if !body.is_empty() {
            let (rest, at) = body.rest();
            labels.line("", format!("{} bytes", rest.len()), at);
        }
        labels.close();
    }
    Some(())
}

/// Version and random, with which both hellos begin.
fn hello(labels: &mut Labeller<'_>, body: &mut Cursor<'_>) -> Option<()> {
    let (version, at) = body.number(2)?;
    labels.number("tls.handshake.version", "Version", version, at);
    labels.meaning(version_name(version));
    let (random, at) = body.take(32)?;
    labels.bytes("tls.handshake.random", "Random", random, at);
    session_id(labels, body)
}

fn session_id(labels: &mut Labeller<'_>, body: &mut Cursor<'_>) -> Option<()> {
    let (length, at) = body.number(1)?;
    labels.number("tls.handshake.session_id_length", "Session ID Length", length, at);
    let (id, at) = body.take(length as usize)?;
    if !id.is_empty() {
        labels.bytes("tls.handshake.session_id", "Session ID", id, at);
    }
    Some(())
}

fn client_hello(labels: &mut Labeller<'_>, body: &mut Cursor<'_>) -> Option<()> {
    hello(labels, body)?;
    let (length, at) = body.number(2)?;
    labels.number("tls.handshake.cipher_suites_length", "Cipher Suites Length", length, at);
    let mut suites = body.inner(length as usize)?;
    labels.line("tls.handshake.ciphersuites", "Cipher Suites", suites.at()..suites.at() + length as usize);
    labels.open();
    while let Some((suite, at)) = suites.number(2) {
        labels.number("tls.handshake.ciphersuite", "Cipher Suite", suite, at);
        labels.meaning(cipher_name(suite));
    }
    labels.close();
    let (length, at) = body.number(1)?;
    labels.number("tls.handshake.comp_methods_length", "Compression Methods Length", length, at);
    let mut methods = body.inner(length as usize)?;
    while let Some((method, at)) = methods.number(1) {
        labels.number("tls.handshake.comp_method", "Compression Method", method, at);
    }
    extensions(labels, body, true)
}

fn server_hello(labels: &mut Labeller<'_>, body: &mut Cursor<'_>) -> Option<()> {
    hello(labels, body)?;
    let (suite, at) = body.number(2)?;
    labels.number("tls.handshake.ciphersuite", "Cipher Suite", suite, at);
    labels.meaning(cipher_name(suite));
    let (method, at) = body.number(1)?;
    labels.number("tls.handshake.comp_method", "Compression Method", method, at);
    extensions(labels, body, false)
}

/// A ticket up to TLS 1.2 (RFC 5077 §3.3).
fn new_ticket(labels: &mut Labeller<'_>, body: &mut Cursor<'_>) -> Option<()> {
    let (hint, at) = body.number(4)?;
    labels.number("tls.handshake.session_ticket_lifetime_hint", "Session Ticket Lifetime Hint", hint, at);
    labels.meaning("seconds");
    let (length, at) = body.number(2)?;
    labels.number("tls.handshake.session_ticket_length", "Session Ticket Length", length, at);
    let (ticket, at) = body.take(length as usize)?;
    labels.bytes("tls.handshake.session_ticket", "Session Ticket", ticket, at);
    Some(())
}

fn certificates(labels: &mut Labeller<'_>, body: &mut Cursor<'_>) -> Option<()> {
    let (length, at) = body.number(3)?;
    labels.number("tls.handshake.certificates_length", "Certificates Length", length, at);
    let mut list = body.inner(length as usize)?;
    while !list.is_empty() {
        let (length, at) = list.number(3)?;
        labels.number("tls.handshake.certificate_length", "Certificate Length", length, at);
        let (certificate, at) = list.take(length as usize)?;
        labels.bytes("tls.handshake.certificate", "Certificate", certificate, at);
    }
    Some(())
}

fn extensions(labels: &mut Labeller<'_>, body: &mut Cursor<'_>, client: bool) -> Option<()> {
    let (length, at) = body.number(2)?;
    labels.number("tls.handshake.extensions_length", "Extensions Length", length, at);
    let mut list = body.inner(length as usize)?;
    while !list.is_empty() {
        let start = list.at();
        let (kind, at) = list.number(2)?;
        let (length, at_length) = list.number(2)?;
        let mut data = list.inner(length as usize)?;
        labels.line("", "Extension", start..start + 4 + length as usize);
        labels.meaning(extension_name(kind));
        labels.open();
        labels.number("tls.handshake.extension.type", "Type", kind, at);
        labels.meaning(extension_name(kind));
        labels.number("tls.handshake.extension.len", "Length", length, at_length);
        let _ = extension(labels, kind, &mut data, client);
        if !data.is_empty() {
            let (rest, at) = data.rest();
            labels.bytes("tls.handshake.extension.data", "Data", rest, at);
        }
        labels.close();
    }
    Some(())
}

fn extension(labels: &mut Labeller<'_>, kind: u64, data: &mut Cursor<'_>, client: bool) -> Option<()> {
    match kind {
        0 if client => {
            let (length, at) = data.number(2)?;
            labels.number(
                "tls.handshake.extensions_server_name_list_len",
                "Server Name list length",
                length,
                at,
            );
            while !data.is_empty() {
                let (kind, at) = data.number(1)?;
                labels.number("tls.handshake.extensions_server_name_type", "Server Name Type", kind, at);
                let (length, at) = data.number(2)?;
                labels.number("tls.handshake.extensions_server_name_len", "Server Name length", length, at);
                let (name, at) = data.take(length as usize)?;
                labels.text("tls.handshake.extensions_server_name", "Server Name", name, at);
            }
        }
        16 => {
            let (length, at) = data.number(2)?;
            labels.number("tls.handshake.extensions_alpn_len", "ALPN Extension Length", length, at);
            while !data.is_empty() {
                let (length, at) = data.number(1)?;
                labels.number("tls.handshake.extensions_alpn_str_len", "ALPN string length", length, at);
                let (name, at) = data.take(length as usize)?;
                labels.text("tls.handshake.extensions_alpn_str", "ALPN Next Protocol", name, at);
            }
        }
        41 if client => psks(labels, data)?,
        41 => {
            let (chosen, at) = data.number(2)?;
            labels.number("tls.handshake.extensions.psk.identity.selected", "Selected Identity", chosen, at);
        }
        43 if client => {
            let (length, at) = data.number(1)?;
            let name = "tls.handshake.extensions.supported_versions_len";
            labels.number(name, "Supported Versions length", length, at);
            while let Some((version, at)) = data.number(2) {
                supported_version(labels, version, at);
            }
        }
        43 => {
            let (version, at) = data.number(2)?;
            supported_version(labels, version, at);
        }
        _ => {}
    }
    Some(())
}

fn supported_version(labels: &mut Labeller<'_>, version: u64, at: Range<usize>) {
    labels.number("tls.handshake.extensions.supported_version", "Supported Version", version, at);
    labels.meaning(version_name(version));
}

fn psks(labels: &mut Labeller<'_>, data: &mut Cursor<'_>) -> Option<()> {
    let (length, at) = data.number(2)?;
    labels.number("tls.handshake.extensions.psk.identities.length", "Identities Length", length, at);
    let mut list = data.inner(length as usize)?;
    while !list.is_empty() {
        let (length, at) = list.number(2)?;
        let name = "tls.handshake.extensions.psk.identity.identity_length";
        labels.number(name, "Identity Length", length, at);
        let (identity, at) = list.take(length as usize)?;
        labels.bytes("tls.handshake.extensions.psk.identity.identity", "Identity", identity, at);
        let (age, at) = list.number(4)?;
        let name = "tls.handshake.extensions.psk.identity.obfuscated_ticket_age";
        labels.number(name, "Obfuscated Ticket Age", age, at);
    }
    let (length, at) = data.number(2)?;
    labels.number("tls.handshake.extensions.psk.binders_len", "PSK Binders length", length, at);
    let (_, at) = data.take(length as usize)?;
    labels.line("tls.handshake.extensions.psk.binders", "PSK Binders", at);
    Some(())
}

fn content_name(kind: u64) -> &'static str {
    match kind {
        20 => "Change Cipher Spec",
        21 => "Alert",
        22 => "Handshake",
        23 => "Application Data",
        24 => "Heartbeat",
        _ => "",
    }
}

/// The name of a version, as Wireshark's column has it.
pub(super) fn version_name(version: u64) -> &'static str {
    match version {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        _ => "",
    }
}

/// Handshake messages (IANA TLS `HandshakeType`).
fn message_name(kind: u64) -> &'static str {
    match kind {
        0 => "Hello Request",
        1 => "Client Hello",
        2 => "Server Hello",
        4 => "New Session Ticket",
        5 => "End of Early Data",
        8 => "Encrypted Extensions",
        11 => "Certificate",
        12 => "Server Key Exchange",
        13 => "Certificate Request",
        14 => "Server Hello Done",
        15 => "Certificate Verify",
        16 => "Client Key Exchange",
        20 => "Finished",
        22 => "Certificate Status",
        24 => "Key Update",
        _ => "",
    }
}

/// Extensions (IANA TLS `ExtensionType`).
fn extension_name(kind: u64) -> &'static str {
    match kind {
        0 => "server_name",
        1 => "max_fragment_length",
        5 => "status_request",
        10 => "supported_groups",
        11 => "ec_point_formats",
        13 => "signature_algorithms",
        15 => "heartbeat",
        16 => "application_layer_protocol_negotiation",
        18 => "signed_certificate_timestamp",
        21 => "padding",
        22 => "encrypt_then_mac",
        23 => "extended_master_secret",
        27 => "compress_certificate",
        28 => "record_size_limit",
        35 => "session_ticket",
        41 => "pre_shared_key",
        42 => "early_data",
        43 => "supported_versions",
        44 => "cookie",
        45 => "psk_key_exchange_modes",
        49 => "post_handshake_auth",
        50 => "signature_algorithms_cert",
        51 => "key_share",
        0xff01 => "renegotiation_info",
        _ => "",
    }
}

/// The cipher suites that are met most (IANA TLS Cipher Suites).
fn cipher_name(suite: u64) -> &'static str {
    match suite {
        0x00ff => "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
        0x1301 => "TLS_AES_128_GCM_SHA256",
        0x1302 => "TLS_AES_256_GCM_SHA384",
        0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
        0x002f => "TLS_RSA_WITH_AES_128_CBC_SHA",
        0x0035 => "TLS_RSA_WITH_AES_256_CBC_SHA",
        0x009c => "TLS_RSA_WITH_AES_128_GCM_SHA256",
        0x009d => "TLS_RSA_WITH_AES_256_GCM_SHA384",
        0xc013 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        0xc014 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        0xc02b => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xc02c => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        0xc02f => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        0xc030 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        0xcca8 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xcca9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        _ => "",
    }
}
