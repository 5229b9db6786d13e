//! What a security handshake (TLS and its kin) shows to an onlooker.

/// The facts of one handshake, told when it is over or cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecurityFacts {
    /// The version that the server selected, as on the wire (0x0304 is TLS 1.3).
    pub version: Option<u16>,
    /// Server name asked for; lower case. From the wire: escaped by whoever prints.
    pub sni: Option<Box<str>>,
    /// Application protocol: the selected one, else the first offered.
    pub alpn: Option<Box<str>>,
    /// The cipher suite that the server selected.
    pub cipher: Option<u16>,
    /// By what the client offered to resume.
    pub offered: Offered,
    /// Whether it was resumed; known once both hellos (and, up to TLS 1.2, the server's flight) were seen.
    pub resumed: Option<bool>,
    /// Whether early data were sent, and if known whether they were taken.
    pub early_data: EarlyData,
    /// Whether the server asked to try again with other parameters (HelloRetryRequest).
    pub retried: bool,
    /// Whether the client was asked for a certificate, and whether it showed one.
    pub client_certificate: ClientCertificate,
    /// Certificate facts where they are clear: serial number (hex) and end of validity (Unix seconds).
    pub certificate: Option<CertificateFacts>,
    /// Alerts read in clear, in order: level and description.
    pub alerts: Vec<(u8, u8)>,
}

/// How a client offers to resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offered {
    /// A session id (up to TLS 1.2; in 1.3 it means nothing).
    pub session_id: bool,
    /// A ticket.
    pub ticket: bool,
    /// Pre-shared keys.
    pub psk: bool,
}

/// What became of early data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EarlyData {
    /// None was offered.
    #[default]
    None,
    /// Offered; whether it was taken is encrypted.
    Offered,
    /// Surely rejected.
    Rejected,
    /// Taken.
    Accepted,
}

/// What became of a client's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientCertificate {
    /// Not asked for, or not visible.
    #[default]
    NotSeen,
    /// The server asked.
    Asked,
    /// The client answered with an empty list.
    Empty,
    /// The client showed one.
    Shown,
}

/// The server's certificate where it is clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Serial number in hex.
    pub serial: Box<str>,
    /// End of validity, Unix seconds.
    pub not_after: Option<i64>,
}
