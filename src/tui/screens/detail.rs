//! One session: its phases along time, its ladder, its evidence, its text, its packets, its facts.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::text::Span;

use super::super::clock::{clock, short};
use super::super::data::Data;
use super::super::state::{Pane, State, Subject, Tab, Told, Visit};
use super::super::theme::Tone;
use super::super::widgets::canvas::Canvas;
use super::super::widgets::{ladder, spark, text};
use super::sessions::{READING, end_tone, not_all};
use super::{Content, Inside, Item, Link, findings, packets, paragraph};
use crate::events::Side;
use crate::session::{Role, Session};
use crate::story::about;
use crate::story::amounts::{bytes, count};
use crate::story::ladder::{Row, Step};
use crate::story::rungs::{self, Rung};
use crate::story::timeline;
use crate::time::Timestamp;

pub(super) fn title(state: &State, id: u32, tab: Tab, pane: Pane) -> (String, String) {
    let session = state.data.as_ref().and_then(|data| data.session(id));
    match (tab, pane) {
        (Tab::Ladder, Pane::Findings) => {
            let number = session
                .and_then(|session| Some(state.data.as_ref()?.analysis.findings_of(session).count()))
                .unwrap_or(0);
            (format!("Findings of this session ({number})"), "Enter to the frame  e evidence".to_owned())
        }
        (Tab::Packets, Pane::Tree | Pane::Bytes) => packets::title(state, pane),
        _ => {
            let narrow = state.drawn.size.0 < 100;
            let tabs: Vec<String> = Tab::ALL
                .iter()
                .map(|(other, wide, short)| {
                    let name = if narrow { short } else { wide };
                    if *other == tab { format!("[{name}]") } else { (*name).to_owned() }
                })
                .collect();
            let name = match session {
                Some(session) if narrow => format!("{} {}", session.name(), session.protocol),
                Some(session) => {
                    let about = about::about(session, false).map(|about| text::clean(&about));
                    let about = about.map(|about| text::cut(&about, 24, state.theme.glyphs.ellipsis));
                    format!("{}  {}  {}", session.name(), session.protocol, about.unwrap_or_default())
                }
                None => format!("S-{id:04}"),
            };
            let below = match tab {
                Tab::Timeline => "< > zoom  h l pan  0 whole  Enter frame",
                Tab::Ladder => "Enter packet  o turning points  t times  T from here",
                Tab::Evidence => "Enter to the frame  h l which frame  n next  y copy",
                Tab::Follow => "Enter packet  c client/server  v hex  / find",
                Tab::Packets => "Tab fields  < > packets",
                Tab::Fields => "y copy  / find",
            };
            (format!("{name}  {}", tabs.join(" ")), below.to_owned())
        }
    }
}

/// Notes where the tabs can be clicked.
pub(super) fn mark_tabs(canvas: &mut Canvas<'_>, area: Rect) {
    let right = Rect { x: area.right().saturating_sub(4), width: 4.min(area.width), height: 1, ..area };
    canvas.drawn.buttons.push((right, "]"));
}

pub(super) fn inside(state: &State, id: u32, tab: Tab, pane: Pane, width: usize) -> Inside<'_> {
    let nothing = |said: &'static str| Inside::Text(Content::of(vec![Item::new(said)]));
    let Some(data) = &state.data else { return nothing("nothing is known yet") };
    let Some(session) = data.session(id) else { return nothing("there is no such session") };
    Inside::Text(match (tab, pane) {
        (Tab::Ladder, Pane::Findings) => {
            let mut items: Vec<Item> = findings::of_session(data, session)
                .into_iter()
                .flat_map(|finding| findings::short(state, data, finding, width))
                .collect();
            if items.is_empty() {
                items.push(Item::new(Span::styled("no finding", state.theme.style(Tone::Dim))));
            }
            Content::of(items)
        }
        (Tab::Timeline, _) => Content::of(timeline(state, data, session, width)),
        (Tab::Ladder, _) => rungs(state, session, width),
        (Tab::Evidence, _) => Content::of(evidence(state, data, session, width)),
        (Tab::Follow, _) => talk(state, session, width),
        (Tab::Fields | Tab::Packets, _) => Content::of(fields(state, data, session, width)),
    })
}

/// Where a row of frames leads.
fn frames_link(session: &Session, frames: &[crate::place::PacketRef]) -> Option<Link> {
    let connections = session.legs.iter().map(|part| part.connection).collect();
    (!frames.is_empty()).then(|| Link::Frames(frames.to_vec(), connections))
}

/// The times that the gantt shows.
fn window(data: &Data, session: &Session, window: (u32, u32)) -> (Timestamp, Timestamp) {
    let (Timestamp(from), Timestamp(to)) = timeline::window(session, data.origin, data.last);
    let length = (to - from).max(1) as f64;
    let at = |share: u32| from + (length * f64::from(share) / 1_000.0) as i64;
    (Timestamp(at(window.0)), Timestamp(at(window.1).max(at(window.0) + 1)))
}

fn timeline(state: &State, data: &Data, session: &Session, width: usize) -> Vec<Item> {
    const LABEL: usize = 16;
    let theme = &state.theme;
    let (from, to) = window(data, session, state.visit().window);
    let cells = width.saturating_sub(LABEL + 1).max(10);
    let mut items = Vec::new();
    let dim = theme.style(Tone::Dim);
    // A mark each fifteen cells says the time there.
    let mut ruler = String::new();
    let length = to.since(from).0.max(1) as f64;
    let mut at = 0;
    while at + 9 <= cells {
        let time = Timestamp(from.0 + (length * at as f64 / cells as f64) as i64);
        let digits = usize::from(length < 60e9) * 3;
        let said = clock(time - data.origin, digits);
        ruler.push_str(&" ".repeat(at.saturating_sub(ruler.len())));
        ruler.push_str(&said);
        at += if digits > 0 { 18 } else { 14 };
    }
    let ruler = text::cut(&ruler, cells, " ");
    items.push(Item::new(vec![Span::raw(" ".repeat(LABEL)), Span::styled(ruler, dim)]));
    let lane = |name: String, letters: String, tone: Tone| {
        let name = text::fit(&name, LABEL - 1, false, theme.glyphs.ellipsis);
        Item::new(vec![
            Span::styled(name, theme.style(Tone::Heading)),
            Span::raw(" "),
            Span::styled(letters, theme.style(tone)),
        ])
    };
    items.push(lane(session.name(), spark::along(session, from, to, cells), Tone::Plain).stop());
    for part in &session.legs {
        let Some(connection) = data.analysis.connections.get(part.connection as usize) else { continue };
        let place = |time: Timestamp| {
            ((time.0 - from.0) as f64 / length * cells as f64).clamp(0.0, cells as f64) as usize
        };
        let (begin, end) = (place(connection.start), place(connection.end));
        let bars = end.saturating_sub(begin).max(1).min(cells - begin.min(cells - 1));
        let drawn = format!("{}{}", " ".repeat(begin.min(cells - 1)), theme.glyphs.bar.repeat(bars));
        let name = if part.leg.role == Role::Data { "data" } else { "conn" };
        let tone = if part.leg.role == Role::Data { Tone::Server } else { Tone::Client };
        let said = format!("{name} #{} {}", part.connection, connection.client.port);
        items.push(lane(said, drawn, tone).link(frames_link(session, &[connection.first, connection.last])));
    }
    // Others of the same client and server then: who was refused because of whom is seen side by side.
    let beside = data.analysis.sessions.iter().filter(|other| {
        other.id != session.id
            && other.server == session.server
            && other.client.ip == session.client.ip
            && other.end >= from
            && other.start <= to
    });
    for other in beside.take(6) {
        let letters = spark::along(other, from, to, cells);
        items.push(
            lane(format!("beside {}", other.name()), letters, Tone::Dim)
                .link(Some(Link::to(super::super::state::Visit::session(other.id, Tab::Timeline)))),
        );
    }
    items.push(Item::default());
    let said = format!("{:<14} {:>13}  {:>10}  {}", "phase", "from", "lasted", "because");
    items.push(Item::new(Span::styled(
        text::cut(&said, width, theme.glyphs.ellipsis),
        theme.style(Tone::Heading),
    )));
    let clock = state.clock();
    let mut before = None;
    for phase in &session.phases {
        let time = clock.say(phase.start, before, 3);
        before = Some(phase.start);
        let lasted = phase.end.since(phase.start).to_string();
        let said = format!("{:<14} {time:>13}  {lasted:>10}  {}", phase.name.name(), phase.cause);
        let frames = phase.at.map(|at| at.frames()).unwrap_or_default();
        let tone = match phase.name {
            crate::session::PhaseName::Interrupted => Tone::Error,
            crate::session::PhaseName::Idle => Tone::Dim,
            _ => Tone::Plain,
        };
        items.push(
            Item::new(Span::styled(text::cut(&said, width, theme.glyphs.ellipsis), theme.style(tone)))
                .link(frames_link(session, &frames)),
        );
    }
    let facts = data.facts(session.id);
    let said = format!(
        "{}: {}",
        super::super::data::ended(session, facts.end),
        text::clean(&session.outcome.because)
    );
    let link = frames_link(session, &session.outcome.frames);
    items.extend(paragraph(
        theme,
        &[("ended          ".to_owned(), Tone::Heading)],
        &said,
        end_tone(facts.end),
        width,
        link.as_ref(),
    ));
    items
}

/// Whether a row of the ladder means something in the session.
fn turns(row: &Row) -> bool {
    !row.meaning.is_empty() || !matches!(row.step, Step::Message(_))
}

impl Told {
    /// The lines of the ladder that a visit shows.
    pub(in crate::tui) fn rungs_of(&self, visit: &Visit) -> Cow<'_, [Rung]> {
        let rungs: Cow<'_, [Rung]> = if visit.unfolded {
            Cow::Owned(rungs::rungs(&self.ladder.rows, false))
        } else {
            Cow::Borrowed(&self.rungs)
        };
        if !visit.only_phases {
            return rungs;
        }
        let means = |rung: &&Rung| match rung {
            Rung::Row { at, .. } => self.ladder.rows.get(*at).is_some_and(turns),
            Rung::Idle(_) => false,
        };
        Cow::Owned(rungs.iter().filter(means).copied().collect())
    }
}

#[allow(clippy::too_many_lines, reason = "one line of the ladder, from its left to its right")]
fn rungs<'a>(state: &'a State, session: &'a Session, width: usize) -> Content<'a> {
    let Some(told) = state.told(session.id) else {
        return Content::of(vec![Item::new(READING)]);
    };
    let theme = &state.theme;
    let visit = state.visit();
    let rungs = told.rungs_of(visit);
    let clock = state.clock();
    let wide = width >= 100;
    let stamp = if wide { 15 } else { 12 };
    let gap = 9;
    let lane = if wide { 52 } else { width.saturating_sub(stamp + gap + 20).clamp(24, 40) };
    let evidence: std::collections::BTreeSet<u64> = state
        .data
        .as_ref()
        .map(|data| {
            data.analysis
                .findings_of(session)
                .flat_map(crate::rules::Finding::frames)
                .map(|at| at.number)
                .collect()
        })
        .unwrap_or_default();
    let client = told.ladder.client.to_string();
    let server = told.ladder.server.to_string();
    let room = (lane / 2).saturating_sub(1);
    let head = format!(
        "{:>stamp$} {:>gap$} {}{} {}",
        "time",
        "gap",
        text::fit(&client, room, false, theme.glyphs.ellipsis),
        text::fit(&server, lane - room, true, theme.glyphs.ellipsis),
        "meaning"
    );
    let head = not_all(told).unwrap_or(head);
    let head = text::cut(&head, width, theme.glyphs.ellipsis);
    let count = rungs.len() + 1;
    Content {
        rows: count,
        line: Box::new(move |number| {
            let Some(number) = number.checked_sub(1) else {
                return Item::new(Span::styled(head.clone(), theme.style(Tone::Heading)));
            };
            let all = &told.ladder.rows;
            let (row, times, last) = match rungs.get(number) {
                Some(Rung::Row { at, times, last }) => match all.get(*at).zip(all.get(*last)) {
                    Some((row, last)) => (row, *times, last),
                    None => return Item::default(),
                },
                Some(Rung::Idle(span)) => {
                    let said = ladder::idle(&short(*span), lane, &theme.glyphs);
                    let spans = vec![
                        Span::raw(" ".repeat(stamp + gap + 2)),
                        Span::styled(said, theme.style(Tone::Dim)),
                    ];
                    return Item::new(spans);
                }
                None => return Item::default(),
            };
            let before = rungs.get(..number).unwrap_or_default().iter().rev().find_map(|rung| match rung {
                Rung::Row { last, .. } => all.get(*last).map(|row| row.time),
                Rung::Idle(_) => None,
            });
            let time = clock.say(row.time, before, if wide { 6 } else { 3 });
            let time = text::fit(&time, stamp, true, theme.glyphs.ellipsis);
            let since = before.map(|before| row.time.since(before)).filter(|since| since.0 >= 1_000);
            let since = since.map(|since| format!("+{}", short(since))).unwrap_or_default();
            let tone = match row.step {
                Step::Message(Side::Client) => Tone::Client,
                Step::Message(Side::Server) => Tone::Server,
                Step::Silence => Tone::Dim,
                Step::Joint => Tone::Heading,
            };
            let cited = row.frames.iter().any(|at| evidence.contains(&at.number));
            let mut meaning = text::clean(&row.meaning);
            if told.ladder.several && matches!(row.step, Step::Message(_)) {
                meaning = format!("#{} {meaning}", row.connection);
            }
            let mut cited_frames = row.frames.clone();
            if times > 1 {
                // Of many equal ones, the first and the last.
                cited_frames.truncate(1);
                cited_frames.extend(last.frames.last().copied());
                cited_frames.dedup();
            }
            let frames: Vec<String> = cited_frames.iter().take(2).map(|at| state.frame_name(at)).collect();
            if !frames.is_empty() && wide {
                meaning = format!("{} [{}]", meaning.trim_end(), frames.join("-"));
            }
            let mark = if cited { "!" } else { " " };
            let alarm = cited
                || ["NOT RESUMED", "INTERRUPT", "refused", "breaks off"]
                    .iter()
                    .any(|word| row.meaning.contains(word));
            let rest = width.saturating_sub(stamp + gap + lane + 4);
            let spans = vec![
                Span::styled(format!("{time} "), theme.style(Tone::Dim)),
                Span::raw(format!("{since:>gap$} ")),
                Span::styled(ladder::lane(row, times, lane, &theme.glyphs), theme.style(tone)),
                Span::styled(mark, theme.style(Tone::Error)),
                Span::styled(
                    text::cut(meaning.trim_start(), rest, theme.glyphs.ellipsis),
                    theme.style(if alarm { Tone::Error } else { Tone::Plain }),
                ),
            ];
            let mut item = Item::new(spans).link(frames_link(session, &cited_frames));
            item.stop = cited;
            item
        }),
    }
}

fn evidence(state: &State, data: &Data, session: &Session, width: usize) -> Vec<Item> {
    let mut items: Vec<Item> = findings::of_session(data, session)
        .into_iter()
        .flat_map(|finding| findings::full(state, data, finding, width))
        .collect();
    let facts = data.facts(session.id);
    let said = format!(
        "{} ({} confidence): {}",
        super::super::data::ended(session, facts.end),
        session.outcome.confidence.name(),
        text::clean(&session.outcome.because)
    );
    let frames: Vec<String> = session.outcome.frames.iter().map(|at| state.frame_name(at)).collect();
    let said = if frames.is_empty() {
        format!("{said} [assumed]")
    } else {
        format!("{said} [{}]", frames.join(" "))
    };
    let link = frames_link(session, &session.outcome.frames);
    items.extend(paragraph(
        &state.theme,
        &[("ENDED  ".to_owned(), Tone::Heading)],
        &said,
        Tone::Plain,
        width,
        link.as_ref(),
    ));
    items
}

fn talk<'a>(state: &'a State, session: &'a Session, width: usize) -> Content<'a> {
    let Some((_, talk)) = state.talk.as_ref().filter(|(id, _)| *id == session.id) else {
        return Content::of(vec![Item::new(Span::styled(
            "reading the captures again… Esc goes back",
            state.theme.style(Tone::Dim),
        ))]);
    };
    if let Some(trouble) = &talk.trouble {
        return Content::of(vec![Item::new(Span::styled(
            text::clean(trouble),
            state.theme.style(Tone::Warning),
        ))]);
    }
    let visit = state.visit();
    let lines: Vec<usize> = talk
        .lines
        .iter()
        .enumerate()
        .filter(|(_, line)| {
            !matches!((visit.side, line.side), (1, Some(Side::Server)) | (2, Some(Side::Client)))
        })
        .map(|(place, _)| place)
        .collect();
    let connections: Vec<u32> = session.legs.iter().map(|part| part.connection).collect();
    let rows = lines.len().max(1);
    Content {
        rows,
        line: Box::new(move |row| {
            let Some(line) = lines.get(row).and_then(|place| talk.lines.get(*place)) else {
                return Item::new(Span::styled("nothing was said", state.theme.style(Tone::Dim)));
            };
            let tone = match line.side {
                Some(Side::Client) => Tone::Client,
                Some(Side::Server) => Tone::Server,
                None => Tone::Heading,
            };
            let said = text::cut(&line.text, width, state.theme.glyphs.ellipsis);
            let mut item = Item::new(Span::styled(said, state.theme.style(tone)))
                .link(line.at.map(|at| Link::Frames(vec![at], connections.clone())));
            item.stop = line.side.is_none();
            item
        }),
    }
}

/// What is known of the connections of a session.
fn facts_of_legs(data: &Data, session: &Session, say: &mut dyn FnMut(&str, String)) {
    for part in &session.legs {
        let Some(connection) = data.analysis.connections.get(part.connection as usize) else { continue };
        let name = |field: &str| format!("conn[{}].{field}", connection.id);
        let stitch = part
            .stitch
            .map(|stitch| format!(", joined by {} ({})", stitch.by.name(), stitch.by.strength().letter()));
        say(
            &name("ends"),
            format!("{} > {}{}", connection.client, connection.server, stitch.unwrap_or_default()),
        );
        if let Some(stream) = connection.stream {
            say(&name("stream"), format!("{}.stream == {stream}", connection.transport.name()));
        }
        let sides = &connection.sides;
        say(
            &name("bytes"),
            format!(
                "client {} in {} frames, server {} in {} frames",
                bytes(sides.client.payload_bytes),
                count(sides.client.packets),
                bytes(sides.server.payload_bytes),
                count(sides.server.packets)
            ),
        );
        let again = (sides.client.retransmitted_segments, sides.server.retransmitted_segments);
        if again != (0, 0) {
            say(
                &name("retransmitted"),
                format!(
                    "client {}, server {} segments",
                    count(u64::from(again.0)),
                    count(u64::from(again.1))
                ),
            );
        }
        if let Some(rtt) = connection.rtt.initial {
            say(&name("irtt"), rtt.to_string());
        }
        say(
            &name("ended"),
            format!("{}: {}", connection.ended.reason.name(), text::clean(&connection.ended.because)),
        );
        if let Some(tls) = &part.leg.security {
            let version = tls.version.map(|version| format!("0x{version:04x}")).unwrap_or_default();
            let sni = tls.sni.as_deref().map(|sni| format!(", sni {}", text::clean(sni))).unwrap_or_default();
            let alpn =
                tls.alpn.as_deref().map(|alpn| format!(", alpn {}", text::clean(alpn))).unwrap_or_default();
            let resumed = match tls.resumed {
                Some(true) => ", resumed",
                Some(false) => ", full handshake",
                None => "",
            };
            say(&name("tls"), format!("{version}{sni}{alpn}{resumed}"));
        }
        if connection.visibility.began_before {
            say(&name("visibility"), "its beginning is not in the capture".to_owned());
        }
    }
}

fn fields(state: &State, data: &Data, session: &Session, width: usize) -> Vec<Item> {
    let facts = data.facts(session.id);
    let mut items = Vec::new();
    let mut say = |name: &str, said: String| {
        if !said.is_empty() {
            let label = [(format!("{name:<26}"), Tone::Dim)];
            items.extend(paragraph(&state.theme, &label, &said, Tone::Plain, width, None));
        }
    };
    say("session.id", session.name());
    say("session.uid", format!("{:016x}", session.uid));
    say("session.proto", session.protocol.to_owned());
    say("session.client", session.client.to_string());
    say("session.server", session.server.to_string());
    say("session.who", session.principal.as_ref().map(|who| text::clean(&who.name)).unwrap_or_default());
    say("session.start", session.start.rfc3339());
    say("session.end", session.end.rfc3339());
    say("session.dur", session.duration().to_string());
    say("session.history", session.history.clone());
    say("session.state", session.phases.last().map_or("", |phase| phase.name.name()).to_owned());
    say("session.end.kind", facts.end.name().to_owned());
    say("session.end.by", session.outcome.by.name().to_owned());
    say("session.end.cause", session.outcome.reason.name().to_owned());
    say("session.end.confidence", session.outcome.confidence.name().to_owned());
    if let Some(quiet) = session.longest_quiet() {
        say("session.idle.max", quiet.span.to_string());
    }
    say("session.idle.total", session.quiet_total().to_string());
    if let Some(setup) = super::super::data::setup_time(session) {
        say("session.setup.time", setup.to_string());
    }
    for login in session.logins() {
        let how = login.mechanism.unwrap_or("unknown mechanism");
        say("session.auth", format!("{} by {how}, {} attempts", login.result.name(), login.attempts));
    }
    for resume in session.resumptions() {
        say("session.resume", format!("{} by {}", resume.result.name(), resume.mechanism));
    }
    for identity in &session.identities {
        let hint = identity.hint.as_deref().map(|hint| format!(" {}", text::clean(hint))).unwrap_or_default();
        let hex = identity.hash.hex();
        say(
            "session.identity",
            format!("{}{hint} #{}", identity.kind.name(), hex.get(..8).unwrap_or_default()),
        );
    }
    if let Some(confirmed) = session.last_confirmed() {
        let object = confirmed
            .object
            .as_deref()
            .map(|object| format!(" of {}", text::clean(object)))
            .unwrap_or_default();
        say(
            "session.checkpoint.last",
            format!("{}{object} at {}", confirmed.grade.name(), confirmed.at.time.rfc3339()),
        );
    }
    if let Some(risk) = &session.at_risk {
        say("session.at_risk", risk.verdict.name().to_owned());
    }
    facts_of_legs(data, session, &mut say);
    if let Some(note) = state.kept.notes.get(&Subject::Session(session.uid)) {
        say("note", text::clean(note));
    }
    items
}
