//! GSC701: what an interruption costs, and whether the work can go on.

use crate::events::Safety;
use crate::rules::departure::vanished;
use crate::rules::interrupted::interrupted;
use crate::rules::{Finding, Findings, Part, Severity, Subject};
use crate::session::outcome::name;
use crate::session::{Verdict, Work};

rule! {
    /// # What it finds
    /// One account for each unit of work that was broken off: how far it came, how much of that is confirmed, whether it can be
    /// taken up again, and how much has to be done twice.
    ///
    /// # Why it matters
    /// "The connection was reset" says nothing about the damage. This does.
    ///
    /// # How it is decided
    /// All attempts at the same object in one session count together. It can go on where the protocol offers that and the
    /// offer was not refused; else it must begin anew. It is a fact at first; a warning where something was sent that is lost
    /// and whoever wanted it did not leave by himself; an error from 1 MiB on.
    ///
    /// # What it cannot know
    /// Of encrypted work nothing but its end; and whether the receiver kept what was never confirmed.
    ///
    /// # How to mend it
    /// Use the protocol's way to go on (Range, REST, Upload-Offset) where there is one; confirm in smaller steps where there is
    /// none.
    ///
    /// # Sources
    /// X.215 section 7 (activity and synchronization); RFC 9110 section 14; RFC 3659 section 5; `domain.md` D.8, D.9.
    "GSC701", "interrupted-verdict", "work was broken off: what is lost, and can it go on", Info, Application, Session(check)
}

/// So much sent in vain is an error (`domain.md` D.9).
const MUCH: u64 = 1 << 20;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    subject.parts().for_each(|part| under_way(subject, part, findings));
    for (index, one) in interrupted(subject).into_iter().enumerate() {
        let redo = one.redo();
        // Of what is not counted in bytes (a mail, whose sender has it still) nothing is lost but time.
        let lost = one.verdict == Verdict::Restart && redo.is_some_and(|redo| redo > 0);
        let by_choice = one.given_up && one.refused.is_none();
        let severity = if !lost || by_choice || one.finished_later {
            Severity::Info
        } else if redo.is_some_and(|redo| redo >= MUCH) {
            Severity::Error
        } else {
            Severity::Warning
        };
        let what = one.described();
        let can = match one.verdict {
            _ if one.finished_later => "it was finished in a later session",
            _ if one.refused.is_some() => "going on was refused, so it has to begin anew",
            Verdict::Resume => "it can go on where it was confirmed",
            Verdict::ResumeUnproven => {
                "it can go on, though nothing proves that the object is still the same"
            }
            Verdict::Restart => "it has to begin anew",
            Verdict::Unknown => "whether it can go on cannot be read",
        };
        let ended = &one.part.connection.ended;
        let mut finding =
            Finding::of_part(&RULE, &subject, one.part, format!("{what} was broken off; {can}"))
                .key(format!("{} {index}", one.part.connection.id))
                .severity(severity)
                .fault(ended.by)
                .why(format!(
                    "it was begun {} and never ended well: {}",
                    if one.attempts == 1 { "once".to_owned() } else { format!("{} times", one.attempts) },
                    ended.because
                ))
                .advice(match one.verdict {
                    Verdict::Resume | Verdict::ResumeUnproven => {
                        "take it up where it stopped, and check the whole by a digest"
                    }
                    _ => "have the server offer a way to go on, or confirm in smaller steps",
                })
                .number("confirmed_bytes", one.confirmed)
                .number("attempts", one.attempts)
                .context_point(one.work.begun, "it begins")
                .shows(ended.frames.iter().copied(), "the end of its connection");
        if let Some((_, at)) = one.work.ended {
            finding = finding.shows_point(at, "it breaks off");
        }
        if let Some((_, at)) = one.work.confirmed {
            finding = finding.context_point(at, "the last confirmed point");
        }
        if let Some(refused) = one.refused {
            finding = finding.shows_point(refused.answered.unwrap_or(refused.begun), "going on is refused");
            let legs = subject.session.legs.iter().filter(|leg| leg.leg.key == refused.begun.connection);
            finding.connections.extend(legs.map(|leg| leg.connection));
            finding.connections.extend(work_legs(subject, one.work));
            finding.connections.sort_unstable();
            finding.connections.dedup();
        }
        if let Some(bytes) = one.at_risk() {
            finding = finding.number("at_risk_bytes", bytes);
        }
        if let Some(bytes) = redo {
            finding = finding.number("redo_bytes", bytes);
        }
        findings.add(finding);
    }
}

/// A request that changes something and was still being sent as its receiver vanished.
fn under_way(subject: Subject<'_>, part: Part<'_>, findings: &mut Findings) {
    let Some(departure) = vanished(part) else { return };
    let leg = part.leg;
    let Some(question) = leg.dialog.owed_by(departure.gone) else { return };
    let unacked = part.connection.sides[departure.holder()].unacked_bytes;
    let changes = leg.actions.iter().any(|acted| {
        acted.asked == question.at && matches!(acted.action.safety, Safety::Unsafe | Safety::Idempotent)
    });
    if !changes || unacked == 0 || leg.works.open().next().is_some() {
        return;
    }
    let (what, gone) = (name(question), departure.gone.name());
    findings.add(
        Finding::of_part(
            &RULE,
            &subject,
            part,
            format!("{what} was under way as the {gone} vanished: its last {unacked} bytes never arrived"),
        )
        .severity(Severity::Warning)
        .key(format!("{} request", part.connection.id))
        .why(part.connection.ended.because.clone())
        .advice("send it again on a new connection; a key by which the server knows it again makes that safe")
        .number("at_risk_bytes", unacked)
        .context_point(question.at, "the request begins")
        .shows(part.connection.ended.frames.iter().copied(), "what was never acknowledged"),
    );
}

/// The connections on which this object was worked on.
fn work_legs(subject: Subject<'_>, work: &Work) -> Vec<u32> {
    let same = |part: &Part<'_>| part.leg.works.list.iter().any(|other| other.object == work.object);
    subject.parts().filter(same).map(|part| part.connection.id).collect()
}
