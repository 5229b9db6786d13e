//! Names that Wireshark knows and we do not decode: who types one is told so, and not that it does not exist.

/// Names of the first release of the language that no dissector of ours labels.
pub(super) const FIELDS: [&str; 22] = [
    "http2",
    "http2.goaway.error",
    "http2.streamid",
    "http2.type",
    "ldap",
    "ldap.messageID",
    "mysql",
    "mysql.command",
    "pgsql",
    "pgsql.type",
    "quic",
    "quic.connection.number",
    "radius",
    "radius.Acct_Session_Id",
    "sip",
    "sip.Call-ID",
    "sip.Method",
    "smb2",
    "smb2.cmd",
    "smb2.dh2x.create_guid",
    "smb2.previous_sesid",
    "smb2.sesid",
];

/// Names that are asked for and are called otherwise: what to say, and a filter that works.
pub(super) const HINTS: [(&str, &str, &str); 12] = [
    (
        "http.range",
        "Wireshark 4.0 has no http.range; resumptions by ranges are session.resume.*",
        "session.resume.mechanism == \"http-range\"",
    ),
    (
        "ftp.rest",
        "Wireshark 4.0 has no ftp.rest; what became of REST is ftp.rest.result",
        "ftp.rest.result == \"refused\"",
    ),
    ("community_id", "Wireshark calls it communityid", "communityid contains \"1:\""),
    ("tls.sni", "Wireshark calls it tls.handshake.extensions_server_name", "session.sni == \"legacy.shop\""),
    ("tcp.flags.rst", "Wireshark calls it tcp.flags.reset", "tcp.flags.reset == 1"),
    ("host", "a capture filter knows host; a display filter compares ip.addr", "ip.addr == 10.0.0.1"),
    ("port", "a capture filter knows port; a display filter compares tcp.port", "tcp.port == 443"),
    ("ip.port", "ports are those of tcp or udp", "tcp.port == 443"),
    (
        "smb2.durable.result",
        "SMB is not decoded yet, so nothing is known of durable handles",
        "session.resume.result == \"refused\"",
    ),
    (
        "session.first_byte",
        "the time of the first payload byte is not kept yet; the time until work began is session.setup.time",
        "session.setup.time > 1s",
    ),
    (
        "finding.state",
        "whether a finding is new or known is said by a baseline, and none is read here",
        "finding.severity >= warning",
    ),
    ("session.duration", "it is called session.dur", "session.dur > 15m"),
];

/// Whether Wireshark 4.0 has a protocol of this filter name.
pub(super) fn is_protocol(name: &str) -> bool {
    PROTOCOLS.lines().any(|line| line == name)
}

/// Filter names of protocols that Wireshark 4.0.17 has enabled, one a line (`tshark -G protocols`).
const PROTOCOLS: &str = include_str!("protocols.txt");
