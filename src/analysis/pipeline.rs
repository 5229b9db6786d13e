//! Reads the next batch while all shards work on this one. The only place that knows of threads.
//!
//! Memory is two batches. Threads change only which core does a shard: shards never share anything, and their
//! results are put in order at the end.

use rayon::prelude::*;

use super::shard::{Job, Shard};
use super::{Analysis, Options, Totals, judging, numbering, ordering, quality};
use crate::capture::reader::Capture;
use crate::capture::{Batch, Input};
use crate::error::Error;
use crate::events::{Connection, ConnectionKey, Event};
use crate::limits::{BATCH_BYTES, SHARDS};
use crate::packet::Decoder;
use crate::problem::{Problem, ProblemKind, Problems};
use crate::protocols::{self, GivenUp, Said};
use crate::session::Tracker;
use crate::stream::Window;
use crate::stream::ending::{Row, population};
use crate::time::{Span, Timestamp};

/// Shards that a thread takes at once: one alone is too little work in a batch to be handed out.
const SHARDS_AT_ONCE: usize = 8;

/// A batch and its packets, by shard.
struct Load {
    batch: Batch,
    jobs: Vec<Vec<Job>>,
}

impl Load {
    fn new() -> Self {
        Self { batch: Batch::default(), jobs: (0..SHARDS).map(|_| Vec::new()).collect() }
    }
}

/// What the reading side keeps from batch to batch.
struct Reading {
    capture: Capture,
    decoder: Decoder,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Very long times without any frame: the moment before each, and how long it was.
    gaps: Vec<(Timestamp, Span)>,
    /// How long nothing was recorded in all, lulls of a talk not counted.
    dark: Span,
}

/// A time without any frame that is no longer than this is never a seam: people record over night.
const SEAM: Span = Span::from_secs(86_400);

/// A time without any frame that is longer than this is no part of what was recorded.
const LULL: Span = Span::from_secs(3_600);

/// Gaps looked at: nobody lays more recordings together than he has.
const GAPS: usize = 1_024;

impl Reading {
    /// Fills the next load; false when there is nothing more.
    fn fill(&mut self, load: &mut Load) -> bool {
        for jobs in &mut load.jobs {
            jobs.clear();
        }
        if !self.capture.fill(&mut load.batch) {
            return false;
        }
        let mut side = std::mem::take(&mut load.batch.side);
        let jobs = &mut load.jobs;
        for record in &load.batch.frames {
            self.first.get_or_insert(record.time);
            if let Some(last) = self.last
                && record.time.since(last) > LULL
            {
                self.rest(last, record.time.since(last));
            }
            self.last = self.last.max(Some(record.time));
            let frame = load.batch.frame(record);
            let mut nth = 0;
            self.decoder.decode(&frame, record.bytes, &mut side, &mut |packet| {
                if let Some(jobs) = jobs.get_mut(packet.flow.shard()) {
                    jobs.push(Job::new(packet, nth));
                }
                nth += 1;
            });
        }
        load.batch.side = side;
        true
    }
}

impl Reading {
    /// Nothing was recorded for so long after this moment.
    fn rest(&mut self, last: Timestamp, span: Span) {
        self.dark = Span(self.dark.0.saturating_add(span.0));
        if span > SEAM && self.gaps.len() < GAPS {
            self.gaps.push((last, span));
        }
    }

    /// Where frames are missing for ten times as long as all that was recorded takes, recordings of different times
    /// lie one behind the other: nothing was watched from one to the next. Tells the last moment before each.
    fn seams(&self) -> Vec<Timestamp> {
        let whole = self.whole(&[]);
        let lit = whole.end.since(whole.start).0.saturating_sub(self.dark.0);
        self.gaps.iter().filter(|(_, span)| span.0 / 10 > lit).map(|(before, _)| *before).collect()
    }

    /// The times of the run.
    fn whole<'w>(&self, seams: &'w [Timestamp]) -> Window<'w> {
        let end = self.last.max(self.capture.watched_until());
        Window { start: self.first.unwrap_or_default(), end: end.unwrap_or_default(), seams }
    }
}

/// What is kept of what the shards said, in its order.
#[derive(Default)]
struct Talk {
    events: Vec<Event>,
    problems: Problems,
}

impl Talk {
    fn take(&mut self, said: impl Iterator<Item = Said>) {
        let (events, given_up) = ordering::in_order(said);
        note_given_up(&mut self.problems, &given_up);
        self.events.extend(events);
    }
}

/// Analyses captures as one timeline.
///
/// `watch` is told, after each batch, how many bytes of the inputs were read, and how many there are where that
/// is known.
///
/// # Errors
/// Where not one input could be read. Anything less is a [`Problem`] of the result.
pub fn analyze(
    inputs: Vec<Input>,
    options: &Options,
    watch: &mut (dyn FnMut(u64, Option<u64>) + Send),
) -> Result<Analysis, Error> {
    analyze_while(inputs, options, &mut |at| {
        watch(at.read, at.total);
        true
    })
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes of the inputs that were read.
    pub read: u64,
    /// How many there are, where that is known.
    pub total: Option<u64>,
    /// Frames read.
    pub packets: u64,
    /// Connections met so far.
    pub connections: u64,
}

/// The same, for as long as `go_on` says so after a batch. What it gives then is the account of what was read: as if
/// the captures ended there.
///
/// # Errors
/// Where not one input could be read. Anything less is a [`Problem`] of the result.
pub fn analyze_while(
    inputs: Vec<Input>,
    options: &Options,
    go_on: &mut (dyn FnMut(Progress) -> bool + Send),
) -> Result<Analysis, Error> {
    let batch_bytes = if options.batch_bytes == 0 { BATCH_BYTES } else { options.batch_bytes };
    let capture = Capture::open(inputs, batch_bytes)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    match pool {
        Ok(pool) => Ok(pool.install(|| run(capture, options, go_on))),
        // A system without threads to spare still has this one.
        Err(_) => Ok(run(capture, options, go_on)),
    }
}

fn run(capture: Capture, options: &Options, go_on: &mut (dyn FnMut(Progress) -> bool + Send)) -> Analysis {
    let mut shards: Vec<Shard> = (0..SHARDS).map(|_| Shard::new(options)).collect();
    let mut talk = Talk::default();
    let mut reading = Reading {
        capture,
        decoder: Decoder::new(),
        first: None,
        last: None,
        gaps: Vec::new(),
        dark: Span::default(),
    };
    let (mut now, mut next) = (Load::new(), Load::new());
    let mut packets = 0;
    let mut more = reading.fill(&mut now);
    while more {
        let begun = reading.first.unwrap_or_default();
        let load = &now;
        (more, ()) = rayon::join(
            || reading.fill(&mut next),
            || {
                shards
                    .par_iter_mut()
                    .zip(&load.jobs)
                    .with_min_len(SHARDS_AT_ONCE)
                    .for_each(|(shard, jobs)| shard.work(jobs, &load.batch, begun));
            },
        );
        talk.take(shards.iter_mut().map(Shard::take_said));
        let progress = reading.capture.progress();
        packets += now.batch.frames.len() as u64;
        more &= go_on(Progress {
            read: progress.read,
            total: progress.total,
            packets,
            connections: shards.iter().map(Shard::connections).sum(),
        });
        std::mem::swap(&mut now, &mut next);
    }
    let seams = reading.seams();
    let window = reading.whole(&seams);
    let (finished, heard): (Vec<_>, Vec<_>) =
        shards.into_par_iter().map(|shard| shard.finish(window)).unzip();
    let (said, trackers): (Vec<_>, Vec<_>) = heard.into_iter().unzip();
    talk.take(said.into_iter());
    let mut tracker = Tracker::default();
    for other in trackers {
        tracker.join(other);
    }
    conclude(reading, finished, talk, tracker, window, options)
}

/// Puts the shards' results in the one order, and judges what only the whole can tell.
fn conclude(
    reading: Reading,
    finished: Vec<crate::stream::table::Finished>,
    talk: Talk,
    tracker: Tracker,
    window: Window<'_>,
    options: &Options,
) -> Analysis {
    let capture = reading.capture.finish();
    let tally = reading.decoder.finish();
    let mut problems = capture.problems;
    problems.merge(tally.problems);
    problems.merge(talk.problems);
    let (mut rows, mut tcp, mut udp): (Vec<Row>, Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new(), Vec::new());
    let mut announced = Vec::new();
    let (mut folded, mut evicted) = (0, 0);
    for shard in finished {
        rows.extend(shard.rows);
        tcp.extend(shard.tcp_streams);
        udp.extend(shard.udp_streams);
        announced.extend(shard.announced);
        folded += shard.folded;
        evicted += shard.evicted;
    }
    // Rows are large: their keys are sorted, and each row moves once.
    rows.sort_by_cached_key(|row| {
        (row.connection.first, row.stream_key, row.connection.transport, row.connection.uid)
    });
    numbering::hide_beyond_damage(&mut rows, &capture.files, &problems.list());
    numbering::forget_announced_syns(&mut rows, announced);
    numbering::number(&mut rows, &mut tcp, &mut udp);
    population::judge(&mut rows, window);
    for (id, row) in rows.iter_mut().enumerate() {
        row.connection.id = id as u32;
    }
    let mut names: Vec<(ConnectionKey, u32)> = rows.iter().map(|row| (row.key, row.connection.id)).collect();
    names.sort_unstable();
    note_limits(&mut problems, folded, evicted);
    let quality = quality::of_files(&capture.files, &rows);
    let connections: Vec<Connection> = rows.into_iter().map(|row| row.connection).collect();
    let sessions = tracker.finish(&connections, &names, protocols::says_goodbye);
    let problems = problems.list();
    let other_frames = tally.other.iter().map(|(_, count)| count).sum();
    let findings = judging::findings(
        &sessions,
        &connections,
        &capture.files,
        &quality,
        &problems,
        other_frames,
        &options.names,
    );
    Analysis {
        quality,
        findings_of_sessions: judging::by_session(&findings, &sessions),
        sessions,
        findings,
        totals: Totals {
            packets: capture.files.iter().map(|file| file.packets).sum(),
            bytes: capture.files.iter().map(|file| file.bytes_captured).sum(),
            tcp_segments: tally.tcp_segments,
            udp_datagrams: tally.udp_datagrams,
            icmp_errors: tally.icmp_errors,
            other: tally.other,
            folded_connections: folded,
        },
        connections,
        events: talk.events,
        names,
        problems,
        files: capture.files,
        options: options.clone(),
    }
}

fn note_limits(problems: &mut Problems, folded: u64, evicted: u64) {
    let mut note = |subject: &str, count: u64, message: String| {
        if count > 0 {
            let kind = ProblemKind::LimitReached;
            problems.add(subject, Problem { kind, file: None, frame: None, offset: None, count, message });
        }
    };
    note(
        "folded",
        folded,
        format!("{folded} connections were counted and not kept: there were too many to list"),
    );
    note(
        "evicted",
        evicted,
        format!(
            "the state of {evicted} long idle connections was given up: what came after is another connection"
        ),
    );
}

/// Dissectors that gave up: what came after is opaque.
fn note_given_up(problems: &mut Problems, given_up: &[GivenUp]) {
    for one in given_up {
        let message = format!("{} is not read on from here: {}", one.protocol, one.why.words());
        let problem = Problem {
            kind: ProblemKind::DissectorStopped,
            file: Some(one.at.at.file),
            frame: Some(one.at.at.frame),
            offset: None,
            count: 1,
            message,
        };
        problems.add(&format!("{} {}", one.protocol, one.why.words()), problem);
    }
}
