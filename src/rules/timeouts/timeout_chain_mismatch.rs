//! GST104: clients keep connections for longer than their server does.

use std::collections::BTreeSet;

use super::close_race::late_request;
use crate::events::{Confidence, Endpoint, Timer};
use crate::rules::idle_closings::IdleClosing;
use crate::rules::{Fault, Finding, Findings, Part, Population, Subject, timers};
use crate::session::Role;
use crate::session::outcome::name;
use crate::time::Span;

rule! {
    /// # What it finds
    /// Timers in the wrong order: a server closes idle connections after a time, and its clients (or the load balancer
    /// before it) go on using them for longer, again and again.
    ///
    /// # Why it matters
    /// Every such reuse is a lost request. One is bad luck; a series is a setting.
    ///
    /// # How it is decided
    /// At least two requests to one server went into connections that it had closed for idleness (GST103), or one did so
    /// although the server had announced its time in `Keep-Alive: timeout`.
    ///
    /// # What it cannot know
    /// Which of the two timers is meant to be the longer one. Where one client alone does it, it is that client's.
    ///
    /// # How to mend it
    /// Order the timers: client pool below load balancer below server.
    ///
    /// # Sources
    /// RFC 9112 section 9.8; `domain.md` D.2 and D.9.
    "GST104", "timeout-chain-mismatch", "clients keep connections for longer than their server does", Warning, Session, Population(check)
}

/// Lost requests that make a series.
const SERIES: usize = 2;

struct Lost<'a> {
    subject: Subject<'a>,
    part: Part<'a>,
    /// How long the connection had been idle when the server closed it.
    idle: Span,
    /// How long it had been idle when it was used again.
    reused: Span,
    announced: Option<Span>,
    what: String,
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (server, subjects) in population.servers() {
        let lost: Vec<Lost<'_>> = subjects
            .into_iter()
            .flat_map(|subject| subject.parts().map(move |part| (subject, part)))
            .filter_map(|(subject, part)| lost(subject, part))
            .collect();
        let ignored = lost.iter().any(|one| one.announced.is_some_and(|announced| one.reused >= announced));
        if lost.len() >= SERIES || (ignored && !lost.is_empty()) {
            claim(server, &lost, findings);
        }
    }
}

fn lost<'a>(subject: Subject<'a>, part: Part<'a>) -> Option<Lost<'a>> {
    if part.leg.role == Role::Data {
        return None;
    }
    let question = late_request(&part)?;
    let act = part.connection.closing.as_deref()?;
    let idle = IdleClosing::of(subject, part)?.idle;
    let announced = part
        .leg
        .clocks
        .declared
        .iter()
        .find(|(side, declared, _)| *side == act.side && declared.timer == Timer::Idle);
    Some(Lost {
        subject,
        part,
        idle,
        reused: idle + question.at.time.since(act.time),
        announced: announced.map(|(_, declared, _)| declared.span),
        what: name(question),
    })
}

fn claim(server: Endpoint, lost: &[Lost<'_>], findings: &mut Findings) {
    let Some(first) = lost.first() else { return };
    let clients: BTreeSet<_> = lost.iter().map(|one| one.part.connection.client.ip).collect();
    let timer = lost.iter().map(|one| one.idle).min().unwrap_or_default();
    let pooled = lost.iter().map(|one| one.reused).max().unwrap_or_default();
    let announced = lost.iter().find_map(|one| one.announced);
    let count = lost.len();
    let who = match clients.len() {
        1 => "one client keeps".to_owned(),
        many => format!("{many} clients keep"),
    };
    let candidates = timers::named(timer)
        .map_or(String::new(), |names| format!("; candidates by their defaults: {names}"));
    let mut finding = Finding::of(
        &RULE,
        &first.subject,
        format!(
            "{who} connections for {pooled} and more that the server on port {} closes after {timer}: {count} requests were lost ({} first)",
            server.port, first.what
        ),
    )
    .confidence(Confidence::High)
    .on(lost.iter().map(|one| one.part.connection.id))
    .fault(if clients.len() == 1 { Fault::Client } else { Fault::Unknown })
    .why(match announced {
        Some(announced) => format!("the server announces {announced}, and the connection was used after it{candidates}"),
        None => format!("{count} times a request went into a connection that the server had closed as idle{candidates}"),
    })
    .advice(format!(
        "let clients give idle connections up before {timer} (they use them after {pooled}), or raise the server's timer above {pooled}; order: client pool below load balancer below server"
    ))
    .seconds("server_s", timer)
    .seconds("client_s", pooled)
    .number("lost", count)
    .shows(lost.iter().filter_map(|one| one.part.connection.closing.as_deref()).map(|act| act.at), "the server closes")
    .shows(lost.iter().filter_map(|one| late_request(&one.part)).flat_map(|question| question.at.frames()), "the requests after it");
    finding.session = None;
    finding.key = format!("{server:?}");
    findings.add(finding);
}
