//! GSW601: steps were done, and the work of which they are a part was never finished.

use std::collections::BTreeMap;

use crate::events::transport::How;
use crate::events::{Confidence, Safety};
use crate::rules::{Fault, Finding, Findings, Population, Subject};
use crate::session::Acted;
use crate::time::Span;

rule! {
    /// # What it finds
    /// A session that did several steps with effects, met a refusal because its login or state was gone, and never repeated
    /// the step. And a session that stops in the middle of a sequence which at least three others of the same server went
    /// through to the end.
    ///
    /// # Why it matters
    /// The steps that were done stay done: goods in a basket, a reservation, half an import.
    ///
    /// # How it is decided
    /// Steps are requests with effects that were granted, at least two of them before the refusal. Sequences are learned
    /// from equal rows of steps of other sessions; one that stopped is judged only if it was watched for twice the median
    /// time that the others took.
    ///
    /// # What it cannot know
    /// Whether the user changed their mind, or finished somewhere else.
    ///
    /// # How to mend it
    /// Keep what was done over a new login, and lead the user back to the step; let logins live longer than the longest
    /// pause for thought; clean up what is abandoned.
    ///
    /// # Sources
    /// `domain.md` D.9.
    "GSW601", "workflow-abandoned", "steps were done, and the work was never finished", Warning, Application, Population(check)
}

/// Steps that show a sequence.
const STEPS: usize = 2;

/// Sessions that teach a sequence.
const TEACHERS: usize = 3;

/// Steps of a sequence that are compared.
const LONGEST: usize = 16;

fn check(population: &Population<'_>, findings: &mut Findings) {
    population.subjects().for_each(|subject| refused_step(subject, findings));
    for (_, subjects) in population.servers() {
        stopped(&subjects, findings);
    }
}

/// The requests with effects of a session, in order.
fn acted(subject: Subject<'_>) -> impl Iterator<Item = &Acted> {
    let effect = |acted: &&Acted| matches!(acted.action.safety, Safety::Unsafe | Safety::Idempotent);
    subject.session.legs.iter().flat_map(|part| &part.leg.actions).filter(effect)
}

/// A step was refused because the state was gone, and was not repeated.
fn refused_step(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        for lost in &part.leg.lost {
            let is_it = |acted: &&Acted| {
                acted.object == lost.object
                    && acted.asked.time <= lost.at.time
                    && acted.answer.is_some_and(|(_, at)| at.time >= lost.at.time)
            };
            let Some(step) = acted(subject).find(is_it) else { continue };
            let before: Vec<&Acted> = acted(subject)
                .filter(|other| other.asked.time < step.asked.time && other.action.key != step.action.key)
                .filter(|other| other.answer.is_some_and(|(granted, _)| granted))
                .collect();
            let again =
                |other: &Acted| other.action.key == step.action.key && other.asked.time > step.asked.time;
            let repeated = acted(subject).any(again)
                || subject.later_of_pair().take(16).any(|later| acted(later).any(again));
            // The login is no step.
            let steps: Vec<&&Acted> = before.iter().filter(|acted| !is_login(subject, acted)).collect();
            let (false, Some(last)) = (repeated || steps.len() < STEPS, steps.last()) else { continue };
            let object = step.object.as_deref().unwrap_or("the next step");
            findings.add(
                Finding::of(
                    &RULE,
                    &subject,
                    format!("{} steps were done, {object} was refused because the login or state was gone, and never repeated", steps.len()),
                )
                .confidence(Confidence::Medium)
                .on([part.connection.id])
                .key(object)
                .at(lost.at.time)
                .fault(Fault::Unknown)
                .why("the steps before were granted, this one was not, and no later request asks for it")
                .advice("keep what was done over a new login and lead the user back to this step; clean up what is abandoned")
                .number("steps", steps.len())
                .context_point(last.asked, "the last step that was done")
                .shows_point(step.asked, "the step that was not")
                .shows_point(lost.at, "its refusal"),
            );
        }
    }
}

/// Whether a request was a login.
fn is_login(subject: Subject<'_>, acted: &Acted) -> bool {
    subject.session.logins().any(|login| login.begun == acted.asked || login.begun.first == acted.asked.first)
}

/// A session's granted steps by name, and how long they took.
struct Walk<'a> {
    subject: Subject<'a>,
    steps: Vec<&'a str>,
    took: Span,
}

/// Sessions that stop in a sequence which others of the server finish.
fn stopped(subjects: &[Subject<'_>], findings: &mut Findings) {
    if subjects.len() <= TEACHERS {
        return;
    }
    let walks: Vec<Walk<'_>> = subjects.iter().filter_map(|subject| walk(*subject)).collect();
    let mut rows: BTreeMap<&[&str], Vec<Span>> = BTreeMap::new();
    for walk in &walks {
        rows.entry(&walk.steps).or_default().push(walk.took);
    }
    let ends: BTreeMap<&[&str], usize> = rows.iter().map(|(row, times)| (*row, times.len())).collect();
    rows.retain(|steps, times| steps.len() > STEPS && times.len() >= TEACHERS);
    for walk in &walks {
        // The rows that begin with these steps stand right behind them in order.
        let longer = rows
            .range::<&[&str], _>(&walk.steps[..]..)
            .take_while(|(row, _)| row.starts_with(&walk.steps))
            .find(|(row, _)| row.len() > walk.steps.len());
        let Some((row, times)) = longer else { continue };
        let finished = ends.get(&walk.steps[..]).copied().unwrap_or(0);
        let mut times = times.clone();
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let Some(part) = walk.subject.last() else { continue };
        let watched = part.watched_after(part.leg.last.time);
        let over = part.connection.ended.how != How::CaptureEnd || watched.0 > median.0.saturating_mul(2);
        // If as many stop here as go on, this is an end too.
        if walk.steps.len() < STEPS || finished >= TEACHERS || !over || watched.0 < median.0.saturating_mul(2)
        {
            continue;
        }
        let next = row.get(walk.steps.len()).copied().unwrap_or_default();
        findings.add(
            Finding::of(
                &RULE,
                &walk.subject,
                format!(
                    "the session stopped after {} of {} steps; {next} never came, as it did in {} others",
                    walk.steps.len(),
                    row.len(),
                    times.len()
                ),
            )
            .confidence(Confidence::Medium)
            .key(next)
            .fault(Fault::Unknown)
            .why("other sessions of this server did the same steps and went on to the end")
            .advice("look for what stopped it; clean up what is abandoned")
            .number("steps", walk.steps.len())
            .seconds("others_took_s", median)
            .shows_point(part.leg.last, "the last that was said"),
        );
    }
}

fn walk(subject: Subject<'_>) -> Option<Walk<'_>> {
    let granted: Vec<&Acted> = acted(subject)
        .filter(|acted| acted.answer.is_some_and(|(granted, _)| granted))
        .take(LONGEST)
        .collect();
    let mut steps: Vec<&str> = granted.iter().filter_map(|acted| acted.object.as_deref()).collect();
    steps.dedup();
    let took = granted.last()?.asked.time.since(granted.first()?.asked.time);
    Some(Walk { subject, steps, took })
}
