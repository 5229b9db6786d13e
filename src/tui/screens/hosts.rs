//! What each server does with sessions: ends, timers, keep-alives, resumptions, refusals.

use ratatui::text::Span;

use super::super::data::Data;
use super::super::state::{Only, Pane, Screen, State, Visit};
use super::super::theme::Tone;
use super::super::widgets::table::{Cell, Row, figures, words};
use super::{Content, Inside, Item, Link, Sheet, paragraph};
use crate::events::transport::{By, Reason};
use crate::story::amounts::{count, percent};
use crate::story::services::{Service, candidates};

/// Columns by which it can be sorted.
pub(in crate::tui) const SORTS: [&str; 5] = ["sessions", "server", "clean", "ghost", "refused"];

pub(super) fn title(state: &State, pane: Pane) -> (String, String) {
    let by = SORTS.get(state.visit().sort.0).copied().unwrap_or("sessions");
    match pane {
        Pane::List => (format!("Servers by {by}"), "Enter sessions  s sort  F only this".to_owned()),
        _ => ("What this server does with sessions".to_owned(), String::new()),
    }
}

/// The servers in the order that the user wants.
pub(in crate::tui) fn order(data: &Data, visit: &Visit) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..data.services.len()).collect();
    let service = |row: &usize| data.services.get(*row);
    match SORTS.get(visit.sort.0) {
        Some(&"server") => rows.sort_by_key(|row| service(row).map(|service| service.server)),
        Some(&"clean") => rows.sort_by_key(|row| {
            service(row).map_or(0, |service| clean(service) * 1_000 / service.sessions.max(1))
        }),
        Some(&"ghost") => {
            rows.sort_by_key(|row| std::cmp::Reverse(service(row).map_or(0, |service| service.ghosts)));
        }
        Some(&"refused") => rows.sort_by_key(|row| std::cmp::Reverse(service(row).map_or(0, refused))),
        _ => {}
    }
    if visit.sort.1 {
        rows.reverse();
    }
    rows
}

fn clean(service: &Service) -> u64 {
    service
        .ends
        .iter()
        .filter(|(reason, _, _)| *reason == Reason::Released)
        .map(|(_, _, number)| number)
        .sum()
}

fn refused(service: &Service) -> u64 {
    let refused = |reason: Reason| {
        matches!(reason, Reason::AuthRefused | Reason::EstablishRefused | Reason::EstablishTimeout)
    };
    service.ends.iter().filter(|(reason, _, _)| refused(*reason)).map(|(_, _, number)| number).sum()
}

pub(super) fn inside(state: &State, pane: Pane, width: usize) -> Inside<'_> {
    let Some(data) = &state.data else {
        return Inside::Text(Content::of(vec![Item::new("nothing is known yet")]));
    };
    let visit = state.visit();
    let order = order(data, visit);
    if pane == Pane::Explain {
        let service = order.get(visit.cursor(Pane::List).at).and_then(|row| data.services.get(*row));
        return Inside::Text(Content::of(
            service.map(|service| about(state, service, width)).unwrap_or_default(),
        ));
    }
    let rows = order.len();
    let at = order.clone();
    Inside::Sheet(Sheet {
        columns: vec![
            words("server", 14, 44, 0),
            words("protocol", 5, 20, 1),
            figures("sessions", 8, 0),
            figures("clients", 7, 4),
            figures("clean", 6, 2),
            figures("ghost", 5, 1),
            figures("refused", 7, 3),
            words("idle timer", 8, 22, 5),
        ],
        rows,
        row: Box::new(move |row| {
            let Some(service) = order.get(row).and_then(|row| data.services.get(*row)) else {
                return Row::default();
            };
            let protocols: Vec<&str> = service.protocols.iter().copied().collect();
            let timer = service.idle_timers.iter().max_by_key(|(_, _, ends)| *ends);
            let timer = timer.map(|(by, span, _)| format!("{span} {}", by.name()));
            let alarm = |number: u64| if number > 0 { Tone::Error } else { Tone::Plain };
            let cells = vec![
                Cell::plain(service.server.to_string()),
                Cell::plain(protocols.join(",")),
                Cell::plain(count(service.sessions)),
                Cell::plain(count(service.clients)),
                Cell::plain(count(clean(service))),
                Cell::toned(count(service.ghosts), alarm(service.ghosts)),
                Cell::toned(count(refused(service)), alarm(refused(service))),
                Cell::plain(timer.unwrap_or_else(|| "-".to_owned())),
            ];
            Row { cells, ..Row::default() }
        }),
        link: Box::new(move |row| {
            let service = data.services.get(*at.get(row)?)?;
            Some(Link::to(Visit::new(Screen::Sessions).only(Only::Server(service.server))))
        }),
        sorted: None,
        drawn: None,
        empty: "no server".to_owned(),
    })
}

fn about(state: &State, service: &Service, width: usize) -> Vec<Item> {
    let mut items = Vec::new();
    let mut say = |label: &str, said: String, tone: Tone| {
        let label = [(format!("{label:<12}"), Tone::Heading)];
        items.extend(paragraph(&state.theme, &label, &said, tone, width, None));
    };
    let ends: Vec<String> = service
        .ends
        .iter()
        .map(|(reason, by, number)| {
            let by = if *by == By::Unknown { String::new() } else { format!(" by {}", by.name()) };
            format!("{} {}{by}", count(*number), reason.name())
        })
        .collect();
    say("ends", ends.join(", "), Tone::Plain);
    for (by, span, ends) in &service.idle_timers {
        let known = candidates(*span).map(|known| format!("; like {known}")).unwrap_or_default();
        say(
            "idle timer",
            format!("about {span}, by {}, from {} ends{known}", by.name(), count(*ends)),
            Tone::Plain,
        );
    }
    for (side, timer, span) in &service.declared {
        say("declared", format!("{timer} {span} by the {}", side.name()), Tone::Plain);
    }
    let keepalives: Vec<String> = [("TCP", service.keepalives.0), ("the protocol", service.keepalives.1)]
        .iter()
        .filter_map(|(what, span)| span.map(|span| format!("of {what} each {span}")))
        .collect();
    say(
        "keep-alives",
        if keepalives.is_empty() { "none seen".to_owned() } else { keepalives.join(", ") },
        if keepalives.is_empty() { Tone::Dim } else { Tone::Plain },
    );
    let offered: Vec<&str> = service.offered.iter().copied().collect();
    if !offered.is_empty() {
        say("offers", offered.join(", "), Tone::Plain);
    }
    for (mechanism, tried, granted, refused) in &service.resumptions {
        let tone = if *refused > 0 { Tone::Warning } else { Tone::Plain };
        say(
            "resumed",
            format!(
                "{mechanism}: {} asked, {} granted, {} refused",
                count(*tried),
                count(*granted),
                count(*refused)
            ),
            tone,
        );
    }
    if service.logins != (0, 0) {
        say(
            "logins",
            format!("{} granted, {} refusals", count(service.logins.0), count(service.logins.1)),
            Tone::Plain,
        );
    }
    if let Some((taken_up, went_on)) = service.survives {
        let share = if taken_up == 0 { 0.0 } else { went_on as f64 / taken_up as f64 };
        say(
            "survives",
            format!("of {} taken up again {} went on ({})", count(taken_up), count(went_on), percent(share)),
            Tone::Plain,
        );
    }
    if service.ghosts > 0 {
        say("ghosts", format!("{} sessions are held by one side only", count(service.ghosts)), Tone::Error);
    }
    if items.is_empty() {
        items.push(Item::new(Span::raw("")));
    }
    items
}
