//! Two sessions side by side, phase by phase.

use ratatui::text::Span;

use super::super::data::{ended, setup_time};
use super::super::state::State;
use super::super::theme::Tone;
use super::super::widgets::text;
use super::{Content, Inside, Item};
use crate::session::{PhaseName, Session};
use crate::story::about;
use crate::story::amounts::{bytes, count};
use crate::time::Span as Length;

/// A line: what, the one, the other, and whether they differ.
type Pair = (String, String, String, bool);

#[allow(clippy::too_many_lines, reason = "a list of what is compared: longer than a page, and flat")]
pub(super) fn inside(state: &State, one: u32, other: u32, width: usize) -> Inside<'_> {
    let sessions =
        state.data.as_ref().and_then(|data| Some((data, data.session(one)?, data.session(other)?)));
    let Some((data, one, other)) = sessions else {
        return Inside::Text(Content::of(vec![Item::new("there is no such session")]));
    };
    let theme = &state.theme;
    let mut items = Vec::new();
    let label = 16.min(width / 4);
    let half = width.saturating_sub(label + 4) / 2;
    let mut line = |(name, left, right, differs): Pair, heading: bool| {
        let tone = match (heading, differs) {
            (true, _) => Tone::Heading,
            (_, true) => Tone::Warning,
            _ => Tone::Plain,
        };
        let lefts = text::wrap(&left, half);
        let rights = text::wrap(&right, half);
        for row in 0..lefts.len().max(rights.len()) {
            let name = if row == 0 { name.as_str() } else { "" };
            let cell = |lines: &[String]| {
                text::fit(lines.get(row).map_or("", String::as_str), half, false, theme.glyphs.ellipsis)
            };
            let mark = if differs && row == 0 && !heading { "!=" } else { "  " };
            items.push(Item::new(vec![
                Span::styled(text::fit(name, label, false, theme.glyphs.ellipsis), theme.style(Tone::Dim)),
                Span::styled(cell(&lefts), theme.style(tone)),
                Span::styled(format!(" {mark} "), theme.style(Tone::Warning)),
                Span::styled(cell(&rights), theme.style(tone)),
            ]));
        }
    };
    let same = |name: &str, left: String, right: String| {
        let differs = left != right;
        (name.to_owned(), left, right, differs)
    };
    line((String::new(), one.name(), other.name(), false), true);
    let who =
        |session: &Session| about::about(session, false).map_or("-".to_owned(), |about| text::clean(&about));
    for pair in [
        same("protocol", one.protocol.to_owned(), other.protocol.to_owned()),
        same("client", one.client.ip.to_string(), other.client.ip.to_string()),
        same("server", one.server.to_string(), other.server.to_string()),
        same("who/what", who(one), who(other)),
        same("end", ended(one, data.facts(one.id).end), ended(other, data.facts(other.id).end)),
        same("because", text::clean(&one.outcome.because), text::clean(&other.outcome.because)),
        same("letters", one.history.clone(), other.history.clone()),
        length("lasted", Some(one.duration()), Some(other.duration())),
        length("set-up", setup_time(one), setup_time(other)),
        length(
            "longest idle",
            one.longest_quiet().map(|quiet| quiet.span),
            other.longest_quiet().map(|quiet| quiet.span),
        ),
    ] {
        line(pair, false);
    }
    line(("phases".to_owned(), String::new(), String::new(), false), true);
    for row in 0..one.phases.len().max(other.phases.len()) {
        let phase = |session: &Session| {
            session.phases.get(row).map_or((None, String::new()), |phase| {
                let lasted = phase.end.since(phase.start);
                (Some((phase.name, lasted)), format!("{} {lasted}  {}", phase.name.name(), phase.cause))
            })
        };
        let ((left, left_said), (right, right_said)) = (phase(one), phase(other));
        let differs = match (left, right) {
            (Some((a, x)), Some((b, y))) => a != b || (a != PhaseName::Active && is_far(x, y)),
            _ => true,
        };
        line((format!("{}", row + 1), left_said, right_said, differs), false);
    }
    line(("traffic".to_owned(), String::new(), String::new(), false), true);
    let total = |session: &Session, of: fn(&crate::events::Connection) -> u64| -> u64 {
        let connections =
            session.legs.iter().filter_map(|part| data.analysis.connections.get(part.connection as usize));
        connections.map(of).sum()
    };
    let amount = |name: &str, of: fn(&crate::events::Connection) -> u64, say: fn(u64) -> String| {
        let (left, right) = (total(one, of), total(other, of));
        (name.to_owned(), say(left), say(right), left.abs_diff(right) * 4 > left.max(right))
    };
    for pair in [
        same("connections", one.legs.len().to_string(), other.legs.len().to_string()),
        amount("client sent", |connection| connection.sides.client.payload_bytes, bytes),
        amount("server sent", |connection| connection.sides.server.payload_bytes, bytes),
        amount(
            "repeated",
            |connection| {
                u64::from(connection.sides.client.retransmitted_segments)
                    + u64::from(connection.sides.server.retransmitted_segments)
            },
            count,
        ),
    ] {
        line(pair, false);
    }
    line(("findings".to_owned(), String::new(), String::new(), false), true);
    let rules = |session: &Session| -> Vec<String> {
        let mut rules: Vec<String> = data
            .analysis
            .findings_of(session)
            .map(|finding| format!("{} {}", finding.rule.code, finding.rule.name))
            .collect();
        rules.sort();
        rules.dedup();
        rules
    };
    let (left, right) = (rules(one), rules(other));
    for rule in left.iter().chain(right.iter().filter(|rule| !left.contains(rule))) {
        let side = |rules: &[String]| if rules.contains(rule) { rule.clone() } else { "-".to_owned() };
        line(same("", side(&left), side(&right)), false);
    }
    Inside::Text(Content::of(items))
}

/// Whether two times differ by so much that it is worth looking at: by half and by 10 ms.
fn is_far(one: Length, other: Length) -> bool {
    let (low, high) = (one.0.min(other.0), one.0.max(other.0));
    high - low > 10_000_000 && high / 2 > low
}

fn length(name: &str, one: Option<Length>, other: Option<Length>) -> Pair {
    let say = |span: Option<Length>| span.map_or("-".to_owned(), |span| span.to_string());
    let differs = match (one, other) {
        (Some(one), Some(other)) => is_far(one, other),
        (one, other) => one.is_some() != other.is_some(),
    };
    (name.to_owned(), say(one), say(other), differs)
}
