//! GST102: an idle timer ended a connection in the middle of work.

use crate::events::{Confidence, Marks, Side, Stage};
use crate::rules::idle_closings;
use crate::rules::{Finding, Findings, Part, Population, Severity};
use crate::session::outcome::describe;
use crate::session::{Role, Work};
use crate::time::Timestamp;

rule! {
    /// # What it finds
    /// A timer for idleness that ran out while a unit of work was open: a mail between `MAIL` and its answer, an upload
    /// with bytes to come, a transaction that was not committed.
    ///
    /// # Why it matters
    /// What was done since the work began is lost or, worse, half done. The side that was thinking learns of it by an
    /// error at its next step.
    ///
    /// # How it is decided
    /// The closing side said that its timer ran out, or it closed after a pause that is a timer's (as in GST101), and at
    /// that moment a unit of work had begun and had neither ended nor failed.
    ///
    /// # What it cannot know
    /// Whether the side that paused would ever have gone on.
    ///
    /// # How to mend it
    /// Raise the timer for this state, keep the connection alive while work is open, or make the work shorter.
    ///
    /// # Sources
    /// RFC 5321 section 4.5.3.2; `domain.md` D.2 and D.9.
    "GST102", "idle-timeout-cut-work", "an idle timer ended a connection in the middle of work", Error, Session, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for timed in idle_closings::timed(population).into_iter().filter(idle_closings::TimedClosing::is_clear) {
        let closing = &timed.closing;
        let Some(work) = open_at(&closing.part.leg.works.list, closing.act.time) else { continue };
        let side = closing.act.side;
        findings.add(
            Finding::of(
                &RULE,
                &closing.subject,
                format!(
                    "the {} closed after {} of idleness in the middle of {}",
                    side.name(),
                    closing.idle,
                    describe(work)
                ),
            )
            .severity(severity(&closing.part))
            .confidence(timed.confidence.min(Confidence::High))
            .alone(&closing.part)
            .at(closing.act.time)
            .key(closing.part.connection.id.to_string())
            .fault(side)
            .why(timed.why())
            .advice(advice(side))
            .seconds("idle_s", closing.idle)
            .seconds("timer_s", timed.timer)
            .context_point(work.begun, "the work begins")
            .context(closing.act.spoke_last.map(|(_, at)| at), "the last payload before the pause")
            .shows([closing.act.at], "the closing"),
        );
    }
    for subject in population.subjects() {
        for part in subject.parts().filter(|part| part.leg.role == Role::Main) {
            let stated = part.leg.farewell.as_deref().filter(|last| {
                last.marks.has(Marks::TIMER)
                    && matches!(last.stage, Stage::Told)
                    && !last.marks.has(Marks::UPSTREAM)
            });
            let Some(said) = stated else { continue };
            let Some(work) = open_at(&part.leg.works.list, said.at.time) else { continue };
            let text = said.text.as_deref().unwrap_or("a timer ran out");
            findings.add(
                Finding::of(
                    &RULE,
                    &subject,
                    format!("the {}'s timer ran out in the middle of {}", said.by.name(), describe(work)),
                )
                .severity(severity(&part))
                .confidence(said.confidence)
                .alone(&part)
                .at(said.at.time)
                .key(part.connection.id.to_string())
                .fault(said.by)
                .why(format!("it said so: {} {text}", said.code))
                .advice(advice(said.by))
                .seconds("idle_s", said.at.time.since(work.begun.time))
                .context_point(work.begun, "the work begins")
                .shows_point(said.at, "the timer is named as the reason"),
            );
        }
    }
}

/// Where something of the talk is missing, the work may have ended out of sight.
fn severity(part: &Part<'_>) -> Severity {
    if part.reads_whole() { Severity::Error } else { Severity::Warning }
}

/// Work that was under way at this time.
fn open_at(works: &[Work], time: Timestamp) -> Option<&Work> {
    works.iter().rev().find(|work| {
        let cut = work.ended.is_none_or(|(stage, at)| stage != Stage::Granted && at.time >= time);
        work.begun.time <= time && cut
    })
}

fn advice(side: Side) -> String {
    format!(
        "raise the {}'s timer for connections with open work, let the other side show life while it works, or make the steps shorter",
        side.name()
    )
}
