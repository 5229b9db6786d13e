//! What the interface asks of the gate: how findings stand, a mute for the policy, findings for the baseline.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::policy::{read_baseline, read_policy};
use crate::analysis::Analysis;
use crate::capture::Input;
use crate::cli::flags::ScreenArgs;
use crate::filter::Reread;
use crate::gate::{self, Baseline, Circumstances, Policy, judge};
use crate::tui::faces::{Gate, Standing};
use crate::tui::gating::{Files, Mute};

/// The gate, with the files that were named.
pub(super) fn gate(screen: &ScreenArgs) -> Gate {
    Gate {
        files: Files {
            policy: screen.policy.display().to_string(),
            baseline: screen.baseline.display().to_string(),
        },
        standings: Arc::new(standings),
        mute: Arc::new(mute),
        baseline: Arc::new(baseline),
    }
}

/// How each finding stands. A file that does not exist says nothing.
fn standings(analysis: &Analysis, inputs: &[Input], files: &Files) -> Result<Vec<Standing>, String> {
    let policy = Path::new(&files.policy);
    let policy = if policy.exists() { read_policy(policy) } else { Ok(Policy::default()) };
    let policy = policy.map_err(|stop| stop.to_string())?;
    let known = Path::new(&files.baseline);
    let known = known.exists().then(|| read_baseline(known)).transpose().map_err(|stop| stop.to_string())?;
    let source = Reread::new(inputs.to_vec(), analysis);
    let circumstances =
        Circumstances { baseline: known.as_ref(), today: super::check::today(), stale_fails: false };
    let verdict = judge(analysis, &policy, circumstances, &source).map_err(|error| error.to_string())?;
    let standing = |case: &gate::Case| match case.state {
        gate::State::New => Standing::New,
        gate::State::Known => Standing::Known,
        gate::State::Muted(_) => Standing::Muted,
        gate::State::Off => Standing::Off,
    };
    Ok(verdict.cases.iter().map(standing).collect())
}

/// Writes a mute behind what the policy says already.
fn mute(mute: &Mute) -> Result<String, String> {
    let path = Path::new(&mute.path);
    let before = if path.exists() {
        fs::read_to_string(path).map_err(|cause| format!("{}: cannot read: {cause}", mute.path))?
    } else {
        "version = 1\n".to_owned()
    };
    // What is wrong already is not made worse.
    Policy::parse(&before).map_err(|wrong| format!("{}: {wrong}", mute.path))?;
    let text = muted(&before, mute);
    Policy::parse(&text).map_err(|wrong| format!("{}: {wrong}", mute.path))?;
    write(path, &text)?;
    Ok(format!("{}: {} is muted", mute.path, mute.rule))
}

/// The text of a policy with one mute more.
fn muted(before: &str, mute: &Mute) -> String {
    let text = |said: &str| toml::Value::String(said.to_owned()).to_string();
    let mut all = before.to_owned();
    if !all.is_empty() && !all.ends_with('\n') {
        all.push('\n');
    }
    all.push_str("\n[[mute]]\n");
    let only = (!mute.only.is_empty()).then_some(("where", &mute.only));
    let expires = (!mute.expires.is_empty()).then_some(("expires", &mute.expires));
    let rule = mute.rule.to_owned();
    let lines = [Some(("rule", &rule)), only, Some(("reason", &mute.reason)), expires];
    for (name, said) in lines.into_iter().flatten() {
        let _ = writeln!(all, "{name} = {}", text(said));
    }
    all
}

/// Adds findings to a baseline.
fn baseline(analysis: &Analysis, places: &[u32], path: &str) -> Result<String, String> {
    let file = Path::new(path);
    let known = if file.exists() {
        read_baseline(file).map_err(|stop| stop.to_string())?
    } else {
        Baseline::default()
    };
    let findings = places.iter().filter_map(|place| analysis.findings.get(*place as usize));
    let before = known.len();
    let whole = known.updated(Baseline::of_findings(findings), false);
    write(file, &whole.write())?;
    Ok(format!("{path}: {} known, {} of them new", whole.len(), whole.len() - before))
}

/// Writes a file whole or not at all, and the folder where it lies.
fn write(path: &Path, text: &str) -> Result<(), String> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
    }
    crate::cli::output::deliver(Some(path), |out| out.write_all(text.as_bytes()))
        .map_err(|stop| stop.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_is_written_so_that_the_policy_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/policy.toml");
        let order = Mute {
            rule: "GSR301",
            only: "session.server.port == 443".to_owned(),
            reason: "old box, \"ticket\" 4711\\".to_owned(),
            expires: "2099-12-31".to_owned(),
            path: path.display().to_string(),
        };
        mute(&order).unwrap();
        mute(&Mute { rule: "GSG203", only: String::new(), expires: String::new(), ..order.clone() }).unwrap();
        let policy = Policy::parse(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(policy.mutes.len(), 2);
        assert_eq!(policy.mutes[0].reason, order.reason);
        assert!(policy.mutes[0].only.is_some() && policy.mutes[0].expires.is_some());
        assert_eq!((policy.mutes[1].rule, policy.mutes[1].expires), (Some("GSG203"), None));
        fs::write(&path, "nonsense = 1\n").unwrap();
        assert!(mute(&order).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "nonsense = 1\n");
    }
}
