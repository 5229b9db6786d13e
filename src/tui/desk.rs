//! Does what is asked about an account: tells stories, reads packets again, lets filters choose, has files written.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::data::Data;
use super::faces::{Commission, Faces, Material};
use super::follow::Talk;
use super::index::{PacketIndex, PacketRow};
use super::recall::Needed;
use super::seek::Seek;
use super::state::{Answer, Effect, FrameDetail, Summary, Told};
use crate::analysis::Recalled;
use crate::capture::{Input, Lookup};
use crate::error::Error;
use crate::filter::{Macros, Reread, Scope, compile};
use crate::inspect::{Dissection, Entry, Index, Piece, Scribe};
use crate::limits::{EXPORTED_EVENTS, RECALLED_EVENTS};
use crate::session::Session;
use crate::story::Teller;
use crate::story::rungs::rungs;

/// How a session is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// As hex.
    pub hex: bool,
    /// Tokens and cookies too.
    pub secrets: bool,
}

/// Does what is asked about an account.
#[derive(Debug)]
pub struct Desk {
    inputs: Vec<Input>,
    faces: Faces,
    keep_duplicates: bool,
    listed: Mutex<Listed>,
    /// Rung when more packets were listed.
    bell: Condvar,
    lookup: Mutex<Option<Lookup>>,
}

/// A packet with its fields, and its bytes.
type Packet = (Dissection, Vec<u8>);

/// The packets listed so far.
#[derive(Debug, Default)]
struct Listed {
    packets: PacketIndex,
    /// Whether these are all.
    all: bool,
}

/// Packets of a connection before one of which all fields are shown that are heard for it. Of a longer connection its
/// beginning is heard, and then these.
const BEFORE_FRAME: usize = 65_536;
/// The same for a line of the list.
const BEFORE_LINE: usize = 4_096;
/// Packets at the beginning of a connection that tell what it is.
const BEGINNING: usize = 64;
/// Packets behind one that are heard too: what a connection is may be decided by the other side's answer.
const BEHIND: usize = 64;
/// Packets of the run among which those are looked for.
const WINDOW: usize = 4_096;

/// Longest time without a look whether the request is still wanted.
const PATIENCE: Duration = Duration::from_millis(100);

impl Desk {
    /// A desk for these inputs.
    pub fn new(inputs: Vec<Input>, faces: Faces, keep_duplicates: bool) -> Self {
        Self {
            inputs,
            faces,
            keep_duplicates,
            listed: Mutex::default(),
            bell: Condvar::new(),
            lookup: Mutex::default(),
        }
    }

    /// Takes note of what was read: packets can be looked up as soon as they are listed.
    pub fn note(&self, answer: &Answer) {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Answer::Loaded(_) => *listed = Listed::default(),
            Answer::Packets(rows) => listed.packets.push(Arc::clone(rows)),
            Answer::Listed => listed.all = true,
            Answer::Grown(_, chunks, _) => {
                *listed = Listed { all: true, ..Listed::default() };
                for chunk in chunks {
                    listed.packets.push(Arc::clone(chunk));
                }
            }
            _ => return,
        }
        self.bell.notify_all();
    }

    /// The packets listed so far. A list is cheap to copy: it is made of parts that are shared.
    fn packets(&self) -> PacketIndex {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).packets.clone()
    }

    /// Waits until the packets are listed up to a number, and gives them; none where nobody waits any more.
    fn packets_to(&self, number: u64, goes_on: &dyn Fn() -> bool) -> Option<PacketIndex> {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        while !listed.all && listed.packets.find(number) >= listed.packets.len() {
            if !goes_on() {
                return None;
            }
            let waited = self.bell.wait_timeout(listed, PATIENCE);
            listed = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(listed.packets.clone())
    }

    /// The inputs, open for looking frames up.
    fn lookup(&self) -> Result<Lookup, Error> {
        let mut lookup = self.lookup.lock().unwrap_or_else(PoisonError::into_inner);
        match &*lookup {
            Some(lookup) => Ok(lookup.another()),
            None => Ok(lookup.insert(Lookup::open(&self.inputs)?).another()),
        }
    }

    /// What was said in sessions. None where nobody waits any more.
    fn recall(
        &self,
        data: &Data,
        sessions: &[&Session],
        most: usize,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Option<Recalled>, Error> {
        let needed = Needed::of(data, sessions);
        let Some(packets) = self.packets_to(needed.last, goes_on) else { return Ok(None) };
        needed.hear(data, &packets, &mut self.lookup()?, most, goes_on)
    }

    fn tell(&self, data: &Data, id: u32, goes_on: &dyn Fn() -> bool) -> Option<Answer> {
        let session = data.session(id)?;
        let told = |teller: &Teller<'_>| {
            let (story, ladder) = (teller.story(session), teller.ladder(session));
            Told { story, rungs: rungs(&ladder.rows, true), ladder, left_out: 0, trouble: None }
        };
        if data.analysis.options.keep_events {
            // The account of the beginning.
            return Some(Answer::Told(id, Arc::new(told(&Teller::new(&data.analysis, false)))));
        }
        let told = match self.recall(data, &[session], RECALLED_EVENTS, goes_on) {
            Ok(recalled) => {
                let Recalled { events, left_out } = recalled?;
                Told { left_out, ..told(&Teller::of(&data.analysis, &events, false)) }
            }
            Err(error) => {
                Told { trouble: Some(error.to_string()), ..told(&Teller::of(&data.analysis, &[], false)) }
            }
        };
        Some(Answer::Told(id, Arc::new(told)))
    }

    fn export(&self, data: &Data, path: &str, form: &str, ids: &[u32]) -> Result<String, String> {
        let known = self.faces.forms.iter().find(|known| known.name == form);
        let form = known.ok_or_else(|| format!("{form}: no such form"))?;
        let sessions: Vec<&Session> = ids.iter().filter_map(|id| data.session(*id)).collect();
        let recalled = match form.of {
            Material::Events => self.recall(data, &sessions, EXPORTED_EVENTS, &|| true),
            Material::Packets => Ok(Some(Recalled::default())),
        };
        let recalled = recalled.map_err(|error| error.to_string())?.unwrap_or_default();
        if recalled.left_out > 0 {
            return Err(format!(
                "more than {EXPORTED_EVENTS} messages; choose fewer sessions, or use `ghostshark show`"
            ));
        }
        (self.faces.export)(&Commission {
            analysis: &data.analysis,
            inputs: &self.inputs,
            events: &recalled.events,
            sessions: ids,
            form: form.name,
            path,
        })
    }

    /// What has to be read to tell all of these packets: those of their connections before them, and some behind them.
    /// Of a connection that has more than `most` before, its beginning and the last of them; it answers whether that was
    /// so.
    fn around(&self, data: &Data, rows: &[PacketRow], most: usize) -> (Index, bool) {
        let packets = self.packets();
        let places: Vec<usize> = rows.iter().map(|row| packets.find(row.at.number)).collect();
        let mut chosen: Vec<usize> = vec![0];
        for place in &places {
            chosen.extend([place.saturating_sub(1), *place]);
        }
        // Each connection's first packet in the run, the first that is asked for, and how many are wanted before.
        let mut wanted: BTreeMap<u32, (usize, usize, usize)> = BTreeMap::new();
        for (row, place) in rows.iter().zip(&places) {
            let Some(id) = row.connection() else { continue };
            let Some(connection) = data.analysis.connections.get(id as usize) else { continue };
            let first = packets.find(connection.first.number);
            let of = wanted.entry(id).or_insert((first, *place, most));
            of.1 = of.1.min(*place);
        }
        let (from, to) =
            (places.iter().min().copied().unwrap_or(0), places.iter().max().map_or(0, |to| to + 1));
        let mut behind: BTreeMap<u32, usize> = BTreeMap::new();
        for (place, row) in packets.rows(from..packets.len().min(to + WINDOW)) {
            if wanted.contains_key(&row.connection) {
                let later = behind.entry(row.connection).or_default();
                *later += usize::from(place >= to);
                if *later <= BEHIND {
                    chosen.push(place);
                }
            }
        }
        let earliest = wanted.values().map(|(first, ..)| *first).min().unwrap_or(from);
        let mut open = wanted.len();
        let mut reached = from;
        for (place, row) in packets.rows(earliest..from).rev() {
            if open == 0 {
                break;
            }
            reached = place;
            if let Some((_, _, left)) = wanted.get_mut(&row.connection)
                && *left > 0
            {
                chosen.push(place);
                *left -= 1;
                open -= usize::from(*left == 0);
            }
        }
        let mut cut = false;
        for (id, (first, _, _)) in wanted.iter().filter(|(_, (.., left))| *left == 0) {
            let beginning = packets.rows(*first..reached.max(*first));
            let beginning = beginning.filter(|(_, row)| row.connection == *id).map(|(place, _)| place);
            let before = chosen.len();
            chosen.extend(beginning.take(BEGINNING));
            cut |= chosen.len() - before == BEGINNING;
        }
        chosen.sort_unstable();
        chosen.dedup();
        let entry = |row: PacketRow| Entry {
            at: row.at,
            time: row.time,
            link: row.link,
            interface: u32::from(row.interface),
            original: row.original,
            connection: row.connection(),
        };
        (Index::of(chosen.into_iter().filter_map(|place| packets.get(place)).map(entry).collect()), cut)
    }

    fn look_up(&self, data: &Data, rows: &[PacketRow], most: usize) -> Result<(Vec<Packet>, bool), Error> {
        let (around, cut) = self.around(data, rows, most);
        let numbers: Vec<u64> = rows.iter().map(|row| row.at.number).collect();
        Ok((around.packets(&mut self.lookup()?, &data.analysis, &numbers)?, cut))
    }

    /// The answer to a request; none for what is no request, and where nobody waits any more.
    pub fn answer(
        &self,
        data: &Data,
        request: &Effect,
        manner: Manner,
        goes_on: &dyn Fn() -> bool,
    ) -> Option<Answer> {
        match request {
            Effect::Tell(id) => self.tell(data, *id, goes_on),
            Effect::Follow(id) => {
                let talk = self.follow(data, *id, manner, goes_on)?;
                Some(Answer::Followed(*id, Arc::new(talk)))
            }
            Effect::Frame(row) => Some(Answer::Frame(Arc::new(self.frame(data, row)))),
            Effect::Summaries(rows) => Some(Answer::Summaries(self.summaries(data, rows, goes_on)?)),
            Effect::Filter { text, scope } => {
                Some(Answer::Filtered(text.clone(), *scope, self.filter(data, text, *scope)))
            }
            Effect::Export { path, form, sessions } => {
                Some(Answer::Exported(self.export(data, path, form, sessions)))
            }
            Effect::Count { text, scope } => {
                Some(Answer::Counted(text.clone(), self.count(data, text, *scope)))
            }
            Effect::Seek { typed, places, from, forth } => {
                let found = self.seek(typed, places.as_deref(), *from, *forth, goes_on);
                Some(Answer::Sought(typed.clone(), found?))
            }
            Effect::Standings(files) => {
                let gate = self.faces.gate.as_ref()?;
                Some(Answer::Standings((gate.standings)(&data.analysis, &self.inputs, files)))
            }
            Effect::Mute(mute) => Some(Answer::Exported((self.faces.gate.as_ref()?.mute)(mute))),
            Effect::Baseline { findings, path } => {
                let gate = self.faces.gate.as_ref()?;
                Some(Answer::Exported((gate.baseline)(&data.analysis, findings, path)))
            }
            _ => None,
        }
    }

    /// How much a filter lets through that needs no second pass.
    fn count(&self, data: &Data, text: &str, scope: Scope) -> Result<u64, String> {
        let filter = compile(text, scope, &Macros::new()).map_err(|refusal| refusal.sentence())?;
        if filter.needs().second_pass {
            return Err("Enter reads the packets again".to_owned());
        }
        self.filter(data, text, scope).map(|passes| passes.len() as u64)
    }

    /// The row of the next packet whose bytes hold what is looked for, round the end. None inside an answer where nobody
    /// waits any more.
    fn seek(
        &self,
        typed: &str,
        places: Option<&[u32]>,
        from: usize,
        forth: bool,
        goes_on: &dyn Fn() -> bool,
    ) -> Option<Result<Option<usize>, String>> {
        let seek = match Seek::of(typed) {
            Ok(seek) => seek,
            Err(why) => return Some(Err(why)),
        };
        let mut lookup = match self.lookup() {
            Ok(lookup) => lookup,
            Err(error) => return Some(Err(error.to_string())),
        };
        let packets = self.packets();
        let rows = places.map_or(packets.len(), <[u32]>::len);
        for step in 1..=rows {
            if step % 512 == 0 && !goes_on() {
                return None;
            }
            let row = if forth { (from + step) % rows } else { (from + rows - step) % rows };
            let place = match places {
                Some(places) => places.get(row).map(|place| *place as usize),
                None => Some(row),
            };
            let Some(packet) = place.and_then(|place| packets.get(place)) else { continue };
            match lookup.frame(packet.at) {
                Ok(bytes) if seek.in_bytes(&bytes, 0).is_some() => return Some(Ok(Some(row))),
                Ok(_) => {}
                Err(error) => return Some(Err(error.to_string())),
            }
        }
        Some(Ok(None))
    }

    fn filter(&self, data: &Data, text: &str, scope: Scope) -> Result<Arc<Vec<u64>>, String> {
        let filter = compile(text, scope, &Macros::new()).map_err(|refusal| refusal.sentence())?;
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
        match self.look_up(data, &[*row], BEFORE_FRAME) {
            Ok((mut found, cut)) => match found.pop() {
                Some((dissection, bytes)) => {
                    detail.dissection = Some(dissection);
                    detail.bytes = bytes;
                    detail.cut = cut;
                }
                None => detail.trouble = Some("the input does not hold this packet any more".to_owned()),
            },
            Err(error) => detail.trouble = Some(error.to_string()),
        }
        detail
    }

    /// What packets say in the list. None where nobody waits any more.
    fn summaries(
        &self,
        data: &Data,
        rows: &[PacketRow],
        goes_on: &dyn Fn() -> bool,
    ) -> Option<Vec<(u64, Summary)>> {
        let mut lines = Vec::with_capacity(rows.len());
        // What lies far apart is not read as one: all between would be heard.
        let near = |one: &PacketRow, next: &PacketRow| {
            next.at.number.saturating_sub(one.at.number) <= BEFORE_LINE as u64
        };
        for rows in rows.chunk_by(near) {
            if !goes_on() {
                return None;
            }
            let found = self.look_up(data, rows, BEFORE_LINE).map(|(found, _)| found).unwrap_or_default();
            lines.extend(found.into_iter().map(|(dissection, _)| {
                let protocol = dissection.protocol.to_string();
                (dissection.at.number, Summary { protocol, info: dissection.info })
            }));
        }
        Some(lines)
    }

    /// The text of a session. None where nobody waits any more.
    fn follow(&self, data: &Data, id: u32, manner: Manner, goes_on: &dyn Fn() -> bool) -> Option<Talk> {
        let mut talk = Talk::default();
        let Some(session) = data.session(id) else { return Some(talk) };
        let legs: Vec<_> = session
            .legs
            .iter()
            .filter_map(|part| Some((part.leg.key, data.analysis.connections.get(part.connection as usize)?)))
            .collect();
        let needed = Needed::of(data, &[session]);
        let packets = self.packets_to(needed.last, goes_on)?;
        let mut written = Vec::new();
        let mut follower = (self.faces.follow)(&data.analysis, session, manner.hex, manner.secrets);
        let mut scribe = Scribe::new(&legs, self.keep_duplicates);
        let mut enough = false;
        let mut tell = |piece: &Piece| {
            written.clear();
            follower(Some(piece), &mut written);
            if talk.take(&written, Some(piece)) && goes_on() { Ok(()) } else { Err(()) }
        };
        let read = self.lookup().and_then(|mut lookup| {
            needed.read(&packets, &mut lookup, &mut |batch| {
                enough |= scribe.batch(batch, &mut tell).is_err();
                !enough && goes_on()
            })
        });
        if !enough && read.is_ok() {
            enough = scribe.finish(&mut tell).is_err();
        }
        if !goes_on() {
            return None;
        }
        match read {
            Ok(_) if !enough => {
                written.clear();
                follower(None, &mut written);
                talk.take(&written, None);
            }
            Ok(_) => {}
            Err(error) => talk.trouble = Some(error.to_string()),
        }
        Some(talk)
    }
}
