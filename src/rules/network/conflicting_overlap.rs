//! GSN812: the same bytes of a stream were sent twice with different content.

use crate::events::Side;
use crate::rules::{Finding, Findings, Subject};

rule! {
    /// # What it finds
    /// Two segments of one side with the same place in the stream and different bytes.
    ///
    /// # Why it matters
    /// A real repetition is the same to the last bit. Different bytes mean that somebody on the way injects segments, that a
    /// device or driver corrupts them, or that a sender is broken; which copy the receiver took depends on its system.
    ///
    /// # How it is decided
    /// Begin and end of a segment are compared with those of the last segments at the same place. Single bytes are left out:
    /// keep-alive probes may carry garbage. For the account the first copy counts.
    ///
    /// # What it cannot know
    /// Which copy is the true one, and differences in the middle of a long segment.
    ///
    /// # How to mend it
    /// Compare hop limit and link-layer address of the two frames: if they differ, look for the injecting device; if not, for a
    /// faulty network card, driver or memory.
    ///
    /// # Sources
    /// RFC 9293 section 3.10.7.4 (overlapping segments); RFC 5961 (blind data injection); `domain.md` C.8, D.9.
    "GSN812", "conflicting-overlap", "the same bytes were sent twice with different content", Warning, Transport, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    // Where much is missing, places in the stream are not sure.
    for part in subject.parts().filter(|part| part.sees_both()) {
        let Some(trouble) = part.connection.trouble.as_deref() else { continue };
        for side in Side::BOTH {
            let Some((first, second)) = trouble.sides[side].conflict else { continue };
            let name = side.name();
            findings.add(
                Finding::of_part(
                    &RULE,
                    &subject,
                    part,
                    format!("the same bytes came twice in the {name}'s name, {} apart, and differ", second.time.since(first.time)),
                )
                .key(format!("{} {name}", part.connection.id))
                .at(second.time)
                .why("both segments begin at the same place of the stream, and their content is not the same")
                .advice("compare hop limits and link-layer addresses of the two frames: if they differ, something injects segments; if not, suspect a network card, driver or memory")
                .shows([first.at], "the first copy")
                .shows([second.at], "the second, with other content"),
            );
        }
    }
}
