//! Analyses captures up to a stage and prints what came of it, to be run under GNU `time -v`:
//! `cargo run --release --example cost_of_stages -- connections|sessions FILE…`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program of its own"
)]

use std::process::ExitCode;

use ghostshark::analysis::{self, Options};
use ghostshark::capture::Input;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let dissect = match words.next().as_deref() {
        Some("connections") => false,
        Some("sessions") => true,
        _ => {
            eprintln!("usage: cost_of_stages connections|sessions FILE…");
            return ExitCode::from(2);
        }
    };
    let inputs = words.map(|path| Input::File(path.into())).collect();
    let options = Options { dissect, ..Options::default() };
    match analysis::analyze(inputs, &options, &mut |_, _| {}) {
        Ok(analysis) => {
            let (packets, connections) = (analysis.totals.packets, analysis.connections.len());
            println!("{packets} packets, {connections} connections, {} sessions", analysis.sessions.len());
            ExitCode::SUCCESS
        }
        Err(cause) => {
            eprintln!("{cause}");
            ExitCode::FAILURE
        }
    }
}
