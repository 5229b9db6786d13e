//! `policy`: a policy to begin with, the mistakes of one, and what one means.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{Exit, Stop, output};
use crate::cli::flags::PolicyVerb;
use crate::gate::{Baseline, Policy, Wrong};
use crate::rules::Severity;

/// A policy to begin with.
const START: &str = include_str!("policy.toml");

pub(in crate::cli) fn run(verb: &PolicyVerb) -> Result<Exit, Stop> {
    let text = match verb {
        PolicyVerb::Init => START.to_owned(),
        PolicyVerb::Lint { file } => {
            let policy = read_policy(file)?;
            format!(
                "{}: no mistake; {} asserts, {} mutes, {} rules, {} timers\n",
                file.display(),
                policy.asserts.len(),
                policy.mutes.len(),
                policy.rules.len(),
                policy.timers.len()
            )
        }
        PolicyVerb::Show { file } => meaning(&read_policy(file)?),
    };
    output::deliver(None, |out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Done)
}

/// Reads a policy; its first mistake is told with its place.
pub(super) fn read_policy(path: &Path) -> Result<Policy, Stop> {
    Policy::parse(&read(path)?).map_err(|wrong| refused(path, &wrong))
}

/// Reads a baseline.
pub(super) fn read_baseline(path: &Path) -> Result<Baseline, Stop> {
    Baseline::parse(&read(path)?).map_err(|wrong| refused(path, &wrong))
}

fn read(path: &Path) -> Result<String, Stop> {
    fs::read_to_string(path).map_err(|cause| Stop::Usage(format!("{}: cannot read: {cause}", path.display())))
}

fn refused(path: &Path, wrong: &Wrong) -> Stop {
    Stop::Usage(format!("{}: {wrong}", path.display()))
}

/// What a policy means, in sentences.
fn meaning(policy: &Policy) -> String {
    let mut text = String::new();
    let gate = &policy.gate;
    let word = |severity: Option<Severity>| severity.map_or("never", Severity::name);
    let _ = writeln!(
        text,
        "fails on: {} (findings of at least {:?} confidence)",
        word(gate.fail_on),
        gate.min_confidence
    );
    for (severity, most) in &gate.budgets {
        let _ = writeln!(text, "at most {most} new findings of severity {}", severity.name());
    }
    if let Some(most) = gate.drops_percent {
        let _ = writeln!(text, "the recorder may drop {most} % of the packets");
    }
    if let Some(most) = gate.oneway_percent {
        let _ = writeln!(text, "{most} % of the connections may be seen from one side only");
    }
    for (code, setting) in &policy.rules {
        let _ = writeln!(text, "{code}: {}", setting.severity.map_or("switched off", Severity::name));
    }
    for timer in &policy.timers {
        let _ = writeln!(text, "timer {}: {} where {}", timer.name, timer.path_idle, timer.matches);
    }
    for mute in &policy.mutes {
        let only = mute.only.as_ref().map_or(String::new(), |filter| format!(" where {filter}"));
        let until = mute.expires.map_or(String::new(), |day| format!(", until {day}"));
        let _ = writeln!(text, "muted: {}{only}{until}: {}", mute.rule.unwrap_or("every rule"), mute.reason);
    }
    for assert in &policy.asserts {
        let only = assert.only.as_ref().map_or(String::new(), |filter| format!(" of those where {filter}"));
        let empty = if assert.allow_empty { ", or there is none" } else { "" };
        let _ = writeln!(
            text,
            "assert {:?}: {}{only} satisfy {}{empty}",
            assert.name, assert.expect, assert.that
        );
    }
    text
}
