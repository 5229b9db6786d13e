//! GSW603: less came than was announced.

use crate::events::transport::How;
use crate::events::{Side, Stage};
use crate::rules::{Finding, Findings, Severity, Subject};
use crate::session::outcome::describe;

rule! {
    /// # What it finds
    /// A body or an object that is shorter at the end than its sender announced: fewer bytes than `Content-Length`, no last
    /// chunk, a data connection that closed without 226, a mail without its final dot.
    ///
    /// # Why it matters
    /// Whoever received it may take the part for the whole. The file is there, has a name, and is wrong.
    ///
    /// # How it is decided
    /// The dissector knows how much was announced and how much came, and says so when the connection ends. The claim is
    /// about data that were there to be read: a capture that lost or cut the bytes claims nothing.
    ///
    /// # What it cannot know
    /// Whether the receiver noticed, and whether it wanted the rest: a client that leaves in the middle of a picture is a
    /// fact (info), not a fault. An encrypted transfer shows only how the security layer ended.
    ///
    /// # How to mend it
    /// Take the transfer up again where the protocol allows it (Range, REST, Upload-Offset); check the length or a digest
    /// before the file is used.
    ///
    /// # Sources
    /// RFC 9112 section 8; RFC 959 section 3.4; RFC 5321 section 4.1.1.4; `domain.md` D.9.
    "GSW603", "incomplete-transfer", "less came than was announced", Error, Application, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let ended = &part.connection.ended;
        if matches!(ended.how, How::CaptureEnd) || !part.sees_both() || part.connection.visibility.snapped > 0
        {
            continue;
        }
        for (index, work) in part.leg.works.list.iter().enumerate() {
            let Some((Stage::Told, at)) = work.ended else { continue };
            if part.connection.visibility.gap_bytes[Side::Server]
                + part.connection.visibility.gap_bytes[Side::Client]
                > 0
            {
                continue;
            }
            let what = describe(work);
            let mut finding = Finding::of(&RULE, &subject, format!("{what} came in part only"))
                .on([part.connection.id])
                .at(at.time)
                .key(format!("{} {index}", part.connection.id))
                .fault(ended.by)
                .why(format!("its end was announced and did not come: {}", ended.because))
                .advice("take it up again where it stopped if the protocol offers that; else fetch it anew, and check its length before use")
                .context_point(work.begun, "the transfer begins")
                .shows_point(at, "and is cut here")
                .shows(ended.frames.iter().copied(), "the end of the connection");
            if ended.by == work.by.into() {
                finding = finding.severity(Severity::Info);
            }
            findings.add(finding);
        }
    }
}
