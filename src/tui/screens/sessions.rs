//! The list of sessions, and the story of the one under the cursor.

use ratatui::text::Span;

use super::super::clock::short;
use super::super::data::{Data, End, ended};
use super::super::rows::{SESSION_GROUPS, SESSION_SORTS, letter};
use super::super::state::{Entry, Pane, Screen, State, Subject, Tab, Told, Visit};
use super::super::theme::Tone;
use super::super::widgets::spark;
use super::super::widgets::table::{Cell, Row, figures, names, words};
use super::super::widgets::text;
use super::findings::{self, tone};
use super::{Content, Inside, Item, Link, Sheet, paragraph};
use crate::session::{Role, Session};
use crate::story::about;
use crate::story::amounts::count;
use crate::story::narrative::Proof;

/// Cells of the life of a session in the list at most.
const LIFE: u16 = 40;

/// The letters of a life, explained.
const LETTERS: &str = "s setup a auth D# data . idle k keepalive o O checkpoint ! break R resumed n new x reset f closed g ghost ? unseen";

pub(super) fn title(state: &State, pane: Pane) -> (String, String) {
    let visit = state.visit();
    if pane == Pane::Story {
        let Some(session) = state.shown_session().and_then(|id| state.data.as_ref()?.session(id)) else {
            return ("Story".to_owned(), String::new());
        };
        return (heading(session), LETTERS.to_owned());
    }
    let (column, down) = visit.sort;
    let by = SESSION_SORTS.get(column).copied().unwrap_or("start");
    let way = if down { " downwards" } else { "" };
    let group = match SESSION_GROUPS.get(visit.group) {
        Some(&"none") | None => String::new(),
        Some(group) => format!(", by {group}"),
    };
    (format!("Sessions  by {by}{way}{group}"), "Enter open  Space tag  s sort  = group  L f p e d".to_owned())
}

/// `S-0171  postgresql  app_rw  10.1.4.17:40000 > 10.0.0.5:5432  6m 40s`.
pub(super) fn heading(session: &Session) -> String {
    let who =
        session.principal.as_ref().map(|who| format!("{}  ", text::clean(&who.name))).unwrap_or_default();
    let parts = session.legs.len();
    let parts = if parts > 1 { format!("  {parts} connections") } else { String::new() };
    format!(
        "{}  {}  {who}{} > {}  {}{parts}",
        session.name(),
        session.protocol,
        session.client,
        session.server,
        session.duration()
    )
}

/// How an end looks.
pub(super) fn end_tone(end: End) -> Tone {
    match end {
        End::Clean => Tone::Good,
        End::Open => Tone::Plain,
        End::Timeout => Tone::Warning,
        _ => Tone::Error,
    }
}

/// A client, with how many connections more there are.
pub(super) fn client(session: &Session) -> String {
    let more = session.legs.iter().filter(|part| part.leg.role == Role::Main).count().saturating_sub(1);
    let data = session.legs.iter().filter(|part| part.leg.role == Role::Data).count();
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    let data = if data > 0 { format!(" +{data}d") } else { String::new() };
    format!("{}{more}{data}", session.client)
}

pub(super) fn inside(state: &State, pane: Pane, width: usize) -> Inside<'_> {
    let Some(data) = &state.data else {
        return Inside::Text(Content::of(vec![Item::new("nothing is known yet")]));
    };
    if pane == Pane::Story {
        return Inside::Text(Content::of(story(state, data, width)));
    }
    let visit = state.visit();
    let narrow = width < 100;
    let mut columns = vec![
        names("!", 1, 0),
        names("id", 8, 0),
        figures("start", 12, 5),
        figures("dur", 7, 2),
        words("proto", 4, 10, 1),
        words(
            if narrow { "client > server" } else { "client" },
            if narrow { 22 } else { 9 },
            if narrow { 40 } else { 26 },
            if narrow { 1 } else { 4 },
        ),
        words("server", 9, 26, 1),
        words("who/what", 6, 22, 6),
        words("end", 7, 20, 1),
        words("lifecycle", 10, LIFE, 3),
    ];
    // Where there is little room, client and server share a column.
    let shown: Vec<bool> = columns
        .iter()
        .map(|column| {
            let title = if column.title == "client > server" { "client" } else { column.title };
            let shared = narrow && title == "server";
            !(shared || state.hidden.contains(&(Screen::Sessions, title)))
        })
        .collect();
    let mut keep = shown.iter();
    columns.retain(|_| keep.next().copied().unwrap_or(true));
    let place = columns.iter().position(|column| column.title == "lifecycle");
    let sorted = SESSION_SORTS.get(visit.sort.0).copied().unwrap_or("start");
    let sorted = columns.iter().position(|column| column.title == sorted).map(|place| (place, visit.sort.1));
    let chosen = move |cells: Vec<Cell>| -> Vec<Cell> {
        cells.into_iter().zip(&shown).filter(|(_, shown)| **shown).map(|(cell, _)| cell).collect()
    };
    let clock = state.clock();
    let session_of = |row: usize| match visit.sessions.get(row) {
        Some(Entry::Session(id)) => data.session(*id),
        _ => None,
    };
    Inside::Sheet(Sheet {
        columns,
        rows: visit.sessions.len(),
        row: Box::new(move |row| match visit.sessions.get(row) {
            Some(Entry::Session(id)) => {
                let Some(session) = data.session(*id) else { return Row::default() };
                let before = row.checked_sub(1).and_then(session_of).map(|session| session.start);
                let start = clock.say(session.start, before, if narrow { 0 } else { 3 });
                let cells = chosen(cells(data, session, start, narrow));
                Row { cells, tagged: state.kept.tags.contains(&Subject::Session(session.uid)), hit: false }
            }
            Some(Entry::Group(name, number, worst)) => {
                Row { cells: chosen(group_cells(state, name, *number, *worst, narrow)), ..Row::default() }
            }
            None => Row::default(),
        }),
        link: Box::new(move |row| match visit.sessions.get(row)? {
            Entry::Session(id) => Some(Link::to(Visit::session(*id, Tab::Ladder))),
            Entry::Group(..) => None,
        }),
        sorted,
        empty: nothing(state, data),
        drawn: place.map(|place| -> super::Drawer<'_> {
            (
                place,
                Box::new(move |row, cells| {
                    session_of(row).map(|session| spark::life(session, cells)).unwrap_or_default()
                }),
            )
        }),
    })
}

/// The end of a client's address: what tells it from its neighbours.
fn tail(ip: std::net::IpAddr) -> String {
    match ip {
        std::net::IpAddr::V4(ip) => {
            let [.., third, last] = ip.octets();
            format!(".{third}.{last}")
        }
        std::net::IpAddr::V6(ip) => format!(":{:x}", ip.segments()[7]),
    }
}

fn cells(data: &Data, session: &Session, start: String, narrow: bool) -> Vec<Cell> {
    let facts = data.facts(session.id);
    let severity = facts.severity.map_or(Tone::Plain, tone);
    let from =
        if narrow { format!("{}>{}", tail(session.client.ip), session.server) } else { client(session) };
    vec![
        Cell::toned(letter(facts.severity), severity),
        Cell::toned(session.name(), severity),
        Cell::plain(start),
        Cell::plain(short(session.duration())),
        Cell::plain(session.protocol),
        Cell::plain(from),
        Cell::plain(session.server.to_string()),
        Cell::plain(about::about(session, false).map_or("-".to_owned(), |about| text::clean(&about))),
        Cell::toned(ended(session, facts.end), end_tone(facts.end)),
        Cell::plain(""),
    ]
}

/// The row of a group: its name stands where there is most room, and is not taken for a session's.
fn group_cells(
    state: &State,
    name: &str,
    number: usize,
    worst: Option<crate::rules::Severity>,
    narrow: bool,
) -> Vec<Cell> {
    let folded = state.visit().folded_groups.contains(name);
    let sign = if folded { state.theme.glyphs.shut } else { state.theme.glyphs.open };
    let said = Cell::toned(format!("{sign} {}", text::clean(name)), Tone::Heading);
    let place = if narrow { 5 } else { 6 };
    (0..10)
        .map(|column| match column {
            0 => Cell::toned(letter(worst), worst.map_or(Tone::Plain, tone)),
            1 => Cell::toned(count(number as u64), Tone::Heading),
            column if column == place => said.clone(),
            _ => Cell::plain(""),
        })
        .collect()
}

/// Why no session is shown.
fn nothing(state: &State, data: &Data) -> String {
    let all = data.analysis.sessions.len();
    if all == 0 {
        return "no session: no TCP or UDP talk in what was read".to_owned();
    }
    format!(
        "no session passes: {} {} hidden by {}. \\ switches it off, Esc goes back",
        count(all as u64),
        if all == 1 { "is" } else { "are" },
        state.filter_words()
    )
}

/// The frames that a sentence rests on, as a few words.
pub(super) fn cited(state: &State, proof: &Proof) -> String {
    let name = |at: &crate::place::PacketRef| state.frame_name(at);
    match proof {
        Proof::Frames(frames) => match &frames[..] {
            [] => String::new(),
            [one] => name(one),
            [first, .., last] if frames.len() > 3 => format!("{}..{}", name(first), name(last)),
            few => few.iter().map(name).collect::<Vec<_>>().join(","),
        },
        Proof::Through(first, last) if first == last => name(first),
        Proof::Through(first, last) => format!("{}-{}", name(first), name(last)),
        Proof::Between(first, last) => format!("nothing in {}..{}", name(first), name(last)),
    }
}

/// Where the proof of a sentence leads.
pub(super) fn proof_link(session: &Session, proof: &Proof) -> Option<Link> {
    let connections: Vec<u32> = session.legs.iter().map(|part| part.connection).collect();
    match proof {
        Proof::Between(first, last) => Some(Link::Between(*first, *last, connections)),
        proof => {
            let frames = proof.frames();
            (!frames.is_empty()).then_some(Link::Frames(frames, connections))
        }
    }
}

/// What stands there until the packets of a session were read again.
pub(super) const READING: &str = "reading its packets again…";

/// Why a story or a ladder does not know everything, where it does not.
pub(super) fn not_all(told: &Told) -> Option<String> {
    match (&told.trouble, told.left_out) {
        (Some(why), _) => Some(format!("what was said cannot be read again: {}", text::clean(why))),
        (None, 0) => None,
        (None, number) => Some(format!(
            "{} messages in the middle were left out: what is counted here counts the others",
            count(number)
        )),
    }
}

fn story(state: &State, data: &Data, width: usize) -> Vec<Item> {
    let theme = &state.theme;
    let Some(session) = state.shown_session().and_then(|id| data.session(id)) else {
        let said = match state.visit().sessions.get(state.visit().cursor(Pane::List).at) {
            Some(Entry::Group(name, number, _)) => {
                format!("{}: {} sessions. Enter folds and unfolds.", text::clean(name), count(*number as u64))
            }
            _ => String::new(),
        };
        return vec![Item::new(Span::styled(said, theme.style(Tone::Dim)))];
    };
    let Some(told) = state.told(session.id) else {
        return vec![Item::new(Span::styled(READING, theme.style(Tone::Dim)))];
    };
    let mut items: Vec<Item> = not_all(told)
        .map(|why| Item::new(Span::styled(why, theme.style(Tone::Warning))))
        .into_iter()
        .collect();
    let clock = state.clock();
    let mut before = None;
    let wide = width >= 90;
    for line in &told.story.lines {
        let tone = match line.phase {
            "interrupted" | "login refused" | "refused" | "not resumed" | "at risk" | "owed"
            | "interrupt" => Tone::Warning,
            "ended" => end_tone(data.facts(session.id).end),
            _ => Tone::Good,
        };
        let mut label =
            vec![(format!("{} ", clock.say(line.time, before, if wide { 3 } else { 0 })), Tone::Dim)];
        label.push((format!("{:<13}", line.phase), tone));
        before = Some(line.time);
        let cited = cited(state, &line.proof);
        let said = if cited.is_empty() {
            text::clean(&line.text)
        } else {
            format!("{} [{cited}]", text::clean(&line.text))
        };
        let link = proof_link(session, &line.proof);
        items.extend(paragraph(theme, &label, &said, Tone::Plain, width, link.as_ref()));
    }
    for finding in findings::of_session(data, session) {
        items.extend(findings::short(state, data, finding, width));
    }
    if let Some(note) = state.kept.notes.get(&Subject::Session(session.uid)) {
        items.extend(paragraph(
            theme,
            &[("NOTE  ".to_owned(), Tone::Tagged)],
            &text::clean(note),
            Tone::Plain,
            width,
            None,
        ));
    }
    items.extend(paragraph(
        theme,
        &[("NEXT  ".to_owned(), Tone::Heading)],
        &text::clean(&told.story.next),
        Tone::Plain,
        width,
        None,
    ));
    items
}
