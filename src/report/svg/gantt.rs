//! The life of a session as bars along time: its states, its connections, and what others did beside it.

use std::fmt::Write as _;
use std::io;

use super::super::markup::{Attribute, Markup};
use super::super::text::Clock;
use super::super::text::amounts::moment;
use super::{Scene, WIDTH, cut};
use crate::session::{Role, Session};
use crate::story::timeline;
use crate::time::Timestamp;

/// Left of the bars: whose they are.
const LABEL: i64 = 130;
/// Height of a lane.
const LANE: i64 = 18;
/// Above the lanes: the times.
const RULER: i64 = 16;
/// Lanes of connections; of more the rest is counted.
const CONNECTIONS: usize = 8;
/// Other sessions that are shown beside.
const BESIDE: usize = 4;
/// Room that a letter needs.
const LETTER: i64 = 9;

/// A stretch of time that is drawn from left to right.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// Its left end.
    from: Timestamp,
    /// Its right end.
    to: Timestamp,
    /// How wide it is drawn.
    width: i64,
}

impl Span {
    /// Where a time lies; what is outside lies at the end.
    fn place(self, time: Timestamp) -> i64 {
        let length = self.to.since(self.from).0.max(1) as f64;
        let share = time.0.saturating_sub(self.from.0) as f64 / length;
        (share.clamp(0.0, 1.0) * self.width as f64).round() as i64
    }
}

/// The class of a state's bar, by its letter.
fn class(letter: char) -> &'static str {
    match letter {
        's' => "ps",
        'a' => "pa",
        '#' => "pw",
        '.' => "pi",
        '!' => "pb",
        'R' => "pr",
        _ => "pf",
    }
}

/// The bars of a session's states, one path a state, so that many of them stay small.
fn bars(session: &Session, span: Span, top: i64, height: i64) -> Vec<(&'static str, String)> {
    /// A bar that is narrower could not be seen.
    const NARROWEST: i64 = 2;
    let mut paths: Vec<(&'static str, String, i64)> = Vec::new();
    for phase in &session.phases {
        let Some(letter) = timeline::letter(phase.name) else { continue };
        if phase.end < span.from || phase.start > span.to {
            continue;
        }
        let begin = span.place(phase.start).min(span.width - NARROWEST);
        let end = span.place(phase.end).max(begin + NARROWEST);
        let class = class(letter);
        let at = paths.iter().position(|(other, _, _)| *other == class).unwrap_or_else(|| {
            paths.push((class, String::new(), -1));
            paths.len() - 1
        });
        let Some((_, path, drawn)) = paths.get_mut(at) else { continue };
        // What lies under a bar of its own state is drawn already.
        let begin = begin.max(*drawn);
        if end > begin {
            *drawn = end;
            let _ = write!(path, "M{begin} {top}h{}v{height}H{begin}z", end - begin);
        }
    }
    paths.into_iter().map(|(class, path, _)| (class, path)).collect()
}

/// A session's life in a small picture without words, for lists.
pub(in crate::report) fn life(
    markup: &mut Markup<'_>,
    session: &Session,
    scene: &Scene<'_>,
) -> io::Result<()> {
    let span = Span { from: scene.origin, to: scene.last, width: 400 };
    markup.open("svg", &[("class", "life"), ("viewBox", "0 0 400 10"), ("preserveAspectRatio", "none")])?;
    for (class, path) in bars(session, span, 1, 8) {
        markup.empty("path", &[("class", class), ("d", &path)])?;
    }
    if let Some(letter) = timeline::last_letter(session).filter(|letter| *letter != 'f') {
        let x = span.place(session.end).min(span.width - 3);
        let class = if letter == '?' { "mq" } else { "mx" };
        markup.empty("path", &[("class", class), ("d", &format!("M{x} 0h3v10h-3z"))])?;
    }
    markup.close("svg")
}

/// Others of the same client and server at that time: who was refused because of whom is seen side by side.
fn beside<'a>(
    session: &'a Session,
    scene: &Scene<'a>,
    window: (Timestamp, Timestamp),
) -> impl Iterator<Item = &'a Session> {
    let others = scene.analysis.sessions.iter().filter(move |other| {
        other.id != session.id
            && other.server == session.server
            && other.client.ip == session.client.ip
            && other.end >= window.0
            && other.start <= window.1
    });
    others.take(BESIDE)
}

/// How high [`gantt`] is.
pub(super) fn height(session: &Session, scene: &Scene<'_>) -> i64 {
    let window = timeline::window(session, scene.origin, scene.last);
    let connections = session.legs.len().min(CONNECTIONS) + usize::from(session.legs.len() > CONNECTIONS);
    let lanes = 1 + connections + beside(session, scene, window).count();
    RULER + LETTER + lanes as i64 * LANE + 4
}

/// The bars of a session, of its connections and of the sessions beside it.
pub(in crate::report) fn gantt(
    markup: &mut Markup<'_>,
    session: &Session,
    scene: &Scene<'_>,
    place: &[Attribute<'_>],
) -> io::Result<()> {
    let window = timeline::window(session, scene.origin, scene.last);
    let span = Span { from: window.0, to: window.1, width: WIDTH - LABEL - 8 };
    let (width, height) = (WIDTH.to_string(), height(session, scene).to_string());
    let title = format!("The life of {} along time", session.name());
    let view = format!("0 0 {width} {height}");
    let mut attributes = vec![
        ("class", "gantt"),
        ("width", width.as_str()),
        ("height", height.as_str()),
        ("viewBox", view.as_str()),
        ("role", "img"),
        ("aria-label", title.as_str()),
    ];
    attributes.extend_from_slice(place);
    markup.open("svg", &attributes)?;
    ruler(markup, scene, span, &height)?;
    let mut y = RULER + LETTER;
    lane(markup, &session.name(), "name", session, span, y)?;
    letters(markup, session, span, y - 2)?;
    for part in session.legs.iter().take(CONNECTIONS) {
        y += LANE;
        let Some(connection) = scene.analysis.connections.get(part.connection as usize) else { continue };
        let (name, class) = if part.leg.role == Role::Data { ("data", "pd") } else { ("connection", "pc") };
        label(markup, &format!("{name} #{}", connection.id), "aside", y)?;
        let begin = span.place(connection.start).min(span.width - 2);
        let end = span.place(connection.end).max(begin + 2);
        let x = LABEL + begin;
        let path = format!("M{x} {}h{}v4H{x}z", y + 6, end - begin);
        markup.empty("path", &[("class", class), ("d", &path)])?;
    }
    if session.legs.len() > CONNECTIONS {
        y += LANE;
        label(markup, &format!("and {} more", session.legs.len() - CONNECTIONS), "aside", y)?;
    }
    for other in beside(session, scene, window) {
        y += LANE;
        lane(markup, &format!("beside {}", other.name()), "aside", other, span, y)?;
    }
    markup.close("svg")
}

/// The times along the upper edge, and lines below them.
fn ruler(markup: &mut Markup<'_>, scene: &Scene<'_>, span: Span, height: &str) -> io::Result<()> {
    const STEPS: i64 = 5;
    for step in 0..=STEPS {
        let x = (LABEL + span.width * step / STEPS).to_string();
        let length = span.to.since(span.from).0;
        let time = Timestamp(span.from.0.saturating_add(length / STEPS * step));
        let anchor = match step {
            0 => "start",
            STEPS => "end",
            _ => "middle",
        };
        let grid = format!("M{x} {RULER}V{height}");
        markup.empty("path", &[("class", "grid"), ("d", &grid)])?;
        let said = said(time, scene, length);
        let attributes = [("x", x.as_str()), ("y", "10"), ("class", "aside"), ("text-anchor", anchor)];
        markup.element("text", &attributes, &said)?;
    }
    Ok(())
}

/// A time on the ruler, no finer than the eye can tell apart there.
fn said(time: Timestamp, scene: &Scene<'_>, length: i64) -> String {
    if scene.clock != Clock::Relative {
        return moment(time, scene.origin, scene.clock);
    }
    let digits = match length / 1_000_000_000 {
        ..10 => 3,
        10..100 => 1,
        _ => 0,
    };
    format!("{:.digits$} s", (time - scene.origin).as_secs())
}

fn label(markup: &mut Markup<'_>, said: &str, class: &'static str, y: i64) -> io::Result<()> {
    let baseline = (y + 12).to_string();
    markup.element("text", &[("x", "0"), ("y", &baseline), ("class", class)], &cut(said, 18))
}

fn lane(
    markup: &mut Markup<'_>,
    said: &str,
    class: &'static str,
    session: &Session,
    span: Span,
    y: i64,
) -> io::Result<()> {
    label(markup, said, class, y)?;
    markup.open("g", &[("transform", &format!("translate({LABEL} 0)"))])?;
    for (class, path) in bars(session, span, y + 2, LANE - 5) {
        markup.empty("path", &[("class", class), ("d", &path)])?;
    }
    markup.close("g")
}

/// Letters above the bar; where two would stand in one place, the worse one.
fn letters(markup: &mut Markup<'_>, session: &Session, span: Span, y: i64) -> io::Result<()> {
    let mut all: Vec<(i64, char)> = timeline::marks(session)
        .iter()
        .map(|mark| (mark.time, mark.letter))
        .chain(timeline::last_letter(session).map(|letter| (session.end, letter)))
        .filter(|(time, _)| (span.from..=span.to).contains(time))
        .map(|(time, letter)| (span.place(time), letter))
        .collect();
    all.sort_by_key(|(x, letter)| (timeline::rank(*letter), *x));
    let mut placed: Vec<(i64, char)> = Vec::new();
    for (x, letter) in all {
        if placed.iter().all(|(other, _)| (other - x).abs() >= LETTER) {
            placed.push((x, letter));
        }
    }
    placed.sort_unstable();
    let baseline = y.to_string();
    for (x, letter) in placed {
        let x = (LABEL + x.clamp(3, span.width - 3)).to_string();
        let class = if "x!gAn?".contains(letter) { "bad" } else { "name" };
        let attributes = [("x", x.as_str()), ("y", &baseline), ("class", class), ("text-anchor", "middle")];
        markup.element("text", &attributes, &letter.to_string())?;
    }
    Ok(())
}
