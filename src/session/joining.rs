//! Which connections are one session (`domain.md` B.4): by an announcement, a key, a name, or a score.

use std::net::IpAddr;

use hashbrown::{HashMap, HashSet};

use super::leg::{Leg, Role};
use crate::events::transport::{How, Reason};
use crate::events::{Confidence, Connection, Endpoint, Hash128, IdentityKind, Strength};
use crate::time::{Span, Timestamp};

/// After an announcement, a connection to the announced place belongs to it for this long.
const ANNOUNCED_FOR: Span = Span::from_secs(60);

/// A successor is looked for in this long after the end of a connection (`domain.md` D.1, `reconnect_window`).
const RECONNECT_WINDOW: Span = Span::from_secs(120);

/// A successor may begin this long before its predecessor's last frame.
const OVERLAP: Span = Span::from_secs(2);

/// A reconnection within this long is a prompt one.
const PROMPT: Span = Span::from_secs(5);

/// Score from which two connections are stitched.
const STITCHED: f32 = 0.70;

/// Concurrent connections of one address to one service from which it looks like a NAT or a proxy.
const CROWD: usize = 8;

/// Predecessors of one pair of addresses that are considered for one successor.
const CANDIDATES: usize = 32;

/// By what two connections were joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JoinedBy {
    /// One announced the other.
    Announcement,
    /// An identity.
    Identity(IdentityKind, Strength),
    /// A score of circumstances.
    Circumstances,
}

impl JoinedBy {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Announcement => "announcement",
            Self::Identity(kind, _) => kind.name(),
            Self::Circumstances => "circumstances",
        }
    }

    /// How far it can be trusted.
    pub fn strength(self) -> Strength {
        match self {
            Self::Announcement => Strength::Key,
            Self::Identity(_, strength) => strength,
            Self::Circumstances => Strength::Heuristic,
        }
    }
}

/// How a connection came to belong to a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stitch {
    /// By what.
    pub by: JoinedBy,
    /// How sure that is.
    pub confidence: Confidence,
    /// The score, where circumstances decided.
    pub score: Option<f32>,
    /// Id of the earlier connection that it was joined to.
    pub with: u32,
}

/// A leg with the facts of its connection.
#[derive(Debug)]
pub(super) struct Part<'c> {
    pub(super) leg: Box<Leg>,
    pub(super) connection: &'c Connection,
}

/// Groups of parts, each in order, by their indexes; and how each part came to its group.
#[derive(Debug, Default)]
pub(super) struct Joined {
    pub(super) groups: Vec<Vec<usize>>,
    pub(super) stitches: Vec<Option<Stitch>>,
}

/// Joins the parts, which come in order of their first frames.
pub(super) fn join(parts: &mut [Part<'_>]) -> Joined {
    let mut sets = Sets::new(parts.len());
    by_announcement(parts, &mut sets);
    by_identity(parts, &mut sets);
    by_circumstances(parts, &mut sets);
    sets.groups()
}

/// A forest of sets: each part's parent is the earlier part that it was joined to.
struct Sets {
    parent: Vec<usize>,
    stitches: Vec<Option<Stitch>>,
}

impl Sets {
    fn new(count: usize) -> Self {
        Self { parent: (0..count).collect(), stitches: vec![None; count] }
    }

    fn root(&mut self, mut index: usize) -> usize {
        while self.parent[index] != index {
            self.parent[index] = self.parent[self.parent[index]];
            index = self.parent[index];
        }
        index
    }

    /// Joins the sets of two parts; `later` remembers how.
    fn join(&mut self, earlier: usize, later: usize, stitch: Stitch) -> bool {
        let (a, b) = (self.root(earlier), self.root(later));
        if a == b {
            return false;
        }
        let (first, second) = (a.min(b), a.max(b));
        self.parent[second] = first;
        if self.stitches[later].is_none() {
            self.stitches[later] = Some(stitch);
        }
        true
    }

    fn groups(mut self) -> Joined {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut place: HashMap<usize, usize> = HashMap::new();
        for index in 0..self.parent.len() {
            let root = self.root(index);
            let at = *place.entry(root).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[at].push(index);
        }
        Joined { groups, stitches: self.stitches }
    }
}

/// FTP's data connections and their kin: somebody said where they will come.
fn by_announcement(parts: &mut [Part<'_>], sets: &mut Sets) {
    let mut announced: HashMap<u16, Vec<(usize, IpAddr, Timestamp)>> = HashMap::new();
    for (index, part) in parts.iter().enumerate() {
        for (expectation, at) in &part.leg.expects {
            let (ip, port) = expectation.listener;
            announced.entry(port).or_default().push((index, ip, at.time));
        }
    }
    if announced.is_empty() {
        return;
    }
    for later in 0..parts.len() {
        let connection = parts[later].connection;
        let Some(places) = announced.get(&connection.server.port) else { continue };
        let fits = |(index, ip, time): &&(usize, IpAddr, Timestamp)| {
            let control = parts[*index].connection;
            let peers = [control.client.ip, control.server.ip];
            let known = peers.contains(&connection.client.ip) || peers.contains(&connection.server.ip);
            // The announced address is wrong behind some NATs; the port and one known peer are enough.
            let there = *ip == connection.server.ip || peers.contains(&connection.server.ip);
            let wait = connection.start.since(*time);
            *index != later
                && known
                && there
                && wait <= ANNOUNCED_FOR
                && connection.start >= Timestamp(time.0.saturating_sub(1_000_000_000))
        };
        // The latest announcement of the place counts.
        if let Some((control, ..)) = places.iter().rev().find(fits).copied() {
            let with = parts[control].connection.id;
            let stitch =
                Stitch { by: JoinedBy::Announcement, confidence: Confidence::Certain, score: None, with };
            sets.join(control, later, stitch);
            parts[later].leg.role = Role::Data;
        }
    }
}

/// Whether an identity of this kind names one session wherever it is shown.
fn names_a_session(kind: IdentityKind) -> bool {
    match kind {
        IdentityKind::SessionId
        | IdentityKind::Ticket
        | IdentityKind::Psk
        | IdentityKind::Cookie
        | IdentityKind::Token
        | IdentityKind::ClientId
        | IdentityKind::Upload
        | IdentityKind::Handle
        | IdentityKind::Call
        | IdentityKind::EventStream => true,
        // A backend, a person, an object and a message outlive sessions.
        IdentityKind::Affinity
        | IdentityKind::User
        | IdentityKind::Object
        | IdentityKind::Message
        | IdentityKind::Idempotency
        | IdentityKind::Other => false,
    }
}

fn by_identity(parts: &[Part<'_>], sets: &mut Sets) {
    let mut first: HashMap<(IdentityKind, Hash128), usize> = HashMap::new();
    let mut owners: HashMap<(IdentityKind, Hash128), Vec<usize>> = HashMap::new();
    for (index, part) in parts.iter().enumerate() {
        for known in &part.leg.identities {
            let identity = &known.identity;
            let key = (identity.kind, identity.hash);
            let strength = identity.strength;
            let confidence = if strength == Strength::Key { Confidence::Certain } else { Confidence::High };
            let by = JoinedBy::Identity(identity.kind, strength);
            if names_a_session(identity.kind) && strength > Strength::Heuristic {
                let earlier = *first.entry(key).or_insert(index);
                if earlier != index {
                    let with = parts[earlier].connection.id;
                    sets.join(earlier, index, Stitch { by, confidence, score: None, with });
                }
            } else if matches!(identity.kind, IdentityKind::User | IdentityKind::Object) {
                // The same person, or the same object of the same person, is the same session only where one
                // connection broke and the next one took its place.
                let earlier = owners.entry(key).or_default();
                let predecessors: Vec<usize> = earlier
                    .iter()
                    .rev()
                    .take(CANDIDATES)
                    .copied()
                    .filter(|old| *old != index && succeeds(&parts[*old], part))
                    .collect();
                if let [old] = predecessors[..] {
                    let with = parts[old].connection.id;
                    sets.join(old, index, Stitch { by, confidence: Confidence::High, score: None, with });
                }
                earlier.push(index);
            }
        }
    }
}

/// Whether a connection broke, and another one of the same client to the same server began soon after.
fn succeeds(old: &Part<'_>, new: &Part<'_>) -> bool {
    let same = old.connection.client.ip == new.connection.client.ip
        && old.connection.server == new.connection.server;
    same && ended_badly(old) && in_window(old, new)
}

fn in_window(old: &Part<'_>, new: &Part<'_>) -> bool {
    let start = new.connection.start.0;
    start >= old.connection.end.0.saturating_sub(OVERLAP.0)
        && start <= old.connection.end.0.saturating_add(RECONNECT_WINDOW.0)
}

/// Whether a connection ended other than released, with work open, or with something owed.
fn ended_badly(part: &Part<'_>) -> bool {
    let ended = &part.connection.ended;
    let badly = !matches!(
        ended.reason,
        Reason::Released | Reason::CaptureEnded | Reason::EstablishRefused | Reason::EstablishTimeout
    );
    part.leg.goodbye.is_none() && (badly || unfinished(part))
}

/// Whether something was owed or open when it ended.
fn unfinished(part: &Part<'_>) -> bool {
    part.connection.ended.how != How::CaptureEnd
        && (part.leg.dialog.debt().is_some() || part.leg.works.open().next().is_some())
}

/// Connections without an identity in common, by the table of `domain.md` B.4.
fn by_circumstances(parts: &[Part<'_>], sets: &mut Sets) {
    let mut pairs: HashMap<(IpAddr, Endpoint), Vec<usize>> = HashMap::new();
    for (index, part) in parts.iter().enumerate() {
        if part.leg.role == Role::Main {
            pairs.entry((part.connection.client.ip, part.connection.server)).or_default().push(index);
        }
    }
    let mut found: Vec<(u32, usize, usize)> = Vec::new();
    let mut keys: Vec<_> = pairs.keys().copied().collect();
    keys.sort_unstable();
    for key in keys {
        let Some(members) = pairs.get(&key) else { continue };
        let mut broken: Vec<usize> = Vec::new();
        for (place, &new) in members.iter().enumerate() {
            let candidates: Vec<usize> = broken
                .iter()
                .rev()
                .take(CANDIDATES)
                .copied()
                .filter(|old| in_window(&parts[*old], &parts[new]) && !sets.same(*old, new))
                .filter(|old| parts[*old].leg.protocol() == parts[new].leg.protocol())
                .collect();
            let spoken = parts[new].leg.dialog.turns.client + parts[new].leg.dialog.turns.server > 0;
            for &old in candidates.iter().filter(|_| spoken) {
                let live = concurrent(parts, members, place, parts[new].connection.start);
                let score = score(&parts[old], &parts[new], candidates.len(), live);
                if score >= STITCHED {
                    found.push(((score * 1000.0) as u32, old, new));
                }
            }
            if ended_badly(&parts[new]) {
                broken.push(new);
            }
        }
    }
    // Greedy by score, then by time; one to one; a tie for the same successor or predecessor is nobody's.
    found.sort_unstable_by_key(|(score, old, new)| (std::cmp::Reverse(*score), *old, *new));
    let mut rivals: HashMap<(u32, usize, bool), u32> = HashMap::new();
    for (score, old, new) in &found {
        *rivals.entry((*score, *old, false)).or_default() += 1;
        *rivals.entry((*score, *new, true)).or_default() += 1;
    }
    let alone = |key| rivals.get(&key).is_none_or(|count| *count == 1);
    let (mut succeeded, mut succeeding) = (HashSet::new(), HashSet::new());
    for (score, old, new) in found {
        let tie = !alone((score, old, false)) || !alone((score, new, true));
        if tie || succeeded.contains(&old) || succeeding.contains(&new) {
            continue;
        }
        succeeded.insert(old);
        succeeding.insert(new);
        let with = parts[old].connection.id;
        let stitch = Stitch {
            by: JoinedBy::Circumstances,
            confidence: Confidence::Medium,
            score: Some(score as f32 / 1000.0),
            with,
        };
        sets.join(old, new, stitch);
    }
}

impl Sets {
    fn same(&mut self, a: usize, b: usize) -> bool {
        self.root(a) == self.root(b)
    }
}

/// Connections of the pair that live at this moment, the one that begins then not counted.
fn concurrent(parts: &[Part<'_>], members: &[usize], place: usize, now: Timestamp) -> usize {
    let earlier = members.get(place.saturating_sub(64)..place).unwrap_or(&[]);
    earlier.iter().filter(|index| parts[**index].connection.end > now).count()
}

fn score(old: &Part<'_>, new: &Part<'_>, candidates: usize, live: usize) -> f32 {
    let ended = &old.connection.ended;
    let mut score = 0.0;
    if !matches!(ended.reason, Reason::Released) {
        score += 0.30;
    }
    let (open, alike) = (unfinished(old), same_shape(&old.leg, &new.leg) || same_opening(&old.leg, &new.leg));
    if !open && !alike {
        // Time and place alone join strangers: whoever leaves a service, somebody else comes next.
        return 0.0;
    }
    if open {
        score += 0.15;
    }
    if new.connection.start.since(old.connection.end) <= PROMPT {
        score += 0.20;
    }
    if alike {
        score += 0.15;
    }
    if live == 0 {
        score += 0.15;
    }
    if same_class(&old.leg, &new.leg) {
        score += 0.05;
    }
    if candidates > 1 {
        score -= 0.30;
    }
    if live >= CROWD {
        score -= 0.25;
    }
    if old.leg.goodbye.is_some() || (ended.reason == Reason::Released && !unfinished(old)) {
        score -= 0.50;
    }
    score
}

/// Whether both begin with the same requests: a login played again.
fn same_shape(old: &Leg, new: &Leg) -> bool {
    let shape =
        |leg: &Leg| -> Vec<Hash128> { leg.actions.iter().take(3).map(|acted| acted.action.key).collect() };
    let (old, new) = (shape(old), shape(new));
    old.len() == 3 && old == new
}

/// Whether both begin with turns of the same sizes: the same where nobody can read them.
fn same_opening(old: &Leg, new: &Leg) -> bool {
    let opening = |leg: &Leg| {
        let mut heuristic = leg.identities.iter().map(|known| &known.identity);
        heuristic.find(|identity| identity.strength == Strength::Heuristic).map(|identity| identity.hash)
    };
    opening(old).is_some_and(|hash| opening(new) == Some(hash))
}

/// Whether both ask for the same name in the same way.
fn same_class(old: &Leg, new: &Leg) -> bool {
    match (&old.security, &new.security) {
        (Some(old), Some(new)) => old.sni == new.sni && old.alpn == new.alpn,
        (None, None) => true,
        _ => false,
    }
}
