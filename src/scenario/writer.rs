//! Recordings as capture files: pcap in all four classic forms, and pcapng.
//!
//! Written by hand and not with the library that the analysis reads with: what one gets wrong, the other shall
//! notice. Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.

use std::io::{self, Write};

use super::{Format, Recording};

/// Snap length of the file header; frames are never cut because of it.
const SNAP_LENGTH: u32 = 262_144;

/// Writes the whole recording in `format`.
///
/// # Errors
/// What `out` says; `InvalidInput` where pcap cannot hold frames of different link types, and where times lie
/// outside of what the format can say.
pub(super) fn write(recording: &Recording, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Pcap { nanoseconds, big_endian } => pcap(recording, nanoseconds, big_endian, out),
        Format::Pcapng => pcapng(recording, out),
    }
}

fn refuse(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

fn pcap(recording: &Recording, nanoseconds: bool, big_endian: bool, out: &mut dyn Write) -> io::Result<()> {
    let link = recording.interfaces.first().copied().unwrap_or_default();
    if recording.interfaces.iter().any(|other| *other != link) {
        return Err(refuse("pcap holds one link type only; pcapng holds several"));
    }
    let four = |number: u32| if big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    let two = |number: u16| if big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    let magic = if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
    out.write_all(&four(magic))?;
    out.write_all(&two(2))?;
    out.write_all(&two(4))?;
    for number in [0, 0, SNAP_LENGTH, u32::from(link.number())] {
        out.write_all(&four(number))?;
    }
    let unit = if nanoseconds { 1 } else { 1_000 };
    for frame in &recording.frames {
        let seconds = u32::try_from(frame.time.0.div_euclid(1_000_000_000));
        let seconds = seconds.map_err(|_| refuse("pcap holds times from 1970 to 2106 only"))?;
        let parts = frame.time.0.rem_euclid(1_000_000_000) / unit;
        for number in [seconds, parts as u32, length(&frame.bytes)?, frame.original] {
            out.write_all(&four(number))?;
        }
        out.write_all(&frame.bytes)?;
    }
    Ok(())
}

fn length(bytes: &[u8]) -> io::Result<u32> {
    u32::try_from(bytes.len()).map_err(|_| refuse("a frame is longer than 4 GiB"))
}

fn pcapng(recording: &Recording, out: &mut dyn Write) -> io::Result<()> {
    let mut section = Vec::new();
    section.extend(0x1a2b_3c4d_u32.to_le_bytes());
    section.extend(1_u16.to_le_bytes());
    section.extend(0_u16.to_le_bytes());
    // The length of the section is not given.
    section.extend(u64::MAX.to_le_bytes());
    if !recording.title.is_empty() {
        option(&mut section, 1, recording.title.as_bytes());
        option(&mut section, 0, &[]);
    }
    block(out, 0x0a0d_0d0a, &section)?;
    for link in &recording.interfaces {
        let mut interface = Vec::new();
        interface.extend(link.number().to_le_bytes());
        interface.extend(0_u16.to_le_bytes());
        interface.extend(SNAP_LENGTH.to_le_bytes());
        // Ten to the minus ninth of a second.
        option(&mut interface, 9, &[9]);
        option(&mut interface, 0, &[]);
        block(out, 1, &interface)?;
    }
    for frame in &recording.frames {
        let time = u64::try_from(frame.time.0).map_err(|_| refuse("pcapng holds no times before 1970"))?;
        let mut packet = Vec::with_capacity(frame.bytes.len() + 24);
        for number in
            [frame.interface, (time >> 32) as u32, time as u32, length(&frame.bytes)?, frame.original]
        {
            packet.extend(number.to_le_bytes());
        }
        padded(&mut packet, &frame.bytes);
        block(out, 6, &packet)?;
    }
    Ok(())
}

/// An option: code, length, value; the value is cut to what the length can say.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    padded(body, value);
}

/// Bytes filled up to a multiple of four.
fn padded(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// A block around its body, with its length at both ends.
fn block(out: &mut dyn Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let total = length(body)?.saturating_add(12);
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&total.to_le_bytes())?;
    out.write_all(body)?;
    out.write_all(&total.to_le_bytes())
}
