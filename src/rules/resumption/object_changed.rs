//! GSR306: the rest of an object was asked for, and the object is no longer the same.

use crate::events::Confidence;
use crate::rules::earlier_attempts::earlier;
use crate::rules::{Fault, Finding, Findings, Subject};
use crate::session::ResumeResult;

rule! {
    /// # What it finds
    /// A continuation that finds another object: the validator no longer fits (200 to an `If-Range`, 412), the object is
    /// gone (404, 410), or a part is given of an object of another size than before.
    ///
    /// # Why it matters
    /// What was received before is worthless. A client that joins the two parts makes a file that never existed.
    ///
    /// # How it is decided
    /// By the server's own answer, and by the sizes that `Content-Range` and `Content-Length` told before and now.
    ///
    /// # What it cannot know
    /// Whether the object truly changed: backends that make different entity tags for equal files look the same. Where the
    /// size is the same as before, it says so.
    ///
    /// # How to mend it
    /// Publish changed files under new names; make entity tags of the content (and not of inode and time) on all backends.
    /// The client has to begin anew.
    ///
    /// # Sources
    /// RFC 9110 sections 8.8.3, 13.1.5, 14.4; `domain.md` D.9.
    "GSR306", "object-changed", "the rest was asked for of an object that is no longer the same", Warning, Application, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        for (index, resume) in part.leg.resumptions.list.iter().enumerate() {
            let Some(answer) = resume.answered.filter(|_| resume.mechanism == "http-range") else { continue };
            let had = earlier(subject, resume);
            let told = resume.told.or(resume.granted);
            let sizes = had.and_then(|had| had.whole).zip(told.and_then(|told| told.of));
            let resized = sizes.is_some_and(|(old, new)| old != new);
            let refused = resume.result == ResumeResult::Refused && resume.state_lost;
            let resized_part = resized && resume.result == ResumeResult::Granted;
            if !(refused || resized_part) {
                continue;
            }
            let object = resume.object.as_deref().unwrap_or("the object");
            let how = match (sizes, resized) {
                (Some((old, new)), true) => format!("had {old} bytes before and has {new} now"),
                (Some((old, _)), false) => {
                    format!(
                        "is said to have changed, though it has {old} bytes as before: its validator may be unstable"
                    )
                }
                (None, _) => "is no longer what it was by its validator, or is gone".to_owned(),
            };
            let mut finding = Finding::of(&RULE, &subject, format!("{object} {how}"))
                .confidence(if resized && !refused { Confidence::High } else { Confidence::Certain })
                .on(std::iter::once(part.connection.id).chain(had.map(|had| had.connection)))
                .key(format!("{} {index}", part.connection.id))
                .at(answer.time)
                .fault(Fault::Server)
                .why(if refused {
                    "the server itself answered that the state which the client showed is no longer valid"
                } else {
                    "the server gave a part, but of an object of another size than it told before"
                })
                .advice("publish changed files under new names, make validators of the content on all backends alike, and fetch it anew")
                .shows_point(resume.begun, "the rest is asked for")
                .shows_point(answer, "the answer");
            if let Some(had) = had {
                finding =
                    finding.number("had", had.reached).context_point(had.at, "here a part of it had come");
            }
            findings.add(finding);
        }
    }
}
