//! What is done off the drawing thread: reading, telling stories, reading packets again. The newest request wins.
//!
//! [`Desk`] does the work of one request and knows no thread; [`Workers`] are threads around it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::data::Data;
use super::desk::{Desk, Manner};
use super::faces::Faces;
use super::index::{self, Chunk};
use super::state::{Answer, Effect, Stage};
use crate::analysis::{Options, Progress, analyze_while};
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

/// Reads everything: first, where it takes long, the account of the beginning; then that of all; then the list of
/// packets. `say` hands over what is there.
pub fn load(inputs: &[Input], options: &Options, reins: &Reins, say: &(dyn Fn(Answer) + Sync)) {
    let options = Options { keep_events: false, dissect: true, ..options.clone() };
    if bytes_of(inputs) > 4 * BATCH_BYTES as u64 {
        // One batch is read in a blink, and shows what kind of traffic it is while the rest is read. Its events are few.
        let options = Options { keep_events: true, ..options.clone() };
        let beginning = analyze_while(inputs.to_vec(), &options, &mut |_| false);
        if let Ok(analysis) = beginning {
            say(Answer::Loaded(Arc::new(Data::new(analysis, true))));
        }
    }
    let mut stopped = false;
    let whole = analyze_while(inputs.to_vec(), &options, &mut |at: Progress| {
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
        Ok(analysis) => Arc::new(Data::new(analysis, stopped)),
        Err(error) => {
            say(Answer::Stage(Stage::Failed(error.to_string())));
            return;
        }
    };
    say(Answer::Loaded(Arc::clone(&data)));
    if stopped {
        say(Answer::Stage(Stage::Stopped));
    }
    let mut left = data.analysis.totals.packets;
    let listed = index::build(inputs.to_vec(), &data.analysis, &mut |mut rows, read, total| {
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
}

/// Bytes of the inputs that are files.
pub fn bytes_of(inputs: &[Input]) -> u64 {
    let size = |input: &Input| match input {
        Input::File(path) => std::fs::metadata(path).map_or(0, |facts| facts.len()),
        Input::Stdin => 0,
    };
    inputs.iter().map(size).sum()
}

/// Which of the threads does a request.
fn kind(request: &Effect) -> usize {
    match request {
        Effect::Tell(_) => 0,
        Effect::Frame(_) => 1,
        Effect::Summaries(_) => 2,
        Effect::Filter { .. } => 4,
        _ => 3,
    }
}

/// A thread that answers requests.
#[derive(Debug)]
struct Clerk {
    requests: Sender<(Effect, Manner)>,
    /// How many requests it was given so far.
    given: Arc<AtomicU64>,
}

/// The threads.
#[derive(Debug)]
pub struct Workers {
    /// Answers come out here.
    pub answers: Receiver<Answer>,
    say: Sender<Answer>,
    reins: Reins,
    desk: Arc<Desk>,
    clerks: Vec<Clerk>,
    data: Arc<Newest>,
}

/// The newest account, which answers are given from.
type Newest = Mutex<Option<Arc<Data>>>;

impl Workers {
    /// Starts reading.
    pub fn start(inputs: Vec<Input>, options: Options, faces: Faces) -> Self {
        let (say, answers) = channel();
        let reins = Reins::default();
        let desk = Arc::new(Desk::new(inputs.clone(), faces, options.keep_duplicates));
        let data: Arc<Newest> = Arc::default();
        {
            let (say, reins, data, desk) = (say.clone(), reins.clone(), Arc::clone(&data), Arc::clone(&desk));
            thread::spawn(move || {
                let out = Mutex::new(say);
                load(&inputs, &options, &reins, &|answer| {
                    desk.note(&answer);
                    if let Answer::Loaded(loaded) = &answer {
                        *data.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(loaded));
                    }
                    // Nobody listens any more: the program is about to end.
                    let _ = out.lock().unwrap_or_else(PoisonError::into_inner).send(answer);
                });
            });
        }
        Self { answers, say, reins, desk, clerks: Vec::new(), data }
    }

    /// Stops reading.
    pub fn stop(&self) {
        self.reins.stop();
    }

    /// Holds the reading, or lets it go on.
    pub fn hold(&self, hold: bool) {
        self.reins.hold(hold);
    }

    /// Asks for something.
    pub fn ask(&mut self, request: Effect, manner: Manner) {
        while self.clerks.len() < 5 {
            let (ask, requests) = channel();
            let given: Arc<AtomicU64> = Arc::default();
            let (desk, say, data) = (Arc::clone(&self.desk), self.say.clone(), Arc::clone(&self.data));
            let count = Arc::clone(&given);
            thread::spawn(move || serve(&desk, &data, &requests, &say, &count));
            self.clerks.push(Clerk { requests: ask, given });
        }
        if let Some(clerk) = self.clerks.get(kind(&request)) {
            // Counted before it is sent: what is under way sees that it is overtaken.
            clerk.given.fetch_add(1, Ordering::Relaxed);
            let _ = clerk.requests.send((request, manner));
        }
    }
}

/// One thread: answers from the newest account, and the newest request first.
fn serve(
    desk: &Desk,
    data: &Newest,
    requests: &Receiver<(Effect, Manner)>,
    say: &Sender<Answer>,
    given: &AtomicU64,
) {
    let newest = || data.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut taken = 0;
    let mut waiting: Option<(Effect, Manner)> = None;
    while let Some(mut last) = waiting.take().or_else(|| requests.recv().ok()) {
        taken += 1;
        // Requests that nobody waits for any more are passed over, except those that write.
        while !matches!(last.0, Effect::Export { .. })
            && let Ok(newer) = requests.try_recv()
        {
            taken += 1;
            let _ = say.send(Answer::Dropped(std::mem::replace(&mut last, newer).0));
        }
        let Some(account) = newest() else {
            thread::sleep(Duration::from_millis(20));
            taken -= 1;
            waiting = Some(last);
            continue;
        };
        let (request, manner) = last;
        let goes_on = || given.load(Ordering::Relaxed) == taken;
        let answer = desk.answer(&account, &request, manner, &goes_on);
        // What was told of an older account must not come behind the newer one.
        let now = data.lock().unwrap_or_else(PoisonError::into_inner);
        let is_newest = now.as_ref().is_some_and(|now| Arc::ptr_eq(now, &account));
        let answer = match answer {
            Some(answer) if is_newest || matches!(request, Effect::Export { .. }) => answer,
            _ => Answer::Dropped(request),
        };
        if say.send(answer).is_err() {
            return;
        }
    }
}
