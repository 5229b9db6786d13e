//! GSD412: one side was told that what it said does not belong there.

use crate::events::Confidence;
use crate::rules::{Fault, Finding, Findings, Subject};

rule! {
    /// # What it finds
    /// An answer that says that the question does not belong at this place of the conversation: a bad sequence of
    /// commands, a breach of the protocol.
    ///
    /// # Why it matters
    /// The two sides do not agree on where they are. One of them has lost its state, or never kept it.
    ///
    /// # How it is decided
    /// The server's own code says so (503 of FTP and SMTP, 0x82 of MQTT). What went before is shown beside it.
    ///
    /// # What it cannot know
    /// Which of the two is right.
    ///
    /// # How to mend it
    /// Look at what was said before the complaint: after a reconnection the client has to begin again from the start.
    ///
    /// # Sources
    /// RFC 959 section 4.2; RFC 5321 section 4.1.4; MQTT 5 section 2.4; `domain.md` D.9.
    "GSD412", "sequence-error", "something was said where it does not belong", Warning, Application, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.mains() {
        let Some(first) = part.leg.misplaced.first() else { continue };
        let count = part.leg.misplaced.len();
        let mut finding = Finding::of(
            &RULE,
            &subject,
            format!(
                "the {} answered that what was said does not belong there ({})",
                first.by.name(),
                first.code
            ),
        )
        .on([part.connection.id])
        .at(first.at.time)
        .key(part.connection.id.to_string())
        .confidence(Confidence::Certain)
        .fault(Fault::from(first.by.other()))
        .why(format!("its code {} means a bad sequence", first.code))
        .advice(
            "look at what was said before; after a reconnection the client has to begin again from the start",
        )
        .shows(part.leg.misplaced.iter().flat_map(|complaint| complaint.at.frames()), "the complaint")
        .number("complaints", count);
        if let Some(turn) =
            part.leg.dialog.last[first.by.other()].as_ref().filter(|turn| turn.at.time <= first.at.time)
        {
            finding = finding.context_point(turn.at, "what was said before");
        }
        findings.add(finding);
    }
}
