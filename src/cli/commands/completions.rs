//! `completions`: a script for a shell, made from the flags.

use clap::CommandFactory;

use super::{Exit, Stop, output};
use crate::cli::flags::{Cli, CompletionsArgs};

pub(in crate::cli) fn run(args: &CompletionsArgs) -> Result<Exit, Stop> {
    // Made in memory first: the generator panics where its writer fails, and a closed pipe is no bug.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ghostshark", &mut script);
    output::deliver(None, |out| out.write_all(&script))?;
    Ok(Exit::Done)
}
