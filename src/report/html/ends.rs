//! Sessions and connections that ended badly, or oddly, and of which no finding tells. Alike ones are told once.

use std::collections::BTreeMap;
use std::io;

use super::card::Card;
use super::{CARDS, Page, Stories, findings, section};
use crate::events::transport::{By, Reason};
use crate::events::{Confidence, Connection, Endpoint};
use crate::report::filter;
use crate::report::findings::is_told;
use crate::report::markup::Markup;
use crate::report::text::amounts::{counted, said_moment};
use crate::report::text::concern::{Concern, concern, meaning};
use crate::report::text::ends::by_phrase;
use crate::report::text::rank_of;
use crate::report::text::sessions::end;
use crate::report::words::Word;
use crate::rules::{Fault, Finding, Layer};
use crate::session::Session;

/// What makes two ends alike: the same thing happened with the same server.
type Alike = (Concern, usize, Reason, By, Endpoint);

/// What ended.
#[derive(Clone, Copy)]
enum Ended<'a> {
    Session(&'a Session),
    /// One that belongs to no session.
    Connection(&'a Connection),
}

/// A card for each kind of end at each server, what hurts first.
pub(super) fn cards<'a>(page: &Page<'a>) -> Vec<Card<'a>> {
    let mut groups: BTreeMap<Alike, (usize, Confidence, Ended<'_>)> = BTreeMap::new();
    let mut take = |reason: Reason, by, server, confidence, ended| {
        let concern = match concern(reason) {
            // What the capture does not tell is not known to be in order.
            Concern::Quiet if reason == Reason::Unknown => Concern::Odd,
            Concern::Quiet => return,
            concern => concern,
        };
        let group =
            groups.entry((concern, rank_of(reason), reason, by, server)).or_insert((0, confidence, ended));
        group.0 += 1;
        // The surest one speaks for its group; of equals the first.
        if confidence > group.1 {
            (group.1, group.2) = (confidence, ended);
        }
    };
    let analysis = page.analysis;
    // What is said of the capture says nothing of the end.
    let tells = |finding: &Finding| is_told(finding) && finding.layer != Layer::Capture;
    for session in analysis.sessions.iter().filter(|session| !analysis.findings_of(session).any(tells)) {
        let outcome = &session.outcome;
        take(outcome.reason, outcome.by, session.server, outcome.confidence, Ended::Session(session));
    }
    for connection in analysis.connections.iter().filter(|c| !page.sessions_of.contains_key(&c.id)) {
        let ended = &connection.ended;
        take(ended.reason, ended.by, connection.server, ended.confidence, Ended::Connection(connection));
    }
    // A remark may know what to do about a connection that has no session to tell it.
    let mut advice: BTreeMap<u32, &str> = BTreeMap::new();
    for finding in analysis.findings.iter().filter(|finding| finding.layer != Layer::Capture) {
        for id in finding.connections.iter().filter(|id| !page.sessions_of.contains_key(id)) {
            advice.entry(*id).or_insert(&finding.advice);
        }
    }
    groups
        .into_iter()
        .take(CARDS)
        .map(|((concern, ..), (count, _, ended))| {
            let level = if concern == Concern::Hurts { "warning" } else { "info" };
            match ended {
                Ended::Session(session) => of_session(session, count, level, page),
                Ended::Connection(connection) => Card {
                    change: advice.get(&connection.id).copied().unwrap_or_default().to_owned(),
                    ..of_connection(connection, count, level, page)
                },
            }
        })
        .collect()
}

fn of_session<'a>(session: &'a Session, alike: usize, level: &'static str, page: &Page<'a>) -> Card<'a> {
    let outcome = &session.outcome;
    let connection =
        session.last_main().and_then(|part| page.analysis.connections.get(part.connection as usize));
    let several = page.scene.several_captures();
    let mut about =
        format!("{} {}, {} to {}", session.name(), session.protocol, session.client, session.server);
    if alike > 1 {
        about = format!("{about}; {} ended so there", counted(alike as u64, "session"));
    }
    let own_ends =
        || connection.map(|connection| vec![connection.first, connection.last]).unwrap_or_default();
    let frames = if outcome.frames.is_empty() { own_ends() } else { outcome.frames.clone() };
    Card {
        id: format!("end-{}", session.name()),
        title: end(session),
        claim: because(&outcome.because, outcome.reason),
        fault: Fault::from(outcome.by).word(),
        confidence: outcome.confidence.word().to_owned(),
        session: Some(session),
        about,
        when: said_moment(session.end, page.scene.origin, page.scene.clock),
        frames: findings::named(frames, several),
        change: page.teller.story(session).next,
        filters: findings::shown(
            connection.map(|connection| filter::ending(connection, several)).unwrap_or_default(),
        ),
        alike,
        ..blank(level)
    }
}

fn of_connection<'a>(
    connection: &'a Connection,
    alike: usize,
    level: &'static str,
    page: &Page<'a>,
) -> Card<'a> {
    let ended = &connection.ended;
    let several = page.scene.several_captures();
    let name = format!("connection #{}, {}", connection.id, connection.transport.word());
    let mut about = format!("{name}, {} to {}", connection.client, connection.server);
    if alike > 1 {
        about = format!("{about}; {} ended so there", counted(alike as u64, "connection"));
    }
    let own_ends = vec![connection.first, connection.last];
    Card {
        id: format!("end-{}", connection.id),
        title: format!("{} {}", ended.reason.word(), by_phrase(ended.by)).trim_end().to_owned(),
        claim: because(&ended.because, ended.reason),
        fault: Fault::from(ended.by).word(),
        confidence: ended.confidence.word().to_owned(),
        about,
        when: said_moment(connection.end, page.scene.origin, page.scene.clock),
        frames: findings::named(
            if ended.frames.is_empty() { own_ends } else { ended.frames.clone() },
            several,
        ),
        filters: findings::shown(filter::ending(connection, several)),
        alike,
        ..blank(level)
    }
}

fn because(said: &str, reason: Reason) -> String {
    if said.is_empty() { meaning(reason).to_owned() } else { said.to_owned() }
}

/// A card that says nothing yet.
fn blank<'a>(level: &'static str) -> Card<'a> {
    Card {
        id: String::new(),
        level,
        badge: if level == "warning" { "bad end" } else { "worth a look" }.to_owned(),
        title: String::new(),
        state: String::new(),
        claim: String::new(),
        fault: Fault::Unknown.word(),
        confidence: String::new(),
        session: None,
        about: String::new(),
        when: String::new(),
        frames: String::new(),
        change: String::new(),
        evidence: Vec::new(),
        why: String::new(),
        ruled_out: Vec::new(),
        filters: Vec::new(),
        explains: Vec::new(),
        because: None,
        alike: 1,
        key: ("", String::new()),
    }
}

/// The cards.
pub(super) fn write(
    ends: &[Card<'_>],
    page: &Page<'_>,
    stories: &mut Stories,
    markup: &mut Markup<'_>,
) -> io::Result<()> {
    if ends.is_empty() {
        return Ok(());
    }
    section(markup, "ends", "Ends without a finding", &counted(ends.len() as u64, "kind"))?;
    for (place, card) in ends.iter().enumerate() {
        card.write(page, stories, place == 0 || card.level == "warning", markup)?;
    }
    markup.close("section")?;
    markup.line()
}
