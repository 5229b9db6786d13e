//! GST115: a side says that the session was idle, or lasted, for too long.

use crate::events::{Marks, Stage, Timer};
use crate::rules::{Finding, Findings, Severity, Subject};
use crate::session::Role;

rule! {
    /// # What it finds
    /// A session that one side ended with the words that its time was over: a 421 that speaks of inactivity, an
    /// administrator's limit, an autologout.
    ///
    /// # Why it matters
    /// This is the one case in which the reason needs no guessing. The setting that is named can be changed.
    ///
    /// # How it is decided
    /// The protocol's own message says so, unasked. It is an error where work was open or the other side asked for
    /// something afterwards, and a warning where nothing but the session was lost. What a protocol's keep-alive
    /// contract ends is GST109's.
    ///
    /// # What it cannot know
    /// Nothing is guessed.
    ///
    /// # How to mend it
    /// Raise the limit, send a harmless command within it (`NOOP`), or expect the end and log in again without a fuss.
    ///
    /// # Sources
    /// RFC 959 section 5.4; RFC 5321 section 3.8; `domain.md` D.9.
    "GST115", "stated-session-timeout", "a side says that the session was idle for too long", Error, Session, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts().filter(|part| part.leg.role == Role::Main) {
        let Some(said) = part.leg.farewell.as_deref() else { continue };
        let marks = said.marks;
        let keeps = part.leg.clocks.declared(Timer::KeepAlive).is_some();
        let unasked =
            part.leg.excuses.iter().all(|excuse| excuse.said.at != said.at || excuse.asked.is_none());
        if !marks.has(Marks::TIMER)
            || !marks.has(Marks::FATAL)
            || marks.has(Marks::UPSTREAM)
            || keeps
            || !unasked
        {
            continue;
        }
        let side = said.by.name();
        let quiet = part.leg.clocks.quiet.iter().find(|quiet| quiet.until.time == said.at.time);
        let open = part.leg.works.list.iter().any(|work| {
            work.begun.time <= said.at.time
                && work.ended.is_none_or(|(stage, at)| stage != Stage::Granted && at.time >= said.at.time)
        });
        let asked_after = part.leg.dialog.last[said.by.other()].as_ref().is_some_and(|turn| {
            turn.at.time > said.at.time
                && turn.stage == Stage::Asked
                && part.leg.goodbye.as_deref().is_none_or(|goodbye| goodbye.at != turn.at)
        });
        let text = said.text.as_deref().unwrap_or("its timer ran out");
        let mut finding = Finding::of(
            &RULE,
            &subject,
            format!("the {side} ended the session by its own timer: {} {text}", said.code),
        )
        .severity(if (open || asked_after) && part.reads_whole() { Severity::Error } else { Severity::Warning })
        .confidence(said.confidence)
        .alone(&part)
        .at(said.at.time)
        .key(part.connection.id.to_string())
        .fault(said.by)
        .why("it said so in its own words")
        .advice(match part.leg.clocks.declared(Timer::Idle) {
            Some((_, limit)) => format!(
                "the {side} allows {limit} of idleness: send a harmless command within that time, or raise the limit"
            ),
            None => format!(
                "raise the {side}'s limit for idle sessions, or send a harmless command within it"
            ),
        })
        .shows_point(said.at, "the message")
        .context(part.connection.ended.frames.iter().copied(), "the end of the connection");
        if let Some(quiet) = quiet {
            finding = finding
                .seconds("idle_s", quiet.span)
                .context([quiet.until.first], "the last payload before the pause");
        }
        findings.add(finding);
    }
}
