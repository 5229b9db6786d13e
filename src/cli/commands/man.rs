//! `man`: the manual page, made from the flags.

use clap::CommandFactory;

use super::{Exit, Stop, output};
use crate::cli::flags::{Cli, ManArgs};

pub(in crate::cli) fn run(args: &ManArgs) -> Result<Exit, Stop> {
    let mut command = Cli::command();
    command.build();
    let page = match &args.verb {
        None => command,
        Some(verb) => command.find_subcommand(verb).cloned().ok_or_else(|| {
            Stop::Usage(format!("there is no verb `{verb}`; `ghostshark --help` lists them"))
        })?,
    };
    output::deliver(None, |out| clap_mangen::Man::new(page).render(out))?;
    Ok(Exit::Done)
}
