//! What is done off the drawing thread: reading, telling stories, reading packets again. The newest request wins.
//!
//! [`Desk`] does the work of one request and knows no thread; [`Workers`] are threads with a desk each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::data::Data;
use super::faces::Faces;
use super::follow::Talk;
use super::index::{self, PacketIndex, PacketRow};
use super::state::{Answer, Effect, FrameDetail, Stage, Summary, Told};
use crate::analysis::{Options, Progress, analyze_while};
use crate::capture::{Input, Lookup};
use crate::error::Error;
use crate::filter::{Macros, Reread, Scope, compile};
use crate::inspect::{self, Entry, Index, Piece};
use crate::limits::BATCH_BYTES;
use crate::story::Teller;

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
    let options = Options { keep_events: true, dissect: true, ..options.clone() };
    let again = !inputs.contains(&Input::Stdin);
    if again && bytes_of(inputs) > 4 * BATCH_BYTES as u64 {
        // One batch is read in a blink, and shows what kind of traffic it is while the rest is read.
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
    if stopped || !again {
        say(Answer::Stage(if stopped { Stage::Stopped } else { Stage::Done }));
        if !again {
            return;
        }
    }
    let mut left = data.analysis.totals.packets;
    let listed = index::build(inputs.to_vec(), &data.analysis, &mut |mut rows, read, total| {
        // Of what was stopped, only what was read has an account.
        rows.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= rows.len() as u64;
        say(Answer::Packets(Arc::new(rows)));
        if !stopped {
            say(Answer::Stage(Stage::Listing(read, total)));
        }
        left > 0 && (stopped || reins.goes_on())
    });
    if let Err(error) = listed {
        say(Answer::Stage(Stage::Failed(error.to_string())));
    } else if !stopped {
        say(Answer::Stage(Stage::Done));
    }
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

/// Does what is asked about an account.
#[derive(Debug)]
pub struct Desk {
    inputs: Vec<Input>,
    faces: Faces,
    keep_duplicates: bool,
    /// The packets listed so far.
    packets: Mutex<PacketIndex>,
    lookup: Mutex<Option<Lookup>>,
}

/// Packets of a connection before one, beyond which its line in the list is not worth reading them all again: what the
/// index knows stands there.
const BEFORE: usize = 4_096;

/// How a session is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// As hex.
    pub hex: bool,
    /// Tokens and cookies too.
    pub secrets: bool,
}

impl Desk {
    /// A desk for these inputs.
    pub fn new(inputs: Vec<Input>, faces: Faces, keep_duplicates: bool) -> Self {
        Self { inputs, faces, keep_duplicates, packets: Mutex::default(), lookup: Mutex::default() }
    }

    /// Takes note of what was read: packets can be looked up as soon as they are listed.
    pub fn note(&self, answer: &Answer) {
        let mut packets = self.packets.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Answer::Loaded(_) => *packets = PacketIndex::default(),
            Answer::Packets(rows) => packets.push(Arc::clone(rows)),
            _ => {}
        }
    }

    /// What has to be read to tell all of a packet: the packets of its connection before it, and its neighbour. None
    /// where those are more than `most`.
    fn around(&self, data: &Data, row: &PacketRow, most: usize) -> Option<Index> {
        // A list of packets is cheap to copy: it is made of parts that are shared.
        let packets = self.packets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let place = packets.find(row.at.number);
        let first = row.connection().and_then(|id| data.analysis.connections.get(id as usize));
        let from = first.map_or(place, |connection| packets.find(connection.first.number));
        let mut places: Vec<usize> = vec![0];
        for before in from..place {
            if packets.get(before).is_some_and(|other| other.connection == row.connection) {
                places.push(before);
                if places.len() > most {
                    return None;
                }
            }
        }
        places.extend([place.saturating_sub(1), place]);
        places.sort_unstable();
        places.dedup();
        let entry = |row: &PacketRow| Entry {
            at: row.at,
            time: row.time,
            link: row.link,
            interface: u32::from(row.interface),
            original: row.original,
            connection: row.connection(),
        };
        Some(Index::of(places.into_iter().filter_map(|place| packets.get(place)).map(entry).collect()))
    }

    fn look_up(
        &self,
        data: &Data,
        row: &PacketRow,
        most: usize,
    ) -> Result<Option<(inspect::Dissection, Vec<u8>)>, Error> {
        let Some(around) = self.around(data, row, most) else { return Ok(None) };
        let mut lookup = self.lookup.lock().unwrap_or_else(PoisonError::into_inner);
        let lookup = match &mut *lookup {
            Some(lookup) => lookup,
            none => none.insert(Lookup::open(&self.inputs)?),
        };
        around.packet(lookup, &data.analysis, row.at.number)
    }

    fn once_only(&self) -> bool {
        self.inputs.contains(&Input::Stdin)
    }

    /// The answer to a request; none for what is no request.
    pub fn answer(
        &self,
        data: &Data,
        teller: &Teller<'_>,
        request: &Effect,
        manner: Manner,
        goes_on: &dyn Fn() -> bool,
    ) -> Option<Answer> {
        match request {
            Effect::Tell(id) => {
                let session = data.session(*id)?;
                let told = Told { story: teller.story(session), ladder: teller.ladder(session) };
                Some(Answer::Told(*id, Arc::new(told)))
            }
            Effect::Follow(id) => {
                Some(Answer::Followed(*id, Arc::new(self.follow(data, *id, manner, goes_on))))
            }
            Effect::Frame(row) => Some(Answer::Frame(Arc::new(self.frame(data, row)))),
            Effect::Summaries(rows) => Some(Answer::Summaries(self.summaries(data, rows))),
            Effect::Filter { text, scope } => {
                Some(Answer::Filtered(text.clone(), *scope, self.filter(data, text, *scope)))
            }
            Effect::Export { path, form, sessions } => {
                Some(Answer::Exported((self.faces.export)(&data.analysis, sessions, form, path)))
            }
            _ => None,
        }
    }

    fn filter(&self, data: &Data, text: &str, scope: Scope) -> Result<Arc<Vec<u64>>, String> {
        let filter = compile(text, scope, &Macros::new()).map_err(|refusal| refusal.sentence())?;
        if self.once_only() && filter.needs().second_pass {
            return Err("standard input cannot be read twice, as this filter needs".to_owned());
        }
        let source = Reread::new(self.inputs.clone(), &data.analysis);
        let passes = match scope {
            Scope::Packets => filter
                .packets(&data.analysis, &source)
                .map(|packets| packets.into_iter().map(|at| at.number).collect()),
            Scope::Findings => filter
                .findings(&data.analysis, &source)
                .map(|ids| ids.into_iter().map(|id| u64::from(id).saturating_sub(1)).collect()),
            _ => filter.sessions(&data.analysis, &source).map(|ids| ids.into_iter().map(u64::from).collect()),
        };
        passes.map(Arc::new).map_err(|error| error.to_string())
    }

    fn frame(&self, data: &Data, row: &PacketRow) -> FrameDetail {
        let mut detail = FrameDetail { number: row.at.number, ..FrameDetail::default() };
        if self.once_only() {
            detail.trouble = Some("standard input cannot be read twice".to_owned());
            return detail;
        }
        match self.look_up(data, row, usize::MAX) {
            Ok(Some((dissection, bytes))) => {
                detail.dissection = Some(dissection);
                detail.bytes = bytes;
            }
            Ok(None) => detail.trouble = Some("the input does not hold this packet any more".to_owned()),
            Err(error) => detail.trouble = Some(error.to_string()),
        }
        detail
    }

    fn summaries(&self, data: &Data, rows: &[PacketRow]) -> Vec<(u64, Summary)> {
        if self.once_only() {
            return Vec::new();
        }
        let line = |row: &PacketRow| {
            let (dissection, _) = self.look_up(data, row, BEFORE).ok().flatten()?;
            let protocol = dissection.protocol.to_string();
            Some((row.at.number, Summary { protocol, info: dissection.info }))
        };
        rows.iter().filter_map(line).collect()
    }

    fn follow(&self, data: &Data, id: u32, manner: Manner, goes_on: &dyn Fn() -> bool) -> Talk {
        let mut talk = Talk::default();
        let Some(session) = data.session(id) else { return talk };
        if self.once_only() {
            talk.trouble = Some("standard input cannot be read twice, as following needs".to_owned());
            return talk;
        }
        let legs: Vec<_> = session
            .legs
            .iter()
            .filter_map(|part| Some((part.leg.key, data.analysis.connections.get(part.connection as usize)?)))
            .collect();
        let mut written = Vec::new();
        let mut follower = (self.faces.follow)(&data.analysis, session, manner.hex, manner.secrets);
        let heard =
            inspect::transcribe(self.inputs.clone(), &legs, self.keep_duplicates, &mut |piece: &Piece| {
                written.clear();
                follower(Some(piece), &mut written);
                if talk.take(&written, Some(piece)) && goes_on() { Ok(()) } else { Err(()) }
            });
        match heard {
            Ok(_) => {
                written.clear();
                follower(None, &mut written);
                talk.take(&written, None);
            }
            Err(error) => talk.trouble = Some(error.to_string()),
        }
        talk
    }
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

/// The threads.
#[derive(Debug)]
pub struct Workers {
    /// Answers come out here.
    pub answers: Receiver<Answer>,
    say: Sender<Answer>,
    reins: Reins,
    desk: Arc<Desk>,
    threads: Vec<Sender<(Effect, Manner)>>,
    data: Arc<Mutex<Option<Arc<Data>>>>,
    /// Counts the accounts: a request for an older one is dropped.
    follows: Arc<AtomicBool>,
}

impl Workers {
    /// Starts reading.
    pub fn start(inputs: Vec<Input>, options: Options, faces: Faces) -> Self {
        let (say, answers) = channel();
        let reins = Reins::default();
        let desk = Arc::new(Desk::new(inputs.clone(), faces, options.keep_duplicates));
        let data: Arc<Mutex<Option<Arc<Data>>>> = Arc::default();
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
        Self { answers, say, reins, desk, threads: Vec::new(), data, follows: Arc::default() }
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
        while self.threads.len() < 5 {
            let (ask, requests) = channel();
            let (desk, say, data) = (Arc::clone(&self.desk), self.say.clone(), Arc::clone(&self.data));
            let follows = Arc::clone(&self.follows);
            thread::spawn(move || serve(&desk, &data, &requests, &say, &follows));
            self.threads.push(ask);
        }
        if matches!(request, Effect::Follow(_)) {
            // The one that is under way is not wanted any more.
            self.follows.store(true, Ordering::Relaxed);
        }
        if let Some(thread) = self.threads.get(kind(&request)) {
            let _ = thread.send((request, manner));
        }
    }
}

/// One thread: tells from one account until there is a newer one.
fn serve(
    desk: &Desk,
    data: &Mutex<Option<Arc<Data>>>,
    requests: &Receiver<(Effect, Manner)>,
    say: &Sender<Answer>,
    follows: &AtomicBool,
) {
    let newest = || data.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut waiting: Option<(Effect, Manner)> = None;
    loop {
        let Some(next) = waiting.take().or_else(|| requests.recv().ok()) else { return };
        waiting = Some(next);
        let Some(data) = newest() else {
            thread::sleep(Duration::from_millis(20));
            continue;
        };
        let teller = Teller::new(&data.analysis, false);
        while let Some((request, manner)) = waiting.take().or_else(|| requests.recv().ok()) {
            let mut last = (request, manner);
            // Requests that nobody waits for any more are passed over, except those that write.
            while let Ok(newer) = requests.try_recv() {
                if matches!(last.0, Effect::Export { .. }) {
                    waiting = Some(newer);
                    break;
                }
                last = newer;
            }
            if newest().is_some_and(|newer| !Arc::ptr_eq(&newer, &data)) {
                waiting = Some(last);
                break;
            }
            if matches!(last.0, Effect::Follow(_)) {
                follows.store(false, Ordering::Relaxed);
            }
            let answer = desk.answer(&data, &teller, &last.0, last.1, &|| !follows.load(Ordering::Relaxed));
            if let Some(answer) = answer
                && say.send(answer).is_err()
            {
                return;
            }
        }
        if waiting.is_none() {
            return;
        }
    }
}
