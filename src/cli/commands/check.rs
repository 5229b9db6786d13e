//! `check`: the gate of a merge. Rules, asserts and a baseline decide; the exit code says it.

use super::policy::{read_baseline, read_policy};
use super::{Exit, Stop, analyse, look, messages, output, reports};
use crate::cli::flags::CheckArgs;
use crate::cli::inputs;
use crate::filter::Reread;
use crate::gate::{self, Circumstances, Day, Policy, Timer, judge};
use crate::report::gate::Judged;
use crate::report::text;

pub(in crate::cli) fn run(args: &CheckArgs, timers: Vec<Timer>) -> Result<Exit, Stop> {
    let mut policy = args.policy.as_deref().map(read_policy).transpose()?.unwrap_or_default();
    overrule(&mut policy, args)?;
    // What the policy says of a timer goes before what the settings say.
    for timer in timers {
        if policy.timers.iter().all(|known| known.name != timer.name) {
            policy.timers.push(timer);
        }
    }
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    let (analysis, count) = analyse(&args.input, args.output.also.tells_stories())?;
    let source = Reread::new(inputs::gather(&args.input)?, &analysis);
    let circumstances =
        Circumstances { baseline: baseline.as_ref(), today: today(), stale_fails: args.fail_on_stale };
    let verdict = judge(&analysis, &policy, circumstances, &source)?;
    if !args.input.quiet {
        messages::damages(&analysis);
        output::deliver(args.output.out.as_deref(), |out| {
            text::gate::write(&analysis, &verdict, look(&args.look, &args.output), out)
        })?;
    }
    let policy = args.policy.as_ref().map(|path| path.display().to_string());
    let judged = Judged {
        analysis: &analysis,
        verdict: &verdict,
        policy: policy.as_deref(),
        anchored: args.sarif_anchor,
    };
    reports(&args.output, &judged, |kind| kind)?;
    // A capture that could not be read proves nothing, whatever the findings are.
    match super::verdict(&analysis, count, &args.input, true) {
        Exit::Done if verdict.passes() => Ok(Exit::Done),
        Exit::Done => Ok(Exit::No),
        other => Ok(other),
    }
}

/// Flags go before the policy.
fn overrule(policy: &mut Policy, args: &CheckArgs) -> Result<(), Stop> {
    if let Some(word) = &args.fail_on {
        policy.gate.fail_on = gate::fail_on(word).map_err(Stop::Usage)?;
    }
    if let Some(word) = &args.min_confidence {
        policy.gate.min_confidence = gate::confidence(word).map_err(Stop::Usage)?;
    }
    Ok(())
}

/// The day on which mutes are looked at.
pub(super) fn today() -> Day {
    Day(jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date())
}
