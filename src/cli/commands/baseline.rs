//! `baseline`: writes down what is known.

use super::policy::read_baseline;
use super::{Exit, Stop, analyse, messages, output};
use crate::cli::flags::BaselineArgs;
use crate::gate::Baseline;

pub(in crate::cli) fn run(args: &BaselineArgs) -> Result<Exit, Stop> {
    let known =
        if args.update && args.out.exists() { read_baseline(&args.out)? } else { Baseline::default() };
    let (analysis, count) = analyse(&args.input, false)?;
    let exit = super::verdict(&analysis, count, &args.input, true);
    if exit != Exit::Done {
        messages::damages(&analysis);
        // What could not be read is not known to be free of findings.
        return Ok(exit);
    }
    let found = Baseline::of(&analysis);
    let dropped = if args.prune { known.stale(&found).len() } else { 0 };
    let (before, now) = (known.len(), found.len());
    let whole = known.updated(found, args.prune);
    output::deliver(Some(&args.out), |out| out.write_all(whole.write().as_bytes()))?;
    if !args.input.quiet {
        messages::damages(&analysis);
        let added = (whole.len() + dropped).saturating_sub(before);
        messages::note(&format!(
            "{}: {} known ({now} found now, {added} new, {dropped} dropped)",
            args.out.display(),
            whole.len()
        ));
    }
    Ok(exit)
}
