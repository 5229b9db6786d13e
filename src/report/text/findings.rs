//! Findings for people: the claim, how it is known, the frames, and how to mend it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::amounts::{counted, moment, said_moment};
use super::paint::{Paint, Tone};
use super::{Clock, Look, hanging, named, origin, wrapped_to};
use crate::analysis::Analysis;
use crate::escape;
use crate::events::Confidence;
use crate::place::PacketRef;
use crate::report::filter;
use crate::report::findings::{FindingList, Group, is_told, sort};
use crate::report::words::Word;
use crate::rules::{Evidence, Fault, Finding, Layer, Role, Severity};
use crate::session::Session;

/// Width of the lines.
const WIDTH: usize = 100;

/// Findings shown in the summary without being asked for more.
const SHOWN: usize = 4;

/// The findings under their headings.
pub(in crate::report) fn write(
    analysis: &Analysis,
    chosen: &[&Finding],
    list: &FindingList,
    out: &mut dyn Write,
) -> io::Result<()> {
    let look = list.look;
    let paint = Paint { on: look.colour };
    let mut groups: Vec<(String, Vec<&Finding>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for finding in chosen {
        let heading = heading(analysis, finding, list.group);
        let place = *places.entry(heading.clone()).or_insert_with(|| {
            groups.push((heading, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(finding);
    }
    for (index, (heading, findings)) in groups.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", paint.tone(Tone::Heading, heading))?;
        for finding in findings {
            one(analysis, finding, list.group, look, out)?;
        }
    }
    if chosen.is_empty() {
        let good = "nothing above a remark, as far as the captures show";
        writeln!(out, "{}", paint.tone(Tone::Good, good))?;
    }
    let hidden = analysis.findings.iter().filter(|finding| !is_told(finding)).count();
    if !list.all && hidden > 0 && list.rules.is_empty() {
        let more = format!(
            "{} (remarks, guesses, consequences of others) not shown; --all shows all",
            counted(hidden as u64, "finding")
        );
        writeln!(out, "\n{}", paint.tone(Tone::Aside, more))?;
    }
    Ok(())
}

fn heading(analysis: &Analysis, finding: &Finding, group: Group) -> String {
    let connection = finding.connections.first().and_then(|id| analysis.connections.get(*id as usize));
    match group {
        Group::Rule => format!("{} {}: {}", finding.rule.code, finding.rule.name, finding.rule.title),
        Group::Server => {
            connection.map_or("the captures".to_owned(), |c| format!("server {}", named(analysis, c.server)))
        }
        Group::Session => finding.session.map_or("several sessions, or the captures".to_owned(), |id| {
            let session = analysis.sessions.get((id as usize).saturating_sub(1));
            let ends = session.map_or(String::new(), |s| {
                format!("  {}  {} -> {}", s.protocol, named(analysis, s.client), named(analysis, s.server))
            });
            format!("S-{id:04}{ends}")
        }),
    }
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Info => Tone::Aside,
        Severity::Warning => Tone::Odd,
        Severity::Error | Severity::Critical => Tone::Bad,
    }
}

fn sure(confidence: Confidence) -> String {
    match confidence {
        Confidence::Certain => "certain".to_owned(),
        unsure => format!("{} confidence", unsure.word()),
    }
}

/// Whose it is, for a line.
fn whose(fault: Fault) -> String {
    match fault {
        Fault::Unknown => "nobody's fault for sure".to_owned(),
        Fault::Capture => "the recording's".to_owned(),
        fault => format!("fault: {}", fault.word()),
    }
}

/// `S-0003, #4, #5` and how many more.
fn about(finding: &Finding) -> String {
    const LISTED: usize = 4;
    let mut parts: Vec<String> = finding.session.map(|id| format!("S-{id:04}")).into_iter().collect();
    parts.extend(finding.connections.iter().take(LISTED).map(|id| format!("#{id}")));
    if finding.connections.len() > LISTED {
        parts.push(format!("and {} more", finding.connections.len() - LISTED));
    }
    parts.join(" ")
}

fn one(
    analysis: &Analysis,
    finding: &Finding,
    group: Group,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let rule = if group == Group::Rule {
        String::new()
    } else {
        format!("  {} {}", finding.rule.code, finding.rule.name)
    };
    let severity = paint.tone(tone(finding.severity), finding.severity.word());
    let when = said_moment(finding.time, origin(analysis), look.clock);
    writeln!(
        out,
        "  {} {severity}{rule}  {}  {when}, {}, {}",
        finding.name(),
        about(finding),
        sure(finding.confidence),
        whose(finding.fault),
    )?;
    hanging(out, "    ", &wrapped_to(&escape::terminal(&finding.message), 4, WIDTH))?;
    for piece in &finding.evidence {
        let text = format!("{} [{}]", escape::terminal(&piece.sentence), cited(piece, analysis, look.clock));
        hanging(out, &format!("    {:<8} ", piece.role.word()), &wrapped_to(&text, 13, WIDTH))?;
    }
    let mut line = |name: &str, text: &str| {
        if text.is_empty() {
            return Ok(());
        }
        hanging(out, &format!("    {name:<8} "), &wrapped_to(&escape::terminal(text), 13, WIDTH))
    };
    line("why", &finding.why)?;
    for other in &finding.ruled_out {
        line("not", other)?;
    }
    line("mend", &finding.advice)?;
    if let Some(cause) = finding.caused_by {
        line("because", &format!("of F-{cause:04}"))?;
    }
    for shown in filter::finding(finding, analysis) {
        let place = shown.capture.map_or(String::new(), |file| format!("[{}] ", file.0));
        writeln!(out, "    {:<8} {place}{}", "filter", paint.tone(Tone::Aside, shown.filter))?;
    }
    Ok(())
}

/// The frames of a piece of evidence, as Wireshark numbers them; of an absence without any the window.
pub(in crate::report) fn cited(piece: &Evidence, analysis: &Analysis, clock: Clock) -> String {
    let several = analysis.files.len() > 1;
    let name =
        |at: &PacketRef| if several { format!("{}:{}", at.file.0, at.frame) } else { at.frame.to_string() };
    let names: Vec<String> = piece.frames.iter().map(name).collect();
    if let (Some((start, end)), []) = (piece.window, &names[..]) {
        let at = |time| moment(time, origin(analysis), clock);
        return format!("{} to {}", at(start), at(end));
    }
    match (piece.role, &names[..]) {
        (_, []) => "no frame".to_owned(),
        (Role::Absence, [first, .., last]) => format!("between frames {first} and {last}"),
        (Role::Absence, [only]) => format!("after frame {only}"),
        (_, [only]) => format!("frame {only}"),
        (_, all) => format!("frames {}", all.join(", ")),
    }
}

/// The findings about a session, the worst first; consequences of others stand below them in one line each.
pub(super) fn of_session(
    analysis: &Analysis,
    session: &Session,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let mut findings: Vec<&Finding> = analysis.findings_of(session).collect();
    if findings.is_empty() {
        return Ok(());
    }
    sort(&mut findings);
    writeln!(out)?;
    writeln!(out, "{}", paint.tone(Tone::Heading, "FINDINGS"))?;
    let (told, others): (Vec<&Finding>, Vec<&Finding>) =
        findings.into_iter().partition(|finding| is_told(finding) || look.verbose);
    for finding in told {
        one(analysis, finding, Group::Session, look, out)?;
    }
    for finding in others {
        let severity = paint.tone(tone(finding.severity), finding.severity.word());
        let cause = finding.caused_by.map_or(String::new(), |id| format!(" (because of F-{id:04})"));
        let text = format!("{}{cause}", escape::terminal(&finding.message));
        let first = format!("  {} {severity}  {}  ", finding.name(), finding.rule.code);
        let indent = finding.name().len() + finding.severity.word().len() + finding.rule.code.len() + 7;
        let lines = wrapped_to(&text, indent, WIDTH);
        for (number, line) in lines.iter().enumerate() {
            if number == 0 { writeln!(out, "{first}{line}")? } else { writeln!(out, "{:indent$}{line}", "")? }
        }
    }
    Ok(())
}

/// The worst findings, in short, for the summary. Gives how many were shown.
pub(super) fn worst(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<usize> {
    let paint = Paint { on: look.colour };
    // The captures have said what is wrong with them above.
    let about_sessions = |finding: &&Finding| is_told(finding) && finding.layer != Layer::Capture;
    let mut told: Vec<&Finding> = analysis.findings.iter().filter(about_sessions).collect();
    sort(&mut told);
    if told.is_empty() {
        return Ok(0);
    }
    writeln!(out)?;
    writeln!(out, "{}", paint.tone(Tone::Heading, "FINDINGS"))?;
    let shown = if look.verbose { told.len() } else { SHOWN };
    for finding in told.iter().take(shown) {
        let severity = paint.tone(tone(finding.severity), finding.severity.word());
        writeln!(
            out,
            "  {} {severity}  {} {}  {}, {}, {}",
            finding.name(),
            finding.rule.code,
            finding.rule.name,
            about(finding),
            sure(finding.confidence),
            whose(finding.fault)
        )?;
        hanging(out, "    ", &super::wrapped(&escape::terminal(&finding.message), 4))?;
        if !finding.advice.is_empty() {
            hanging(out, "    mend: ", &super::wrapped(&escape::terminal(&finding.advice), 10))?;
        }
        if let Some(shown) = filter::finding(finding, analysis).first() {
            let place = shown.capture.map_or(String::new(), |file| format!("[{}] ", file.0));
            writeln!(out, "    {place}{}", paint.tone(Tone::Aside, &shown.filter))?;
        }
    }
    if told.len() > shown {
        writeln!(out, "  {} more; `findings` lists them, -v shows them here", told.len() - shown)?;
    }
    Ok(shown.min(told.len()))
}
