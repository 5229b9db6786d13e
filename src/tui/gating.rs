//! The gate of merges from within the interface: how findings stand, and acknowledging, muting, writing down what is
//! known. Files are written by whoever knows them; here it is asked for.

use super::dialogs::Dialog;
use super::faces::Standing;
use super::state::{Effect, Pane, Screen, State};
use super::theme::Tone;
use super::widgets::input::Input;
use crate::filter::{Macros, Scope, compile};

/// Where the files of the gate lie, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The policy.
    pub policy: String,
    /// The baseline.
    pub baseline: String,
}

/// A mute that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mute {
    /// Code of the rule.
    pub rule: &'static str,
    /// A filter of findings; nothing for all of them.
    pub only: String,
    /// Why.
    pub reason: String,
    /// The last day, as in 2026-12-31; nothing for ever.
    pub expires: String,
    /// The policy.
    pub path: String,
}

impl State {
    /// How a finding stands.
    pub fn standing(&self, place: u32) -> Standing {
        self.stands.get(place as usize).copied().unwrap_or_default()
    }

    /// How findings stand that are put together: as the one that still counts.
    pub fn standing_of(&self, places: &[u32]) -> Standing {
        places.iter().map(|place| self.standing(*place)).min().unwrap_or_default()
    }

    /// How many findings stand so.
    pub fn standing_so(&self, standing: Standing) -> usize {
        self.standing_counts.get(&standing).copied().unwrap_or(0)
    }

    /// Lays what the gate says and what the user acknowledged together.
    pub(super) fn count_standings(&mut self) {
        let Some(data) = &self.data else { return };
        let stands = data.analysis.findings.iter().enumerate().map(|(place, finding)| {
            match self.standings.get(place).copied().unwrap_or_default() {
                Standing::New if self.kept.acknowledged.contains(&finding.fingerprint.hex()) => {
                    Standing::Acknowledged
                }
                other => other,
            }
        });
        self.stands = stands.collect();
        self.standing_counts.clear();
        for standing in &self.stands {
            *self.standing_counts.entry(*standing).or_default() += 1;
        }
    }

    /// Asks how findings stand.
    pub(super) fn ask_standings(&mut self) {
        if let Some(files) = self.gate.clone() {
            self.effects.push(Effect::Standings(files));
        }
    }

    /// The findings under the cursor.
    fn chosen_findings(&self) -> Option<(&'static str, Vec<u32>)> {
        let visit = self.visit();
        if visit.screen != Screen::Findings {
            return None;
        }
        let cluster = visit.clusters.get(visit.cursor(Pane::List).at)?;
        Some((cluster.code, cluster.findings.clone()))
    }

    /// Acknowledges the findings under the cursor, or takes that back. It is kept with the capture, and no gate asks it.
    pub(super) fn acknowledge(&mut self) {
        let (Some((code, places)), Some(data)) = (self.chosen_findings(), self.data.clone()) else {
            self.say(Tone::Dim, "no finding here");
            return;
        };
        let findings = places.iter().filter_map(|place| data.analysis.findings.get(*place as usize));
        let prints: Vec<String> = findings.map(|finding| finding.fingerprint.hex()).collect();
        let all = prints.iter().all(|print| self.kept.acknowledged.contains(print));
        for print in prints {
            if all {
                self.kept.acknowledged.remove(&print);
            } else {
                self.kept.acknowledged.insert(print);
            }
        }
        self.count_standings();
        self.effects.push(Effect::Keep);
        let said = if all { "is open again" } else { "is acknowledged, here and not in the gate" };
        self.say(Tone::Dim, format!("{code} {said}"));
    }

    /// Opens the box in which a mute is written.
    pub(super) fn open_mute(&mut self) {
        let Some(files) = self.gate.clone() else {
            self.say(Tone::Warning, "no policy can be written from here");
            return;
        };
        let Some((code, _)) = self.chosen_findings() else {
            self.say(Tone::Dim, "no finding here");
            return;
        };
        let [only, reason, expires, path] = ["", "", "", &files.policy].map(Input::of);
        self.dialog = Some(Dialog::Mute { code, lines: Box::new([reason, expires, only, path]), line: 0 });
    }

    /// Opens the box that says where the baseline goes.
    pub(super) fn open_baseline(&mut self) {
        let Some(files) = self.gate.clone() else {
            self.say(Tone::Warning, "no baseline can be written from here");
            return;
        };
        let Some((code, findings)) = self.chosen_findings() else {
            self.say(Tone::Dim, "no finding here");
            return;
        };
        self.dialog = Some(Dialog::Baseline { code, findings, path: Input::of(&files.baseline) });
    }

    /// Writes the mute that a box holds; tells what is wrong with it, and where.
    pub(super) fn write_mute(&mut self, code: &'static str, lines: &[Input; 4]) -> Result<(), usize> {
        let [reason, expires, only, path] = lines.each_ref().map(|line| line.text.trim().to_owned());
        let mut wrong = |line: usize, why: String| {
            self.say(Tone::Error, why);
            Err(line)
        };
        if reason.is_empty() {
            return wrong(0, "a mute has a reason: who reads it later has to know".to_owned());
        }
        if !expires.is_empty() && expires.parse::<jiff::civil::Date>().is_err() {
            return wrong(1, format!("{expires:?} is no day; as in 2026-12-31, or nothing for ever"));
        }
        if !only.is_empty()
            && let Err(refusal) = compile(&only, Scope::Findings, &Macros::new())
        {
            return wrong(2, refusal.sentence());
        }
        if path.is_empty() {
            return wrong(3, "the policy needs a name".to_owned());
        }
        if let Some(files) = &mut self.gate {
            files.policy.clone_from(&path);
        }
        self.effects.push(Effect::Mute(Mute { rule: code, only, reason, expires, path }));
        Ok(())
    }
}
