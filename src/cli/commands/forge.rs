//! `forge`: a story becomes a capture, so that a bug can be shown without private packets.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::{Exit, Stop, output};
use crate::cli::flags::ForgeArgs;
use crate::scenario::{self, Format};

pub(in crate::cli) fn run(args: &ForgeArgs) -> Result<Exit, Stop> {
    let text = read(&args.story)
        .map_err(|cause| Stop::NoInput(format!("{}: cannot read: {cause}", args.story.display())))?;
    let recording = scenario::compile(&text, &args.story)?;
    // The classic form is written as most tools write it, so that a story is as ordinary as a capture can be.
    let format =
        if args.pcap { Format::Pcap { nanoseconds: false, big_endian: false } } else { Format::Pcapng };
    output::deliver(Some(&args.out), |out| recording.write(format, out))?;
    Ok(Exit::Done)
}

/// The text of a story; `-` is standard input.
fn read(story: &Path) -> io::Result<String> {
    if story == Path::new("-") {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text)?;
        Ok(text)
    } else {
        fs::read_to_string(story)
    }
}
