//! GSG202: one side answers that it knows nothing of the session that the other one still uses.

use crate::events::Side;
use crate::rules::departure::{forgotten, reached_again};
use crate::rules::{Finding, Findings, Severity, Subject};
use crate::session::outcome::{name, seconds};
use crate::time::Span;

rule! {
    /// # What it finds
    /// An established session that one side used and whose peer answered with a reset as hosts send it that know nothing of
    /// the connection.
    ///
    /// # Why it matters
    /// The user believed to be connected, and was not: the request that showed it is lost, and everything that the peer held
    /// for the session is gone.
    ///
    /// # How it is decided
    /// The reset has no ACK flag and carries the very number that the segment before it acknowledged: RFC 9293 lets a host
    /// answer so that has no such connection. It came after a rest, to a keep-alive probe, or after the peer had been
    /// unheard for long; its time to live and its timing are those of the peer itself. In the middle of a flowing talk such a
    /// reset is only how some stacks give up, and is no case.
    ///
    /// # What it cannot know
    /// Whether the peer was restarted, timed the session out, or whether another machine with the same address answered.
    ///
    /// # How to mend it
    /// Check what restarted the peer or cut its idle sessions; let the side that stays probe idle sessions, and have it try a
    /// request again on a new connection if that is safe.
    ///
    /// # Sources
    /// RFC 9293 sections 3.5.1 and 3.5.2; `domain.md` C.6, D.5, D.9.
    "GSG202", "half-open-no-state", "the peer no longer knew the session", Error, Session, Session(check)
}

/// A client that comes back does so within this time, mostly: the first three SYNs of Linux (`domain.md` C.5).
const RETURN: Span = Span::from_secs(3);

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let Some(oblivion) = forgotten(part) else { continue };
        let (connection, ended) = (part.connection, &part.connection.ended);
        let (forgetful, user) = (oblivion.forgetful, oblivion.forgetful.other());
        let window = (connection.end, subject.population.window.1);
        let again = reached_again(subject, window).map(|part| part.connection);
        let lost = part.leg.dialog.owed_by(forgetful).filter(|question| !question.guessed);
        let idle = oblivion.quiet.is_some() && part.leg.works.open().next().is_none();
        let mut finding = Finding::of_part(&RULE, &subject, part,
            format!(
                "the {} used the session{}, and the {} no longer knew it",
                user.name(),
                oblivion.quiet.map_or(String::new(), |quiet| format!(" after {} of quiet", seconds(quiet))),
                forgetful.name()
            ),
        )
        .confidence(ended.confidence)
        .fault(forgetful)
        .why(ended.because.clone())
        .advice(format!(
            "find out what made the {} forget (a restart, or a timer shorter than the pause); let the {} probe idle sessions more often than that",
            forgetful.name(),
            user.name()
        ))
        .shows(ended.frames.iter().copied(), "the session is used, and the answer is a reset without state")
        .context_point(part.leg.first, "the session begins");
        if let Some(quiet) = oblivion.quiet {
            finding = finding.seconds("quiet_s", quiet);
        }
        if let Some(question) = lost {
            finding = finding.context_point(question.at, format!("{} was never answered", name(question)));
        }
        if let Some(other) = again {
            finding = finding
                .context([other.first], format!("connection {}: the same hosts talk again", other.id))
                .ruled_out("a host that is down: it took a new connection");
            if idle {
                finding = finding.severity(Severity::Warning);
            }
        }
        // Who did not see the beginning knows less of what the sender's segments look like, and where the capture ends
        // soon after nobody can tell whether the pair went on.
        if connection.visibility.began_before || part.watched_after(connection.end) < RETURN {
            finding = finding.severity(Severity::Warning);
        }
        // A client that is no longer there when the server pushes something has often just been closed.
        if forgetful == Side::Client {
            finding = finding.severity(Severity::Warning);
        }
        findings.add(finding);
    }
}
