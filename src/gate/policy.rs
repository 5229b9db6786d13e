//! The policy: a TOML file in which a team says what its sessions may do.
//!
//! Everything in it may be left out; an empty policy fails on an error. An unknown key is refused with the nearest known
//! one, since a gate that overlooks a mistyped line is none.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::DeValue;

use super::terms::{self, Day, Expectation};
use crate::events::Confidence;
use crate::filter::{self, Filter, Macros, Scope};
use crate::rules::{self, Severity};
use crate::time::Span;

/// The version of the language of policies that is understood.
const VERSION: i64 = 1;

/// What a policy asks for, checked.
#[derive(Debug, Default)]
pub struct Policy {
    /// The findings' gate.
    pub gate: Gate,
    /// What is known of timers on the path.
    pub timers: Vec<Timer>,
    /// Severities that differ from the rules' own.
    pub rules: BTreeMap<&'static str, Setting>,
    /// Findings that do not count.
    pub mutes: Vec<Mute>,
    /// What must hold for the sessions.
    pub asserts: Vec<Assert>,
}

/// What a policy says of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The severity of its findings; none where it is switched off.
    pub severity: Option<Severity>,
    /// Its line in the policy, from 1.
    pub line: usize,
}

/// When findings fail the gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The least severity that fails; none for never.
    pub fail_on: Option<Severity>,
    /// How many findings of a severity there may be, where that is bounded.
    pub budgets: BTreeMap<Severity, u32>,
    /// Findings less sure than this are shown and never fail.
    pub min_confidence: Confidence,
    /// Kernel drops in percent of the packets, above which the capture itself fails.
    pub drops_percent: Option<f64>,
    /// One-sided connections in percent, above which the capture itself fails.
    pub oneway_percent: Option<f64>,
    /// The line of the policy that says what fails, from 1.
    pub line: Option<usize>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            fail_on: Some(Severity::Error),
            budgets: BTreeMap::new(),
            min_confidence: Confidence::Medium,
            drops_percent: None,
            oneway_percent: None,
            line: None,
        }
    }
}

/// A timer that somebody knows of.
#[derive(Debug)]
pub struct Timer {
    /// Its name in the policy.
    pub name: String,
    /// Which sessions pass it.
    pub matches: Filter,
    /// After which idleness the path forgets.
    pub path_idle: Span,
}

/// Findings that do not count until a day.
#[derive(Debug)]
pub struct Mute {
    /// The rule; every rule where none is named.
    pub rule: Option<&'static str>,
    /// Which of its findings; all where nothing is said.
    pub only: Option<Filter>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Option<Day>,
    /// Its line in the policy, from 1.
    pub line: usize,
}

/// What must hold for sessions.
#[derive(Debug)]
pub struct Assert {
    /// Its name.
    pub name: String,
    /// Which sessions it is about; all where nothing is said.
    pub only: Option<Filter>,
    /// How many of them have to satisfy `that`.
    pub expect: Expectation,
    /// What they have to satisfy.
    pub that: Filter,
    /// Whether no session at all is good enough.
    pub allow_empty: bool,
    /// Its line in the policy, from 1.
    pub line: usize,
}

/// Why a policy or a baseline is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Its line, from 1.
    pub line: usize,
    /// The text of that line.
    pub text: String,
    /// Which letters of it, from 0.
    pub letters: Range<usize>,
    /// The reason, in one sentence.
    pub reason: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "line {}: {}", self.line, self.reason)?;
        writeln!(out, "  {}", self.text)?;
        let width = self.letters.len().max(1);
        write!(out, "  {}{}", " ".repeat(self.letters.start), "^".repeat(width))
    }
}

impl std::error::Error for Wrong {}

impl Wrong {
    /// What is wrong with these bytes of a text.
    pub fn at(text: &str, bytes: &Range<usize>, reason: impl Into<String>) -> Self {
        let start = bytes.start.min(text.len());
        let before = text.get(..start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let whole = text.get(begin..).unwrap_or_default();
        let whole = whole.lines().next().unwrap_or_default();
        let column = before.get(begin..).unwrap_or_default().chars().count();
        let long = text.get(start..bytes.end.min(text.len())).unwrap_or_default();
        let letters = long.lines().next().unwrap_or_default().chars().count();
        let end = (column + letters.max(1)).min(whole.chars().count().max(column + 1));
        Self { line, text: whole.to_owned(), letters: column..end, reason: reason.into() }
    }
}

impl Timer {
    /// Reads one that stands in another file: `match` and `path_idle`, as in a policy.
    ///
    /// # Errors
    /// What cannot be meant, with its place in `text`.
    pub fn read(text: &str, name: &str, value: &Spanned<DeValue<'_>>) -> Result<Self, Wrong> {
        let table = value.get_ref().as_table();
        let mut given = BTreeMap::new();
        for (key, value) in table.into_iter().flatten() {
            let known = ["match", "path_idle"].contains(&key.get_ref().as_ref());
            let words = value.get_ref().as_str().filter(|_| known).ok_or_else(|| {
                Wrong::at(text, &key.span(), "a timer has `match` and `path_idle`, both in quotes")
            })?;
            given.insert(key.get_ref().to_string(), Spanned::new(value.span(), words.to_owned()));
        }
        match (given.remove("match"), given.remove("path_idle")) {
            (Some(r#match), Some(path_idle)) => {
                Reading { text }.timer(name.to_owned(), &WrittenTimer { r#match, path_idle })
            }
            _ => Err(Wrong::at(text, &value.span(), "a timer has `match` and `path_idle`, both in quotes")),
        }
    }
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// The first thing that cannot be meant, with its place.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            Wrong::at(text, &span, error.message())
        })?;
        if let Some(version) = written.version.filter(|version| *version.get_ref() != VERSION) {
            return Err(Wrong::at(
                text,
                &version.span(),
                format!("this is version {}; version {VERSION} is understood", version.get_ref()),
            ));
        }
        let read = Reading { text };
        Ok(Self {
            gate: read.gate(written.gate.unwrap_or_default())?,
            timers: written
                .timers
                .into_iter()
                .map(|(name, timer)| read.timer(name, &timer))
                .collect::<Result<_, _>>()?,
            rules: written
                .rules
                .iter()
                .map(|(code, rule)| read.rule(code, rule))
                .collect::<Result<_, _>>()?,
            mutes: written.mute.into_iter().map(|mute| read.mute(mute)).collect::<Result<_, _>>()?,
            asserts: written
                .assert
                .into_iter()
                .map(|assert| read.assert(assert))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// A policy as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: Option<Spanned<i64>>,
    gate: Option<WrittenGate>,
    #[serde(default)]
    timers: BTreeMap<String, WrittenTimer>,
    #[serde(default)]
    rules: BTreeMap<Spanned<String>, WrittenRule>,
    #[serde(default)]
    mute: Vec<WrittenMute>,
    #[serde(default)]
    assert: Vec<WrittenAssert>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct WrittenGate {
    fail_on: Option<Spanned<String>>,
    #[serde(default)]
    max: BTreeMap<Spanned<String>, u32>,
    min_confidence: Option<Spanned<String>>,
    require_capture: Option<WrittenCapture>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCapture {
    drops_percent: Option<f64>,
    oneway_percent: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTimer {
    r#match: Spanned<String>,
    path_idle: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    severity: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMute {
    rule: Option<Spanned<String>>,
    r#where: Option<Spanned<String>>,
    reason: Spanned<String>,
    expires: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAssert {
    name: Spanned<String>,
    r#where: Option<Spanned<String>>,
    expect: Option<Spanned<String>>,
    that: Spanned<String>,
    #[serde(default)]
    allow_empty: bool,
}

/// Turns what is written into what is meant.
struct Reading<'t> {
    text: &'t str,
}

impl Reading<'_> {
    fn wrong(&self, bytes: &Range<usize>, reason: impl Into<String>) -> Wrong {
        Wrong::at(self.text, bytes, reason)
    }

    fn line(&self, bytes: &Range<usize>) -> usize {
        self.wrong(bytes, "").line
    }

    fn gate(&self, written: WrittenGate) -> Result<Gate, Wrong> {
        let mut gate = Gate::default();
        if let Some(word) = written.fail_on {
            gate.fail_on =
                terms::fail_on(word.get_ref()).map_err(|reason| self.wrong(&word.span(), reason))?;
            gate.line = Some(self.line(&word.span()));
        }
        for (word, most) in written.max {
            let severity =
                terms::severity(word.get_ref()).map_err(|reason| self.wrong(&word.span(), reason))?;
            gate.budgets.insert(severity, most);
        }
        if let Some(word) = written.min_confidence {
            gate.min_confidence =
                terms::confidence(word.get_ref()).map_err(|reason| self.wrong(&word.span(), reason))?;
        }
        if let Some(capture) = written.require_capture {
            (gate.drops_percent, gate.oneway_percent) = (capture.drops_percent, capture.oneway_percent);
        }
        Ok(gate)
    }

    fn timer(&self, name: String, written: &WrittenTimer) -> Result<Timer, Wrong> {
        let path_idle = terms::idle(written.path_idle.get_ref())
            .map_err(|reason| self.wrong(&written.path_idle.span(), reason))?;
        Ok(Timer { name, matches: self.filter(&written.r#match, Scope::Sessions)?, path_idle })
    }

    fn rule(&self, code: &Spanned<String>, rule: &WrittenRule) -> Result<(&'static str, Setting), Wrong> {
        let word = &rule.severity;
        let severity = match word.get_ref().as_str() {
            "off" => None,
            other => Some(terms::severity(other).map_err(|reason| self.wrong(&word.span(), reason))?),
        };
        Ok((self.code(code)?, Setting { severity, line: self.line(&code.span()) }))
    }

    fn code(&self, written: &Spanned<String>) -> Result<&'static str, Wrong> {
        rules::named(written.get_ref()).map(|rule| rule.code).ok_or_else(|| {
            self.wrong(
                &written.span(),
                format!("there is no rule {}; `ghostshark rules` lists them", written.get_ref()),
            )
        })
    }

    fn mute(&self, written: WrittenMute) -> Result<Mute, Wrong> {
        let place = written.rule.as_ref().map_or_else(|| written.reason.span(), Spanned::span);
        if written.rule.is_none() && written.r#where.is_none() {
            return Err(self.wrong(&place, "a mute names a rule, or says where it holds"));
        }
        if written.reason.get_ref().trim().is_empty() {
            return Err(self.wrong(&written.reason.span(), "a mute has a reason"));
        }
        let expires = written.expires.as_ref().map(|day| {
            day.get_ref()
                .parse::<Day>()
                .map_err(|()| self.wrong(&day.span(), "this is no day; days are written 2026-12-31"))
        });
        Ok(Mute {
            rule: written.rule.as_ref().map(|code| self.code(code)).transpose()?,
            only: written.r#where.as_ref().map(|text| self.filter(text, Scope::Findings)).transpose()?,
            expires: expires.transpose()?,
            line: self.line(&place),
            reason: written.reason.into_inner(),
        })
    }

    fn assert(&self, written: WrittenAssert) -> Result<Assert, Wrong> {
        let expect = match &written.expect {
            None => Expectation::All,
            Some(word) => {
                word.get_ref().parse().map_err(|reason: String| self.wrong(&word.span(), reason))?
            }
        };
        Ok(Assert {
            line: self.line(&written.name.span()),
            only: written.r#where.as_ref().map(|text| self.filter(text, Scope::Sessions)).transpose()?,
            expect,
            that: self.filter(&written.that, Scope::Sessions)?,
            allow_empty: written.allow_empty,
            name: written.name.into_inner(),
        })
    }

    fn filter(&self, written: &Spanned<String>, scope: Scope) -> Result<Filter, Wrong> {
        filter::compile(written.get_ref(), scope, &Macros::new())
            .map_err(|refusal| self.wrong(&written.span(), refusal.sentence()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
version = 1
[gate]
fail_on = "warning"
max = { warning = 10 }
min_confidence = "high"
require_capture = { drops_percent = 1.0, oneway_percent = 5.0 }

[timers.db]
match = 'session.server.port == 5432'
path_idle = "350s"

[rules.GST110]
severity = "info"
[rules.GSQ903]
severity = "off"
[[mute]]
rule = "GSR301"
where = 'session.sni == "legacy.shop"'
reason = "old box, ticket 4711"
expires = "2026-12-31"

[[assert]]
name = "reconnects resume"
where = 'session.proto == "mqtt"'
expect = "ratio >= 0.95"
that = 'session.resume.result == "granted"'
"#;

    #[test]
    fn a_whole_policy_is_read() {
        let policy = Policy::parse(WHOLE).unwrap();
        assert_eq!(policy.gate.fail_on, Some(Severity::Warning));
        assert_eq!(policy.gate.budgets.get(&Severity::Warning), Some(&10));
        assert_eq!(policy.gate.min_confidence, Confidence::High);
        assert_eq!(policy.timers[0].path_idle, Span::from_secs(350));
        assert_eq!(policy.rules.get("GST110"), Some(&Setting { severity: Some(Severity::Info), line: 13 }));
        assert_eq!(policy.rules.get("GSQ903"), Some(&Setting { severity: None, line: 15 }));
        assert_eq!(policy.mutes[0].line, 18);
        assert_eq!(policy.asserts[0].expect, Expectation::Ratio(0.95));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        let cases = [
            ("[gate]\nfail_onn = \"error\"\n", 2, "fail_onn"),
            ("[gate]\nfail_on = \"fatal\"\n", 2, "fatal"),
            ("[rules.GST999]\nseverity = \"info\"\n", 1, "GST999"),
            ("[[mute]]\nrule = \"GST101\"\nreason = \"\"\n", 3, "reason"),
            ("[[mute]]\nrule = \"GST101\"\nreason = \"x\"\nexpires = \"soon\"\n", 4, "day"),
            ("[[assert]]\nname = \"x\"\nthat = 'session.nothing == 1'\n", 3, "session.nothing"),
            ("[[assert]]\nname = \"x\"\nexpect = \"many\"\nthat = 'session'\n", 3, "many"),
            ("version = 2\n", 1, "version"),
            ("[gate\n", 1, ""),
        ];
        for (text, line, word) in cases {
            let wrong = Policy::parse(text).unwrap_err();
            assert_eq!(wrong.line, line, "{text}: {wrong}");
            assert!(wrong.reason.contains(word), "{text}: {wrong}");
        }
    }
}
