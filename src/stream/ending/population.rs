//! What only several connections together can tell about an end: a timer's cluster, a shutdown, a box that
//! forgot while its server was well, a firewall that answers in a server's name, a leak of half-closed ends.
//!
//! Judged once, over all rows of the run in order (`domain.md` C.6, D.1, D.2, D.4).

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Row;
use super::close::{HALF_CLOSE_WAIT, TIMER, is_known_timer};
use crate::events::side::Side;
use crate::events::transport::{By, Confidence, How, Reason};
use crate::packet::{Endpoint, Transport};
use crate::place::PacketRef;
use crate::stream::Window;
use crate::stream::tcp::reset::is_set_by_program;
use crate::time::{Span, Timestamp};

/// Legs that make a cluster: three, or two at a well-known value, or five where clients close (`domain.md` D.1).
const CLUSTER: usize = 3;

/// Closings within one second are one event of the server, not many timers.
const TOGETHER: Span = Span::from_secs(1);

/// A new connection this soon after a failure shows that the server itself was well (`domain.md` D.4).
const CONTRAST: Span = Span::from_secs(120);

/// A quiet time after which a box may have forgotten.
const QUIET: Span = Span::from_secs(3);

/// A half-close this old, when the same service has closed a later connection at once, has been passed over: longer
/// than any delayed acknowledgement.
const PASSED_OVER: Span = Span::from_millis(250);

/// Refines the reasons of all rows. `rows` are in order of their first packet.
pub fn judge(rows: &mut [Row], window: Window<'_>) {
    let mut by_server: BTreeMap<Endpoint, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        if row.connection.transport == Transport::Tcp {
            by_server.entry(row.connection.server).or_default().push(index);
        }
    }
    refusals_by_others(rows);
    // A service has one port and often two addresses, of IPv4 and of IPv6.
    let mut by_port: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (server, group) in &by_server {
        by_port.entry(server.port).or_default().extend(group);
    }
    for group in by_port.values() {
        gave_up(rows, group);
    }
    for group in by_server.values() {
        forgotten_by_a_box(rows, group);
        shutdown(rows, group);
        for side in Side::BOTH {
            idle_timer(rows, group, side);
        }
        leaks(rows, group, window);
    }
}

/// A refusal in a server's name whose TTL is not the server's own came from a box on the way.
fn refusals_by_others(rows: &mut [Row]) {
    let mut own: BTreeMap<IpAddr, Option<u8>> = BTreeMap::new();
    for row in rows.iter() {
        if let Some(ttl) = row.facts.server_ttl {
            own.entry(row.connection.server.ip)
                .and_modify(|known| *known = known.filter(|known| *known == ttl))
                .or_insert(Some(ttl));
        }
    }
    for row in rows.iter_mut().filter(|row| row.connection.ended.reason == Reason::EstablishRefused) {
        let usual = own.get(&row.connection.server.ip).copied().flatten();
        if let (Some(usual), Some(ttl)) = (usual, row.facts.server_rst_ttl)
            && usual != ttl
            && !is_set_by_program(usual)
        {
            let ended = &mut row.connection.ended;
            ended.by = By::Middlebox;
            ended.confidence = Confidence::Medium;
            ended.because = format!(
                "the SYN was answered with a RST of TTL {ttl}, while everything else from the server's address has {usual}: \
                 something on the way refused it"
            );
        }
    }
}

/// An established connection of a service, as proof that its client and its server were well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Life {
    client: IpAddr,
    start: Timestamp,
    port: u16,
    heard: Timestamp,
    first: PacketRef,
}

/// The lives of a service by client and start, and for each place the two of one client up to there whose clients were
/// heard last, on two ports.
struct Lives {
    lives: Vec<Life>,
    longest: Vec<[Option<Life>; 2]>,
}

impl Lives {
    fn of(rows: &[Row], group: &[usize]) -> Self {
        let established =
            group.iter().filter_map(|&index| rows.get(index)).filter(|row| row.facts.established);
        let mut lives: Vec<Life> = established
            .map(|row| {
                let connection = &row.connection;
                Life {
                    client: connection.client.ip,
                    start: connection.start,
                    port: connection.client.port,
                    heard: connection.sides.client.last.unwrap_or(connection.start),
                    first: connection.first,
                }
            })
            .collect();
        lives.sort_unstable();
        let mut longest: Vec<[Option<Life>; 2]> = Vec::with_capacity(lives.len());
        let mut best: [Option<Life>; 2] = [None; 2];
        for life in &lives {
            if best[0].is_some_and(|known| known.client != life.client) {
                best = [None; 2];
            }
            let later = |known: Option<Life>| known.is_none_or(|known| life.heard > known.heard);
            let [first, second] = best;
            best = match first {
                Some(known) if known.port == life.port => {
                    [if later(first) { Some(*life) } else { first }, second]
                }
                _ if later(first) => [Some(*life), first],
                _ if later(second) => [first, Some(*life)],
                _ => best,
            };
            longest.push(best);
        }
        Self { lives, longest }
    }

    /// A connection that this client opened from another port soon after this moment.
    fn anew(&self, client: Endpoint, after: Timestamp) -> Option<Life> {
        let from = self.lives.partition_point(|life| (life.client, life.start) <= (client.ip, after));
        let later = self.lives.iter().skip(from);
        later
            .take_while(|life| life.client == client.ip && life.start.since(after) <= CONTRAST)
            .find(|life| life.port != client.port)
            .copied()
    }

    /// A connection of this client on another port that was begun before this moment and heard after it.
    fn meanwhile(&self, client: Endpoint, at: Timestamp) -> Option<Life> {
        let until = self.lives.partition_point(|life| (life.client, life.start) < (client.ip, at));
        let best = self.longest.get(until.checked_sub(1)?)?;
        best.iter()
            .flatten()
            .find(|life| life.port != client.port)
            .filter(|life| life.client == client.ip && life.heard > at)
            .copied()
    }
}

/// One leg died in silence after a pause, while the same client reached the same server anew.
fn forgotten_by_a_box(rows: &mut [Row], group: &[usize]) {
    let lives = Lives::of(rows, group);
    for &index in group {
        let Some(row) = rows.get_mut(index) else { continue };
        let connection = &mut row.connection;
        let (Some((quiet, first)), Reason::PeerVanished) = (row.facts.silence, connection.ended.reason)
        else {
            continue;
        };
        let usual = connection.longest_idle;
        // A client that falls silent and comes anew may have lost its link or its state. Only one that was reached by
        // the same server all along shows that it was something on the way that forgot.
        let client_silent = connection.ended.by == By::Client;
        let contrast = if client_silent {
            lives.meanwhile(connection.client, first)
        } else {
            lives.anew(connection.client, first)
        };
        let Some(proof) = contrast.filter(|_| quiet >= QUIET && quiet.0 >= usual.0 / 2) else { continue };
        let ended = &mut connection.ended;
        ended.reason = Reason::MiddleboxTimeout;
        ended.detail = Some("silent");
        ended.by = By::Middlebox;
        ended.confidence = Confidence::High;
        let how = if client_silent {
            "the same client went on with the same server on another connection".to_owned()
        } else {
            format!("the same client reached the same server anew {} later", proof.start.since(first))
        };
        ended.because = format!(
            "after {quiet} of quiet nothing got through any more, while {how}: something on the way forgot the connection"
        );
        ended.frames.push(proof.first);
        ended.frames.sort_unstable();
        ended.frames.dedup();
    }
}

/// The closings of one side after a wait with nothing owed: index, wait.
fn waits(rows: &[Row], group: &[usize], side: Side) -> Vec<(usize, Span)> {
    group
        .iter()
        .filter_map(|&index| {
            let row = rows.get(index)?;
            let closer = row.facts.closer?;
            let wait = closer.since_payload?;
            let open_reason = matches!(
                row.connection.ended.reason,
                Reason::Unknown
                    | Reason::Released
                    | Reason::IdleTimeout
                    | Reason::Abort
                    | Reason::CaptureEnded
            );
            let fits = closer.side == side
                && matches!(row.connection.ended.by, By::Client | By::Server)
                && open_reason
                && wait >= TIMER
                && !(side == Side::Server && closer.owed && closer.one_way);
            fits.then_some((index, wait))
        })
        .collect()
}

/// Several legs of a server closed by it at once, though they had been quiet for different times.
fn shutdown(rows: &mut [Row], group: &[usize]) {
    let mut closings: Vec<(usize, crate::time::Timestamp)> = group
        .iter()
        .filter_map(|&index| {
            let row = rows.get(index)?;
            let closer = row.facts.closer?;
            let open_reason = matches!(
                row.connection.ended.reason,
                Reason::Unknown | Reason::Released | Reason::IdleTimeout | Reason::Abort
            );
            (closer.side == Side::Server && open_reason && row.connection.ended.by == By::Server)
                .then_some((index, closer.time))
        })
        .collect();
    closings.sort_by_key(|(_, time)| *time);
    let refused = group
        .iter()
        .filter_map(|&index| rows.get(index))
        .filter(|row| row.connection.ended.reason == Reason::EstablishRefused);
    let mut refusals: Vec<_> = refused.map(|row| row.connection.start).collect();
    refusals.sort_unstable();
    let mut start = 0;
    while let Some(&(_, first)) = closings.get(start) {
        let together: Vec<(usize, crate::time::Timestamp)> = closings
            .iter()
            .skip(start)
            .copied()
            .take_while(|(_, time)| time.since(first) <= TOGETHER)
            .collect();
        start += together.len();
        let quiet: Vec<Span> = together
            .iter()
            .filter_map(|(index, _)| rows.get(*index)?.facts.closer?.since_payload)
            .filter(|wait| *wait >= Span::from_millis(100))
            .collect();
        let spread = quiet.iter().max().copied().unwrap_or_default().0
            - quiet.iter().min().copied().unwrap_or_default().0;
        let refused_after = refusals
            .get(refusals.partition_point(|refused| *refused < first))
            .is_some_and(|refused| refused.since(first) <= CONTRAST);
        let different = spread > 300_000_000;
        let count = together.len();
        if refused_after && count < CLUSTER {
            died(rows, &together);
        }
        let enough = quiet.len() >= CLUSTER || (refused_after && !quiet.is_empty());
        if !enough || !(different || refused_after) {
            continue;
        }
        for (index, _) in together {
            let Some(row) = rows.get_mut(index) else { continue };
            let waited = row.facts.closer.and_then(|closer| closer.since_payload).unwrap_or_default();
            let owed = row.facts.closer.is_some_and(|closer| closer.owed);
            let lone_act = count < CLUSTER && (owed || row.connection.ended.how == How::Rst);
            if lone_act || waited < Span::from_millis(100) && !refused_after {
                continue;
            }
            let ended = &mut row.connection.ended;
            ended.reason = Reason::ServerShutdown;
            ended.confidence = if refused_after && count > 1 { Confidence::High } else { Confidence::Medium };
            let others = if count > 1 {
                format!("with {} others within {}", count - 1, TOGETHER)
            } else {
                "after a quiet time".to_owned()
            };
            let refused = if refused_after { "; new connections were refused after it" } else { "" };
            ended.because = format!("the server closed it {others}{refused}: it stopped, or was killed");
        }
    }
}

/// A server that closes with an answer owed and takes no new connection after it has lost its process.
fn died(rows: &mut [Row], together: &[(usize, crate::time::Timestamp)]) {
    for &(index, _) in together {
        let Some(row) = rows.get_mut(index) else { continue };
        let owed = row.facts.closer.is_some_and(|closer| closer.owed);
        let ended = &mut row.connection.ended;
        if ended.how == How::Fin && owed && ended.reason == Reason::Unknown {
            ended.reason = Reason::Abort;
            ended.confidence = Confidence::Medium;
            "the server closed with an answer owed, and new connections were refused after it: its process ended"
                .clone_into(&mut ended.because);
        }
    }
}

/// Clients that close after the same wait for an answer that did not come have a timer for it.
fn gave_up(rows: &mut [Row], group: &[usize]) {
    let mut waits: Vec<(usize, Span)> = group
        .iter()
        .filter_map(|&index| {
            let row = rows.get(index)?;
            let closer = row.facts.closer.filter(|closer| closer.fin)?;
            let asked = closer.spoke_last?;
            let wait = closer.since_payload?;
            let answered = row.connection.sides.server.last_payload.is_some_and(|time| time > asked);
            let open_reason = matches!(
                row.connection.ended.reason,
                Reason::CaptureEnded | Reason::Released | Reason::HalfReleased
            );
            let asks = closer.side == Side::Client && !closer.owed;
            (asks && !answered && open_reason && wait >= TIMER).then_some((index, wait))
        })
        .collect();
    waits.sort_by_key(|(_, wait)| *wait);
    let (Some((_, low)), Some((_, high))) = (waits.first(), waits.last()) else { return };
    if waits.len() < CLUSTER || high.0.saturating_sub(low.0) > 600_000_000 {
        return;
    }
    let count = waits.len();
    for (index, wait) in waits {
        let Some(row) = rows.get_mut(index) else { continue };
        let ended = &mut row.connection.ended;
        ended.reason = Reason::AppTimeout;
        ended.confidence = Confidence::Medium;
        ended.because = format!(
            "the client waited {wait} for an answer to its last payload, then closed, as on {} other connections",
            count - 1
        );
    }
}

/// Waits of equal length on several legs are a timer's.
fn idle_timer(rows: &mut [Row], group: &[usize], side: Side) {
    let mut waits = waits(rows, group, side);
    waits.retain(|(index, _)| {
        rows.get(*index).is_some_and(|row| row.connection.ended.reason != Reason::ServerShutdown)
    });
    waits.sort_by_key(|(_, wait)| *wait);
    // Products that look at their clock once a second close up to a second late; so the window reaches upward.
    let width = |wait: Span, tick: i64| 2 * (wait.0 / 1000 * 6).max(300_000_000).max(tick / 2);
    for tick in [0, 1_000_000_000] {
        let best = (0..waits.len())
            .map(|from| {
                let low = waits.get(from).map_or(Span::ZERO, |(_, wait)| *wait);
                let to = waits.partition_point(|(_, wait)| wait.0.saturating_sub(low.0) <= width(low, tick));
                (to.saturating_sub(from), std::cmp::Reverse(from))
            })
            .max();
        let Some((count, std::cmp::Reverse(from))) = best else { return };
        let members: Vec<(usize, Span)> = waits.iter().skip(from).take(count).copied().collect();
        let Some(&(_, median)) = members.get(members.len() / 2) else { return };
        let needed = match side {
            Side::Client => 5,
            Side::Server if is_known_timer(median) => 2,
            Side::Server => CLUSTER,
        };
        // Waits are multiples of nothing in particular where people type: a window as wide as the wait proves nothing.
        if count < needed || width(median, tick) > median.0 / 3 {
            continue;
        }
        let survivors = group
            .iter()
            .filter_map(|&index| rows.get(index))
            .filter(|row| row.connection.longest_idle.0 > median.0.saturating_add(width(median, tick)))
            .count();
        if survivors * 10 > group.len() {
            continue;
        }
        for (index, wait) in members {
            let Some(row) = rows.get_mut(index) else { continue };
            let ended = &mut row.connection.ended;
            ended.reason = Reason::IdleTimeout;
            ended.detail = None;
            ended.confidence = if count >= 5 && tick == 0 { Confidence::High } else { Confidence::Medium };
            ended.because = format!(
                "the {} closed after {wait} without payload, as on {} other connections of this service (median {median}): a timer of its own",
                side.name(),
                count - 1
            );
        }
        return;
    }
}

/// A half-close far longer than this service's orderly ones is a leak, though no minute has passed.
fn leaks(rows: &mut [Row], group: &[usize], window: Window<'_>) {
    let mut orderly: Vec<Span> = Vec::new();
    let mut open: Vec<(usize, Span)> = Vec::new();
    let mut last_orderly: Option<Timestamp> = None;
    for &index in group {
        let Some(row) = rows.get(index) else { continue };
        match (row.facts.fins.client, row.facts.fins.server) {
            (Some(client), Some(server)) => {
                last_orderly = last_orderly.max(Some(client.max(server)));
                orderly.push(Span(server.0.saturating_sub(client.0).saturating_abs()));
            }
            (Some(fin), None) | (None, Some(fin))
                if row.connection.ended.reason == Reason::CaptureEnded
                    && (row.facts.fin_acked.client || row.facts.fin_acked.server) =>
            {
                let heard = row.connection.end;
                let since = fin.max(heard);
                open.push((index, window.end_after(since).since(since)));
            }
            _ => {}
        }
    }
    orderly.sort_unstable();
    let Some(&usual) = orderly.get(orderly.len() / 2) else { return };
    let unusual = |wait: Span| wait.0 > usual.0.saturating_mul(20);
    let far = |wait: Span| wait >= Span::from_secs(3) && unusual(wait);
    let enough = orderly.len() >= CLUSTER || open.iter().filter(|(_, wait)| far(*wait)).count() >= CLUSTER;
    // Several left open in a row, while the service closed a later one at once, need no long watch.
    let row_of = |wait: Span| wait >= PASSED_OVER && unusual(wait);
    let passed_over = |index: usize| {
        let closed = rows.get(index).map_or(i64::MAX, |row| row.connection.end.0);
        last_orderly.is_some_and(|last| last.0 > closed)
    };
    let in_a_row: Vec<usize> = open
        .iter()
        .filter(|(index, wait)| row_of(*wait) && passed_over(*index))
        .map(|(index, _)| *index)
        .collect();
    let leaked: Vec<(usize, Span)> = open
        .into_iter()
        .filter(|(index, wait)| {
            enough && far(*wait) || in_a_row.len() >= CLUSTER && in_a_row.binary_search(index).is_ok()
        })
        .collect();
    for (index, wait) in leaked {
        let Some(row) = rows.get_mut(index) else { continue };
        let ended = &mut row.connection.ended;
        if ended.how != How::Fin {
            continue;
        }
        ended.reason = Reason::HalfReleased;
        ended.confidence = if wait >= HALF_CLOSE_WAIT { Confidence::High } else { Confidence::Medium };
        ended.because = format!(
            "one side closed and the other did not for {wait}, while this service's other connections took {usual} from close to close"
        );
    }
}
