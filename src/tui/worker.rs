//! What is done off the drawing thread: reading, telling stories, reading packets again. The newest request wins.
//!
//! [`load`] reads, a [`Desk`] does the work of one request, and neither knows a thread; [`Workers`] are threads around
//! them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::data::Data;
use super::desk::{Desk, Manner};
use super::faces::Faces;
use super::load::{self, Reins, Work};
use super::state::{Answer, Effect};

/// Which of the threads does a request.
fn kind(request: &Effect) -> usize {
    match request {
        Effect::Tell(_) => 0,
        Effect::Frame(_) => 1,
        Effect::Summaries(_) => 2,
        Effect::Filter { .. } | Effect::Count { .. } => 4,
        Effect::Seek { .. } | Effect::Standings(_) => 5,
        _ => 3,
    }
}

/// How many threads there are.
const CLERKS: usize = 6;

/// Whether a request writes something: it is done, whatever is asked after it.
fn writes(request: &Effect) -> bool {
    matches!(request, Effect::Export { .. } | Effect::Mute(_) | Effect::Baseline { .. })
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
    pub fn start(work: Work, faces: Faces) -> Self {
        let (say, answers) = channel();
        let reins = Reins::default();
        let desk = Arc::new(Desk::new(work.inputs.clone(), faces, work.options.keep_duplicates));
        let data: Arc<Newest> = Arc::default();
        {
            let (say, reins, data, desk) = (say.clone(), reins.clone(), Arc::clone(&data), Arc::clone(&desk));
            thread::spawn(move || {
                let out = Mutex::new(say);
                load::run(&work, &reins, &|answer| {
                    desk.note(&answer);
                    if let Answer::Loaded(loaded) | Answer::Grown(loaded, ..) = &answer {
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
        while self.clerks.len() < CLERKS {
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
        while !writes(&last.0)
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
            Some(answer) if is_newest || writes(&request) => answer,
            _ => Answer::Dropped(request),
        };
        if say.send(answer).is_err() {
            return;
        }
    }
}
