//! A capture in which nobody can be known: other addresses, no payload, no secrets, no names; the same connections.

mod addresses;
mod checksums;
mod frame;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use addresses::Addresses;
use frame::Redacted;

use super::pcapng::{Interface, Writer};
use crate::capture::{Batch, Capture, FileFacts, Input, LinkType};
use crate::error::Error;
use crate::events::Hash128;
use crate::limits::BATCH_BYTES;
use crate::packet::Decoder;
use crate::place::FileId;

/// What stands where payload stood: the letter X.
const MASK: u8 = b'X';

/// What becomes of what programs said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Payload {
    /// It stays, with all that it tells.
    Keep,
    /// Every octet becomes the same; the length stays.
    #[default]
    Mask,
    /// The frame ends where it begins; the length on the wire stays.
    Cut,
}

/// The key that decides which address stands for which.
#[derive(Clone, Copy)]
pub struct Key([u8; 16]);

impl Key {
    /// Of random octets.
    pub fn random(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// Of a phrase: who knows it can find the addresses again.
    pub fn phrase(phrase: &str) -> Self {
        Self(Hash128::of(&[b"redaction", phrase.as_bytes()]).0.to_be_bytes())
    }
}

/// Says nothing of itself.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Frames written.
    pub frames: u64,
    /// Frames of which a part was not understood, and is blank.
    pub masked: u64,
    /// Addresses that became others, or were looked at and stay.
    pub addresses: usize,
    /// Real and written addresses, a pair a line.
    pub map: String,
    /// What was wrong in the inputs.
    pub problems: Vec<crate::problem::Problem>,
}

/// Writes the frames of the inputs anew, in order. Comments, names, decryption secrets and the names of interfaces are
/// left out; times, lengths and sequence numbers stay.
///
/// # Errors
/// Where not one input can be read, and what the writer says.
pub fn redact(inputs: Vec<Input>, key: Key, payload: Payload, out: &mut dyn Write) -> Result<Done, Error> {
    let mut addresses = Addresses::new(key.0);
    let mut done = Done::default();
    let mut writer = Writer::begin(out, &[head(payload)]).map_err(Error::Write)?;
    let mut interfaces = BTreeMap::<(FileId, u32, LinkType), u32>::new();
    let mut capture = Capture::open(inputs, BATCH_BYTES)?;
    let mut decoder = Decoder::new();
    let mut batch = Batch::default();
    while capture.fill(&mut batch) {
        let mut side = std::mem::take(&mut batch.side);
        for record in &batch.frames {
            let frame = batch.frame(record);
            let headers = decoder.decode_traced(&frame, record.bytes, &mut side, &mut |_| ());
            let mut redacted = Redacted::new(&frame, &headers, &mut addresses, payload);
            if payload == Payload::Cut {
                redacted.out.truncate(redacted.end);
            }
            done.frames += 1;
            done.masked += u64::from(redacted.masked);
            let bytes = redacted.out;
            let key = (frame.at.file, frame.interface, frame.link);
            let number = if let Some(number) = interfaces.get(&key) {
                *number
            } else {
                let interface = Interface { link: frame.link, earliest: frame.time, ..Interface::default() };
                let number = writer.interface(interface).map_err(Error::Write)?;
                interfaces.insert(key, number);
                number
            };
            let original = frame.original.max(bytes.len() as u32);
            writer.packet(number, frame.time, (&bytes, original), &[]).map_err(Error::Write)?;
        }
        batch.side = side;
    }
    let finished = capture.finish();
    for ((id, index, _), number) in &interfaces {
        let file = finished.files.get(usize::from(id.0));
        let drops = file.and_then(|file| file.interfaces.get(*index as usize)?.drops);
        writer.statistics(*number, file.and_then(watched), drops).map_err(Error::Write)?;
    }
    done.addresses = addresses.count();
    done.map = addresses.list();
    done.problems = finished.problems.list();
    Ok(done)
}

/// From when to when a file was recorded.
fn watched(file: &FileFacts) -> Option<(crate::time::Timestamp, crate::time::Timestamp)> {
    file.first.zip(file.last.max(file.watched_until))
}

/// What the capture says of itself.
fn head(payload: Payload) -> String {
    let mut text = String::from(
        "Redacted. Addresses of IP and of links stand for others: equal ones for equal ones, and a shared prefix for a \
         shared prefix of the same length; what says what an address is for (loopback, private, link-local, multicast) \
         stays. Checksums that were right are right again. ",
    );
    let said = match payload {
        Payload::Keep => {
            "Payload stays as it was, WITH EVERY SECRET, NAME AND ADDRESS IN IT; it is not looked through."
        }
        Payload::Mask => "Every octet of payload is X.",
        Payload::Cut => "Payload is cut off.",
    };
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "{said} What is not understood is blank. Comments, names of addresses and interfaces, and decryption secrets are \
         left out. Times, lengths, ports and sequence numbers stay."
    );
    text
}
