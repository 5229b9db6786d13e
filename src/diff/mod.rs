//! Two recordings of the same: which sessions are lost, new, or ended otherwise, what became slower, which findings came
//! and which are gone.
//!
//! Sessions are paired by what they are about ([`Key`]); among equal ones those that ended alike are paired first, and
//! then in order of time.

mod identity;
mod timing;

pub use identity::Key;
pub use timing::{Limits, Measure, Shift};

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::Analysis;
use crate::events::Confidence;
use crate::events::transport::{By, Reason};
use crate::rules::{Finding, Layer, Severity};
use crate::session::Session;

/// A session of the old recording and the same of the new one.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// In the old one.
    pub old: &'a Session,
    /// In the new one.
    pub new: &'a Session,
}

/// How two recordings differ.
#[derive(Debug, Clone, Default)]
pub struct Difference<'a> {
    /// Sessions of the old one that the new one has not.
    pub lost: Vec<(Key, &'a Session)>,
    /// Sessions of the new one that the old one had not.
    pub new: Vec<(Key, &'a Session)>,
    /// Sessions that ended otherwise.
    pub changed: Vec<(Key, Pair<'a>)>,
    /// Sessions that took another time.
    pub shifts: Vec<(Key, Pair<'a>, Shift)>,
    /// Findings that the old one had not.
    pub findings_new: Vec<&'a Finding>,
    /// Findings of the old one that the new one has not.
    pub findings_gone: Vec<&'a Finding>,
    /// Pairs that cannot be compared: one of the recordings ends before the session does, or the same act of the same side
    /// ends it and why is a guess.
    pub unclear: Vec<(Key, Pair<'a>)>,
    /// Pairs whose service listens at another port.
    pub moved: Vec<(Key, Pair<'a>)>,
    /// How many sessions were paired.
    pub paired: usize,
}

impl Difference<'_> {
    /// Whether there is any. What could not be compared, or only listens elsewhere, is none.
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty()
            && self.new.is_empty()
            && self.changed.is_empty()
            && self.shifts.is_empty()
            && self.findings_new.is_empty()
            && self.findings_gone.is_empty()
    }
}

/// Compares two recordings.
pub fn compare<'a>(old: &'a Analysis, new: &'a Analysis, limits: Limits) -> Difference<'a> {
    let mut difference = Difference::default();
    let mut left_old = keyed(old);
    let mut left_new = keyed(new);
    let mut pairs = paired(&mut left_old, &mut left_new);
    // What is left may be the same at another port.
    let mut moved_old = without_ports(&mut left_old);
    let mut moved_new = without_ports(&mut left_new);
    for (_, pair) in paired(&mut moved_old, &mut moved_new) {
        let key = Key::of(pair.new, &new.options.names);
        difference.moved.push((key.clone(), pair));
        pairs.push((key, pair));
    }
    difference.paired = pairs.len();
    let named = |left: BTreeMap<Key, Vec<&'a Session>>, of: &'a Analysis| {
        left.into_values().flatten().map(|session| (Key::of(session, &of.options.names), session))
    };
    difference.lost = named(left_old, old).chain(named(moved_old, old)).collect();
    difference.new = named(left_new, new).chain(named(moved_new, new)).collect();
    for (key, pair) in pairs {
        if outcome(pair.old) != outcome(pair.new) {
            let comparable = is_comparable(pair, old, new);
            let into = if comparable { &mut difference.changed } else { &mut difference.unclear };
            into.push((key, pair));
            continue;
        }
        for shift in timing::shifts(pair, limits) {
            difference.shifts.push((key.clone(), pair, shift));
        }
    }
    difference.findings_new = missing(new, old);
    difference.findings_gone = missing(old, new);
    difference.lost.sort_by_key(|(_, session)| session.id);
    difference.new.sort_by_key(|(_, session)| session.id);
    difference.changed.sort_by_key(|(_, pair)| pair.new.id);
    difference.unclear.sort_by_key(|(_, pair)| pair.new.id);
    difference.moved.sort_by_key(|(_, pair)| pair.new.id);
    difference.shifts.sort_by_key(|(_, pair, shift)| (pair.new.id, shift.measure));
    difference
}

/// The sessions by what they are about, each list in order of time.
fn keyed(analysis: &Analysis) -> BTreeMap<Key, Vec<&Session>> {
    let mut all = BTreeMap::<Key, Vec<&Session>>::new();
    for session in &analysis.sessions {
        all.entry(Key::of(session, &analysis.options.names)).or_default().push(session);
    }
    all
}

/// Takes those out whose service has no name, and knows them without its port.
fn without_ports<'a>(left: &mut BTreeMap<Key, Vec<&'a Session>>) -> BTreeMap<Key, Vec<&'a Session>> {
    let mut moved = BTreeMap::<Key, Vec<&Session>>::new();
    left.retain(|key, sessions| {
        let Some(general) = key.without_port() else { return true };
        moved.entry(general).or_default().append(sessions);
        false
    });
    for sessions in moved.values_mut() {
        sessions.sort_by_key(|session| session.id);
    }
    moved
}

/// Takes out of both what is the same in both.
fn paired<'a>(
    old: &mut BTreeMap<Key, Vec<&'a Session>>,
    new: &mut BTreeMap<Key, Vec<&'a Session>>,
) -> Vec<(Key, Pair<'a>)> {
    let mut pairs = Vec::new();
    for (key, before) in old.iter_mut() {
        let Some(after) = new.get_mut(key) else { continue };
        let mut rest = Vec::new();
        for session in before.drain(..) {
            match after.iter().position(|other| outcome(other) == outcome(session)) {
                Some(place) => pairs.push((key.clone(), Pair { old: session, new: after.remove(place) })),
                None => rest.push(session),
            }
        }
        let count = rest.len().min(after.len());
        pairs.extend(
            rest.drain(..count).zip(after.drain(..count)).map(|(old, new)| (key.clone(), Pair { old, new })),
        );
        *before = rest;
    }
    old.retain(|_, sessions| !sessions.is_empty());
    new.retain(|_, sessions| !sessions.is_empty());
    pairs
}

/// Whether two ends that are not the same differ for sure.
fn is_comparable(pair: Pair<'_>, old: &Analysis, new: &Analysis) -> bool {
    let both = [pair.old, pair.new];
    if both.iter().any(|session| session.outcome.reason == Reason::CaptureEnded) {
        return false;
    }
    let act = |session: &Session, analysis: &Analysis| {
        let last = session.last_main().and_then(|leg| analysis.connections.get(leg.connection as usize));
        last.map(|one| one.ended.how)
    };
    // Of a timer it is said by how round a time is that it may have been one.
    let guessed = both.iter().any(|session| session.outcome.confidence <= Confidence::Medium);
    let same_act = act(pair.old, old) == act(pair.new, new) && pair.old.outcome.by == pair.new.outcome.by;
    !(guessed && same_act)
}

fn outcome(session: &Session) -> (Reason, By) {
    (session.outcome.reason, session.outcome.by)
}

/// Findings of the one that the other has not: those that hurt, are more than guesses and are not about the recording.
fn missing<'a>(one: &'a Analysis, other: &Analysis) -> Vec<&'a Finding> {
    let known: BTreeSet<_> = other.findings.iter().map(|finding| finding.fingerprint).collect();
    let counts = |finding: &&Finding| {
        finding.severity >= Severity::Warning
            && finding.confidence >= Confidence::Medium
            && finding.layer != Layer::Capture
            && !known.contains(&finding.fingerprint)
    };
    one.findings.iter().filter(counts).collect()
}
