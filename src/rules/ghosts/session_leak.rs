//! GSG209: a client that opens sessions and never gives them back.

use crate::events::transport::{How, Reason};
use crate::events::{Confidence, Marks};
use crate::rules::departure::established;
use crate::rules::{Fault, Finding, Findings, Population, Severity, Subject};
use crate::session::outcome::seconds;
use crate::time::Timestamp;

rule! {
    /// # What it finds
    /// A client whose open sessions with a service only grow: it opens new ones, and hardly ever closes one.
    ///
    /// # Why it matters
    /// It ends at a limit: of the server's sessions, of the client's ports, of descriptors. Then everybody is refused.
    ///
    /// # How it is decided
    /// At the end of the capture at least twenty sessions that began in it are open and at rest, at most one in ten was ever
    /// closed, and the number grew in each quarter of the time. Where the server says that a limit is reached, three are
    /// enough, and it is an error.
    ///
    /// # What it cannot know
    /// How large a pool is meant to be: one that fills slowly to its size looks alike until it is full.
    ///
    /// # How to mend it
    /// Close or give back sessions on every path of the client's program; bound its pool, and its idle time.
    ///
    /// # Sources
    /// `domain.md` D.5, D.9.
    "GSG209", "session-leak", "a client opens sessions and never closes them", Warning, Application, Population(check)
}

/// Sessions that a client has left open, from which on it leaks (`domain.md` D.9).
const LEAK: usize = 20;

/// The same, where the server says that a limit is reached.
const AT_LIMIT: usize = 3;

fn check(population: &Population<'_>, findings: &mut Findings) {
    for ((client, server), subjects) in population.pairs() {
        let mut starts: Vec<Timestamp> = Vec::new();
        let mut open: Vec<u32> = Vec::new();
        let mut limit = None;
        let mut closed = 0_usize;
        for subject in &subjects {
            limit = limit.or_else(|| refused_for_number(*subject));
            let Some(part) = subject.last().filter(|part| established(*part) && part.sees_both()) else {
                continue;
            };
            let own = !part.connection.visibility.began_before;
            let left = part.connection.ended.how == How::CaptureEnd
                && part.connection.ended.reason == Reason::CaptureEnded
                && part.leg.dialog.open.is_empty();
            if own && left {
                starts.push(part.connection.start);
                open.push(part.connection.id);
            } else if own && part.leg.refused.is_none() {
                closed += 1;
            }
        }
        let needed = if limit.is_some() { AT_LIMIT } else { LEAK };
        if open.len() < needed
            || closed * 10 > open.len()
            || !(limit.is_some() || grows(&mut starts, population))
        {
            continue;
        }
        let span = population.window.1.since(starts.iter().min().copied().unwrap_or_default());
        let message = format!(
            "{client} opened {} sessions with {} port {} in {} and closed {closed}",
            open.len() + closed,
            server.ip,
            server.port,
            seconds(span)
        );
        let mut finding = Finding::about(&RULE, population.window.1, message)
            .severity(if limit.is_some() { Severity::Error } else { Severity::Warning })
            .on(open.iter().copied())
            .key(format!("{client} {} {}", server.ip, server.port))
            .confidence(if limit.is_some() { Confidence::Certain } else { Confidence::Medium })
            .fault(Fault::Client)
            .why("the number of its open sessions grew through the whole capture and never fell")
            .advice("close or give back each session on every path of the client's program; bound its pool and its idle time")
            .number("open", open.len())
            .number("closed", closed)
            .occurrences(open.len());
        for id in open.iter().take(4) {
            let connection = population.connections.get(*id as usize);
            finding = finding
                .shows(connection.map(|connection| connection.first), format!("connection {id} begins"));
        }
        if let Some(point) = limit {
            finding = finding.shows_point(point, "the server refuses: too many");
        }
        findings.add(finding);
    }
}

/// Where the server refused this session for the number of those that it already has.
fn refused_for_number(subject: Subject<'_>) -> Option<crate::session::Point> {
    let refused = subject.parts().find_map(|part| {
        let farewell = part.leg.refused.as_deref().or(part.leg.farewell.as_deref())?;
        farewell.marks.has(Marks::LIMIT).then_some(farewell.at)
    });
    let login =
        || subject.session.logins().find(|login| login.marks.has(Marks::LIMIT)).map(|login| login.last);
    refused.or_else(login)
}

/// Whether some began in each quarter of the time, and no half of them at once.
fn grows(starts: &mut [Timestamp], population: &Population<'_>) -> bool {
    starts.sort_unstable();
    let (from, to) = (population.window.0.0, population.window.1.0);
    let quarter = to.saturating_sub(from) / 4;
    if quarter <= 0 {
        return false;
    }
    let counts: Vec<usize> = (0..4)
        .map(|index| {
            let low = from + quarter * index;
            starts.partition_point(|start| start.0 < low + quarter)
                - starts.partition_point(|start| start.0 < low)
        })
        .collect();
    counts.iter().all(|count| *count > 0 && count * 2 <= starts.len())
}
