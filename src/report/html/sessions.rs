//! The list of sessions: a row each, with the bar of its life and its letters.
//!
//! Rows are written as short as they can be and stand in blocks, which the browser lays out only when they are looked at.

use std::io;

use super::{Page, SESSIONS, Stories, section, story_of};
use crate::report::markup::Markup;
use crate::report::svg::life;
use crate::report::text::amounts::{counted, moment};
use crate::report::text::concern::{Concern, concern};
use crate::report::text::sessions::{about, end};
use crate::session::{Role, Session};

/// Rows of one block.
const BLOCK: usize = 50;
/// Rows that a browser lays out at once without being felt.
const FEW: usize = 300;
/// Characters of a life that a row shows.
const LETTERS: usize = 40;

/// The headings of the columns.
const COLUMNS: [&str; 9] =
    ["session", "start", "lasted", "protocol", "client", "server", "who, what", "ended", "life"];

/// The list.
pub(super) fn write(page: &Page<'_>, stories: &Stories, markup: &mut Markup<'_>) -> io::Result<()> {
    let all = &page.analysis.sessions;
    if all.is_empty() {
        return Ok(());
    }
    section(markup, "sessions", "Sessions", &counted(all.len() as u64, "session"))?;
    markup.open("div", &[("class", "row head"), ("aria-hidden", "true")])?;
    for column in COLUMNS {
        markup.element("span", &[], column)?;
    }
    markup.close("div")?;
    markup.line()?;
    // Where there are more than the page can hold, those with findings come before the others.
    let mut chosen: Vec<&Session> = all.iter().collect();
    if chosen.len() > SESSIONS {
        chosen.sort_by_key(|session| (page.analysis.findings_of(session).next().is_none(), session.id));
        chosen.truncate(SESSIONS);
        chosen.sort_by_key(|session| session.id);
    }
    for block in chosen.chunks(BLOCK) {
        markup.open("div", &[("class", if chosen.len() > FEW { "block lazy" } else { "block" })])?;
        for session in block {
            row(page, stories, session, markup)?;
        }
        markup.close("div")?;
        markup.line()?;
    }
    if all.len() > SESSIONS {
        let said = format!(
            "{} more sessions are left out here; `ghostshark sessions` lists them.",
            all.len() - SESSIONS
        );
        markup.element("p", &[("class", "aside")], &said)?;
    }
    markup.close("section")?;
    markup.line()
}

fn row(page: &Page<'_>, stories: &Stories, session: &Session, markup: &mut Markup<'_>) -> io::Result<()> {
    let worst = page.analysis.findings_of(session).map(|finding| finding.severity).max();
    let level = worst.map_or("none", crate::rules::Severity::name);
    let name = session.name();
    markup.open("div", &[("class", "row"), ("id", &name), ("data-level", level)])?;
    if stories.has(session.id) {
        markup.element("a", &[("href", &story_of(session.id))], &name)?;
    } else {
        markup.element("span", &[], &name)?;
    }
    let start = moment(session.start, page.scene.origin, page.scene.clock);
    let end_tone = match concern(session.outcome.reason) {
        Concern::Hurts => "hurts",
        Concern::Odd => "odd",
        Concern::Quiet => "",
    };
    let more = session.legs.iter().filter(|part| part.leg.role == Role::Main).count().saturating_sub(1);
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    for said in [
        start,
        session.duration().to_string(),
        session.protocol.to_owned(),
        format!("{}{more}", session.client),
        session.server.to_string(),
        about(session, true),
    ] {
        markup.element("span", &[], &said)?;
    }
    let ended = end(session);
    if end_tone.is_empty() {
        markup.element("span", &[], &ended)?;
    } else {
        markup.element("span", &[("class", end_tone)], &ended)?;
    }
    markup.open("span", &[])?;
    life(markup, session, &page.scene)?;
    let letters: String = session.history.chars().take(LETTERS).collect();
    markup.element("code", &[], &letters)?;
    markup.close("span")?;
    if !session.outcome.because.is_empty() {
        markup.element("em", &[], &session.outcome.because)?;
    }
    markup.close("div")?;
    markup.line()
}
