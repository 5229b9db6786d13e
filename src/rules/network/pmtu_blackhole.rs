//! GSN806: large segments never arrive, small ones do.

use crate::events::trouble::{IcmpFacts, Stuck};
use crate::events::{Confidence, Side};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Subject};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A segment of full size that is sent again and again and never acknowledged, while smaller ones of the same side arrive.
    ///
    /// # Why it matters
    /// A link on the way takes only smaller packets, and the message that says so does not reach the sender, or is ignored. The
    /// handshake works, small requests work, and the first large answer hangs for ever.
    ///
    /// # How it is decided
    /// At least three sends of a segment larger than all of its side that are known to have arrived, and a sign that the other
    /// host still hears: it goes on talking meanwhile, a router said "packet too big", or the same happened on another
    /// connection of the pair at the same size.
    ///
    /// # What it cannot know
    /// Which link it is, unless a router names itself. A recorder beside the receiver would have seen the large segments arrive.
    ///
    /// # How to mend it
    /// Let ICMP "fragmentation needed" and ICMPv6 "packet too big" through; clamp the MSS on the tunnel or PPPoE link; turn on
    /// packetization-layer path MTU discovery (`net.ipv4.tcp_mtu_probing=1`).
    ///
    /// # Sources
    /// RFC 1191; RFC 8201; RFC 2923 (black holes); RFC 4821 and RFC 8899; `domain.md` C.9, D.9.
    "GSN806", "pmtu-blackhole", "large packets never arrive, small ones do", Error, Transport, Session(check)
}

/// Sends from which on it is no accident.
const SENDS: u32 = 3;

/// From the first send to the last.
const SPAN: Span = Span::from_secs(1);

/// Every link takes packets of this size (RFC 8200 section 5 has 1280, RFC 791 has 576 less headers).
const SMALL: u32 = 500;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts().filter(|part| part.sees_both()) {
        for side in Side::BOTH {
            if let Some(stuck) = swallowed(part, side) {
                report(subject, part, side, stuck, findings);
            }
        }
    }
}

/// A large segment of this side that never arrived.
fn swallowed(part: Part<'_>, side: Side) -> Option<Stuck> {
    let stuck = part.connection.trouble.as_deref()?.sides[side].stuck?;
    let large = stuck.length >= SMALL && (1..stuck.length).contains(&stuck.arrived);
    let often = stuck.sends >= SENDS && stuck.last.time.since(stuck.first.time) >= SPAN;
    (large && often && !stuck.acknowledged).then_some(stuck)
}

fn report(subject: Subject<'_>, part: Part<'_>, side: Side, stuck: Stuck, findings: &mut Findings) {
    let icmp: Option<IcmpFacts> = part
        .connection
        .trouble
        .as_deref()
        .and_then(|trouble| trouble.icmp)
        .filter(|icmp| icmp.is_too_big() && icmp.about == side);
    let own = subject.session;
    let twin = subject
        .population
        .of_pair(own.client.ip, own.server)
        .take(100)
        .flat_map(|other| other.parts().collect::<Vec<_>>())
        .filter(|other| other.connection.id != part.connection.id)
        .find(|other| swallowed(*other, side).is_some_and(|other| other.length == stuck.length));
    if icmp.is_none() && stuck.heard == 0 && twin.is_none() {
        return;
    }
    let sender = part.connection.sides[side];
    let name = side.name();
    let mut finding = Finding::of_part(
        &RULE,
        &subject,
        part,
        format!(
            "segments of {} bytes from the {name} never arrived in {} sends, while smaller ones did: a link on the way takes only smaller packets",
            stuck.length, stuck.sends
        ),
    )
    .key(format!("{} {name}", part.connection.id))
    .at(stuck.first.time)
    .confidence(if icmp.is_some() || twin.is_some() { Confidence::High } else { Confidence::Medium })
    .fault(Fault::Network)
    .why(format!(
        "the largest segment of the {name} known to have arrived has {} bytes; {} bytes stayed unacknowledged",
        stuck.arrived, sender.unacked_bytes
    ))
    .advice("let ICMP \"fragmentation needed\" (3/4) and ICMPv6 \"packet too big\" (2) through, clamp the MSS where the path narrows (tunnel, PPPoE), or turn on net.ipv4.tcp_mtu_probing")
    .shows([stuck.first.at, stuck.last.at], format!("{} bytes, sent {} times", stuck.length, stuck.sends))
    .number("length", stuck.length)
    .number("arrived", stuck.arrived)
    .number("sends", stuck.sends);
    if let Some(icmp) = icmp {
        let mtu = icmp.mtu.map_or(String::new(), |mtu| format!(" ({mtu} bytes)"));
        finding = finding.context([icmp.mark.at], format!("{} says that it is too big{mtu}", icmp.from));
    }
    if let Some(twin) = twin {
        finding = finding
            .context([twin.connection.first], "the same happened on another connection at the same size");
    }
    if stuck.heard > 0 {
        finding = finding.ruled_out(format!("a dead peer: it sent {} segments meanwhile", stuck.heard));
    }
    findings.add(finding);
}
