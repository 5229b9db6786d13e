//! The overview: what was captured, how sessions ended, what is worst, when things happened.
//!
//! ```text
//! + Top problems ------------------++ Protocols -----------------+
//! | E GSN802 middlebox-reset    42 || tls  9,120  7,011/118      |
//! + Captures ----------------------++ Sessions by end -----------+
//! | a.pcapng  pcapng  1.2 GB       || clean  15,902  ##########  |
//! + When did sessions start, break, resume and end --------------+
//! ```

use ratatui::layout::Rect;
use ratatui::text::Span;

use super::super::clock::{self, short};
use super::super::clusters::{Cluster, clusters, is_told};
use super::super::data::Data;
use super::super::rows::letter;
use super::super::state::{Only, Pane, Screen, Stage, State, Visit};
use super::super::theme::Tone;
use super::super::widgets::table::{Cell, Row, figures, names, words};
use super::super::widgets::text;
use super::findings::tone;
use super::{Content, Inside, Item, Link, Sheet, halves, sides};
use crate::rules::Severity;
use crate::story::amounts::{bytes, count, percent};
use crate::time::{Span as Length, Timestamp};

pub(super) fn areas(state: &State, body: Rect) -> Vec<(Pane, Rect)> {
    let loading = state.is_loading() || matches!(state.stage, Stage::Failed(_));
    let mut areas = Vec::new();
    let mut rest = body;
    if loading {
        let height = 6.min(body.height / 3);
        areas.push((Pane::Work, Rect { y: body.bottom() - height, height, ..body }));
        rest.height -= height;
    }
    if rest.height < 26 {
        let (above, below) = halves(rest, 55);
        let (left, right) = sides(below, 50);
        areas.extend([(Pane::Problems, above), (Pane::Ends, left), (Pane::Protocols, right)]);
        return areas;
    }
    let activity = Rect { y: rest.bottom() - 7, height: 7, ..rest };
    rest.height -= 7;
    let (above, below) = halves(rest, 55);
    let (problems, protocols) = sides(above, 50);
    let (captures, ends) = sides(below, 50);
    areas.extend([
        (Pane::Problems, problems),
        (Pane::Protocols, protocols),
        (Pane::Captures, captures),
        (Pane::Ends, ends),
        (Pane::Activity, activity),
    ]);
    areas
}

pub(super) fn title(state: &State, pane: Pane) -> (String, String) {
    let (title, below) = match pane {
        Pane::Problems => ("Top problems", "Enter explain"),
        Pane::Protocols => ("Protocols", "Enter sessions"),
        Pane::Captures => ("Captures", ""),
        Pane::Ends => ("Sessions by end", "Enter sessions"),
        Pane::Activity => ("When did sessions start, break, resume and end", "Enter the busiest time"),
        _ if state.held => ("Work (held)", "P go on   Esc stop with what was read"),
        _ => ("Work", "Esc stop with what was read   all screens work while reading"),
    };
    (title.to_owned(), below.to_owned())
}

pub(super) fn inside(state: &State, pane: Pane, width: usize) -> Inside<'_> {
    let Some(data) = &state.data else {
        return Inside::Text(Content::of(match pane {
            Pane::Work => work(state, width),
            _ => vec![Item::new(Span::styled("nothing is known yet", state.theme.style(Tone::Dim)))],
        }));
    };
    match pane {
        Pane::Problems => problems(data),
        Pane::Protocols => protocols(data),
        Pane::Captures => Inside::Text(Content::of(captures(state, data, width))),
        Pane::Ends => Inside::Text(Content::of(ends(state, data, width))),
        Pane::Activity => Inside::Text(Content::of(activity(state, data, width))),
        _ => Inside::Text(Content::of(work(state, width))),
    }
}

/// What leads to the findings of a rule.
fn explain(data: &Data, code: &'static str) -> Link {
    let mut visit = Visit::new(Screen::Findings);
    let all = clusters(data, 0, |_, _| true);
    let place = all.iter().position(|cluster| cluster.code == code);
    visit.put(Pane::List, place.unwrap_or(0));
    Link::to(visit)
}

fn problems(data: &Data) -> Inside<'_> {
    let told: Vec<Cluster> = clusters(data, 0, |_, finding| is_told(finding));
    let rest = data.analysis.findings.iter().filter(|finding| !is_told(finding)).count();
    let empty = if rest > 0 {
        format!("no finding that hurts and is sure; {} beside (3)", count(rest as u64))
    } else {
        "no finding".to_owned()
    };
    let codes: Vec<&'static str> = told.iter().map(|cluster| cluster.code).collect();
    Inside::Sheet(Sheet {
        columns: vec![
            names("", 1, 0),
            names("rule", 6, 1),
            words("name", 10, 34, 0),
            figures("hits", 6, 0),
            words("server", 8, 40, 2),
        ],
        rows: told.len(),
        row: Box::new(move |row| {
            let Some(cluster) = told.get(row) else { return Row::default() };
            let tone = tone(cluster.severity);
            Row {
                cells: vec![
                    Cell::toned(letter(Some(cluster.severity)), tone),
                    Cell::toned(cluster.code, tone),
                    Cell::toned(cluster.name, tone),
                    Cell::plain(count(cluster.hits)),
                    Cell::plain(&cluster.server),
                ],
                ..Row::default()
            }
        }),
        link: Box::new(move |row| codes.get(row).map(|code| explain(data, code))),
        sorted: None,
        drawn: None,
        empty,
    })
}

fn protocols(data: &Data) -> Inside<'_> {
    let pair = |(yes, no): (u64, u64)| {
        if yes + no == 0 { "-".to_owned() } else { format!("{}/{}", count(yes), count(no)) }
    };
    Inside::Sheet(Sheet {
        columns: vec![
            words("proto", 5, 12, 0),
            figures("sess", 7, 0),
            figures("auth ok/bad", 11, 3),
            figures("resumed ok/bad", 14, 2),
            figures("ghost", 5, 1),
            figures("p95 setup", 9, 4),
        ],
        rows: data.protocols.len(),
        row: Box::new(move |row| {
            let Some((name, line)) = data.protocols.get(row) else { return Row::default() };
            let ghosts = if line.ghosts > 0 { Tone::Error } else { Tone::Plain };
            let cells = vec![
                Cell::plain(*name),
                Cell::plain(count(line.sessions)),
                Cell::plain(pair(line.logins)),
                Cell::plain(pair(line.resumed)),
                Cell::toned(count(line.ghosts), ghosts),
                Cell::plain(line.setup.map_or("-".to_owned(), short)),
            ];
            Row { cells, ..Row::default() }
        }),
        link: Box::new(move |row| {
            let (name, _) = data.protocols.get(row)?;
            Some(Link::to(Visit::new(Screen::Sessions).only(Only::Protocol(name))))
        }),
        sorted: None,
        drawn: None,
        empty: "no session".to_owned(),
    })
}

fn captures(state: &State, data: &Data, width: usize) -> Vec<Item> {
    let mut items = Vec::new();
    let theme = &state.theme;
    let mut say = |said: String, tone: Tone| {
        for line in text::wrap(&said, width) {
            items.push(Item::new(Span::styled(line, theme.style(tone))));
        }
    };
    for (place, file) in data.analysis.files.iter().enumerate() {
        let name = text::clean(&file.path.display().to_string());
        let kind = if file.format.is_empty() { "not readable" } else { file.format };
        let packed = file.compression.map(|name| format!(" {name}")).unwrap_or_default();
        say(name, Tone::Heading);
        let cut = if file.truncated { ", ends in the middle of a record" } else { "" };
        let interfaces: Vec<String> = file
            .interfaces
            .iter()
            .filter(|interface| !interface.name.is_empty())
            .take(4)
            .map(|interface| text::clean(&interface.name))
            .collect();
        let on = if interfaces.is_empty() { String::new() } else { format!(" on {}", interfaces.join(", ")) };
        say(
            format!(
                "  {kind}{packed}, {} packets, {}{on}{cut}",
                count(file.packets),
                bytes(file.bytes_captured)
            ),
            Tone::Plain,
        );
        if let (Some(first), Some(last)) = (file.first, file.last) {
            let lasts = last.since(first);
            say(format!("  {} .. {}, {lasts}", moment(first), moment(last)), Tone::Plain);
        }
        let drops: u64 = file.interfaces.iter().filter_map(|interface| interface.drops).sum();
        let quality = data.analysis.quality.get(place).copied().unwrap_or_default();
        let mut troubles = Vec::new();
        if drops > 0 {
            troubles.push(format!("{} dropped by the recorder", count(drops)));
        }
        for (ratio, what) in [
            (quality.loss_ratio, "of the bytes missing"),
            (quality.one_sided_ratio, "of the connections one-sided"),
            (quality.duplicate_ratio, "recorded twice"),
            (quality.snapped_ratio, "of the frames cut"),
        ] {
            if ratio > 0.0 {
                troubles.push(format!("{} {what}", percent(ratio)));
            }
        }
        if quality.disorder > Length::ZERO {
            troubles.push(format!("time runs back by {}", quality.disorder));
        }
        if troubles.is_empty() {
            say("  complete as far as can be seen".to_owned(), Tone::Good);
        } else {
            say(format!("  {}", troubles.join(", ")), Tone::Warning);
        }
    }
    let damages = data.analysis.problems.iter().filter(|problem| problem.kind.is_damage()).count();
    if damages > 0 {
        say(format!("{} damages in the inputs", count(damages as u64)), Tone::Error);
    }
    items
}

fn moment(time: Timestamp) -> String {
    clock::Clock::new(super::super::clock::TimeMode::Utc, time).say(time, None, 0)
}

fn ends(state: &State, data: &Data, width: usize) -> Vec<Item> {
    let most = data.ends.iter().map(|(_, number)| *number).max().unwrap_or(1).max(1);
    let wide = count(most as u64).len().max(5);
    let room = width.saturating_sub(9 + wide + 2);
    let glyphs = &state.theme.glyphs;
    data.ends
        .iter()
        .map(|(end, number)| {
            let bars = ((number * room).div_ceil(most)).min(room);
            let tone = super::sessions::end_tone(*end);
            let spans = vec![
                Span::styled(format!("{:<8} ", end.name()), state.theme.style(tone)),
                Span::raw(format!("{:>wide$}  ", count(*number as u64))),
                Span::styled(glyphs.bar.repeat(bars), state.theme.style(tone)),
            ];
            Item::new(spans).link(Some(Link::to(Visit::new(Screen::Sessions).only(Only::End(*end)))))
        })
        .collect()
}

/// How many of the moments lie in each of so many cells.
fn bins(moments: &[Timestamp], from: Timestamp, length: Length, cells: usize) -> Vec<usize> {
    let mut bins = vec![0; cells];
    for moment in moments {
        let share = moment.since(from).0 as f64 / length.0.max(1) as f64;
        let place = ((share * cells as f64) as usize).min(cells.saturating_sub(1));
        if let Some(bin) = bins.get_mut(place) {
            *bin += 1;
        }
    }
    bins
}

fn activity(state: &State, data: &Data, width: usize) -> Vec<Item> {
    const LABEL: usize = 9;
    let cells = width.saturating_sub(LABEL).max(1);
    let length = data.last.since(data.origin);
    let each = Length(length.0 / cells as i64);
    let glyphs = &state.theme.glyphs;
    let mut items = Vec::new();
    for (name, moments, tone) in [
        ("start", &data.activity.start, Tone::Plain),
        ("break", &data.activity.broken, Tone::Error),
        ("resume", &data.activity.resume, Tone::Info),
        ("end", &data.activity.end, Tone::Plain),
    ] {
        let bins = bins(moments, data.origin, length, cells);
        let most = bins.iter().copied().max().unwrap_or(0);
        let drawn: String = bins
            .iter()
            .map(|number| {
                let height = if most == 0 { 0 } else { (number * 4).div_ceil(most) };
                glyphs.heights.get(height).copied().unwrap_or(" ")
            })
            .collect();
        let busiest =
            bins.iter().enumerate().max_by_key(|(place, number)| (**number, std::cmp::Reverse(*place)));
        let window = busiest.filter(|_| most > 0).map(|(place, _)| {
            let from = Timestamp(data.origin.0 + each.0 * place as i64);
            Only::Window(from, Timestamp(from.0 + each.0.max(1)))
        });
        let spans = vec![Span::raw(format!("{name:<LABEL$}")), Span::styled(drawn, state.theme.style(tone))];
        let link = window.map(|only| Link::to(Visit::new(Screen::Sessions).only(only)));
        items.push(Item::new(spans).link(link));
    }
    let worst = bins(&data.activity.broken, data.origin, length, cells);
    let most = worst.iter().enumerate().max_by_key(|(place, number)| (**number, std::cmp::Reverse(*place)));
    let said = match most {
        Some((place, number)) if *number > 1 => {
            let from = Length(each.0 * place as i64);
            format!("{each} a cell; {} break at {}", count(*number as u64), clock::clock(from, 0))
        }
        _ => format!("{each} a cell"),
    };
    items.push(Item::new(Span::styled(said, state.theme.style(Tone::Dim))));
    items
}

fn work(state: &State, width: usize) -> Vec<Item> {
    let mut items = Vec::new();
    let mut say = |said: String, tone: Tone| {
        for line in text::wrap(&said, width) {
            items.push(Item::new(Span::styled(line, state.theme.style(tone))));
        }
    };
    match &state.stage {
        Stage::Reading(at) => {
            let glyphs = &state.theme.glyphs;
            let room = width.saturating_sub(40).clamp(8, 40);
            if let Some(total) = at.total.filter(|total| *total > 0) {
                let done = (at.read as f64 / total as f64).min(1.0);
                let bars = (done * room as f64) as usize;
                let bar = format!("{}{}", glyphs.bar.repeat(bars), glyphs.rest.repeat(room - bars));
                say(
                    format!(
                        "read     [{bar}] {:.0} %{}",
                        done * 100.0,
                        state.pace_words(at.read, Some(total))
                    ),
                    Tone::Plain,
                );
            } else {
                say(format!("read     {}{}", bytes(at.read), state.pace_words(at.read, None)), Tone::Plain);
            }
            say(
                format!(
                    "         {} packets, {} connections so far",
                    count(at.packets),
                    count(at.connections)
                ),
                Tone::Plain,
            );
            if let Some(data) = &state.data {
                let found =
                    data.analysis.findings.iter().filter(|finding| finding.severity > Severity::Info).count();
                say(
                    format!(
                        "known *  {} sessions and {found} findings of the beginning; they may change",
                        count(data.analysis.sessions.len() as u64)
                    ),
                    Tone::Dim,
                );
            }
        }
        Stage::Waiting => say("opening".to_owned(), Tone::Plain),
        Stage::Judging => say("everything is read; sessions are joined and judged".to_owned(), Tone::Plain),
        Stage::Failed(why) => say(text::clean(why), Tone::Error),
        Stage::Following => say("what was there is read; what comes is read too".to_owned(), Tone::Dim),
        Stage::Listing(..) | Stage::Done | Stage::Stopped => {}
    }
    items
}

impl State {
    /// How fast it reads, and how long that will take.
    fn pace_words(&self, read: u64, total: Option<u64>) -> String {
        let Some((begun, first)) = self.pace else { return String::new() };
        let spent = self.now.saturating_sub(begun);
        let done = read.saturating_sub(first);
        if spent < 300 || done == 0 {
            return String::new();
        }
        let rate = done as f64 * 1_000.0 / spent as f64;
        let left = total.map(|total| total.saturating_sub(read) as f64 / rate);
        let left = left.map(|left| format!("  {left:.0} s left")).unwrap_or_default();
        format!("  {}/s{left}", bytes(rate as u64))
    }
}
