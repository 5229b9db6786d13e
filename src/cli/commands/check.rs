//! `check`: the gate of a merge. Rules, asserts and a baseline decide; the exit code says it.

use super::policy::{read_baseline, read_policy};
use super::{Exit, Stop, analyse, look, messages, output};
use crate::analysis::Analysis;
use crate::cli::flags::{CheckArgs, ReportKind};
use crate::cli::inputs;
use crate::filter::Reread;
use crate::gate::{self, Circumstances, Day, Policy, Verdict, judge};
use crate::report::gate::Judged;
use crate::report::{Request, text};

pub(in crate::cli) fn run(args: &CheckArgs) -> Result<Exit, Stop> {
    let mut policy = args.policy.as_deref().map(read_policy).transpose()?.unwrap_or_default();
    overrule(&mut policy, args)?;
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    let (analysis, count) = analyse(&args.input, false)?;
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
    reports(args, &analysis, &verdict)?;
    // A capture that could not be read proves nothing, whatever the findings are.
    match super::verdict(&analysis, count, &args.input, true) {
        Exit::Done if verdict.passes() => Ok(Exit::Done),
        Exit::Done => Ok(Exit::No),
        other => Ok(other),
    }
}

/// Writes the reports that are asked for beside the verdict.
fn reports(args: &CheckArgs, analysis: &Analysis, verdict: &Verdict) -> Result<(), Stop> {
    let policy = args.policy.as_ref().map(|path| path.display().to_string());
    let judged = Judged { analysis, verdict, policy: policy.as_deref() };
    for target in &args.reports {
        output::deliver(Some(&target.path), |out| match target.kind {
            ReportKind::Gate(format) => (format.write)(&judged, out),
            ReportKind::Whole(format) => {
                let request = Request { stamps: args.output.ts.into(), ..Request::default() };
                (format.write)(analysis, &request, out)
            }
        })?;
    }
    Ok(())
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
