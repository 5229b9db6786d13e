//! GSR307: the rest of an object was asked for from a place behind its end.

use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::{ResumeResult, Resumption};

rule! {
    /// # What it finds
    /// A continuation that is answered by 416: the object has no byte there.
    ///
    /// # Why it matters
    /// The client has more of the object than there is: its part is of another version, or its account is wrong. Some
    /// clients ask again without end.
    ///
    /// # How it is decided
    /// By the answer. Where the place asked for is just the end of the object, the client has it all already, and it is a
    /// remark. Three of them for one object in a session are an error.
    ///
    /// # What it cannot know
    /// What the client has on its disk.
    ///
    /// # How to mend it
    /// Compare the size in `Content-Range: bytes */n` with what is there: equal means complete; less means begin anew.
    ///
    /// # Sources
    /// RFC 9110 sections 14.4, 15.5.17; `domain.md` D.9.
    "GSR307", "range-unsatisfiable", "the rest was asked for from behind the end of the object", Warning, Application, Session(check)
}

/// So many of one object are a loop.
const LOOP: usize = 3;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let refused = |resume: &&Resumption| {
        resume.mechanism == "http-range"
            && resume.result == ResumeResult::Refused
            && !resume.state_lost
            && !resume.retryable
            && resume.told.map(|told| told.value) == resume.asked.map(|asked| asked.value)
    };
    let mut seen: Vec<Option<&str>> = Vec::new();
    for resume in subject.session.resumptions().filter(refused) {
        let object = resume.object.as_deref();
        let (Some(asked), Some(answer), false) = (resume.asked, resume.answered, seen.contains(&object))
        else {
            continue;
        };
        seen.push(object);
        let alike: Vec<&Resumption> = subject
            .session
            .resumptions()
            .filter(refused)
            .filter(|other| other.object.as_deref() == object)
            .collect();
        let whole = resume.told.and_then(|told| told.of);
        let complete = whole == Some(asked.value);
        let severity = match (complete, alike.len() >= LOOP) {
            (_, true) => Severity::Error,
            (true, false) => Severity::Info,
            (false, false) => Severity::Warning,
        };
        let size = whole.map_or(String::new(), |whole| format!(" of {whole} bytes"));
        let verdict = if complete { ": it was complete already" } else { "" };
        let name = object.unwrap_or("the object");
        findings.add(
            Finding::of(&RULE, &subject, format!("{name}{size} was asked for from byte {} on{verdict}", asked.value))
                .severity(severity)
                .on([resume.begun, answer].iter().filter_map(|at| connection(subject, at.connection)))
                .key(name)
                .at(answer.time)
                .fault(Fault::Client)
                .why("the server answers that the object has no such part")
                .advice("compare the size that the answer tells with what is there: equal is complete, less means to begin anew")
                .number("asked", asked.value)
                .number("times", alike.len())
                .shows_point(resume.begun, "the rest is asked for")
                .shows(alike.iter().filter_map(|other| other.answered).flat_map(|at| at.frames()), "the object has no such part"),
        );
    }
}

/// The id of the part with this key.
fn connection(subject: Subject<'_>, key: crate::events::ConnectionKey) -> Option<u32> {
    subject.session.legs.iter().find(|part| part.leg.key == key).map(|part| part.connection)
}
