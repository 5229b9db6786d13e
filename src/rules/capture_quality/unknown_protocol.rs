//! GSQ910: what some connections carry is not known.

use crate::rules::recordings::{counted, of_connections, of_sessions};
use crate::rules::{Findings, Population};

rule! {
    /// # What it finds
    /// Connections with data of a protocol that is not known here.
    ///
    /// # Why it matters
    /// They are judged from outside: turns, times, sizes, ends. What was asked and answered is not.
    ///
    /// # How it is decided
    /// The first bytes of both sides fit none of the protocols known.
    ///
    /// # What it cannot know
    /// What was said.
    ///
    /// # How to mend it
    /// Name the protocol for the port if it is a known one on an odd port; write a dissector if it is yours.
    ///
    /// # Sources
    /// `domain.md` C.4, D.9.
    "GSQ910", "unknown-protocol", "what some connections carry is not known", Info, Capture, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    let unknown = of_sessions(population, |subject| {
        subject.session.protocol == "opaque"
            && subject.parts().any(|part| {
                let sides = &part.connection.sides;
                sides.client.payload_bytes > 0 && sides.server.payload_bytes > 0
            })
    });
    if unknown.is_empty() {
        return;
    }
    let message = format!("{} of a protocol that is not known", counted(unknown.len(), "connection"));
    findings.add(
        of_connections(&RULE, population, &unknown, message, "a connection that was seen from outside only")
            .why("the first bytes of both sides fit no known protocol; turns, times, sizes and ends are judged, words are not")
            .advice("look whether it is a known protocol on an odd port"),
    );
}
