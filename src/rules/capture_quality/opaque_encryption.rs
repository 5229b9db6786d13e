//! GSQ908: sessions are encrypted, and were not opened.

use crate::rules::recordings::{counted, of_connections, of_sessions};
use crate::rules::{Findings, Population};

rule! {
    /// # What it finds
    /// Sessions whose content is encrypted.
    ///
    /// # Why it matters
    /// Set-up, resumption, times, sizes and ends are judged; requests, logins and work inside are not.
    ///
    /// # How it is decided
    /// A security layer was recognised, and nothing inside of it was read.
    ///
    /// # What it cannot know
    /// Everything inside.
    ///
    /// # How to mend it
    /// Let the client log its secrets (`SSLKEYLOGFILE`) and give the file to the analysis, or record behind the
    /// point where TLS ends.
    ///
    /// # Sources
    /// RFC 8446; RFC 9850 (the key log format); `domain.md` C.4, D.9.
    "GSQ908", "opaque-encryption", "what was said is encrypted", Info, Capture, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    let dark = of_sessions(population, |subject| {
        // What is read inside of a security layer has a name of its own.
        subject.parts().any(|part| part.leg.security.is_some() && part.leg.protocols.len() == 1)
    });
    if dark.is_empty() {
        return;
    }
    let message = format!("encrypted, and not judged inside: {}", counted(dark.len(), "connection"));
    findings.add(
        of_connections(&RULE, population, &dark, message, "an encrypted connection")
            .why("a security layer was recognised, and nothing inside of it was read")
            .advice(
                "let the client log its secrets (SSLKEYLOGFILE), or record behind the point where TLS ends",
            ),
    );
}
