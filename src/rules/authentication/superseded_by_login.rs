//! GSA507: a session ended because another one took its identity.

use crate::events::Confidence;
use crate::rules::{Fault, Finding, Findings, Population, Severity, takeovers};

rule! {
    /// # What it finds
    /// A session that the server closed because a new connection showed the same name (client id).
    ///
    /// # Why it matters
    /// When a device moves to another network this is as it should be. When two devices use one name, each throws the
    /// other out.
    ///
    /// # How it is decided
    /// The old connection's client had neither closed nor said good-bye, and the server closed it within a second after
    /// a new connection had shown the same name, or said that it was taken over. It is a warning where the two come from
    /// different addresses and the old one had work under way.
    ///
    /// # What it cannot know
    /// Whether both connections are of one device.
    ///
    /// # How to mend it
    /// Give every device a name of its own. Let a device close its old connection before it opens a new one.
    ///
    /// # Sources
    /// MQTT 5 section 3.1.4 (a server must close the older connection) and reason code 0x8E; `domain.md` D.9.
    "GSA507", "superseded-by-login", "another connection took the session's identity", Info, Session, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for takeover in takeovers::all(population).into_values().flatten() {
        let old = takeover.old.connection;
        let working =
            takeover.old.leg.works.open().next().is_some() || takeover.old.leg.dialog.debt().is_some();
        let severity = if working && !takeover.same_host() { Severity::Warning } else { Severity::Info };
        let confidence = if takeover.said { Confidence::Certain } else { Confidence::High };
        findings.add(
            Finding::of(
                &RULE,
                &takeover.subject,
                "the server closed the connection because a new one showed the same name",
            )
            .severity(severity)
            .confidence(confidence)
            .on([old.id, takeover.new.connection.id])
            .at(takeover.closed)
            .key(old.id.to_string())
            .fault(Fault::Client)
            .why("the server closed the older connection right after the newer one had shown its name")
            .advice(
                "give every client a name of its own, and close an old connection before opening a new one",
            )
            .shows_point(takeover.came, "a new connection shows the same name")
            .shows(old.ended.frames.iter().copied(), "and the server closes the old one")
            .seconds("closed_after_s", takeover.closed.since(takeover.came.time)),
        );
    }
}
