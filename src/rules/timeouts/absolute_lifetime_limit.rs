//! GST108: a server ends connections at a certain age, busy or not.

use std::collections::BTreeMap;

use crate::events::{Confidence, Side};
use crate::rules::idle_closings::owed_at;
use crate::rules::{Finding, Findings, Part, Population, Severity, Subject};
use crate::session::Role;
use crate::session::outcome::seconds;
use crate::time::Span;

rule! {
    /// # What it finds
    /// Connections that a server closes at the same age, whatever happens on them. It is a warning where a question was
    /// open or work was under way.
    ///
    /// # Why it matters
    /// A limit of age ends busy connections as well as idle ones. No keep-alive helps against it.
    ///
    /// # How it is decided
    /// At least three connections of a service were closed by the server at ages within one in a hundred, and half of
    /// them had said something in the last tenth of their lives, so that it was not idleness. They did not all end in the
    /// same second.
    ///
    /// # What it cannot know
    /// Whether it is a limit or a job that always takes the same time.
    ///
    /// # How to mend it
    /// Expect it: go on with a new connection before the age is reached; let the server drain (tell its peers to leave)
    /// before it closes.
    ///
    /// # Sources
    /// RFC 9112 section 9.6; `domain.md` D.2 and D.9.
    "GST108", "absolute-lifetime-limit", "a server ends connections at a certain age, busy or not", Info, Session, Population(check)
}

/// Ages below this are those of single questions.
const YOUNG: Span = Span::from_millis(2_900);

/// Connections that make a cluster.
const CLUSTER: usize = 3;

/// Closings within so short a time are one act of the server's.
const TOGETHER: Span = Span::from_secs(1);

struct Ended<'a> {
    subject: Subject<'a>,
    part: Part<'a>,
    age: Span,
    busy: bool,
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (_, subjects) in population.servers() {
        let mut kinds: BTreeMap<&str, Vec<Ended<'_>>> = BTreeMap::new();
        for subject in subjects {
            for part in subject.parts().filter(|part| part.leg.role == Role::Main) {
                if let Some(ended) = ended(subject, part) {
                    kinds.entry(part.leg.protocol()).or_default().push(ended);
                }
            }
        }
        for mut all in kinds.into_values() {
            all.sort_by_key(|one| (one.age, one.part.connection.id));
            let mut rest = all.as_slice();
            while let Some(first) = rest.first() {
                let count = rest.iter().take_while(|one| one.age.0 - first.age.0 <= first.age.0 / 50).count();
                let (alike, others) = rest.split_at(count);
                rest = others;
                claim(alike, findings);
            }
        }
    }
}

fn ended<'a>(subject: Subject<'a>, part: Part<'a>) -> Option<Ended<'a>> {
    let connection = part.connection;
    let act = connection.closing.as_deref().filter(|act| act.side == Side::Server)?;
    let whole = connection.opened == crate::events::transport::Opened::Observed && part.sees_both();
    let age = act.time.since(connection.start);
    let busy = act.quiet.is_some_and(|quiet| quiet.0 < age.0 / 10);
    let asked = part.leg.goodbye.as_deref().is_some_and(|goodbye| goodbye.by == Side::Client);
    (whole && age >= YOUNG && !asked && connection.ended.by == Side::Server.into()).then_some(Ended {
        subject,
        part,
        age,
        busy,
    })
}

fn claim(alike: &[Ended<'_>], findings: &mut Findings) {
    let Some(middle) = alike.get(alike.len() / 2) else { return };
    let busy = alike.iter().filter(|one| one.busy).count();
    let times = alike.iter().filter_map(|one| one.part.connection.closing.as_deref()).map(|act| act.time);
    let apart = times.clone().max().unwrap_or_default().since(times.min().unwrap_or_default());
    if alike.len() < CLUSTER || busy * 2 < alike.len() || apart <= TOGETHER {
        return;
    }
    let cut = |one: &&Ended<'_>| {
        let Some(act) = one.part.connection.closing.as_deref() else { return false };
        let owed = owed_at(&one.part, Side::Server, act.time).is_some();
        let work =
            one.part.leg.works.list.iter().any(|work| work.ended.is_none_or(|(_, at)| at.time >= act.time));
        owed || work
    };
    let hurt = alike.iter().filter(cut).count();
    let acts = alike.iter().filter_map(|one| one.part.connection.closing.as_deref()).map(|act| act.at);
    let starts = alike.iter().map(|one| one.part.connection.first);
    let mut finding = Finding::of(
        &RULE,
        &middle.subject,
        format!(
            "the server ends connections at the age of {} ({} of them, {hurt} in the middle of work)",
            seconds(middle.age),
            alike.len()
        ),
    )
    .severity(if hurt > 0 { Severity::Warning } else { Severity::Info })
    .confidence(if alike.len() >= 5 { Confidence::High } else { Confidence::Medium })
    .on(alike.iter().map(|one| one.part.connection.id))
    .fault(Side::Server)
    .why(format!(
        "{} connections were closed by the server at the same age, {busy} of them busy until then",
        alike.len()
    ))
    .advice(format!(
        "go on with a new connection before {}, or let the server tell its peers to leave before it closes",
        seconds(middle.age)
    ))
    .seconds("age_s", middle.age)
    .number("alike", alike.len())
    .context(starts, "the beginnings")
    .shows(acts, "the closings");
    finding.session = None;
    finding.key = format!("{} {}", middle.subject.session.id, middle.part.connection.id);
    findings.add(finding);
}
