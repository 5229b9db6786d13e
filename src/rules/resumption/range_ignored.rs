//! GSR305: a part of an object was asked for, and the whole of it came.

use crate::events::Confidence;
use crate::rules::earlier_attempts::earlier;
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::ResumeResult;

rule! {
    /// # What it finds
    /// A request for the rest of an object (`Range` with a beginning behind zero) that is answered by the whole object.
    ///
    /// # Why it matters
    /// What was there already travels again. A client that appends what comes has a broken file; on a bad path the
    /// transfer may never end, for each break begins it anew.
    ///
    /// # How it is decided
    /// The answer to the request is 200 with the whole content, and no validator was given that could have changed. It is
    /// a warning where the client is seen to have received a part of the object before, and a remark where it is not.
    ///
    /// # What it cannot know
    /// Whether the server or a proxy before it does not know parts, or does not want them for this object.
    ///
    /// # How to mend it
    /// Serve the object by something that knows ranges and says so (`Accept-Ranges: bytes`); a proxy must not cut the
    /// `Range` field. The client has to throw away what it had, or to skip so many bytes of what comes.
    ///
    /// # Sources
    /// RFC 9110 sections 14.2, 15.3.7; `domain.md` D.9.
    "GSR305", "range-ignored", "the rest of an object was asked for, and the whole came", Warning, Application, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        for (index, resume) in part.leg.resumptions.list.iter().enumerate() {
            let whole = resume.told.filter(|told| told.value == 0);
            let (Some(asked), Some(answer), Some(told)) = (resume.asked, resume.answered, whole) else {
                continue;
            };
            if resume.mechanism != "http-range" || resume.result != ResumeResult::Silent || asked.value == 0 {
                continue;
            }
            let had = earlier(subject, resume);
            let object = resume.object.as_deref().unwrap_or("the object");
            let size = told.of.map_or(String::new(), |of| format!(" of {of} bytes"));
            let mut finding = Finding::of(
                &RULE,
                &subject,
                format!("{object} was asked for from byte {} on, and the whole{size} came", asked.value),
            )
            .severity(if had.is_some() { Severity::Warning } else { Severity::Info })
            .confidence(Confidence::Certain)
            .on(std::iter::once(part.connection.id).chain(had.map(|had| had.connection)))
            .key(format!("{} {index}", part.connection.id))
            .at(answer.time)
            .fault(Fault::Server)
            .why("the request has a Range that begins behind zero, and the answer is 200 with the content from its beginning")
            .advice("let server and proxies serve ranges (Accept-Ranges: bytes) for this object; the client has to drop what it had before it writes")
            .number("asked", asked.value)
            .shows_point(resume.begun, "the rest is asked for")
            .shows_point(answer, "the answer begins at zero");
            match had {
                Some(had) => {
                    finding = finding
                        .number("had", had.reached)
                        .context_point(had.at, "here the client had received a part");
                }
                None => {
                    finding = finding.ruled_out("that it is a continuation is not seen: what the client had before is not in the capture");
                }
            }
            findings.add(finding);
        }
    }
}
