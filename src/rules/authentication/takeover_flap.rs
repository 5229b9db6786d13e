//! GSA508: two clients with one name throw each other out, over and over.

use crate::events::Confidence;
use crate::rules::takeovers::{self, Takeover};
use crate::rules::{Fault, Finding, Findings, Population};
use crate::time::Span;

rule! {
    /// # What it finds
    /// One name (client id) for which new connections throw out older ones three times and more within ten minutes.
    ///
    /// # Why it matters
    /// Two programs use the same name. Each lives until the other comes back; messages go to whoever is there.
    ///
    /// # How it is decided
    /// Each time the server closed the older connection right after the newer one had shown the same name, and the one
    /// that was thrown out was still there: it acknowledged or closed afterwards. A device that lost its network leaves
    /// connections behind on which nobody answers any more; those do not count.
    ///
    /// # What it cannot know
    /// Which of the two has the name by right.
    ///
    /// # How to mend it
    /// Give each program a name of its own; look for a copied configuration or a second instance.
    ///
    /// # Sources
    /// MQTT 3.1.1 section 3.1.4, MQTT 5 section 3.1.4; `domain.md` D.9.
    "GSA508", "takeover-flap", "two clients with one name throw each other out", Error, Session, Population(check)
}

/// So many takeovers are no accident.
const MANY: usize = 3;

/// Within so long.
const WINDOW: Span = Span::from_secs(600);

fn check(population: &Population<'_>, findings: &mut Findings) {
    for takeovers in takeovers::all(population).into_values() {
        let alive: Vec<Takeover<'_>> = takeovers.into_iter().filter(Takeover::was_alive).collect();
        let quick = alive.windows(MANY).any(|some| match some {
            [first, .., last] => last.closed.since(first.closed) <= WINDOW,
            _ => false,
        });
        let (Some(first), Some(last)) = (alive.first(), alive.last()) else { continue };
        if !quick {
            continue;
        }
        let took = last.closed.since(first.closed);
        let connections =
            alive.iter().flat_map(|takeover| [takeover.old.connection.id, takeover.new.connection.id]);
        let mut finding = Finding::of(
            &RULE,
            &first.subject,
            format!("clients with one name threw each other out {} times within {took}", alive.len()),
        )
        .on(connections)
        .at(last.closed)
        .key(first.old.connection.id.to_string())
        .confidence(Confidence::Certain)
        .keeps_severity()
        .fault(Fault::Client)
        .why("each time the server closed the older connection right after a newer one had shown the same name, and the older client was still there")
        .advice("give each client a name of its own; look for a copied configuration or a second instance")
        .number("takeovers", alive.len())
        .seconds("within_s", took);
        for takeover in alive.iter().take(4) {
            finding = finding
                .shows_point(takeover.came, "a connection shows the name")
                .shows(takeover.old.connection.ended.frames.iter().copied(), "the older one is closed");
        }
        findings.add(finding);
    }
}
