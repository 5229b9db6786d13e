//! What is noted down while one input is read: its facts, its problems, its secrets.

use crate::capture::clock::Clock;
use crate::capture::format::RawFrame;
use crate::capture::{FileFacts, InterfaceFacts, LinkType, Secret};
use crate::limits;
use crate::place::FileId;
use crate::problem::{Problem, ProblemKind, Problems};
use crate::time::Timestamp;

/// Skipped ranges of one input that are listed one by one; the rest folds into a count.
const RANGES_LISTED: u64 = 16;

/// The notes about one input.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Which input.
    pub(super) file: FileId,
    /// What is known of it.
    pub(super) facts: FileFacts,
    /// What was wrong in it.
    pub(super) problems: Problems,
    /// Its decryption secrets.
    pub(super) secrets: Vec<Secret>,
    secret_bytes: usize,
    clock: Clock,
    /// Times of the latest two frames, the later frame first.
    recent: [Option<Timestamp>; 2],
    ranges: u64,
    /// Number of the latest record, as Wireshark counts: records that are no packets count too.
    pub(super) frame: u64,
}

impl Ledger {
    /// An empty one.
    pub(super) fn new(file: FileId, path: std::path::PathBuf) -> Self {
        Self { file, facts: FileFacts { path, ..FileFacts::default() }, ..Self::default() }
    }

    /// Notes a problem at a byte of the file.
    pub(super) fn problem(&mut self, kind: ProblemKind, subject: &str, offset: u64, message: String) {
        self.add(kind, subject, None, Some(offset), 1, message);
    }

    fn add(
        &mut self,
        kind: ProblemKind,
        subject: &str,
        frame: Option<u64>,
        offset: Option<u64>,
        count: u64,
        message: String,
    ) {
        let file = Some(self.file);
        self.problems.add(subject, Problem { kind, file, frame, offset, count, message });
    }

    /// Notes bytes that were skipped; the first ranges are listed one by one.
    pub(super) fn skipped(&mut self, from: u64, to: u64, why: &str, end: bool) {
        self.ranges += 1;
        let subject = if self.ranges <= RANGES_LISTED { format!("{from:020}") } else { String::new() };
        let until = if end { "no further record was found" } else { "reading goes on there" };
        let message = format!(
            "at byte {from}: {why}; {} bytes up to byte {to} are skipped, {until}",
            to.saturating_sub(from)
        );
        self.problem(ProblemKind::SkippedBytes, &subject, from, message);
    }

    /// Notes that the file ends in the middle of something.
    pub(super) fn cut_short(&mut self, offset: u64, message: String) {
        self.facts.truncated = true;
        self.problem(ProblemKind::CutShort, "", offset, message);
    }

    /// Notes a record that breaks the rules of its format and is left out or repaired.
    pub(super) fn bad_record(&mut self, subject: &str, offset: u64, message: String) {
        self.problem(ProblemKind::BadRecord, subject, offset, message);
    }

    /// Counts a record that is no packet yet has a number.
    pub(super) fn other_record(&mut self) {
        self.frame += 1;
        self.facts.other_records += 1;
    }

    /// Counts a frame and gives it its number.
    pub(super) fn frame(&mut self, frame: &RawFrame) -> u64 {
        self.frame += 1;
        let facts = &mut self.facts;
        facts.packets += 1;
        facts.bytes_captured += u64::from(frame.length);
        facts.bytes_wire += u64::from(frame.original);
        facts.snapped += u64::from(frame.original > frame.length);
        if facts.link_types.last() != Some(&frame.link) && !facts.link_types.contains(&frame.link) {
            facts.link_types.push(frame.link);
        }
        if let Some(time) = frame.time {
            self.clock.tick(time, self.frame);
            self.recent = [Some(time), self.recent[0]];
        }
        self.frame
    }

    /// Earliest time so far; for frames that hold none.
    pub(super) fn first_time(&self) -> Timestamp {
        self.clock.first().unwrap_or_default()
    }

    /// Times of the latest two frames: one of them may be damaged.
    pub(super) fn recent_times(&self) -> [Option<Timestamp>; 2] {
        self.recent
    }

    /// Keeps a comment on a frame, or on the file (frame 0).
    pub(super) fn comment(&mut self, frame: u64, text: &[u8], offset: u64) {
        if self.facts.comments.len() < limits::TEXTS {
            self.facts.comments.push((frame, bounded_text(text)));
        } else {
            self.limit("comments", offset);
        }
    }

    /// Keeps a name that the file gives to an address.
    pub(super) fn name(&mut self, address: std::net::IpAddr, name: &[u8], offset: u64) {
        if self.facts.names.len() < limits::TEXTS {
            self.facts.names.push((address, bounded_text(name)));
        } else {
            self.limit("names of addresses", offset);
        }
    }

    /// The recorder says that it watched until then.
    pub(super) fn watched(&mut self, until: Timestamp) {
        self.facts.watched_until = self.facts.watched_until.max(Some(until));
    }

    /// Keeps decryption secrets.
    pub(super) fn secret(&mut self, kind: u32, bytes: &[u8], offset: u64) {
        if self.secret_bytes + bytes.len() <= limits::SECRETS_BYTES {
            self.secret_bytes += bytes.len();
            self.secrets.push(Secret { file: self.file, kind, bytes: bytes.to_vec() });
        } else {
            self.limit("decryption secrets", offset);
        }
    }

    /// Notes that a bound was reached and something is left out.
    pub(super) fn limit(&mut self, what: &str, offset: u64) {
        let message = format!("at byte {offset}: more {what} than are kept; the rest is left out");
        self.problem(ProblemKind::LimitReached, what, offset, message);
    }

    /// Closes the books: what can only be said at the end.
    pub(super) fn close(mut self) -> (FileFacts, Problems, Vec<Secret>) {
        let clock = std::mem::take(&mut self.clock);
        self.facts.first = clock.first();
        self.facts.last = clock.last();
        // Some recorders count this time in another unit than that of the interface: what cannot be is not believed.
        self.facts.watched_until = self.facts.watched_until.filter(|until| {
            clock.last().is_some_and(|last| (1..=limits::WATCHED_BEYOND.0).contains(&until.since(last).0))
        });
        self.facts.backward = clock.backward();
        self.facts.disorder = clock.disorder();
        if clock.backward() > 0 {
            let message = format!(
                "{} frames are earlier than one before them, by {} at most; they are read in file order",
                clock.backward(),
                clock.disorder()
            );
            let kind = ProblemKind::ClockDisorder;
            self.add(kind, "", clock.first_backward(), None, clock.backward(), message);
        }
        self.facts.blackouts = clock.blackouts();
        self.facts.link_types.sort_unstable();
        let drops: u64 = self.facts.interfaces.iter().filter_map(|interface| interface.drops).sum();
        if drops > 0 {
            let message = format!("the recorder says that it dropped {drops} packets");
            self.add(ProblemKind::RecorderDrops, "", None, None, drops, message);
        }
        (self.facts, self.problems, self.secrets)
    }

    /// The facts of the file's interface with this index.
    pub(super) fn interface(&mut self, index: u32) -> Option<&mut InterfaceFacts> {
        self.facts.interfaces.get_mut(index as usize)
    }

    /// Adds an interface; its index in the file. The last one stands for all that are too many.
    pub(super) fn add_interface(
        &mut self,
        name: &[u8],
        link: LinkType,
        snaplen: u32,
        resolution_ns: u64,
    ) -> u32 {
        let finest = &mut self.facts.time_resolution_ns;
        *finest = if *finest == 0 { resolution_ns } else { (*finest).min(resolution_ns) };
        if self.facts.interfaces.len() < limits::FILE_INTERFACES {
            let name = bounded_text(name);
            self.facts.interfaces.push(InterfaceFacts { name, link, snaplen, drops: None });
        } else {
            let message =
                format!("more than {} interfaces; the last one stands for the rest", limits::FILE_INTERFACES);
            self.add(ProblemKind::LimitReached, "interfaces of the file", None, None, 1, message);
        }
        self.facts.interfaces.len().saturating_sub(1) as u32
    }
}

/// Text of a capture file, cut to what is kept of it.
fn bounded_text(bytes: &[u8]) -> String {
    let kept = bytes.get(..limits::TEXT_BYTES).unwrap_or(bytes);
    let kept = kept.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(kept).into_owned()
}
