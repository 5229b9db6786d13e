//! The story of a session, and its ladder, as text.

use std::io::{self, Write};

use super::amounts::moment;
use super::concern::concern;
use super::paint::{Paint, Tone};
use super::{Look, findings, hanging, named, origin, wrapped_to};
use crate::analysis::Analysis;
use crate::escape;
use crate::events::Side;
use crate::place::PacketRef;
use crate::session::{Role, Session};
use crate::story::ladder::{Ladder, Row, Step};
use crate::story::narrative::{Proof, Story};
use crate::time::Timestamp;

/// Width of the lines of a story.
const WIDTH: usize = 100;
/// Characters between the two sides of a ladder.
const LANE: usize = 46;
/// Rows of a ladder that are shown at its beginning and at its end where it is long.
const SHOWN: usize = 60;

/// A heading, what happened, and what to do next.
pub(in crate::report) fn write(
    analysis: &Analysis,
    session: &Session,
    story: &Story,
    ladder: Option<&Ladder>,
    hide_names: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let origin = origin(analysis);
    writeln!(out, "{}", paint.tone(Tone::Heading, heading(analysis, session, hide_names)))?;
    let life = format!("life {}", session.history);
    writeln!(out, "{}", paint.tone(Tone::Aside, life))?;
    writeln!(out)?;
    writeln!(out, "{}", paint.tone(Tone::Heading, "WHAT HAPPENED"))?;
    let times: Vec<String> = story.lines.iter().map(|line| moment(line.time, origin, look.clock)).collect();
    let wide = times.iter().map(String::len).max().unwrap_or(0);
    for (line, time) in story.lines.iter().zip(&times) {
        let tone = match line.phase {
            "ended" => concern(session.outcome.reason).tone(),
            "interrupted" | "login refused" | "refused" | "not resumed" | "at risk" | "owed"
            | "interrupt" => Tone::Odd,
            _ => Tone::Good,
        };
        let phase = format!("{:<13}", line.phase);
        let cited = cited(&line.proof, analysis.files.len() > 1);
        let text = format!("{} [{cited}]", escape::terminal(&line.text));
        let indent = wide + 17;
        let lines = wrapped_to(&text, indent, WIDTH);
        let first = format!("{time:>wide$}  {}  ", paint.tone(tone, &phase));
        for (number, text) in lines.iter().enumerate() {
            if number == 0 {
                writeln!(out, "{first}{text}")?;
            } else {
                writeln!(out, "{:indent$}{text}", "")?;
            }
        }
    }
    findings::of_session(analysis, session, look, out)?;
    writeln!(out)?;
    let next = wrapped_to(&escape::terminal(&story.next), 6, WIDTH);
    hanging(out, "NEXT  ", &next)?;
    if let Some(ladder) = ladder {
        writeln!(out)?;
        rungs(ladder, origin, look, analysis.files.len() > 1, out)?;
    }
    Ok(())
}

/// `S-0171  ftp  10.0.0.1:40000 -> 10.0.0.2:21  2 connections`.
pub(in crate::report) fn heading(analysis: &Analysis, session: &Session, hide_names: bool) -> String {
    let mains = session.legs.iter().filter(|part| part.leg.role == Role::Main).count();
    let data = session.legs.len() - mains;
    let several = match (mains, data) {
        (1, 0) => "1 connection".to_owned(),
        (mains, 0) => format!("{mains} connections"),
        (1, data) => format!("1 connection and {data} for data"),
        (mains, data) => format!("{mains} connections and {data} for data"),
    };
    let clear = match session.clear {
        crate::session::Clarity::Clear => "",
        crate::session::Clarity::Mixed => ", not all of it readable",
        crate::session::Clarity::Opaque => ", seen from outside only",
    };
    let who = session.principal.as_ref().filter(|_| !hide_names);
    let who = who.map(|who| format!("{}  ", escape::terminal(&who.name)));
    format!(
        "{}  {}  {}{} -> {}  {}, {several}{clear}",
        session.name(),
        session.protocol,
        who.unwrap_or_default(),
        named(analysis, session.client),
        named(analysis, session.server),
        session.duration(),
    )
}

/// The frames, as Wireshark numbers them.
pub(in crate::report) fn cited(proof: &Proof, several: bool) -> String {
    let name =
        |at: &PacketRef| if several { format!("{}:{}", at.file.0, at.frame) } else { at.frame.to_string() };
    match proof {
        Proof::Frames(frames) => match &frames[..] {
            [] => "no frame".to_owned(),
            [only] => format!("frame {}", name(only)),
            all => format!("frames {}", all.iter().map(name).collect::<Vec<_>>().join(", ")),
        },
        Proof::Through(first, last) if first == last => format!("frame {}", name(first)),
        Proof::Through(first, last) => format!("frames {}-{}", name(first), name(last)),
        Proof::Between(first, last) => format!("between frames {} and {}", name(first), name(last)),
    }
}

/// The rungs of a ladder.
fn rungs(
    ladder: &Ladder,
    origin: Timestamp,
    look: Look,
    several: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let wide =
        ladder.rows.iter().map(|row| moment(row.time, origin, look.clock).len()).max().unwrap_or(4).max(4);
    let server = ladder.server.to_string();
    let heading = format!(
        "{:>wide$}  {:>9}  {:<lane$}  meaning",
        "time",
        "gap",
        format!(
            "{:<room$}{server}",
            ladder.client.to_string(),
            room = (LANE + 2).saturating_sub(server.len())
        ),
        lane = LANE + 2
    );
    writeln!(out, "{}", paint.tone(Tone::Heading, heading))?;
    let hidden = if look.verbose { 0 } else { ladder.rows.len().saturating_sub(2 * SHOWN) };
    let mut before: Option<Timestamp> = None;
    for (index, row) in ladder.rows.iter().enumerate() {
        if hidden > 0 && index >= SHOWN && index < SHOWN + hidden {
            if index == SHOWN {
                writeln!(out, "{:>wide$}  {:>9}  … {hidden} rows not shown (-v shows all) …", "", "")?;
            }
            before = Some(row.time);
            continue;
        }
        let gap = before.map(|before| row.time.since(before)).filter(|gap| gap.0 >= 1_000);
        let gap = gap.map(|gap| format!("+{gap}")).unwrap_or_default();
        before = Some(row.time);
        let time = moment(row.time, origin, look.clock);
        let mut meaning = escape::terminal(&row.meaning);
        if ladder.several && matches!(row.step, Step::Message(_)) {
            meaning = format!("#{} {meaning}", row.connection);
        }
        let frames = cited(&Proof::Frames(row.frames.clone()), several);
        let cited = if meaning.trim().is_empty() {
            format!("[{frames}]")
        } else {
            format!("{} [{frames}]", meaning.trim_end())
        };
        writeln!(out, "{time:>wide$}  {gap:>9}  {}  {cited}", lane(row))?;
    }
    Ok(())
}

/// The part between the two sides: `|-- SYN ------------>|`.
fn lane(row: &Row) -> String {
    let times = if row.count > 1 { format!(" x{}", row.count) } else { String::new() };
    let label = escape::terminal(&row.label);
    let label = cut(&label, LANE.saturating_sub(8 + times.len()));
    match row.step {
        Step::Message(Side::Client) => {
            let text = format!("-- {label}{times} ");
            format!("|{text}{}>|", "-".repeat(LANE.saturating_sub(text.chars().count() + 1)))
        }
        Step::Message(Side::Server) => {
            let text = format!(" {label}{times} --");
            format!("|<{}{text}|", "-".repeat(LANE.saturating_sub(text.chars().count() + 1)))
        }
        Step::Silence => format!("|{:^LANE$}|", format!("... {label} ...")),
        // What joins the two may need the whole width, and nothing stands beside it that must be in line.
        Step::Joint => format!("== {:<w$}", escape::terminal(&row.label), w = LANE - 1),
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: Step, label: &str, count: u32) -> Row {
        Row {
            time: Timestamp(0),
            connection: 0,
            step,
            label: label.to_owned(),
            meaning: String::new(),
            count,
            frames: Vec::new(),
        }
    }

    #[test]
    fn rungs_are_of_one_width() {
        for label in ["SYN", "GET /a/very/long/path/that/does/not/fit/in/a/lane/of/a/ladder", "\u{1b}[2J"] {
            for step in [Step::Message(Side::Client), Step::Message(Side::Server), Step::Silence] {
                let lane = lane(&row(step, label, 12));
                assert_eq!(lane.chars().count(), LANE + 2, "{lane}");
                assert!(!lane.contains('\u{1b}'));
            }
        }
    }

    #[test]
    fn frames_are_named_as_they_are_meant() {
        let at = |frame| PacketRef { frame, number: frame, ..PacketRef::default() };
        assert_eq!(cited(&Proof::Frames(vec![at(3)]), false), "frame 3");
        assert_eq!(cited(&Proof::Frames(vec![at(3), at(9)]), true), "frames 0:3, 0:9");
        assert_eq!(cited(&Proof::Through(at(3), at(9)), false), "frames 3-9");
        assert_eq!(cited(&Proof::Between(at(3), at(9)), false), "between frames 3 and 9");
    }
}
