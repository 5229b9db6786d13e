//! GST106: a server would not wait for the rest of a request.

use crate::events::transport::Opened;
use crate::events::{Confidence, Marks, Side, Stage, Timer, Word};
use crate::rules::idle_closings::is_whole;
use crate::rules::{Finding, Findings, Part, Severity, Subject};
use crate::session::Role;
use crate::session::outcome::{describe, name};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A server that closed because the request, or the rest of it, did not come in time: status 408, a 421 that names a
    /// timer while the client was in the middle of something, or a closing with half a request in hand.
    ///
    /// # Why it matters
    /// The client was slow, or the path was; the user sees a broken connection and blames the server.
    ///
    /// # How it is decided
    /// The server said that its timer ran out for want of the client's words; or it closed after at least five seconds
    /// (or a whole number of seconds from three on) without payload while a request or an upload of the client's had
    /// begun and not ended. A 408 on a connection on which nothing was asked is how some servers say good-bye (info).
    ///
    /// # What it cannot know
    /// Why the client stopped.
    ///
    /// # How to mend it
    /// Find out what the client waits for between the parts of its request; raise the server's timer for slow uploads.
    ///
    /// # Sources
    /// RFC 9110 section 15.5.9; RFC 5321 section 4.5.3.2.7; RFC 959 section 5.4; `domain.md` D.9.
    "GST106", "request-timeout-by-server", "a server would not wait for the rest of a request", Warning, Session, Session(check)
}

/// A pause that is long for the parts of one request.
const PAUSE: Span = Span::from_secs(5);

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts().filter(|part| part.leg.role == Role::Main) {
        if !stated(&subject, &part, findings) {
            cut(&subject, &part, findings);
        }
    }
}

/// The server says that it waited for the client.
fn stated(subject: &Subject<'_>, part: &Part<'_>, findings: &mut Findings) -> bool {
    let own =
        |marks: Marks| marks.has(Marks::TIMER) && !marks.has(Marks::UPSTREAM) && !marks.has(Marks::FATAL);
    let said =
        part.leg.excuses.iter().find(|excuse| excuse.said.by == Side::Server && own(excuse.said.marks));
    let Some(excuse) = said.filter(|_| part.sees_both()) else { return false };
    if part.leg.clocks.declared(Timer::KeepAlive).is_some() {
        return true;
    }
    let unasked =
        excuse.asked.is_none() && excuse.said.stage == Stage::Told && part.leg.works.open().next().is_none();
    let whole = part.connection.opened == Opened::Observed && part.connection.sides.client.packets > 0;
    let idle = excuse.said.word == Word::Release && unasked && !part.says_in_part(Side::Client);
    let text = excuse.said.text.as_deref().unwrap_or("request timeout");
    let mut finding = Finding::of(
        &RULE,
        subject,
        format!("the server did not wait for the client any longer: {} {text}", excuse.said.code),
    )
    .alone(part)
    .at(excuse.said.at.time)
    .key(part.connection.id.to_string())
    .fault(Side::Client)
    .why("the status says that the client's request did not come in time")
    .advice("find out why the client stopped in the middle of its request; raise the server's timer for requests if its clients are slow by nature")
    .shows_point(excuse.said.at, "the server names its timer");
    if let Some(asked) = excuse.asked {
        finding = finding
            .context_point(asked, "the request")
            .seconds("wait_s", excuse.said.at.time.since(asked.time));
    }
    if let Some(last) = part.leg.clocks.longest_quiet() {
        finding = finding.seconds("idle_s", last.span);
    }
    findings.add(if idle || (unasked && !whole) { finding.severity(Severity::Info) } else { finding });
    true
}

/// The server closed with part of a request in hand.
fn cut(subject: &Subject<'_>, part: &Part<'_>, findings: &mut Findings) {
    let Some(act) = part.connection.closing.as_deref() else { return };
    let Some(idle) = act.quiet else { return };
    let spoke = act.spoke_last.is_some_and(|(side, _)| side == Side::Client);
    let read = part.reads_all_of(Side::Client) && part.leg.security.is_none();
    let by_server = act.side == Side::Server && part.connection.ended.by == Side::Server.into();
    let long = idle >= PAUSE || is_whole(idle);
    let gone = part.connection.sides.client.last_payload.is_some_and(|time| time > act.time);
    if !spoke || !read || !by_server || !long || gone {
        return;
    }
    let upload = part
        .leg
        .works
        .list
        .iter()
        .rev()
        .find(|work| work.by == Side::Client && work.ended.is_none_or(|(stage, _)| stage == Stage::Told));
    let what = match upload {
        Some(work) => describe(work),
        None if part.says_in_part(Side::Client) => "a request".to_owned(),
        None => {
            match part.leg.dialog.open.iter().find(|question| question.partial && question.by == Side::Client)
            {
                Some(question) => name(question),
                None => return,
            }
        }
    };
    findings.add(
        Finding::of(
            &RULE,
            subject,
            format!("the server closed after waiting {idle} for the rest of {what}"),
        )
        .confidence(Confidence::High)
        .alone(part)
        .at(act.time)
        .key(part.connection.id.to_string())
        .fault(Side::Client)
        .why("the client spoke last, what it said was not complete, and the server closed first")
        .advice("find out why the client stopped in the middle of its request; raise the server's timer for requests if its clients are slow by nature")
        .seconds("idle_s", idle)
        .context(act.spoke_last.map(|(_, at)| at), "the last of the client's bytes")
        .shows([act.at], "the server closes"),
    );
}
