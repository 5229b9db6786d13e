//! Sessions that ended badly, or oddly, and of which no finding tells. Alike ones are told once.

use std::collections::BTreeMap;
use std::io;

use super::card::Card;
use super::{CARDS, Page, Stories, findings, section};
use crate::events::Endpoint;
use crate::events::transport::{By, Reason};
use crate::report::filter;
use crate::report::findings::is_told;
use crate::report::markup::Markup;
use crate::report::text::amounts::{counted, said_moment};
use crate::report::text::concern::{Concern, concern, meaning};
use crate::report::text::findings::sure;
use crate::report::text::rank_of;
use crate::report::text::sessions::end;
use crate::report::words::Word;
use crate::rules::Fault;
use crate::session::Session;

/// A card for each kind of end at each server, what hurts first.
pub(super) fn cards<'a>(page: &Page<'a>) -> Vec<Card<'a>> {
    let mut groups: BTreeMap<(Concern, usize, Reason, By, Endpoint), (usize, &Session)> = BTreeMap::new();
    for session in &page.analysis.sessions {
        let outcome = &session.outcome;
        let concern = concern(outcome.reason);
        if concern == Concern::Quiet || page.analysis.findings_of(session).any(is_told) {
            continue;
        }
        let key = (concern, rank_of(outcome.reason), outcome.reason, outcome.by, session.server);
        let group = groups.entry(key).or_insert((0, session));
        group.0 += 1;
        // The surest one speaks for its group; of equals the first.
        if outcome.confidence > group.1.outcome.confidence {
            group.1 = session;
        }
    }
    groups.into_values().take(CARDS).map(|(count, session)| card(count, session, page)).collect()
}

fn card<'a>(count: usize, session: &'a Session, page: &Page<'a>) -> Card<'a> {
    let outcome = &session.outcome;
    let connection =
        session.last_main().and_then(|part| page.analysis.connections.get(part.connection as usize));
    let several = page.scene.several_captures();
    let mut about =
        format!("{} {}, {} to {}", session.name(), session.protocol, session.client, session.server);
    if count > 1 {
        about = format!("{about}; {} ended so there", counted(count as u64, "session"));
    }
    let hurts = concern(outcome.reason) == Concern::Hurts;
    let frames = if outcome.frames.is_empty() {
        connection.map(|connection| vec![connection.first, connection.last]).unwrap_or_default()
    } else {
        outcome.frames.clone()
    };
    let because =
        if outcome.because.is_empty() { meaning(outcome.reason).to_owned() } else { outcome.because.clone() };
    Card {
        id: format!("end-{}", session.name()),
        level: if hurts { "warning" } else { "info" },
        badge: if hurts { "bad end" } else { "worth a look" }.to_owned(),
        title: end(session),
        state: String::new(),
        claim: because,
        fault: Fault::from(outcome.by).word(),
        confidence: sure(outcome.confidence),
        session: Some(session),
        about,
        when: said_moment(session.end, page.scene.origin, page.scene.clock),
        frames: findings::named(frames, several),
        change: page.teller.story(session).next,
        evidence: Vec::new(),
        why: String::new(),
        ruled_out: Vec::new(),
        filters: findings::shown(
            connection.map(|connection| filter::ending(connection, several)).unwrap_or_default(),
        ),
        explains: Vec::new(),
        key: ("", String::new()),
    }
}

/// The cards; where nothing is wrong at all, that.
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
