//! GST101: an end closes what is idle for so long.

use std::collections::BTreeMap;

use super::keepalive_missed::promised;
use crate::rules::idle_closings::{self, Sign, TimedClosing};
use crate::rules::{Fault, Finding, Findings, Population, Severity};

rule! {
    /// # What it finds
    /// A timer of a server or a client that closes idle connections, and how long it is. Where such a closing takes away
    /// a session whose protocol has a good-bye, or meets a request that was already on its way, it is a warning.
    ///
    /// # Why it matters
    /// The timer is the number that everything else has to be set by: pools, keep-alives, load balancers. Nobody tells it
    /// to the other side, which finds out by its next request.
    ///
    /// # How it is decided
    /// One end closed after a pause, with nothing owed and no good-bye said. Either that end had announced the timer, or
    /// several connections of the service were closed after the same pause while few were idle for longer, or (of one
    /// closing alone) the pause is a whole number of seconds of at least three. Closings that fall together in time, or after
    /// an announced shutdown, are no timer's.
    ///
    /// # What it cannot know
    /// Which product closes: those named are shipped with this time, and any other may be set to it. A process that is
    /// killed just then looks the same.
    ///
    /// # How to mend it
    /// Let whoever reuses connections give them up before this time, or keep them alive at half of it.
    ///
    /// # Sources
    /// RFC 9112 section 9.8; `domain.md` D.2 and D.9.
    "GST101", "idle-timeout-inferred", "an end closes what is idle for so long", Info, Session, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    let mut quiet: BTreeMap<usize, Vec<TimedClosing<'_>>> = BTreeMap::new();
    for timed in idle_closings::timed(population) {
        let closing = &timed.closing;
        // A login that was not waited for, a keep-alive that was missed and a reason that was given have their own rules.
        if closing.before_login() || promised(&closing.part).is_some() {
            continue;
        }
        if timed.is_clear()
            && !closing.is_stated()
            && (closing.sent_after().is_some() || closing.loses_session())
        {
            findings.add(loss(&timed));
        } else {
            quiet.entry(timed.group).or_default().push(timed);
        }
    }
    for group in quiet.values() {
        if let Some((first, _)) = group.split_first() {
            findings.add(fact(first, group));
        }
    }
}

/// A closing that took something away.
fn loss(timed: &TimedClosing<'_>) -> Finding {
    let closing = &timed.closing;
    let (side, protocol) = (closing.act.side.name(), closing.part.leg.protocol());
    let what = if closing.sent_after().is_some() {
        "while the next request was on its way".to_owned()
    } else {
        format!("without a word of {protocol}, and the session was lost with it")
    };
    let message = format!("the {side} closed after {} of idleness {what}", closing.idle);
    advise(Finding::of(&RULE, &closing.subject, message), timed)
        .severity(Severity::Warning)
        .confidence(timed.confidence)
        .alone(&closing.part)
        .at(closing.act.time)
        .key(closing.part.connection.id.to_string())
        .context(closing.act.spoke_last.map(|(_, at)| at), "the last payload before the pause")
        .shows([closing.act.at], "the closing, with nothing owed")
}

/// A timer that hurt nobody.
fn fact(first: &TimedClosing<'_>, group: &[TimedClosing<'_>]) -> Finding {
    let closing = &first.closing;
    let side = closing.act.side.name();
    let message = match group.len() {
        1 => format!("the {side} closes what is idle for {}", first.timer),
        count => format!("the {side} closes what is idle for {} ({count} connections)", first.timer),
    };
    let ends = group.iter().map(|timed| timed.closing.act.at);
    let last = group.iter().filter_map(|timed| timed.closing.act.spoke_last).map(|(_, at)| at);
    let finding = Finding::of(&RULE, &closing.subject, message);
    let mut finding = advise(finding, first)
        .confidence(first.confidence)
        .on(group.iter().map(|timed| timed.closing.part.connection.id))
        .at(closing.act.time)
        .fault(Fault::Unknown)
        .key(format!("{side} {}", closing.part.connection.id))
        .context(last, "the last payload before each pause")
        .shows(ends, "the closings");
    if group.iter().any(|timed| timed.closing.subject.session.id != closing.subject.session.id) {
        finding.session = None;
        finding.key = format!("{} {}", closing.subject.session.id, finding.key);
    }
    finding
}

fn advise(finding: Finding, timed: &TimedClosing<'_>) -> Finding {
    let limit = timed.timer;
    let half = crate::time::Span(limit.0 / 2);
    let finding = finding
        .fault(timed.closing.act.side)
        .why(format!("{}; {}", timed.why(), timed.candidates()))
        .advice(format!(
            "give idle connections up before {limit} on the other side, or keep them alive at least every {half}; or raise the {}'s timer above what the other side pools for",
            timed.closing.act.side.name()
        ))
        .seconds("idle_s", timed.closing.idle)
        .seconds("timer_s", limit);
    match timed.sign {
        Sign::Alike(count) => finding.number("alike", count),
        Sign::Declared | Sign::Whole => finding,
    }
}
