//! `doctor`: what this program would do here, and why.

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use super::{Exit, Stop, coloured, output};
use crate::cli::flags::ColorWhen;
use crate::cli::settings::{KNOWN, Settings, places};
use crate::escape;

pub(in crate::cli) fn run(settings: &Settings) -> Result<Exit, Stop> {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = program(&mut text);
    let _ = files(settings, &mut text);
    let _ = values(settings, &mut text);
    let _ = terminal(&mut text);
    output::deliver(None, |out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Done)
}

fn program(text: &mut String) -> std::fmt::Result {
    let parts = [
        ("terminal interface", cfg!(feature = "tui")),
        ("compressed captures", cfg!(feature = "compressed")),
    ];
    let has = |(name, there): (&str, bool)| format!("{name} {}", if there { "yes" } else { "no" });
    writeln!(text, "PROGRAM")?;
    writeln!(text, "  ghostshark {}: {}", env!("CARGO_PKG_VERSION"), parts.map(has).join(", "))?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    writeln!(text, "  threads: {threads} (--threads changes it, and never a result)")
}

fn files(settings: &Settings, text: &mut String) -> std::fmt::Result {
    writeln!(text, "\nSETTINGS")?;
    for file in &settings.files {
        writeln!(text, "  read: {}", shown(&file.display().to_string()))?;
    }
    if settings.files.is_empty() {
        writeln!(
            text,
            "  no file; looked for .ghostshark.toml from here to the top of the repository, and for"
        )?;
        if let Some(own) = places().pop() {
            writeln!(text, "  {}", shown(&own.display().to_string()))?;
        }
    }
    if let Some(profile) = &settings.profile {
        writeln!(text, "  profile: {}", shown(profile))?;
    }
    Ok(())
}

fn values(settings: &Settings, text: &mut String) -> std::fmt::Result {
    let wide = KNOWN.iter().map(|known| known.name.len()).max().unwrap_or(0);
    for known in &KNOWN {
        let variable = known.variable.and_then(|name| Some((name, env::var(name).ok()?)));
        let said = match (variable, settings.values.get(known.name)) {
            (Some((name, value)), _) => format!("{}  from {name}", shown(&value)),
            (None, Some(value)) => {
                format!(
                    "{}  from {}:{}",
                    shown(&value.text),
                    shown(&value.file.display().to_string()),
                    value.line
                )
            }
            (None, None) => "its own default".to_owned(),
        };
        writeln!(text, "  {:<wide$}  {said}", known.name)?;
    }
    let free = [
        ("names", usize::from(!settings.names.is_empty())),
        ("timers", settings.timers.len()),
        ("keys", settings.keys.len()),
        ("theme", settings.theme.len()),
    ];
    for (section, count) in free.into_iter().filter(|(_, count)| *count > 0) {
        let said = if section == "names" { "given".to_owned() } else { format!("{count} given") };
        writeln!(text, "  {section:<wide$}  {said}")?;
    }
    Ok(())
}

fn terminal(text: &mut String) -> std::fmt::Result {
    let says = |name: &str| env::var(name).map_or("not set".to_owned(), |value| shown(&value));
    let (out, keys) = (io::stdout().is_terminal(), io::stdin().is_terminal());
    writeln!(text, "\nTERMINAL")?;
    writeln!(text, "  standard output is {}; standard input is {}", kind(out), kind(keys))?;
    let opens =
        if out && cfg!(feature = "tui") { "opens the terminal interface" } else { "prints the summary" };
    writeln!(text, "  `ghostshark FILE` {opens}")?;
    let colours = if coloured(ColorWhen::Auto, true) { "yes" } else { "no" };
    writeln!(text, "  colours by themselves: {colours}")?;
    for name in ["TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL"] {
        writeln!(text, "  {name}: {}", says(name))?;
    }
    writeln!(text, "\nFOLDERS")?;
    let folder = env::temp_dir();
    let writable = tempfile::tempfile_in(&folder).is_ok();
    let can = if writable {
        "writable"
    } else {
        "NOT writable: what can be read only once cannot be looked at again"
    };
    writeln!(
        text,
        "  copies of pipes and compressed captures: {}, {can}",
        shown(&folder.display().to_string())
    )?;
    let state = env::var_os("XDG_STATE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    let state = state
        .map_or("none: no HOME".to_owned(), |path| shown(&path.join("ghostshark").display().to_string()));
    writeln!(text, "  places, marks and notes of the terminal interface: {state}")
}

fn kind(terminal: bool) -> &'static str {
    if terminal { "a terminal" } else { "none" }
}

fn shown(value: &str) -> String {
    escape::terminal(value)
}
