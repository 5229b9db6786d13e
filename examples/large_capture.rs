//! Writes a large capture, the same each time:
//! `cargo run --release --example large_capture -- OUT [PACKETS] [downloads]`.
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

use corpus::Traffic;

/// Enough for more than 1 GiB.
const PACKETS: u64 = 5_200_000;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let path = words.next();
    let packets = words.next().map_or(Ok(PACKETS), |word| word.parse());
    let traffic = match words.next().as_deref() {
        None => Some(Traffic::Short),
        Some("downloads") => Some(Traffic::Downloads),
        Some(_) => None,
    };
    let (Some(path), Ok(packets), Some(traffic), None) = (path, packets, traffic, words.next()) else {
        eprintln!("usage: large_capture OUT [PACKETS] [downloads]   ({PACKETS} packets unless told)");
        return ExitCode::from(2);
    };
    match write(&path, packets, traffic) {
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

fn write(path: &str, packets: u64, traffic: Traffic) -> io::Result<u64> {
    corpus::write_capture(traffic, packets, &mut BufWriter::with_capacity(1 << 20, File::create(path)?))
}
