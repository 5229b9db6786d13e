//! `redact`: a capture in which nobody can be known.

use super::export::plain;
use super::{Exit, Stop, messages, output};
use crate::capture::Input;
use crate::cli::flags::RedactArgs;
use crate::error::Error;
use crate::export::{self, Key};
use crate::problem::ProblemKind;

/// Fewer letters can be tried one after the other.
const PHRASE: usize = 16;

pub(in crate::cli) fn run(args: &RedactArgs) -> Result<Exit, Stop> {
    let key = match &args.key {
        Some(phrase) if phrase.chars().count() < PHRASE => {
            return Err(Stop::Usage(format!(
                "--key: a phrase of fewer than {PHRASE} letters can be guessed, and the addresses with it"
            )));
        }
        Some(phrase) => Key::phrase(phrase),
        None => Key::random(random()?),
    };
    if args.input == args.out {
        return Err(Stop::Usage("what is read cannot be written over".to_owned()));
    }
    let input = if args.input.as_os_str() == "-" { Input::Stdin } else { Input::File(args.input.clone()) };
    let mut done = export::redact::Done::default();
    output::deliver(Some(&args.out), |out| {
        plain(export::redact(vec![input], key, args.payload.into(), out).map(|all| done = all))
    })
    .map_err(|stop| unreadable(stop, &args.input))?;
    if let Some(path) = &args.map {
        output::deliver(Some(path), |out| out.write_all(done.map.as_bytes()))?;
        messages::note(&format!("{}: says who is who; keep it to yourself", path.display()));
    }
    for problem in done.problems.iter().filter(|problem| problem.kind.is_damage()) {
        messages::note(&problem.message);
    }
    if !args.quiet {
        let blank = match done.masked {
            0 => String::new(),
            count => format!("; of {count} a part was not understood and is blank"),
        };
        messages::note(&format!("{} frames, {} addresses{blank}", done.frames, done.addresses));
    }
    let damaged = done.problems.iter().any(|problem| problem.kind == ProblemKind::UnreadableFile);
    Ok(if damaged { Exit::Input } else { Exit::Done })
}

/// An input that cannot be read is no fault of the output.
fn unreadable(stop: Stop, input: &std::path::Path) -> Stop {
    match std::fs::metadata(input) {
        Err(cause) if input.as_os_str() != "-" => Stop::Failed(Error::Open { path: input.to_owned(), cause }),
        _ => stop,
    }
}

fn random() -> Result<[u8; 16], Stop> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets)
        .map_err(|cause| Stop::Usage(format!("the system gives no random key ({cause}); --key gives one")))?;
    Ok(octets)
}
