//! Profiles of services: as text, as a table, as records.

use std::io::{self, Write};

use serde::Serialize;

use super::columns::quoted;
use super::jsonl;
use super::stories::TableForm;
use super::text::{Look, Paint, Tone, paragraph};
use super::view::Seconds;
use super::words::{Said, Word};
use crate::analysis::Analysis;
use crate::events::Side;
use crate::events::transport::{By, Reason};
use crate::story::services::{Service, candidates, services};

/// The profiles of all servers.
///
/// # Errors
/// What the writer says.
pub fn write(analysis: &Analysis, form: TableForm, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let all = services(analysis);
    match form {
        TableForm::Text => all.iter().enumerate().try_for_each(|(index, service)| {
            if index > 0 {
                writeln!(out)?;
            }
            text(service, look, out)
        }),
        TableForm::Csv => csv(&all, out),
        TableForm::Jsonl => all.iter().try_for_each(|service| jsonl::line(out, &Record::new(service))),
    }
}

fn side(by: By) -> String {
    match by {
        By::Unknown => String::new(),
        by => format!(" by the {}", by.word()),
    }
}

fn ends(service: &Service) -> String {
    let parts =
        service.ends.iter().map(|(reason, by, count)| format!("{count} {}{}", reason.word(), side(*by)));
    parts.collect::<Vec<_>>().join(", ")
}

fn idle_timers(service: &Service) -> Vec<String> {
    let one = |(by, span, count): &(By, _, u64)| {
        let who = if *by == By::Unknown { "something".to_owned() } else { format!("the {}", by.word()) };
        let ends = if *count == 1 { "1 end".to_owned() } else { format!("{count} ends") };
        let like = candidates(*span).map_or(String::new(), |names| format!("; shipped so: {names}"));
        format!("{who} ends it after {span} of quiet ({ends}){like}")
    };
    service.idle_timers.iter().map(one).collect()
}

fn resumption(service: &Service) -> Vec<String> {
    let mut lines = Vec::new();
    if !service.offered.is_empty() {
        let names: Vec<&str> = service.offered.iter().copied().collect();
        lines.push(format!("offered: {}", names.join(", ")));
    }
    for (mechanism, tried, granted, refused) in &service.resumptions {
        lines.push(format!(
            "{mechanism}: {tried} tried, {granted} accepted, {refused} refused or passed over"
        ));
    }
    lines
}

/// Whether what a session had is still there after its connection broke.
fn survives(service: &Service) -> String {
    match service.survives {
        None => "unknown: no session was taken up again".to_owned(),
        Some((tried, granted)) if granted == tried => format!("state survives: {granted} of {tried} went on"),
        Some((tried, 0)) => format!("state is lost: none of {tried} went on"),
        Some((tried, granted)) => format!("state survives at times: {granted} of {tried} went on"),
    }
}

fn text(service: &Service, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let protocols: Vec<&str> = service.protocols.iter().copied().collect();
    let head = format!("{}  {}", service.server, protocols.join(", "));
    let plural =
        |count: u64, one: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") };
    let size = format!("{} of {}", plural(service.sessions, "session"), plural(service.clients, "client"));
    writeln!(out, "{}  {size}", paint.tone(Tone::Heading, head))?;
    let mut line = |name: &str, text: &str| -> io::Result<()> {
        for (number, part) in paragraph(text, 16).iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            writeln!(out, "  {name:<13} {part}")?;
        }
        Ok(())
    };
    line("ends", &ends(service))?;
    let timers = idle_timers(service);
    for timer in &timers {
        line("idle timer", timer)?;
    }
    if timers.is_empty() {
        line("idle timer", "unknown: no end looks like one")?;
    }
    for (side, timer, span) in &service.declared {
        line("declared", &format!("{timer} {span} by the {}", side.name()))?;
    }
    match service.keepalives {
        (None, None) => line("keep-alive", "none seen")?,
        (tcp, app) => {
            let parts = [
                tcp.map(|span| format!("TCP every {span}")),
                app.map(|span| format!("protocol every {span}")),
            ];
            line("keep-alive", &parts.into_iter().flatten().collect::<Vec<_>>().join(", "))?;
        }
    }
    for part in resumption(service) {
        line("resumption", &part)?;
    }
    line("after a break", &survives(service))?;
    let (granted, refused) = service.logins;
    if granted + refused > 0 {
        line("logins", &format!("{granted} accepted, {refused} refused"))?;
    }
    if service.ghosts > 0 {
        line("ghosts", &format!("{}, see `findings`", plural(service.ghosts, "session")))?;
    }
    Ok(())
}

fn csv(all: &[Service], out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "server,protocols,sessions,clients,ends,idle_timer_s,idle_timer_by,resumptions_tried,resumptions_accepted,logins_accepted,logins_refused,ghosts\r\n"
    )?;
    for service in all {
        let protocols: Vec<&str> = service.protocols.iter().copied().collect();
        let timer = service.idle_timers.iter().max_by_key(|(_, _, count)| *count);
        let tried: u64 = service.resumptions.iter().map(|(_, tried, ..)| tried).sum();
        let granted: u64 = service.resumptions.iter().map(|(_, _, granted, _)| granted).sum();
        let cells = [
            service.server.to_string(),
            protocols.join(" "),
            service.sessions.to_string(),
            service.clients.to_string(),
            ends(service),
            timer.map_or(String::new(), |(_, span, _)| span.as_secs().to_string()),
            timer.map_or(String::new(), |(by, ..)| by.word().to_owned()),
            tried.to_string(),
            granted.to_string(),
            service.logins.0.to_string(),
            service.logins.1.to_string(),
            service.ghosts.to_string(),
        ];
        write!(out, "{}\r\n", cells.map(quoted).join(","))?;
    }
    Ok(())
}

/// A profile for machines.
#[derive(Debug, Serialize)]
struct Record {
    server: String,
    protocols: Vec<&'static str>,
    sessions: u64,
    clients: u64,
    ends: Vec<End>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    idle_timers: Vec<IdleTimer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    declared: Vec<Declared>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resumption_offered: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resumptions: Vec<Resumptions>,
    logins_accepted: u64,
    logins_refused: u64,
    ghosts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    survived: Option<Survived>,
}

#[derive(Debug, Serialize)]
struct End {
    reason: Said<Reason>,
    by: Said<By>,
    count: u64,
}

#[derive(Debug, Serialize)]
struct IdleTimer {
    by: Said<By>,
    median_s: Seconds,
    ends: u64,
}

#[derive(Debug, Serialize)]
struct Declared {
    by: Said<Side>,
    timer: &'static str,
    longest_s: Seconds,
}

#[derive(Debug, Serialize)]
struct Resumptions {
    mechanism: &'static str,
    tried: u64,
    granted: u64,
    refused: u64,
}

#[derive(Debug, Serialize)]
struct Survived {
    taken_up: u64,
    went_on: u64,
}

impl Record {
    fn new(service: &Service) -> Self {
        let end = |(reason, by, count): &(Reason, By, u64)| End {
            reason: Said(*reason),
            by: Said(*by),
            count: *count,
        };
        Self {
            server: service.server.to_string(),
            protocols: service.protocols.iter().copied().collect(),
            sessions: service.sessions,
            clients: service.clients,
            ends: service.ends.iter().map(end).collect(),
            idle_timers: service
                .idle_timers
                .iter()
                .map(|(by, span, ends)| IdleTimer { by: Said(*by), median_s: Seconds(*span), ends: *ends })
                .collect(),
            declared: service
                .declared
                .iter()
                .map(|(by, timer, span)| Declared { by: Said(*by), timer, longest_s: Seconds(*span) })
                .collect(),
            resumption_offered: service.offered.iter().copied().collect(),
            resumptions: service
                .resumptions
                .iter()
                .map(|&(mechanism, tried, granted, refused)| Resumptions {
                    mechanism,
                    tried,
                    granted,
                    refused,
                })
                .collect(),
            logins_accepted: service.logins.0,
            logins_refused: service.logins.1,
            ghosts: service.ghosts,
            survived: service.survives.map(|(taken_up, went_on)| Survived { taken_up, went_on }),
        }
    }
}
