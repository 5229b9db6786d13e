//! The findings, put together, and one of them explained: what it means, what was seen here, the proof, what was ruled
//! out, what to do.

use std::fmt::Write as _;

use ratatui::text::Span;

use super::super::clock::Clock;
use super::super::clusters::{Cluster, GROUPS, is_told};
use super::super::data::{Data, idle_classes};
use super::super::faces::Standing;
use super::super::rows::{FINDING_SORTS, letter};
use super::super::state::{Only, Pane, Screen, State, Subject, Visit};
use super::super::theme::{Theme, Tone};
use super::super::widgets::table::{Cell, Row, figures, names, words};
use super::super::widgets::text;
use super::{Content, Inside, Item, Link, Sheet, hung, paragraph};
use crate::place::PacketRef;
use crate::rules::{Evidence, Finding, Role, Severity, Value};
use crate::story::amounts::count;

/// How a severity looks.
pub(super) fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Info => Tone::Info,
        Severity::Warning => Tone::Warning,
        Severity::Error => Tone::Error,
        Severity::Critical => Tone::Critical,
    }
}

pub(super) fn title(state: &State, pane: Pane) -> (String, String) {
    let visit = state.visit();
    if pane == Pane::Explain {
        let code = visit.clusters.get(visit.cursor(Pane::List).at).map_or("", |cluster| cluster.code);
        return (format!("Explain {code}"), "Enter to the frame  h l which frame  y copy".to_owned());
    }
    let group = GROUPS.get(visit.group).copied().unwrap_or("rule");
    let by = match FINDING_SORTS.get(visit.sort.0) {
        Some(&"sev") | None => String::new(),
        Some(by) => format!(", sorted by {by}"),
    };
    let star = if state.data.as_ref().is_some_and(|data| data.partial) { " *" } else { "" };
    let so = |standing: Standing, words: &str| match state.standing_so(standing) {
        0 => String::new(),
        number => format!("  {} {words}", count(number as u64)),
    };
    let standing = [
        so(Standing::Muted, "muted"),
        so(Standing::Known, "in the baseline"),
        so(Standing::Acknowledged, "seen"),
    ];
    (
        format!("Findings by {group}{by}{star}{}", standing.concat()),
        "Enter sessions or evidence  = group  e evidence  a seen  b baseline  M mute".to_owned(),
    )
}

pub(super) fn inside(state: &State, pane: Pane, width: usize) -> Inside<'_> {
    let Some(data) = &state.data else {
        return Inside::Text(Content::of(vec![Item::new("nothing is known yet")]));
    };
    let visit = state.visit();
    if pane == Pane::Explain {
        let cluster = visit.clusters.get(visit.cursor(Pane::List).at);
        let items = cluster.map(|cluster| explain(state, data, cluster, width)).unwrap_or_default();
        return Inside::Text(Content::of(items));
    }
    let clock = state.clock();
    let columns = vec![
        names("sev", 3, 0),
        names("rule", 6, 0),
        words("name", 12, 32, 0),
        figures("hits", 6, 0),
        figures("sess", 6, 3),
        words("server", 8, 32, 1),
        figures("first", 12, 4),
        words("conf", 4, 7, 2),
        words("state", 5, 5, 3),
        words("one line", 12, 90, 5),
    ];
    Inside::Sheet(Sheet {
        columns: {
            let mut columns = columns;
            columns.retain(|column| !state.hidden.contains(&(Screen::Findings, column.title)));
            columns
        },
        rows: visit.clusters.len(),
        row: Box::new(move |row| {
            let Some(cluster) = visit.clusters.get(row) else { return Row::default() };
            let tone = tone(cluster.severity);
            let first =
                cluster.findings.first().and_then(|place| data.analysis.findings.get(*place as usize));
            let cells = [
                ("sev", Cell::toned(letter(Some(cluster.severity)), tone)),
                ("rule", Cell::toned(cluster.code, tone)),
                ("name", Cell::toned(cluster.name, if cluster.told { tone } else { Tone::Dim })),
                ("hits", Cell::plain(count(cluster.hits))),
                ("sess", Cell::plain(count(cluster.sessions.len() as u64))),
                ("server", Cell::plain(&cluster.server)),
                ("first", Cell::plain(clock.say(cluster.first, None, 0))),
                ("conf", Cell::plain(cluster.confidence.name())),
                ("state", Cell::plain(state.standing_of(&cluster.findings).name())),
                (
                    "one line",
                    Cell::plain(first.map(|finding| text::clean(&finding.message)).unwrap_or_default()),
                ),
            ];
            let cells = cells
                .into_iter()
                .filter(|(title, _)| !state.hidden.contains(&(Screen::Findings, *title)))
                .map(|(_, cell)| cell)
                .collect();
            Row { cells, tagged: state.kept.tags.contains(&Subject::Rule(cluster.code)), hit: false }
        }),
        link: Box::new(move |row| visit.clusters.get(row).and_then(|cluster| leads(data, cluster))),
        sorted: None,
        drawn: None,
        empty: if data.analysis.findings.is_empty() {
            "no finding: nothing in what was read hurts or is odd".to_owned()
        } else {
            format!("no finding passes: hidden by {}. \\ switches it off", state.filter_words())
        },
    })
}

/// From a cluster to its sessions; where there is only one, to its evidence at once.
fn leads(data: &Data, cluster: &Cluster) -> Option<Link> {
    match cluster.sessions[..] {
        [only] => Some(Link::Evidence(only, cluster.code)),
        [] => {
            let finding = data.analysis.findings.get(*cluster.findings.first()? as usize)?;
            let frames = finding.frames();
            (!frames.is_empty()).then(|| Link::Frames(frames, finding.connections.clone()))
        }
        _ => {
            let ids = cluster.sessions.iter().copied().collect();
            let only = if cluster.findings.len()
                == data.analysis.findings.iter().filter(|finding| finding.rule.code == cluster.code).count()
            {
                Only::Rule(cluster.code)
            } else {
                Only::Sessions(ids)
            };
            Some(Link::to(Visit::new(Screen::Sessions).only(only)))
        }
    }
}

/// The words of a role of evidence.
fn role(role: Role) -> &'static str {
    match role {
        Role::Shows => "shows",
        Role::Context => "beside",
        Role::Absence => "nothing",
    }
}

/// One piece of evidence, and where it leads.
pub(super) fn piece(
    state: &State,
    theme: &Theme,
    finding: &Finding,
    piece: &Evidence,
    width: usize,
) -> Vec<Item> {
    let names: Vec<String> = piece.frames.iter().take(8).map(|at| state.frame_name(at)).collect();
    let more = if piece.frames.len() > 8 { format!(" +{}", piece.frames.len() - 8) } else { String::new() };
    let cited = match (&piece.window, names.is_empty()) {
        (_, false) => format!(" [{}{more}]", names.join(" ")),
        (Some((from, to)), true) => format!(" [nothing for {}]", to.since(*from)),
        (None, true) => " [assumed]".to_owned(),
    };
    let link = match (piece.role, &piece.frames[..]) {
        (Role::Absence, [first, .., last]) => Some(Link::Between(*first, *last, finding.connections.clone())),
        (_, []) => None,
        (_, frames) => Some(Link::Frames(frames.to_vec(), finding.connections.clone())),
    };
    let label = [(format!("  {:<9}", role(piece.role)), Tone::Dim)];
    let said = format!("{}{cited}", text::clean(&piece.sentence));
    let mut items = paragraph(theme, &label, &said, Tone::Plain, width, link.as_ref());
    if let Some(first) = items.first_mut() {
        first.stop = true;
    }
    items
}

/// A value for people.
fn value(value: &Value) -> String {
    match value {
        Value::Time(span) => span.to_string(),
        Value::Number(number) => count(*number),
        Value::Ratio(ratio) => format!("{ratio:.2}"),
        Value::Text(text) => text::clean(text),
    }
}

/// `E GSN802 middlebox-reset (high)` and the claim.
pub(super) fn head(state: &State, finding: &Finding, width: usize) -> Vec<Item> {
    let tone = tone(finding.severity);
    let label = [
        (format!("{} {} ", letter(Some(finding.severity)), finding.rule.code), tone),
        (format!("{} ({}) ", finding.rule.name, finding.confidence.name()), tone),
    ];
    let link = first_link(finding);
    let said = text::clean(&finding.message);
    let mut items = hung(&state.theme, &label, &said, Tone::Plain, (width, 4), link.as_ref());
    if let Some(first) = items.first_mut() {
        first.stop = true;
    }
    items
}

fn first_link(finding: &Finding) -> Option<Link> {
    let shows: Vec<PacketRef> = finding
        .evidence
        .iter()
        .filter(|piece| piece.role == Role::Shows)
        .flat_map(|piece| piece.frames.iter().copied())
        .collect();
    let frames = if shows.is_empty() { finding.frames() } else { shows };
    (!frames.is_empty()).then(|| Link::Frames(frames, finding.connections.clone()))
}

/// A finding in a story: the claim and what to do.
pub(super) fn short(state: &State, data: &Data, finding: &Finding, width: usize) -> Vec<Item> {
    let mut items = head(state, finding, width);
    let aside = |label: &str, said: &str| {
        let label = [(format!("    {label:<6}"), Tone::Dim)];
        paragraph(&state.theme, &label, said, Tone::Plain, width, None)
    };
    if is_told(finding) && !finding.advice.is_empty() {
        items.extend(aside("do", &text::clean(&finding.advice)));
    }
    if let Some(cause) = finding.caused_by.and_then(|id| (id as usize).checked_sub(1)) {
        let name = data.analysis.findings.get(cause).map_or("", |cause| cause.rule.name);
        items.extend(aside("since", &format!("explained by F-{:04} {name}", cause + 1)));
    }
    items
}

/// The findings of a session, the worst first.
pub(super) fn of_session<'a>(data: &'a Data, session: &crate::session::Session) -> Vec<&'a Finding> {
    let mut findings: Vec<&Finding> = data.analysis.findings_of(session).collect();
    findings.sort_by_key(|finding| (!is_told(finding), std::cmp::Reverse(finding.severity), finding.id));
    findings
}

/// A finding in full.
pub(super) fn full(state: &State, data: &Data, finding: &Finding, width: usize) -> Vec<Item> {
    let theme = &state.theme;
    let mut items = head(state, finding, width);
    let aside = |label: &str, said: &str| {
        let label = [(format!("  {label:<9}"), Tone::Dim)];
        paragraph(theme, &label, said, Tone::Plain, width, None)
    };
    for evidence in &finding.evidence {
        items.extend(piece(state, theme, finding, evidence, width));
    }
    if !finding.why.is_empty() {
        items.extend(aside("why", &text::clean(&finding.why)));
    }
    for ruled_out in &finding.ruled_out {
        items.extend(aside("not", &text::clean(ruled_out)));
    }
    items.extend(aside("fault", &format!("{}, layer {}", finding.fault.name(), finding.layer.name())));
    if !finding.values.is_empty() {
        let values: Vec<String> =
            finding.values.iter().map(|(name, said)| format!("{name} = {}", value(said))).collect();
        items.extend(aside("figures", &values.join("   ")));
    }
    if let Some(cause) = finding.caused_by {
        let name = (cause as usize)
            .checked_sub(1)
            .and_then(|place| data.analysis.findings.get(place))
            .map_or("", |cause| cause.rule.name);
        items.extend(aside("since", &format!("explained by F-{cause:04} {name}")));
    }
    if !finding.advice.is_empty() {
        items.extend(aside("do", &text::clean(&finding.advice)));
    }
    items.push(Item::default());
    items
}

/// Findings of a cluster that are told with all their evidence.
const TOLD: usize = 6;

fn explain(state: &State, data: &Data, cluster: &Cluster, width: usize) -> Vec<Item> {
    let theme = &state.theme;
    let findings: Vec<&Finding> =
        cluster.findings.iter().filter_map(|place| data.analysis.findings.get(*place as usize)).collect();
    let Some(first) = findings.first() else { return Vec::new() };
    let label = |name: &str, tone: Tone| [(format!("{name:<7}"), tone)];
    let mut items = Vec::new();
    let title = format!(
        "{}, {}, confidence {}",
        first.rule.title,
        cluster.severity.name(),
        cluster.confidence.name()
    );
    items.extend(paragraph(
        theme,
        &label("MEANS", Tone::Heading),
        &title,
        tone(cluster.severity),
        width,
        None,
    ));
    let here = if findings.len() == 1 {
        text::clean(&first.message)
    } else {
        format!("{} times; the first: {}", count(findings.len() as u64), text::clean(&first.message))
    };
    items.extend(paragraph(
        theme,
        &label("HERE", Tone::Heading),
        &here,
        Tone::Plain,
        width,
        first_link(first).as_ref(),
    ));
    items.extend(distribution(state, data, cluster, first, width));
    for finding in findings.iter().take(TOLD) {
        let name = finding.session.map_or_else(|| finding.name(), |id| format!("S-{id:04}"));
        if findings.len() > 1 {
            let clock: Clock = state.clock();
            let said = format!("{}  {}", clock.say(finding.time, None, 3), text::clean(&finding.message));
            items.extend(paragraph(
                theme,
                &[(format!("{name}  "), Tone::Heading)],
                &said,
                Tone::Plain,
                width,
                first_link(finding).as_ref(),
            ));
        } else {
            items.extend(paragraph(
                theme,
                &label("PROOF", Tone::Heading),
                &name,
                Tone::Plain,
                width,
                first_link(finding).as_ref(),
            ));
        }
        for evidence in &finding.evidence {
            items.extend(piece(state, theme, finding, evidence, width));
        }
    }
    if findings.len() > TOLD {
        let said = format!("+ {} more (Enter in the list)", count((findings.len() - TOLD) as u64));
        items.push(Item::new(Span::styled(said, theme.style(Tone::Dim))));
    }
    items.extend(reasons(theme, first, width));
    items
}

/// How a finding is known, what it is not, what to do, what it cannot know.
fn reasons(theme: &Theme, first: &Finding, width: usize) -> Vec<Item> {
    let label = |name: &str, tone: Tone| [(format!("{name:<7}"), tone)];
    let mut items = Vec::new();
    if !first.why.is_empty() {
        items.extend(paragraph(
            theme,
            &label("WHY", Tone::Heading),
            &text::clean(&first.why),
            Tone::Plain,
            width,
            None,
        ));
    }
    for ruled_out in &first.ruled_out {
        items.extend(paragraph(
            theme,
            &label("NOT", Tone::Heading),
            &text::clean(ruled_out),
            Tone::Plain,
            width,
            None,
        ));
    }
    if !first.advice.is_empty() {
        items.extend(paragraph(
            theme,
            &label("DO", Tone::Heading),
            &text::clean(&first.advice),
            Tone::Plain,
            width,
            None,
        ));
    }
    let page = first.rule.section("What it cannot know").unwrap_or_default().replace('\n', " ");
    if !page.is_empty() {
        items.extend(paragraph(
            theme,
            &label("LIMITS", Tone::Heading),
            &text::clean(&page),
            Tone::Dim,
            width,
            None,
        ));
    }
    items
}

/// For rules about idle times: how long sessions with the same server were silent, and which of them died of it.
fn distribution(state: &State, data: &Data, cluster: &Cluster, first: &Finding, width: usize) -> Vec<Item> {
    let about_idle = cluster.code.starts_with("GST") || matches!(cluster.code, "GSN801" | "GSN802");
    let server = first.session.and_then(|id| data.session(id)).map(|session| session.server);
    let (Some(server), true) = (server, about_idle) else { return Vec::new() };
    let beside: Vec<_> = data.analysis.sessions.iter().filter(|session| session.server == server).collect();
    if beside.len() < 2 {
        return Vec::new();
    }
    let classes = idle_classes(beside.into_iter());
    let mut lines =
        [format!("  {:<14}", "longest idle"), format!("  {:<14}", "lived"), format!("  {:<14}", "died")];
    for (class, lived, died) in classes.iter().filter(|(_, lived, died)| lived + died > 0) {
        let class = class.trim_start_matches("below ").replace("over", ">");
        let wide = class.len().max(6) + 2;
        if lines.iter().any(|line| line.len() + wide > width) {
            break;
        }
        for (line, said) in
            lines.iter_mut().zip([format!("<{class}").replace("<>", ">"), count(*lived), count(*died)])
        {
            let _ = write!(line, "{said:>wide$}");
        }
    }
    lines.iter().map(|line| Item::new(Span::styled(line.clone(), state.theme.style(Tone::Plain)))).collect()
}
