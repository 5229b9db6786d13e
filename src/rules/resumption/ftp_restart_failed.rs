//! GSR308: a restart in the middle of a file was refused, or was accepted and not done.

use crate::events::Unit;
use crate::rules::data_channel::{carried, data_of};
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::ResumeResult;

rule! {
    /// # What it finds
    /// A transfer that was to go on in the middle of a file: the server refuses (5xx to REST or APPE), or agrees and then
    /// sends the whole file.
    ///
    /// # Why it matters
    /// Refused, all has to travel again. Accepted and not done, the client writes the beginning of the file behind what
    /// it has: the file is longer than it should be, and wrong.
    ///
    /// # How it is decided
    /// The refusal is read in the answer. For a restart that was agreed to, the bytes of the data connection are counted:
    /// as many as the whole file, or more, are not the rest of it.
    ///
    /// # What it cannot know
    /// What the client has on its disk. In TYPE A the two sides count line ends differently; there nothing is counted.
    ///
    /// # How to mend it
    /// Enable REST at the server (and at gateways before it); a client has to look for `REST STREAM` in the answer to FEAT,
    /// and to begin anew where it is missing.
    ///
    /// # Sources
    /// RFC 3659 section 5; RFC 959 section 3.5; `domain.md` D.9.
    "GSR308", "ftp-restart-failed", "a restart in the middle of a file was refused or not done", Warning, Application, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.mains() {
        for (index, resume) in part.leg.resumptions.list.iter().enumerate() {
            let restart = matches!(resume.mechanism, "ftp-rest" | "ftp-appe");
            let (Some(answer), true) = (resume.answered, restart) else { continue };
            let at = resume.asked.map_or(0, |asked| asked.value);
            // What the restart was for, is said by the transfer after it.
            let work = part.leg.works.list.iter().find(|work| {
                work.begun.time >= resume.begun.time && work.resumed_at.or(work.reached).is_some()
            });
            let base = |message: String, severity| {
                Finding::of(&RULE, &subject, message)
                    .severity(severity)
                    .key(format!("{} {index}", part.connection.id))
                    .at(answer.time)
                    .fault(Fault::Server)
                    .number("asked", at)
                    .shows_point(resume.begun, "the restart is asked for")
                    .shows_point(answer, "the answer")
            };
            if matches!(resume.result, ResumeResult::Refused | ResumeResult::Silent) {
                findings.add(
                    base(format!("the server refused to go on from byte {at} on"), Severity::Warning)
                        .on([part.connection.id])
                        .why("the answer to the restart is a refusal")
                        .advice("enable REST at the server; the client has to begin anew, and to look for REST STREAM in the answer to FEAT first"),
                );
                continue;
            }
            let Some((work, data)) = work.and_then(|work| Some((work, data_of(subject, work)?))) else {
                continue;
            };
            let carried = carried(data);
            let whole =
                work.reached.filter(|reached| reached.unit == Unit::Bytes).and_then(|reached| reached.of);
            let Some(whole) = whole.filter(|whole| at > 0 && *whole > at && carried >= *whole) else {
                continue;
            };
            let object = work.object.as_deref().unwrap_or("the file");
            findings.add(
                base(
                    format!("{object} was to go on from byte {at} on, and {carried} bytes came, which is the whole of it"),
                    Severity::Error,
                )
                .on([part.connection.id, data.id])
                .why("the restart was agreed to, and the data connection carried as many bytes as the whole file has")
                .advice("do not trust restarts of this server: begin anew, and check the file that was written; enable REST at the server")
                .number("carried", carried)
                .number("whole", whole)
                .context([data.first, data.last], "the data connection"),
            );
        }
    }
}
