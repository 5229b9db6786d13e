//! The command line program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ghostshark::cli::run()
}
