//! Reads the inputs: what is there, and where they grow what comes after.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::data::Data;
use super::index::{self, Chunk};
use super::state::{Answer, Stage};
use crate::analysis::{Analysis, Options, Progress, analyze_while};
use crate::capture::Input;
use crate::limits::BATCH_BYTES;

/// Whether the work is to go on.
#[derive(Debug, Clone, Default)]
pub struct Reins {
    stop: Arc<AtomicBool>,
    hold: Arc<AtomicBool>,
}

impl Reins {
    /// Stops what is under way.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.hold(false);
    }

    /// Holds it, or lets it go on.
    pub fn hold(&self, hold: bool) {
        self.hold.store(hold, Ordering::Relaxed);
    }

    fn goes_on(&self) -> bool {
        while self.hold.load(Ordering::Relaxed) && !self.stop.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(50));
        }
        !self.stop.load(Ordering::Relaxed)
    }
}

/// What is read, and how.
#[derive(Debug)]
pub struct Work {
    /// Files: what can be read only once was copied to one.
    pub inputs: Vec<Input>,
    /// What they are called on the screen, where that is not their path.
    pub names: Vec<Option<String>>,
    /// How they are analysed.
    pub options: Options,
    /// Whether more is to come: none where they are whole. Raised when nothing more comes.
    pub growing: Option<Arc<AtomicBool>>,
}

impl Work {
    fn data(&self, mut analysis: Analysis, partial: bool) -> Arc<Data> {
        for (file, name) in analysis.files.iter_mut().zip(&self.names) {
            if let Some(name) = name {
                file.path = PathBuf::from(name);
            }
        }
        Arc::new(Data::new(analysis, partial))
    }
}

/// Time between two looks at the size of a file that grows.
const LOOK: Duration = Duration::from_millis(250);
/// Shortest time between two accounts of a file that grows, and how many times longer than the account took.
const REST: (Duration, u32) = (Duration::from_secs(1), 3);

/// Reads everything, and where more is to come goes on until it has come or nobody wants it.
pub fn run(work: &Work, reins: &Reins, say: &(dyn Fn(Answer) + Sync)) {
    let Some(over) = &work.growing else {
        load(work, reins, say);
        return;
    };
    let wanted = || !reins.stop.load(Ordering::Relaxed);
    // A file that has no packet yet is no capture; one that has is read as any other.
    let mut known = 0;
    let mut loaded = false;
    while wanted() && !loaded {
        let (ended, size) = (over.load(Ordering::Relaxed), bytes_of(&work.inputs));
        if size != known || ended {
            known = size;
            loaded = load(work, reins, say);
            if ended {
                return;
            }
        }
        if !loaded {
            say(Answer::Stage(Stage::Waiting));
            thread::sleep(LOOK);
        }
    }
    while wanted() {
        say(Answer::Stage(Stage::Following));
        let ended = over.load(Ordering::Relaxed);
        let size = bytes_of(&work.inputs);
        if size == known && ended {
            say(Answer::Stage(Stage::Done));
            return;
        }
        thread::sleep(LOOK);
        if size == known || reins.hold.load(Ordering::Relaxed) {
            continue;
        }
        let begun = Instant::now();
        known = size;
        match grown(work) {
            Some(answer) => say(answer),
            // A file that was begun anew may have no whole packet yet.
            None => continue,
        }
        let until = begun + REST.0.max(begun.elapsed() * REST.1);
        while wanted() && !over.load(Ordering::Relaxed) && Instant::now() < until {
            thread::sleep(LOOK);
        }
    }
    say(Answer::Stage(Stage::Stopped));
}

fn options(work: &Work) -> Options {
    // What was said is heard again when somebody looks at it.
    Options { keep_events: false, dissect: true, ..work.options.clone() }
}

/// The account and the packets of what a file has grown to, in one: the screen goes from the one to the other.
pub(super) fn grown(work: &Work) -> Option<Answer> {
    let bytes = bytes_of(&work.inputs);
    let analysis = analyze_while(work.inputs.clone(), &options(work), &mut |_| true).ok()?;
    let data = work.data(analysis, false);
    let mut left = data.analysis.totals.packets;
    let mut chunks = Vec::new();
    index::build(work.inputs.clone(), &data.analysis, &mut |mut rows, _, _| {
        // It may have grown meanwhile.
        rows.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= rows.len() as u64;
        chunks.extend(Chunk::pack(&rows).into_iter().map(Arc::new));
        left > 0
    })
    .ok()?;
    Some(Answer::Grown(data, chunks, bytes))
}

/// Reads everything: first, where it takes long, the account of the beginning; then that of all; then the list of
/// packets. `say` hands over what is there. Answers whether there is an account.
pub fn load(work: &Work, reins: &Reins, say: &(dyn Fn(Answer) + Sync)) -> bool {
    let options = options(work);
    if bytes_of(&work.inputs) > 4 * BATCH_BYTES as u64 {
        // One batch is read in a blink, and shows what kind of traffic it is while the rest is read. Its events are few.
        let options = Options { keep_events: true, ..options.clone() };
        let beginning = analyze_while(work.inputs.clone(), &options, &mut |_| false);
        if let Ok(analysis) = beginning {
            say(Answer::Loaded(work.data(analysis, true)));
        }
    }
    let mut stopped = false;
    let whole = analyze_while(work.inputs.clone(), &options, &mut |at: Progress| {
        say(Answer::Stage(Stage::Reading(at)));
        let goes_on = reins.goes_on();
        if at.total.is_some_and(|total| at.read >= total) {
            say(Answer::Stage(Stage::Judging));
        } else {
            stopped |= !goes_on;
        }
        goes_on
    });
    let data = match whole {
        Ok(analysis) => work.data(analysis, stopped),
        Err(error) => {
            say(Answer::Stage(Stage::Failed(error.to_string())));
            return false;
        }
    };
    say(Answer::Loaded(Arc::clone(&data)));
    if stopped {
        say(Answer::Stage(Stage::Stopped));
    }
    let mut left = data.analysis.totals.packets;
    let listed = index::build(work.inputs.clone(), &data.analysis, &mut |mut rows, read, total| {
        // Of what was stopped, only what was read has an account.
        rows.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= rows.len() as u64;
        for chunk in Chunk::pack(&rows) {
            say(Answer::Packets(Arc::new(chunk)));
        }
        if !stopped {
            say(Answer::Stage(Stage::Listing(read, total)));
        }
        left > 0 && (stopped || reins.goes_on())
    });
    say(Answer::Listed);
    if let Err(error) = listed {
        say(Answer::Stage(Stage::Failed(error.to_string())));
    } else if !stopped {
        say(Answer::Stage(Stage::Done));
    }
    true
}

/// Bytes of the inputs that are files.
pub fn bytes_of(inputs: &[Input]) -> u64 {
    let size = |input: &Input| match input {
        Input::File(path) | Input::Corrected { path, .. } => {
            std::fs::metadata(path).map_or(0, |facts| facts.len())
        }
        Input::Stdin | Input::Kept(_) => 0,
    };
    inputs.iter().map(size).sum()
}
