//! The commands of FTP: which there are, and what each is about.

use std::net::IpAddr;

use crate::events::{Extent, Safety, ShortText};
use crate::protocols::lines;

/// What a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// USER: who logs in.
    User,
    /// PASS.
    Password,
    /// ACCT.
    Account,
    /// AUTH: another layer is to protect the connection (RFC 2228, RFC 4217).
    Secure,
    /// ADAT: a token of that layer.
    Token,
    /// CWD, CDUP, PWD: where the client stands.
    Enter,
    /// CDUP.
    Leave,
    /// PWD.
    Where,
    /// REIN: as if nobody had logged in.
    Forget,
    /// TYPE: what the octets of a transfer mean.
    Representation,
    /// PORT and EPRT: the client listens.
    Active,
    /// PASV and EPSV: the server listens.
    Passive,
    /// REST: the next transfer begins later in the file.
    Restart,
    /// RETR.
    Download,
    /// STOR, APPE and STOU.
    Upload,
    /// LIST, NLST and MLSD: a listing on a data connection.
    Listing,
    /// SIZE: how large a file is.
    Size,
    /// DELE, MKD, RMD, RNFR, RNTO, MDTM, MLST and others that name a file.
    File,
    /// ABOR.
    Abort,
    /// NOOP.
    Noop,
    /// STAT: allowed while a transfer runs.
    Status,
    /// QUIT.
    Quit,
    /// Anything else.
    Other,
}

impl Deed {
    /// Whether it moves bytes over a data connection.
    pub(super) fn is_transfer(self) -> bool {
        matches!(self, Self::Download | Self::Upload | Self::Listing)
    }

    /// Whether it may be asked while a transfer runs (RFC 959 §4.1.3; NOOP as clients do to keep the connection).
    pub(super) fn may_interrupt(self) -> bool {
        matches!(self, Self::Abort | Self::Status | Self::Quit | Self::Noop)
    }
}

/// The commands of RFC 959 §4.1, RFC 775, RFC 2228 §3, RFC 2389, RFC 2428, RFC 2640, RFC 3659, RFC 7151 and those that
/// clients send without a standard. In order.
const COMMANDS: &[(&str, Deed)] = &[
    ("ABOR", Deed::Abort),
    ("ACCT", Deed::Account),
    ("ADAT", Deed::Token),
    ("ALLO", Deed::Other),
    ("APPE", Deed::Upload),
    ("AUTH", Deed::Secure),
    ("AVBL", Deed::File),
    ("CCC", Deed::Other),
    ("CDUP", Deed::Leave),
    ("CLNT", Deed::Other),
    ("CONF", Deed::Other),
    ("CWD", Deed::Enter),
    ("DELE", Deed::File),
    ("ENC", Deed::Other),
    ("EPRT", Deed::Active),
    ("EPSV", Deed::Passive),
    ("FEAT", Deed::Other),
    ("HELP", Deed::Other),
    ("HOST", Deed::Other),
    ("LANG", Deed::Other),
    ("LIST", Deed::Listing),
    ("LPRT", Deed::Other),
    ("LPSV", Deed::Other),
    ("MDTM", Deed::File),
    ("MFCT", Deed::File),
    ("MFF", Deed::File),
    ("MFMT", Deed::File),
    ("MIC", Deed::Other),
    ("MKD", Deed::File),
    ("MLSD", Deed::Listing),
    ("MLST", Deed::File),
    ("MODE", Deed::Other),
    ("NLST", Deed::Listing),
    ("NOOP", Deed::Noop),
    ("OPTS", Deed::Other),
    ("PASS", Deed::Password),
    ("PASV", Deed::Passive),
    ("PBSZ", Deed::Other),
    ("PORT", Deed::Active),
    ("PROT", Deed::Other),
    ("PWD", Deed::Where),
    ("QUIT", Deed::Quit),
    ("REIN", Deed::Forget),
    ("REST", Deed::Restart),
    ("RETR", Deed::Download),
    ("RMD", Deed::File),
    ("RNFR", Deed::File),
    ("RNTO", Deed::File),
    ("SITE", Deed::Other),
    ("SIZE", Deed::Size),
    ("SMNT", Deed::File),
    ("STAT", Deed::Status),
    ("STOR", Deed::Upload),
    ("STOU", Deed::Upload),
    ("STRU", Deed::Other),
    ("SYST", Deed::Other),
    ("TYPE", Deed::Representation),
    ("USER", Deed::User),
    ("XCRC", Deed::File),
    ("XCUP", Deed::Leave),
    ("XCWD", Deed::Enter),
    ("XMD5", Deed::File),
    ("XMKD", Deed::File),
    ("XPWD", Deed::Where),
    ("XRMD", Deed::File),
];

/// What this command is about, if it is known.
pub(super) fn deed(verb: &[u8]) -> Option<Deed> {
    let name = ShortText::command(verb);
    let at = COMMANDS.binary_search_by(|(known, _)| (*known).cmp(name.as_str())).ok()?;
    COMMANDS.get(at).map(|(_, deed)| *deed)
}

/// Whether a known command is one of this protocol's own: news, mail and post-office clients say the others too.
pub(super) fn is_telling(verb: &[u8], rest: &[u8]) -> bool {
    match verb.to_ascii_uppercase().as_slice() {
        b"HELP" | b"LIST" | b"NOOP" | b"QUIT" | b"STAT" => false,
        b"MODE" => rest.len() == 1,
        b"AUTH" => ["TLS", "SSL", "GSSAPI", "KERBEROS"].iter().any(|layer| lines::holds(rest, layer)),
        _ => true,
    }
}

/// Whether a word has the form of a command: letters, and perhaps digits behind them.
pub(super) fn has_form(verb: &[u8]) -> bool {
    (2..=12).contains(&verb.len())
        && verb.first().is_some_and(u8::is_ascii_alphabetic)
        && verb.iter().all(u8::is_ascii_alphanumeric)
}

/// How far doing it twice matters (`domain.md` D.6), for commands that change files; None for the others.
pub(super) fn safety(verb: &str) -> Option<Safety> {
    Some(match verb {
        "RETR" | "LIST" | "NLST" | "MLSD" => Safety::Safe,
        "STOR" | "DELE" | "MKD" | "XMKD" | "RMD" | "XRMD" | "RNTO" => Safety::Idempotent,
        "APPE" | "STOU" => Safety::Unsafe,
        _ => return None,
    })
}

/// A line without the Telnet signs that may stand before a command: clients send IAC IP, IAC DM before ABOR (RFC 959
/// §4.1.3, RFC 854), and some stacks lose the IAC.
pub(super) fn without_telnet(line: &[u8]) -> &[u8] {
    let signs = line.iter().take_while(|octet| **octet >= 0xF0).count();
    line.get(signs..).unwrap_or(&[])
}

/// A command that waits for its answers.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// What it is about.
    pub(super) deed: Deed,
    /// Its name in upper case.
    pub(super) verb: ShortText,
    /// The file or directory it names, or what else stands behind the name; nothing secret.
    pub(super) argument: Box<[u8]>,
    /// Where it was read.
    pub(super) extent: Extent,
    /// Where in the file a transfer begins, or a restart is asked for.
    pub(super) position: u64,
    /// How large the file is, if that was said.
    pub(super) whole: Option<u64>,
    /// The preliminary answer came: the transfer runs.
    pub(super) begun: bool,
    /// Where the client said it would listen.
    pub(super) listener: Option<(IpAddr, u16)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_in_order_and_found() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(deed(b"stor"), Some(Deed::Upload));
        assert_eq!(deed(b"EHLO"), None);
        assert!(has_form(b"XSHA1") && !has_form(b"<html>") && !has_form(b"x"));
    }

    #[test]
    fn telnet_signs_stand_before_a_command() {
        assert_eq!(without_telnet(b"\xFF\xF4\xFF\xF2ABOR"), b"ABOR");
        assert_eq!(without_telnet(b"\xF2ABOR"), b"ABOR");
        assert_eq!(without_telnet(b"\xFF\xF4"), b"");
    }
}
