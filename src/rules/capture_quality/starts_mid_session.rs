//! GSQ901: connections that were there before the recording began.

use crate::events::transport::Opened;
use crate::rules::recordings::{counted, of_connections, tcp};
use crate::rules::{Findings, Population};

rule! {
    /// # What it finds
    /// Connections whose handshake is not in the capture.
    ///
    /// # Why it matters
    /// How they were set up, who logged in, and how old they are is not known; sequence numbers, windows and
    /// roles are guessed.
    ///
    /// # How it is decided
    /// Neither SYN nor SYN-ACK, or no SYN, was seen at the first segment.
    ///
    /// # What it cannot know
    /// Whether the handshake was before the recording or was lost from it.
    ///
    /// # How to mend it
    /// Start the recording before the session, or record into a ring of files that is always running.
    ///
    /// # Sources
    /// RFC 9293 section 3.5; `domain.md` C.4, D.9.
    "GSQ901", "starts-mid-session", "connections were older than the capture", Info, Capture, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    let older =
        tcp(population, |connection| matches!(connection.opened, Opened::MidCapture | Opened::LostSyn));
    if older.is_empty() {
        return;
    }
    let message = format!(
        "older than the capture, or with their begin missing: {}",
        counted(older.len(), "connection")
    );
    findings.add(
        of_connections(&RULE, population, &older, message, "the first that was seen of it")
            .why("their SYN is not in the capture; logins, handshakes and ages of these are not judged")
            .advice("start the recording before the session, or keep a ring of files running"),
    );
}
