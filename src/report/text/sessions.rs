//! One line a session, in columns as wide as they need to be.

use std::fmt::Write as _;

use std::io::{self, Write};

use super::amounts::moment;
use super::concern::concern;
use super::ends::by_phrase;
use super::paint::{Paint, Tone};
use super::table::{Align, aligned, widths};
use super::{Look, named};
use crate::analysis::Analysis;
use crate::escape;
use crate::events::transport::Reason;
use crate::report::words::Word;
use crate::session::{Role, Session};
use crate::story::about;

/// Columns before the end and the letters.
const HEADINGS: [&str; 7] = ["id", "start", "lasted", "protocol", "client", "server", "who, what"];
const ALIGN: [Align; 7] =
    [Align::Left, Align::Right, Align::Right, Align::Left, Align::Left, Align::Left, Align::Left];

/// Characters of what a session is about.
const ABOUT: usize = 28;

/// A heading, and one line for each session.
pub(in crate::report) fn write(
    analysis: &Analysis,
    sessions: &[&Session],
    hide_names: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let rows: Vec<Vec<String>> =
        sessions.iter().map(|session| cells(analysis, session, hide_names, look)).collect();
    let headings: Vec<String> = HEADINGS.map(str::to_owned).to_vec();
    let widths = widths(&headings, &rows);
    let ends: Vec<String> = sessions.iter().map(|session| end(session)).collect();
    let wide = ends.iter().map(String::len).chain([5]).max().unwrap_or(0);
    let heading = format!("{}  {:<wide$}  life", aligned(&headings, &widths, &ALIGN), "ended");
    writeln!(out, "{}", paint.tone(Tone::Heading, heading))?;
    for ((session, row), end) in sessions.iter().zip(&rows).zip(&ends) {
        let line = aligned(row, &widths, &ALIGN);
        let tone = concern(session.outcome.reason).tone();
        writeln!(out, "{line}  {}  {}", paint.tone(tone, format!("{end:<wide$}")), session.history)?;
        if look.verbose && !session.outcome.because.is_empty() {
            writeln!(out, "        {}", escape::terminal(&session.outcome.because))?;
        }
    }
    Ok(())
}

fn cells(analysis: &Analysis, session: &Session, hide_names: bool, look: Look) -> Vec<String> {
    let origin = super::origin(analysis);
    let more = session.legs.iter().filter(|part| part.leg.role == Role::Main).count().saturating_sub(1);
    let data = session.legs.iter().filter(|part| part.leg.role == Role::Data).count();
    let mut client = named(analysis, session.client);
    if more > 0 {
        let _ = write!(client, " +{more}");
    }
    if data > 0 {
        let _ = write!(client, " +{data}d");
    }
    vec![
        session.name(),
        moment(session.start, origin, look.clock),
        session.duration().to_string(),
        session.protocol.to_owned(),
        client,
        named(analysis, session.server),
        escape::terminal(&about(session, hide_names)),
    ]
}

/// `abort by client`.
pub(in crate::report) fn end(session: &Session) -> String {
    match session.outcome.reason {
        Reason::CaptureEnded => "open at the end".to_owned(),
        reason => format!("{} {}", reason.word(), by_phrase(session.outcome.by)).trim_end().to_owned(),
    }
}

/// Who it is, else what it is known by, else what it was about.
pub(in crate::report) fn about(session: &Session, hide_names: bool) -> String {
    let about = about::about(session, hide_names).unwrap_or_else(|| "-".to_owned());
    if about.chars().count() > ABOUT {
        let mut short: String = about.chars().take(ABOUT - 1).collect();
        short.push('…');
        return short;
    }
    about
}

/// Sessions by protocol and by end, for the summary; nothing where there are none.
pub(super) fn counted(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    use std::collections::BTreeMap;
    /// Ends named for one protocol.
    const ENDS: usize = 4;
    if analysis.sessions.is_empty() {
        return Ok(());
    }
    let paint = Paint { on: look.colour };
    let mut protocols: BTreeMap<&str, BTreeMap<(usize, &str), u64>> = BTreeMap::new();
    for session in &analysis.sessions {
        let reason = session.outcome.reason;
        let ends = protocols.entry(session.protocol).or_default();
        *ends.entry((super::concern::rank_of(reason), reason.word())).or_default() += 1;
    }
    let several = analysis.sessions.iter().filter(|session| session.legs.len() > 1).count();
    let total = super::amounts::count(analysis.sessions.len() as u64);
    let joined = if several > 0 { format!(", {several} over several connections") } else { String::new() };
    writeln!(out)?;
    writeln!(out, "{}  {total}{joined}", paint.tone(Tone::Heading, "SESSIONS"))?;
    let shown = if look.verbose { usize::MAX } else { 6 };
    let mut rows: Vec<_> =
        protocols.into_iter().map(|(name, ends)| (ends.values().sum::<u64>(), name, ends)).collect();
    rows.sort_by_key(|(number, name, _)| (std::cmp::Reverse(*number), *name));
    let rest = rows.len().saturating_sub(shown);
    for (number, name, ends) in rows.into_iter().take(shown) {
        let mut named: Vec<String> = ends
            .iter()
            .take(if look.verbose { usize::MAX } else { ENDS })
            .map(|((_, reason), times)| format!("{} {reason}", super::amounts::count(*times)))
            .collect();
        if ends.len() > ENDS && !look.verbose {
            named.push("…".to_owned());
        }
        writeln!(out, "{:>4}  {name:<10} {}", super::amounts::count(number), named.join(", "))?;
    }
    if rest > 0 {
        writeln!(out, "      {rest} more protocols (-v shows all)")?;
    }
    Ok(())
}
