//! One line an event: frame, time, connection, side, protocol, word, stage, what was said.

use std::io::{self, Write};

use super::amounts::moment;
use super::paint::{Paint, Tone};
use super::{Look, origin};
use crate::analysis::Analysis;
use crate::escape;
use crate::events::{Event, Grade, Marks, Scope, Side};
use crate::story::tables::names_of_sessions;

/// The events, in order, at most so many.
pub(in crate::report) fn write(
    analysis: &Analysis,
    limit: usize,
    meant: &dyn Fn(usize) -> bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let origin = origin(analysis);
    let sessions = names_of_sessions(analysis);
    let several = analysis.files.len() > 1;
    let heading = format!(
        "{:>7}  {:>11}  {:<6}  {:>5}     {:<9}  {:<12} {:<7}  said",
        "frame", "time", "sess", "conn", "protocol", "word", "stage"
    );
    writeln!(out, "{}", paint.tone(Tone::Heading, heading))?;
    let told = analysis
        .events
        .iter()
        .enumerate()
        .filter(|(place, _)| meant(*place))
        .filter_map(|(_, event)| Some((event, analysis.connection(event.connection)?.id)));
    for (event, connection) in told.take(limit) {
        let at = event.extent.last;
        let frame = if several { format!("{}:{}", at.file.0, at.frame) } else { at.frame.to_string() };
        let session = sessions.get(&connection).map_or("-".to_owned(), |id| format!("S-{id:04}"));
        let arrow = if event.side == Side::Client { "->" } else { "<-" };
        let line = format!(
            "{frame:>7}  {:>11}  {session:<6}  {:>5}  {arrow} {:<9}  {:<12} {:<7}  {}",
            moment(event.moment.time, origin, look.clock),
            format!("#{connection}"),
            event.protocol,
            event.word.name(),
            event.stage.name(),
            escape::terminal(&said(event))
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Command, status, position, and the rest that people may want.
fn said(event: &Event) -> String {
    let details = event.details();
    let mut parts: Vec<String> = Vec::new();
    if !event.op.is_empty() {
        parts.push(event.op.to_string());
    }
    parts.push(event.code.to_string());
    parts.extend(details.object.as_deref().map(str::to_owned));
    parts.extend(details.text.as_deref().map(|text| format!("\"{text}\"")));
    parts.extend(details.mechanism.map(|mechanism| format!("by {mechanism}")));
    parts.extend(event.grade.map(|grade| Grade::name(grade).to_owned()));
    if let Some(position) = details.position {
        let of = position.of.map(|of| format!(" of {of}")).unwrap_or_default();
        parts.push(format!("at {}{of} {}", position.value, position.unit.name()));
    }
    parts.extend(details.quiet.map(|quiet| format!("after {quiet} without payload")));
    for declared in &details.declared {
        parts.push(format!("{} {}", declared.timer.name(), declared.span));
    }
    for identity in &details.identities {
        let hint = identity.hint.as_deref().map(|hint| format!(" {hint}")).unwrap_or_default();
        parts.push(format!("{{{}{hint}}}", identity.kind.name()));
    }
    if event.count > 1 {
        parts.push(format!("x{}", event.count));
    }
    if !matches!(event.scope, Scope::Session | Scope::Transport) {
        parts.push(format!("({})", event.scope.name()));
    }
    for (mark, name) in [
        (Marks::OPAQUE, "not readable"),
        (Marks::SILENT, "in silence"),
        (Marks::PARTIAL, "in part"),
        (Marks::FATAL, "fatal"),
        (Marks::TIMER, "timer"),
        (Marks::SHUTDOWN, "shutdown"),
        (Marks::TAKEN_OVER, "taken over"),
        (Marks::LIMIT, "limit"),
        (Marks::STATE_LOST, "state lost"),
        (Marks::HELD, "held"),
        (Marks::REPEATED, "repeated"),
    ] {
        if event.marks.has(mark) {
            parts.push(format!("[{name}]"));
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}
