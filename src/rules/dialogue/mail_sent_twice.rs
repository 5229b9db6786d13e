//! GSD405: a mail was accepted twice because the answer to its last dot was not heard.

use crate::events::Confidence;
use crate::rules::retries::{self, Heard};
use crate::rules::{Fault, Finding, Findings, Population};

rule! {
    /// # What it finds
    /// A mail that was wholly received, whose acceptance the sender did not hear, and that was then delivered again and
    /// accepted: its recipients have it twice.
    ///
    /// # Why it matters
    /// Between the last dot and its answer lies the one moment when both sides answer for a mail. A server that works
    /// long at that moment makes duplicates of every sender that waits less long.
    ///
    /// # How it is decided
    /// Both mails have the same `Message-ID` and the same sender and recipients. All of the first was acknowledged, no
    /// answer to it was heard (none came, it was never acknowledged, or it came after the sender had closed), and the
    /// second was accepted on another connection.
    ///
    /// # What it cannot know
    /// Where the server never answered the first: whether it kept it.
    ///
    /// # How to mend it
    /// Answer the last dot at once and filter later. Let the sender wait ten minutes for that answer.
    ///
    /// # Sources
    /// RFC 1047; RFC 5321 sections 4.5.3.2.6 and 6.1; `domain.md` D.6, D.9.
    "GSD405", "mail-sent-twice", "a mail was delivered again, its first acceptance unheard", Error, Application, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for retry in retries::all(population) {
        let (first, second) = (retry.first, retry.second);
        let Some(accepted) = second.granted() else { continue };
        if !second.is_mail() || !first.arrived() || matches!(retry.heard, Heard::GivenUp(_)) {
            continue;
        }
        let confidence = if first.granted().is_some() { Confidence::Certain } else { Confidence::High };
        let mut finding = Finding::of(
            &RULE,
            &second.subject,
            format!(
                "{} was sent again {} after the first and accepted, because of the first {}",
                second.name(),
                retry.after(),
                retry.because()
            ),
        )
        .on(retry.connections())
        .at(accepted.time)
        .key(retry.key())
        .confidence(confidence)
        .fault(Fault::Server)
        .why("Message-ID, sender and recipients are the same, and all of the first mail was acknowledged by the server's host")
        .advice("let the server answer the last dot at once and look into the mail afterwards; let the sender wait 10 minutes for that answer (RFC 5321 section 4.5.3.2.6)")
        .shows_point(first.acted.asked, "the first mail ends")
        .context(first.part.connection.ended.frames.iter().copied(), "the end of its connection")
        .shows_point(second.acted.asked, "the same mail again")
        .shows_point(accepted, "which is accepted")
        .seconds("repeated_after_s", retry.after());
        if let Some(at) = first.granted() {
            finding = finding
                .shows_point(at, "the first was accepted, which the sender did not hear")
                .seconds("answered_after_s", at.time.since(first.acted.asked.time));
        }
        findings.add(finding);
    }
}
