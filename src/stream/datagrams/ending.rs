//! How a UDP conversation ended: refused by ICMP, unanswered, or still going for all the capture shows.

use std::fmt;
use std::net::IpAddr;

use super::{Datagrams, ONE_SIDED, Seen};
use crate::events::side::Side;
use crate::events::transport::{By, Confidence, Ending, How, Reason};
use crate::events::trouble::{IcmpFacts, Mark, Trouble};
use crate::packet::{Direction, Endpoint, IcmpError};
use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// How long the capture must go on after a datagram before its silence says anything (`domain.md` B.2).
const WATCHED: Span = Span::from_secs(3);

/// A conversation that spoke this close to the capture's end is taken for living.
const STILL_OPEN: Span = Span::from_secs(60);

/// Retries are few, not in a burst, and seldom a minute apart; a stream or a beacon is otherwise.
const RETRIES: u64 = 16;
const RETRIES_LAST: Span = Span::from_secs(1);
const RETRY_GAP: Span = Span::from_secs(60);

/// Ports of services that never answer: syslog, SNMP traps, `NetFlow`, GTP-U, IPFIX, VXLAN, GENEVE, sFlow,
/// `StatsD`.
const ONE_WAY: [u16; 11] = [162, 514, 2055, 2152, 4739, 4789, 6081, 6343, 8125, 8472, 9995];

/// What an ICMP error says of a datagram (`domain.md` C.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Complaint {
    /// No one listens at the port, or the host does not speak UDP.
    Port,
    /// Someone forbids it.
    Prohibited,
    /// It cannot be brought there now; hosts keep trying.
    Path,
}

impl Complaint {
    /// From type and code; none for what is no reason to stop (path MTU, redirects, quench).
    fn of(error: &IcmpError) -> Option<Self> {
        match (error.from.is_ipv6(), error.kind, error.code) {
            (false, 3, 2 | 3) | (true, 1, 4) => Some(Self::Port),
            (false, 3, 9 | 10 | 13) | (true, 1, 1 | 5 | 6) => Some(Self::Prohibited),
            (false, 3, 0 | 1 | 5..=8 | 11 | 12) | (false, 11, 0) | (true, 1, 0 | 2 | 3) | (true, 3, 0) => {
                Some(Self::Path)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Port => "no one listens there",
            Self::Prohibited => "that is forbidden",
            Self::Path => "it cannot be delivered",
        })
    }
}

/// An ICMP error after which the complained-of side has not been answered.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    complaint: Complaint,
    error: IcmpError,
    /// The way of the datagram that it quotes.
    way: Direction,
    seen: Seen,
    /// The last datagram that way before the error.
    quoted: Option<Seen>,
    /// Datagrams that went the same way after the last error.
    ignored: u32,
}

impl Refusal {
    /// None if the error is no reason to stop.
    pub(super) fn new(error: &IcmpError, way: Direction, seen: Seen, quoted: Option<Seen>) -> Option<Self> {
        Complaint::of(error).map(|complaint| Self { complaint, error: *error, way, seen, quoted, ignored: 0 })
    }

    /// What is left of it after one more datagram: an answer refutes it; a retry only weakens it, unless it
    /// was about the path, which may be open again.
    pub(super) fn after_datagram(mut self, way: Direction) -> Option<Self> {
        if way != self.way || self.complaint == Complaint::Path {
            return None;
        }
        self.ignored = self.ignored.saturating_add(1);
        Some(self)
    }

    /// Whether trying again is of no use.
    pub(super) fn is_hard(&self) -> bool {
        self.complaint != Complaint::Path
    }
}

impl Datagrams {
    /// The ICMP error that ended it.
    pub(super) fn trouble(&self, client_way: Direction) -> Option<Box<Trouble>> {
        let refusal = self.refusal.as_ref()?;
        let icmp = IcmpFacts {
            from: refusal.error.from,
            kind: refusal.error.kind,
            code: refusal.error.code,
            mtu: refusal.error.mtu,
            mark: Mark { at: refusal.seen.at, time: refusal.seen.time },
            about: if refusal.way == client_way { Side::Client } else { Side::Server },
            contradicted: false,
        };
        Some(Box::new(Trouble { icmp: Some(icmp), ..Trouble::default() }))
    }

    /// How it ended (`domain.md` B.3, C.9), seen from the capture's end.
    pub(super) fn ending(&self, client_way: Direction, capture_end: Timestamp) -> Ending {
        let tail = capture_end.since(self.end);
        if let Some(refusal) = &self.refusal {
            return self.refused(refusal, client_way);
        }
        if self.way(client_way.reverse()).packets == 0 {
            return self.unanswered(client_way, tail);
        }
        self.open(client_way, tail)
    }

    fn refused(&self, refusal: &Refusal, client_way: Direction) -> Ending {
        let target = self.flow.source(refusal.way.reverse());
        let target_side = if refusal.way == client_way { Side::Server } else { Side::Client };
        let by = if refusal.error.from == target.ip { target_side.into() } else { By::Network };
        let answered = self.way(client_way.reverse()).packets > 0;
        let reason = if refusal.is_hard() && !answered { Reason::EstablishRefused } else { Reason::Network };
        let sent = self.way(refusal.way).packets;
        let delay = refusal.quoted.map_or_else(
            || "of ".to_owned(),
            |quoted| format!("{} after ", refusal.seen.time.since(quoted.time)),
        );
        let consequence = if refusal.ignored > 0 {
            format!("{} more of {sent} went there without an answer", refusal.ignored)
        } else if answered {
            "nothing came after that".to_owned()
        } else {
            format!("no answer came to {}", datagrams(sent))
        };
        let because = format!(
            "{delay}a datagram to {target}, {} said by ICMP (type {}, code {}) that {}; {consequence}",
            refusal.error.from, refusal.error.kind, refusal.error.code, refusal.complaint,
        );
        let mut frames: Vec<PacketRef> = refusal.quoted.iter().map(|quoted| quoted.at).collect();
        frames.push(refusal.seen.at);
        frames.sort();
        Ending {
            how: How::Icmp,
            by,
            reason,
            detail: Some("icmp"),
            confidence: if refusal.ignored > 0 { Confidence::Medium } else { Confidence::High },
            frames,
            because,
            rst: None,
        }
    }

    /// Only the client is in the capture. Silence is an answer missing if the client tried again as one does
    /// who waits for it, and if the capture went on long enough.
    fn unanswered(&self, client_way: Direction, tail: Span) -> Ending {
        let server = self.flow.source(client_way.reverse());
        let way = self.way(client_way);
        let lasted = self.end.since(self.first.time);
        let tried_again = (2..=RETRIES).contains(&way.packets)
            && !way.lengths_differ
            && lasted >= RETRIES_LAST
            && self.longest_idle <= RETRY_GAP;
        let frames = self.first_and_last(client_way);
        if tried_again && tail >= WATCHED && expects_answer(server) {
            return Ending {
                how: How::Silence,
                by: By::Server,
                reason: Reason::EstablishTimeout,
                detail: None,
                // With five datagrams one way and none the other, the other way may not be in the capture at
                // all.
                confidence: if way.packets < ONE_SIDED { Confidence::Medium } else { Confidence::Low },
                frames,
                because: format!(
                    "the client sent {} of {} bytes to {server} in {lasted}, and nothing came back in the {tail} that \
                     the capture went on",
                    datagrams(way.packets),
                    way.length,
                ),
                rst: None,
            };
        }
        let cut_off = tail < WATCHED;
        Ending {
            how: How::CaptureEnd,
            by: By::Unknown,
            reason: if cut_off { Reason::CaptureEnded } else { Reason::Unknown },
            detail: None,
            confidence: Confidence::Low,
            frames,
            because: format!(
                "{} went to {server}, the last {tail} before the capture's end, and no answer is in the capture",
                datagrams(way.packets),
            ),
            rst: None,
        }
    }

    fn open(&self, client_way: Direction, tail: Span) -> Ending {
        let living = tail <= STILL_OPEN;
        let total = self.up.packets + self.down.packets;
        let mut frames: Vec<PacketRef> = [self.way(client_way).last, self.way(client_way.reverse()).last]
            .iter()
            .flatten()
            .map(|seen| seen.at)
            .collect();
        frames.sort();
        Ending {
            how: How::CaptureEnd,
            by: By::Unknown,
            reason: if living { Reason::CaptureEnded } else { Reason::Unknown },
            detail: None,
            // Silence no longer than it kept before says that it lives.
            confidence: if living && tail <= self.longest_idle {
                Confidence::Medium
            } else {
                Confidence::Low
            },
            frames,
            because: format!(
                "the last of {} came {tail} before the capture's end, and UDP has no close",
                datagrams(total),
            ),
            rst: None,
        }
    }

    fn first_and_last(&self, way: Direction) -> Vec<PacketRef> {
        let way = self.way(way);
        let mut frames: Vec<PacketRef> = [way.first, way.last].iter().flatten().map(|seen| seen.at).collect();
        frames.sort();
        frames.dedup();
        frames
    }
}

fn datagrams(count: u64) -> String {
    if count == 1 { "1 datagram".to_owned() } else { format!("{count} datagrams") }
}

/// Whether whoever sends there waits for an answer: not for groups of hosts, nor for services that only
/// listen.
fn expects_answer(server: Endpoint) -> bool {
    let to_many = match server.ip {
        // A last octet of 255 is mostly a subnet's broadcast address; its length is not in the packet.
        IpAddr::V4(ip) => ip.is_multicast() || ip.is_broadcast() || ip.octets().ends_with(&[255]),
        IpAddr::V6(ip) => ip.is_multicast(),
    };
    !to_many && !ONE_WAY.contains(&server.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icmp_errors_are_told_apart_by_version_type_and_code() {
        use Complaint::{Path, Port, Prohibited};
        let v4 = IpAddr::from([10, 0, 0, 9]);
        let v6 = IpAddr::from([0, 0, 0, 0, 0, 0, 0, 9]);
        for (from, kind, code, complaint) in [
            (v4, 3, 3, Some(Port)),
            (v4, 3, 13, Some(Prohibited)),
            (v4, 3, 1, Some(Path)),
            (v4, 11, 0, Some(Path)),
            (v4, 3, 4, None),
            (v4, 11, 1, None),
            (v4, 5, 1, None),
            (v4, 1, 4, None),
            (v6, 1, 4, Some(Port)),
            (v6, 1, 1, Some(Prohibited)),
            (v6, 1, 0, Some(Path)),
            (v6, 3, 0, Some(Path)),
            (v6, 2, 0, None),
            (v6, 3, 3, None),
        ] {
            let error = IcmpError { from, kind, code, mtu: None, quoted_seq: None, quoted_flags: None };
            assert_eq!(Complaint::of(&error), complaint, "{from} {kind}/{code}");
        }
    }

    #[test]
    fn listeners_and_groups_owe_no_answer() {
        for (server, expected) in [
            ("10.0.0.2:53", true),
            ("10.0.0.2:514", false),
            ("10.0.0.255:137", false),
            ("255.255.255.255:67", false),
            ("224.0.0.251:5353", false),
            ("[ff02::fb]:5353", false),
            ("[2001:db8::2]:53", true),
        ] {
            let at: std::net::SocketAddr = server.parse().unwrap();
            assert_eq!(expects_answer(Endpoint::new(at.ip(), at.port())), expected, "{server}");
        }
    }
}
