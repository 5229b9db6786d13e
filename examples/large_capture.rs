//! Writes a large capture, the same each time: `cargo run --release --example large_capture -- OUT [PACKETS]`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program of its own"
)]

use std::fs::File;
use std::io::{self, BufWriter};
use std::process::ExitCode;

#[path = "../benches/corpus.rs"]
mod corpus;

/// Enough for more than 1 GiB.
const PACKETS: u64 = 5_200_000;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let path = words.next();
    let packets = words.next().map_or(Ok(PACKETS), |word| word.parse());
    let (Some(path), Ok(packets), None) = (path, packets, words.next()) else {
        eprintln!("usage: large_capture OUT [PACKETS]   ({PACKETS} packets unless told)");
        return ExitCode::from(2);
    };
    match write(&path, packets) {
        Ok(bytes) => {
            println!("{path}: {packets} packets, {bytes} bytes");
            ExitCode::SUCCESS
        }
        Err(cause) => {
            eprintln!("{path}: cannot write: {cause}");
            ExitCode::FAILURE
        }
    }
}

fn write(path: &str, packets: u64) -> io::Result<u64> {
    corpus::write_capture(packets, &mut BufWriter::with_capacity(1 << 20, File::create(path)?))
}
