//! GSN801: something on the way forgot an idle connection, and lets nothing of it through any more.

use crate::events::transport::Reason;
use crate::events::trouble::Stall;
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Subject, timers};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A connection that was well, was idle for a while, and then got nothing through: data or probes are repeated without
    /// any answer, while the same client reaches the same server on a new connection.
    ///
    /// # Why it matters
    /// Both ends believe that the session lives. The client finds out when its operating system gives up, after many
    /// seconds or a quarter of an hour; the server may hold login, locks and memory for hours.
    ///
    /// # How it is decided
    /// The segments after the pause were repeated without a single segment of the peer, in a capture that sees both
    /// directions, and a new connection of the same client to the same server worked: so both hosts and the path are
    /// well, and what lies between has forgotten this one. Pauses that other connections of the pair survived and the
    /// pause that killed give a bracket of the timer.
    ///
    /// # What it cannot know
    /// Which box it is, and what happens beyond the place of recording. Names of products are candidates by their usual
    /// timer, no more. A server that lost only this one connection would answer with a reset.
    ///
    /// # How to mend it
    /// Send keep-alives at no more than half of the timer (`TCP_KEEPIDLE`, or the protocol's own ping), raise the idle limit
    /// of the box, or have it reset what it forgets instead of dropping it.
    ///
    /// # Sources
    /// RFC 5382 REQ-5 (NATs keep established connections for 2 hours 4 minutes); RFC 9293 section 3.8.4; `domain.md` D.4.
    "GSN801", "middlebox-dropped-idle-state", "a box on the way forgot an idle connection and drops it in silence", Error, Transport, Session(check)
}

/// Connections of the pair whose pauses are looked at.
const PEERS: usize = 1_000;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        if let Some(stall) = forgotten(part).filter(|_| part.sees_both()) {
            report(subject, part, stall, findings);
        }
    }
}

/// How it stalled, if something forgot it in silence.
fn forgotten(part: Part<'_>) -> Option<Stall> {
    let ended = &part.connection.ended;
    let silent = ended.reason == Reason::MiddleboxTimeout && ended.detail == Some("silent");
    part.connection
        .trouble
        .as_deref()
        .and_then(|trouble| trouble.stall)
        .filter(|stall| silent && stall.ended.is_none())
}

/// The longest pause that a connection without probes lived through, before it stalled.
fn lived(part: Part<'_>) -> Span {
    if part.leg.clocks.transport.probes > 0 || part.leg.clocks.application.probes > 0 {
        return Span::ZERO;
    }
    let until = forgotten(part).map(|stall| stall.first.time);
    let survived =
        part.leg.clocks.quiet.iter().filter(|quiet| until.is_none_or(|until| quiet.until.time < until));
    survived.map(|quiet| quiet.span).max().unwrap_or_default()
}

fn report(subject: Subject<'_>, part: Part<'_>, stall: Stall, findings: &mut Findings) {
    let own = subject.session;
    let near = || {
        let pair = subject.population.of_pair(own.client.ip, own.server).take(PEERS);
        pair.flat_map(|other| other.parts().collect::<Vec<_>>())
    };
    let killed =
        near().filter_map(forgotten).map(|stall| stall.quiet).filter(|quiet| *quiet > Span::ZERO).min();
    let killed = killed.unwrap_or(stall.quiet).min(stall.quiet);
    let survived = near().map(lived).max().unwrap_or_default();
    if survived > stall.quiet {
        // A pause of this length does no harm here: it was something else.
        return;
    }
    let bound = if survived > Span::ZERO { survived.min(killed) } else { killed };
    let bracket = if survived > Span::ZERO {
        format!("pauses up to {survived} did no harm, one of {killed} did")
    } else {
        format!("the shortest pause that did harm was {killed}")
    };
    let who = timers::between(survived, stall.quiet)
        .map_or(String::new(), |names| format!("; usual timers in between: {names}"));
    let client = own.client.ip;
    findings.add(
        Finding::of_part(
            &RULE,
            &subject,
            part,
            format!(
                "after {} of quiet, {} between {client} and {} got no answer any more: something on the way forgot the connection",
                stall.quiet,
                if stall.probes >= stall.transmissions { "probes" } else { "everything" },
                own.server
            ),
        )
        .at(stall.first.time)
        .confidence(part.connection.ended.confidence)
        .fault(Fault::Middlebox)
        .why(format!("{}; {bracket}{who}", part.connection.ended.because))
        .advice(format!(
            "send keep-alives at least every {} (TCP_KEEPIDLE and TCP_KEEPINTVL, or the protocol's own ping), or raise the idle limit of the firewall or NAT on the way above the pauses of the application, or have it reset what it forgets",
            Span(bound.0 / 2)
        ))
        .shows([stall.first.at, stall.last.at], format!("sent {} times", stall.transmissions))
        .absence(
            (stall.first.time, part.connection.end),
            [stall.first.at, stall.last.at],
            "and no segment of the peer came",
        )
        .context(part.connection.ended.frames.iter().copied(), "the last of the peer, and the new connection that worked")
        .seconds("idle_s", stall.quiet)
        .seconds("survived_s", survived)
        .seconds("killed_s", killed)
        .ruled_out("the server: the same client reached it anew"),
    );
}
