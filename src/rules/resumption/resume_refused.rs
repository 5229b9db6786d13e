//! GSR313: a server refused to go on with what it had begun.

use crate::events::{Grade, Stage, Timer};
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::outcome::describe;
use crate::session::{ResumeResult, Resumption};

rule! {
    /// # What it finds
    /// A client that wants to go on with earlier work or an earlier session, and a server that says no in so many words:
    /// an upload that is unknown or stands elsewhere (tus 404, 410, 409), a stream of events that cannot go on, a session
    /// that cannot be taken up.
    ///
    /// # Why it matters
    /// What was done before is lost, though both sides had kept the means to save it.
    ///
    /// # How it is decided
    /// By the server's answer to the offer. It is a warning where the work was done anew and completed in the capture.
    /// Resumption of TLS, parts of objects, restarts of FTP and sessions by a client's name have rules of their own.
    ///
    /// # What it cannot know
    /// Why the server forgot: another backend, a restart, a clean-up.
    ///
    /// # How to mend it
    /// Keep the state on storage that all backends share, for longer than the longest interruption; announce how long
    /// (`Upload-Expires`), and have the client begin anew at once when it is refused.
    ///
    /// # Sources
    /// tus 1.0.0, HEAD and PATCH; WHATWG HTML 9.2.3; `domain.md` D.9.
    "GSR313", "resume-refused", "the server refused to go on with what was begun", Error, Session, Session(check)
}

/// Whether another rule speaks of this way to resume.
fn is_told_elsewhere(resume: &Resumption) -> bool {
    resume.by_name && resume.mechanism == "mqtt-session"
        || resume.mechanism.starts_with("tls-")
        || resume.mechanism.starts_with("ftp-")
        || resume.mechanism.starts_with("smb-")
        || resume.mechanism == "http-range"
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        for (index, resume) in part.leg.resumptions.list.iter().enumerate() {
            let Some(answer) = resume.answered.filter(|_| resume.result == ResumeResult::Refused) else {
                continue;
            };
            if is_told_elsewhere(resume) || resume.retryable {
                continue;
            }
            let before = subject.session.works().filter(|work| work.begun.time < resume.begun.time).last();
            let known = before.is_some() || issued(subject, resume);
            let done = subject.session.legs.iter().any(|leg| {
                leg.leg
                    .works
                    .last_confirmed
                    .as_deref()
                    .is_some_and(|point| point.grade == Grade::Major && point.at.time > answer.time)
                    || leg.leg.works.list.iter().any(|work| {
                        work.begun.time > answer.time && matches!(work.ended, Some((Stage::Granted, _)))
                    })
            });
            let hold = part.leg.clocks.declared(Timer::Hold).map(|(_, span)| span);
            let object = resume.object.as_deref().unwrap_or("the earlier session");
            let lost = if resume.state_lost { " and no longer knows it" } else { "" };
            let severity = if known && !done { Severity::Error } else { Severity::Warning };
            let mut finding = Finding::of(&RULE, &subject, format!("the server refused to go on with {object}{lost}"))
                .severity(severity)
                .on([part.connection.id])
                .key(format!("{} {index}", part.connection.id))
                .at(answer.time)
                .fault(Fault::Server)
                .why(format!("the client offered to go on ({}), and the answer is a refusal", resume.mechanism))
                .advice("keep the state where all backends see it, for longer than the longest interruption; have the client begin anew at once when it is refused")
                .shows_point(resume.begun, "the client wants to go on")
                .shows_point(answer, "the server refuses");
            if let Some(work) = before {
                finding = finding.context_point(work.begun, format!("here {} had begun", describe(work)));
            }
            if let Some(hold) = hold {
                finding = finding.seconds("hold_s", hold);
            }
            findings.add(finding);
        }
    }
}

/// Whether the server itself issued in this capture what is shown.
fn issued(subject: Subject<'_>, resume: &Resumption) -> bool {
    let used = crate::events::Use::Issues;
    let of_object = subject.session.legs.iter().flat_map(|leg| &leg.leg.identities);
    of_object.into_iter().any(|known| {
        known.identity.used == used && (resume.shown.is_none() || resume.shown == Some(known.identity.hash))
    })
}
