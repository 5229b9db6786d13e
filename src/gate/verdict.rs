//! The verdict: every finding with its standing, every assert with its outcome, and whether all of it passes.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::{Baseline, Entry};
use super::policy::{Assert, Mute, Policy};
use super::terms::{Day, Expectation};
use crate::analysis::Analysis;
use crate::error::Error;
use crate::filter::PacketSource;
use crate::rules::{Finding, Layer, Severity};

/// How a finding stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is not known, and counts.
    New,
    /// The baseline holds it.
    Known,
    /// The policy mutes it, for this reason.
    Muted(String),
    /// The policy switches its rule off.
    Off,
}

impl State {
    /// The name in machine output.
    pub fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Known => "known",
            Self::Muted(_) => "muted",
            Self::Off => "off",
        }
    }
}

/// A finding before the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its place in [`Analysis::findings`].
    pub finding: usize,
    /// Its severity after the policy.
    pub severity: Severity,
    /// How it stands.
    pub state: State,
    /// Whether it fails the gate.
    pub fails: bool,
    /// Name of the policy's timer that fits what it measured.
    pub timer: Option<String>,
    /// The line of the policy that decides on it, from 1.
    pub line: Option<usize>,
}

/// What became of an assert.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Its line in the policy.
    pub line: usize,
    /// What was expected.
    pub expect: Expectation,
    /// Ids of the sessions that it is about.
    pub sessions: Vec<u32>,
    /// Ids of those among them that satisfy it.
    pub satisfied: Vec<u32>,
    /// Whether no session at all is good enough.
    pub allow_empty: bool,
}

/// Whether a run passes, and why not.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// All findings, in order.
    pub cases: Vec<Case>,
    /// All asserts, in order.
    pub asserts: Vec<Outcome>,
    /// What is wrong with the captures themselves, where the policy asks for good ones.
    pub capture: Vec<String>,
    /// Severities of which there are too many: how many there are, and may be.
    pub overruns: BTreeMap<Severity, (u32, u32)>,
    /// Known findings that did not come again.
    pub stale: Vec<Entry>,
    /// Mutes that no longer hold: their line, and the day.
    pub expired: Vec<(usize, String)>,
    /// Whether stale entries fail.
    pub stale_fails: bool,
    /// Whether there was a baseline.
    pub has_baseline: bool,
}

impl Outcome {
    /// Whether it holds.
    pub fn holds(&self) -> bool {
        if self.sessions.is_empty() {
            return self.allow_empty;
        }
        self.expect.holds(self.satisfied.len(), self.sessions.len())
    }

    /// The sessions that are against it.
    pub fn against(&self) -> Vec<u32> {
        match self.expect {
            Expectation::None | Expectation::Count(super::terms::Relation::AtMost, _) => {
                self.satisfied.clone()
            }
            _ => self.sessions.iter().filter(|id| !self.satisfied.contains(id)).copied().collect(),
        }
    }

    /// One sentence of how it went.
    pub fn sentence(&self) -> String {
        let (satisfied, all) = (self.satisfied.len(), self.sessions.len());
        if all == 0 {
            return if self.allow_empty {
                "no session is meant, which is allowed".to_owned()
            } else {
                "no session is meant: an empty capture proves nothing (`allow_empty = true` lets it pass)"
                    .to_owned()
            };
        }
        format!("{satisfied} of {all} sessions satisfy it, expected: {}", self.expect)
    }
}

impl Verdict {
    /// Whether everything passes.
    pub fn passes(&self) -> bool {
        self.cases.iter().all(|case| !case.fails)
            && self.asserts.iter().all(Outcome::holds)
            && self.capture.is_empty()
            && self.overruns.is_empty()
            && (self.stale.is_empty() || !self.stale_fails)
    }

    /// How many findings stand so.
    pub fn count(&self, state: &str) -> usize {
        self.cases.iter().filter(|case| case.state.name() == state).count()
    }

    /// The standing of a finding by its place.
    pub fn of(&self, finding: usize) -> Option<&Case> {
        self.cases.get(finding)
    }
}

/// What the run is judged by beside its policy.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'c> {
    /// What is known.
    pub baseline: Option<&'c Baseline>,
    /// The day, for mutes that expire.
    pub today: Day,
    /// Whether entries of the baseline that did not come again fail.
    pub stale_fails: bool,
}

/// Judges a run.
///
/// # Errors
/// Where a filter of the policy wants the packets, and the input cannot be read again.
pub fn judge(
    analysis: &Analysis,
    policy: &Policy,
    circumstances: Circumstances<'_>,
    source: &dyn PacketSource,
) -> Result<Verdict, Error> {
    let (mutes, expired): (Vec<&Mute>, Vec<&Mute>) =
        policy.mutes.iter().partition(|mute| mute.expires.is_none_or(|day| day >= circumstances.today));
    let silenced = muted(analysis, &mutes, source)?;
    let timers = timers(analysis, policy, source)?;
    let mut verdict = Verdict {
        stale_fails: circumstances.stale_fails,
        has_baseline: circumstances.baseline.is_some(),
        expired: expired.iter().filter_map(|mute| Some((mute.line, mute.expires?.to_string()))).collect(),
        capture: capture(analysis, policy),
        ..Verdict::default()
    };
    for (index, finding) in analysis.findings.iter().enumerate() {
        let setting = policy.rules.get(finding.rule.code);
        let severity = setting.and_then(|setting| setting.severity).unwrap_or(finding.severity);
        let silenced = silenced.get(&(index as u32));
        let known = circumstances.baseline.is_some_and(|known| known.holds(&finding.fingerprint.hex()));
        let state = match silenced {
            _ if setting.is_some_and(|setting| setting.severity.is_none()) => State::Off,
            Some(mute) => State::Muted(mute.reason.clone()),
            None if known => State::Known,
            None => State::New,
        };
        let fails = state == State::New
            && counts(finding, setting.is_some())
            && finding.confidence >= policy.gate.min_confidence
            && policy.gate.fail_on.is_some_and(|least| severity >= least);
        verdict.cases.push(Case {
            finding: index,
            severity,
            state,
            fails,
            timer: timers.get(&index).cloned(),
            line: setting.map(|setting| setting.line).or(silenced.map(|mute| mute.line)).or(policy.gate.line),
        });
    }
    for (severity, most) in &policy.gate.budgets {
        let counted = verdict.cases.iter().filter(|case| {
            let finding = analysis.findings.get(case.finding);
            case.state == State::New
                && case.severity == *severity
                && finding.is_some_and(|finding| counts(finding, true))
        });
        let count = counted.count() as u32;
        if count > *most {
            verdict.overruns.insert(*severity, (count, *most));
        }
    }
    for assert in &policy.asserts {
        verdict.asserts.push(outcome(assert, analysis, source)?);
    }
    if let Some(baseline) = circumstances.baseline {
        let found = Baseline::of(analysis);
        verdict.stale = baseline.stale(&found).into_iter().cloned().collect();
    }
    Ok(verdict)
}

/// Whether a finding may fail the gate at all: notes on the capture do so only where the policy gives them a severity of
/// their own, and what another finding explains is no second one.
fn counts(finding: &Finding, set_by_policy: bool) -> bool {
    (finding.layer != Layer::Capture || set_by_policy) && finding.caused_by.is_none()
}

/// The findings that are muted, with what mutes them.
fn muted<'m>(
    analysis: &Analysis,
    mutes: &[&'m Mute],
    source: &dyn PacketSource,
) -> Result<BTreeMap<u32, &'m Mute>, Error> {
    let mut all = BTreeMap::new();
    for mute in mutes {
        let chosen: Option<BTreeSet<u32>> = match &mute.only {
            Some(filter) => Some(filter.findings(analysis, source)?.into_iter().collect()),
            None => None,
        };
        for (index, finding) in analysis.findings.iter().enumerate() {
            let meant = mute.rule.is_none_or(|code| code == finding.rule.code)
                && chosen.as_ref().is_none_or(|chosen| chosen.contains(&finding.id));
            if meant {
                all.entry(index as u32).or_insert(*mute);
            }
        }
    }
    Ok(all)
}

/// Names of the policy's timers that fit what findings measured: within a twentieth.
fn timers(
    analysis: &Analysis,
    policy: &Policy,
    source: &dyn PacketSource,
) -> Result<BTreeMap<usize, String>, Error> {
    let mut all = BTreeMap::new();
    for timer in &policy.timers {
        let sessions: BTreeSet<u32> = timer.matches.sessions(analysis, source)?.into_iter().collect();
        for (index, finding) in analysis.findings.iter().enumerate() {
            let fits = |value: &crate::rules::Value| match value {
                crate::rules::Value::Time(span) => {
                    span.0.abs_diff(timer.path_idle.0) <= timer.path_idle.0.unsigned_abs() / 20
                }
                _ => false,
            };
            if finding.session.is_some_and(|id| sessions.contains(&id))
                && finding.values.iter().any(|(_, value)| fits(value))
            {
                all.entry(index).or_insert_with(|| timer.name.clone());
            }
        }
    }
    Ok(all)
}

fn outcome(assert: &Assert, analysis: &Analysis, source: &dyn PacketSource) -> Result<Outcome, Error> {
    let sessions = match &assert.only {
        Some(filter) => filter.sessions(analysis, source)?,
        None => analysis.sessions.iter().map(|session| session.id).collect(),
    };
    let satisfied: BTreeSet<u32> = assert.that.sessions(analysis, source)?.into_iter().collect();
    Ok(Outcome {
        name: assert.name.clone(),
        line: assert.line,
        expect: assert.expect,
        satisfied: sessions.iter().filter(|id| satisfied.contains(id)).copied().collect(),
        sessions,
        allow_empty: assert.allow_empty,
    })
}

/// What is wrong with the captures, where the policy asks for good ones.
fn capture(analysis: &Analysis, policy: &Policy) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, quality) in analysis.files.iter().zip(&analysis.quality) {
        let path = file.path.display();
        let drops: u64 = file.interfaces.iter().filter_map(|interface| interface.drops).sum();
        let seen = (file.packets + drops).max(1);
        let dropped = drops as f64 * 100.0 / seen as f64;
        if let Some(most) = policy.gate.drops_percent.filter(|most| dropped > *most) {
            wrong.push(format!(
                "{path}: the recorder dropped {dropped:.2} % of the packets; {most} % are allowed"
            ));
        }
        let oneway = quality.one_sided_ratio * 100.0;
        if let Some(most) = policy.gate.oneway_percent.filter(|most| oneway > *most) {
            wrong.push(format!(
                "{path}: {oneway:.2} % of the connections were seen from one side only; {most} % are allowed"
            ));
        }
    }
    wrong
}
