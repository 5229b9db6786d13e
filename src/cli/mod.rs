//! The command line: what may be typed, what it means, and what the exit code says.
//!
//! Data goes to standard output, messages to standard error. A reader that went away (a broken pipe) is success:
//! `ghostshark connections big.pcap | head` is no failure.
#![allow(clippy::disallowed_methods, reason = "the command line reads the environment, the clock and files")]

mod commands;
mod exit;
mod flags;
mod inputs;
mod messages;
mod output;
mod progress;
mod settings;

pub use exit::Exit;

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use exit::Stop;
use flags::{Cli, Verb};
use settings::{Asked, Settings};

/// Runs the program with the arguments of this process.
pub fn run() -> ExitCode {
    guarded(|| {
        let settings =
            match Settings::read(Asked::of(env::args_os().map(|word| word.to_string_lossy().into_owned()))) {
                Ok(settings) => settings,
                Err(stop) => return told(&stop),
            };
        let typed = settings.apply(Cli::command()).try_get_matches();
        match typed.and_then(|matches| Cli::from_arg_matches(&matches)) {
            Ok(mut cli) => {
                if let Some(names) = cli.known_names_mut() {
                    names.clone_from(&settings.names);
                }
                dispatch(cli, settings)
            }
            Err(refusal) => {
                // Help and version come this way too; they are answers and not errors. A closed pipe is quiet.
                let _ = refusal.print();
                Exit::from_clap(refusal.exit_code())
            }
        }
    })
    .into()
}

fn told(stop: &Stop) -> Exit {
    messages::say(stop);
    stop.exit()
}

fn dispatch(cli: Cli, settings: Settings) -> Exit {
    let done = match cli.verb {
        None => no_mistyped_verb(&cli.summary.input.files).and_then(|()| {
            #[cfg(feature = "tui")]
            if commands::screen::is_wanted(&cli.summary) {
                return commands::screen::run(&cli.summary, &cli.screen, &settings);
            }
            commands::summary::run(&cli.summary)
        }),
        Some(Verb::Summary(args)) => commands::summary::run(&args),
        Some(Verb::Connections(args)) => commands::connections::run(&args),
        Some(Verb::Sessions(args)) => commands::sessions::run(&args),
        Some(Verb::Show(args)) => commands::show::run(&args),
        Some(Verb::Events(args)) => commands::events::run(&args),
        Some(Verb::Findings(args)) => commands::findings::run(&args),
        Some(Verb::Follow(args)) => commands::follow::run(&args),
        Some(Verb::Diff(args)) => commands::diff::run(&args),
        Some(Verb::Export(args)) => commands::export::run(&args),
        Some(Verb::Redact(args)) => commands::redact::run(&args),
        Some(Verb::Packets(args)) => commands::packets::run(&args),
        Some(Verb::Stats(args)) => commands::stats::run(&args),
        Some(Verb::Report(args)) => commands::report::run(&args),
        Some(Verb::Check(args)) => commands::check::run(&args, settings.timers),
        Some(Verb::Baseline(args)) => commands::baseline::run(&args),
        Some(Verb::Policy(verb)) => commands::policy::run(&verb),
        Some(Verb::Explain(args)) => commands::rules::explain(&args),
        Some(Verb::Rules(args)) => commands::rules::list(&args),
        Some(Verb::Fields(args)) => commands::fields::run(&args),
        Some(Verb::Schema(args)) => commands::schema::run(&args),
        Some(Verb::Doctor(_)) => commands::doctor::run(&settings),
        Some(Verb::Completions(args)) => commands::completions::run(&args),
        Some(Verb::Man(args)) => commands::man::run(&args),
        Some(Verb::Forge(args)) => commands::forge::run(&args),
    };
    done.unwrap_or_else(|stop| told(&stop))
}

/// Without a verb the first word is a file. Where there is no such file and it is nearly a verb, it was meant as one.
fn no_mistyped_verb(files: &[PathBuf]) -> Result<(), Stop> {
    let Some(word) = files.first().filter(|path| !path.exists()).and_then(|path| path.to_str()) else {
        return Ok(());
    };
    if word.contains(['.', '/', '\\']) {
        return Ok(());
    }
    let command = Cli::command();
    let nearest = command
        .get_subcommands()
        .map(|verb| (strsim::jaro_winkler(word, verb.get_name()), verb.get_name()))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        // The bound that clap has for its own suggestions is 0.7; a file's name deserves more doubt.
        Some((likeness, verb)) if likeness > 0.85 => {
            Err(Stop::Usage(format!("{word}: neither a file nor a verb; did you mean `{verb}`?")))
        }
        _ => Ok(()),
    }
}

/// A panic is a bug of ours and never the user's doing: it becomes one sentence and its own exit code.
fn guarded(work: impl FnOnce() -> Exit) -> Exit {
    panic::set_hook(Box::new(messages::crash));
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_error() {
        assert_eq!(guarded(|| panic!("on purpose")), Exit::Internal);
        assert_eq!(guarded(|| Exit::No), Exit::No);
    }

    #[test]
    fn a_file_is_not_taken_for_a_verb() {
        for (word, mistyped) in [
            ("sumary", true),
            ("conections", true),
            ("trace.pcap", false),
            ("summary.pcap", false),
            ("-", false),
        ] {
            assert_eq!(no_mistyped_verb(&[PathBuf::from(word)]).is_err(), mistyped, "{word}");
        }
    }
}
