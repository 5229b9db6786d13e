//! GSR311: a client came back for a session that the server no longer had.

use crate::events::transport::How;
use crate::events::{Timer, Word};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::{ResumeResult, Subscribed};

rule! {
    /// # What it finds
    /// A client that asks for the session which it had under its name, and a broker that answers that there is none
    /// (*session present* 0).
    ///
    /// # Why it matters
    /// Subscriptions are gone, and so is all that was published for the client while it was away, and every message with
    /// a confirmation outstanding. A client that trusts its session hears nothing more, and does not notice.
    ///
    /// # How it is decided
    /// By the broker's answer, where an earlier connection under the same name is in the capture that was to leave a
    /// session and left something in it. It is an error where messages were unconfirmed or subscriptions are not renewed;
    /// where the announced expiry had passed it is a remark.
    ///
    /// # What it cannot know
    /// Whether another client took the name and threw the session away, or an operator did.
    ///
    /// # How to mend it
    /// Keep sessions on disk (persistence), bind a client to one broker of a cluster or share sessions between them, let
    /// them expire later than the longest absence; have the client subscribe again whenever *session present* is 0.
    ///
    /// # Sources
    /// MQTT 3.1.1 section 3.2.2.2; MQTT 5 section 3.2.2.1.1; `domain.md` D.9.
    "GSR311", "mqtt-session-lost", "the broker no longer had the session that a client came back for", Warning, Session, Session(check)
}

/// Sessions that a server keeps for a client under its name.
const SESSION: &str = "mqtt-session";

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let parts: Vec<Part<'_>> = subject.mains().collect();
    for (index, part) in parts.iter().enumerate().skip(1) {
        let lost = part.leg.resumptions.list.iter().find(|resume| {
            resume.mechanism == SESSION
                && matches!(resume.result, ResumeResult::Silent | ResumeResult::Refused)
        });
        let Some((resume, answer)) = lost.and_then(|resume| Some((resume, resume.answered?))) else {
            continue;
        };
        let kept = |part: &&Part<'_>| {
            part.leg.resumptions.offered.iter().any(|(mechanism, _)| *mechanism == resume.mechanism)
        };
        let Some(former) = parts.get(..index).and_then(|before| before.iter().rev().find(kept)) else {
            continue;
        };
        let subscribed: Vec<&Subscribed> = former.leg.subscriptions.iter().filter(|one| lives(one)).collect();
        let unconfirmed = former
            .leg
            .dialog
            .open
            .iter()
            .filter(|question| question.word == Word::Turn && question.by == crate::events::Side::Client)
            .count();
        if subscribed.is_empty() && unconfirmed == 0 {
            continue;
        }
        let away = part.connection.start.since(former.connection.end);
        let hold = former.leg.clocks.declared(Timer::Hold).map(|(_, span)| span);
        let expired = hold.is_some_and(|hold| away > hold);
        let renewed = |one: &&&Subscribed| part.leg.subscriptions.iter().any(|new| new.object == one.object);
        let missing = subscribed.len() - subscribed.iter().filter(renewed).count();
        let over = part.connection.ended.how != How::CaptureEnd;
        let severity = match (expired, unconfirmed > 0 || (missing > 0 && over)) {
            (true, _) => Severity::Info,
            (false, true) => Severity::Error,
            (false, false) => Severity::Warning,
        };
        let name = resume_name(*part);
        let (count, s) = (subscribed.len(), if subscribed.len() == 1 { "" } else { "s" });
        let mut finding = Finding::of(
            &RULE,
            &subject,
            format!("{name} came back after {:.1} s, and its session with {count} subscription{s} was gone", away.as_secs()),
        )
        .severity(severity)
        .on([part.connection.id])
        .key(part.connection.id.to_string())
        .at(answer.time)
        .fault(Fault::Server)
        .why("the client asked for the session that it had, and the broker answered that none is present")
        .advice("keep sessions on disk and longer than the longest absence, bind clients to one broker of a cluster, and subscribe again whenever no session is present")
        .seconds("away_s", away)
        .number("subscriptions", count)
        .number("not_renewed", missing)
        .number("unconfirmed", unconfirmed)
        .context_point(former.leg.first, "the earlier connection under this name")
        .shows_point(resume.begun, "the client asks for its session")
        .shows_point(answer, "the broker has none");
        if let Some(hold) = hold {
            finding = finding.seconds("hold_s", hold);
            if !expired {
                finding = finding
                    .ruled_out(format!("expiry: the session was to be kept for {:.1} s", hold.as_secs()));
            }
        }
        findings.add(finding);
    }
}

/// Whether a subscription was granted and not given up.
fn lives(one: &Subscribed) -> bool {
    one.dropped.is_none() && one.answer.is_some_and(|(granted, _)| granted)
}

/// The name that the client goes by.
fn resume_name(part: Part<'_>) -> &str {
    let named = part.leg.identities.iter().find_map(|known| known.identity.hint.as_deref());
    named.unwrap_or("the client")
}
