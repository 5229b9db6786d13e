//! Connections that never came to be: refused, unanswered, half-open.

use super::{Case, Verdict, WATCHED};
use crate::events::side::Side;
use crate::events::transport::{By, Confidence, How, Reason, RstClass};

/// SYNs that must have gone out before silence is a time-out: the first and two repetitions (`domain.md` B.2).
const TRIES: u32 = 3;

/// The verdict on a connection whose handshake failed; none where it succeeded or was not seen.
pub(super) fn verdict(case: &Case<'_>) -> Option<Verdict> {
    let (client, server) = (case.half(Side::Client), case.half(Side::Server));
    if client.syns == 0 || client.turns > 0 && server.segments > u64::from(server.resets) {
        return None;
    }
    if server.syns == 0 && server.segments == u64::from(server.resets) {
        return Some(never_answered(case));
    }
    if server.syns == 0 || case.connection.established.is_some() {
        return None;
    }
    half_open(case)
}

fn never_answered(case: &Case<'_>) -> Verdict {
    let (client, server) = (case.half(Side::Client), case.half(Side::Server));
    if let Some(reset) = server.reset {
        let because = format!(
            "the server's address answered the SYN with RST after {}",
            reset.time.since(client.last_syn.map_or(reset.time, |syn| syn.time))
        );
        return Verdict::new(How::Rst, By::Server, Reason::EstablishRefused, Confidence::Certain, because)
            .citing([client.syn, Some(reset)]);
    }
    if let Some(note) = case.connection.icmp.filter(|note| !note.contradicted) {
        let server_ip = case.connection.flow.source(case.connection.direction(Side::Server)).ip;
        let by = if note.error.from == server_ip { By::Server } else { By::Network };
        let because = format!("{} answered the SYN with {}", note.error.from, icmp_name(&note.error));
        return Verdict::new(How::Icmp, by, Reason::EstablishRefused, Confidence::High, because).citing([
            client.syn,
            client.last_syn,
            Some(note.act),
        ]);
    }
    let last = client.last_syn.unwrap_or(case.connection.first);
    let watched = case.watched(last);
    let cited = [client.syn, client.last_syn];
    if let Some(reset) = client.reset {
        let because = "the client reset its own unanswered SYN".to_owned();
        return Verdict::new(How::Rst, By::Client, Reason::Unknown, Confidence::Low, because)
            .citing([client.syn, Some(reset)]);
    }
    if client.syns >= TRIES && case.watched(case.connection.first) >= WATCHED {
        let confidence = if watched >= WATCHED { Confidence::High } else { Confidence::Medium };
        let because = format!(
            "{} SYNs over {} got no answer at all, watched {watched} more",
            client.syns,
            last.time.since(case.connection.first.time)
        );
        return Verdict::new(How::Silence, By::Server, Reason::EstablishTimeout, confidence, because)
            .citing(cited);
    }
    if watched >= WATCHED {
        let because = format!("{} SYN got no answer in {watched}, and was not tried on", client.syns);
        return Verdict::new(How::Silence, By::Server, Reason::Unknown, Confidence::Low, because)
            .citing(cited);
    }
    let because = "the capture ended before the SYN was answered".to_owned();
    Verdict::new(How::CaptureEnd, By::Unknown, Reason::CaptureEnded, Confidence::High, because).citing(cited)
}

fn half_open(case: &Case<'_>) -> Option<Verdict> {
    let (client, server) = (case.half(Side::Client), case.half(Side::Server));
    let scan = case.connection.resets.get(case.connection.direction(Side::Client).index()).copied().flatten();
    if let Some(reset) = scan.filter(|reset| reset.class == RstClass::SynScan) {
        let because = "SYN, SYN-ACK, RST: a half-open probe, no session was meant".to_owned();
        return Some(
            Verdict::new(How::Rst, By::Client, Reason::Abort, Confidence::High, because)
                .detail("probe")
                .citing([client.syn, server.syn, Some(reset.act)]),
        );
    }
    let last = server.last_syn?;
    if server.syns >= TRIES && client.fin.is_none() && client.reset.is_none() && case.watched(last) >= WATCHED
    {
        let because = format!(
            "{} SYN-ACKs were never acknowledged: the client is gone, or does not hear the server",
            server.syns
        );
        return Some(
            Verdict::new(How::Silence, By::Client, Reason::EstablishTimeout, Confidence::Medium, because)
                .citing([client.syn, server.syn, Some(last)]),
        );
    }
    None
}

/// What an ICMP error says, with its numbers.
pub(super) fn icmp_name(error: &crate::packet::IcmpError) -> String {
    let word = match (error.from.is_ipv6(), error.kind, error.code) {
        (false, 3, 0) | (true, 1, 0) => "no route",
        (false, 3, 1) | (true, 1, 3) => "host unreachable",
        (false, 3, 2) => "protocol unreachable",
        (false, 3, 3) | (true, 1, 4) => "port unreachable",
        (false, 3, 4) | (true, 2, _) => "packet too big",
        (false, 3, 9 | 10 | 13) | (true, 1, 1) => "administratively prohibited",
        (false, 11, _) | (true, 3, _) => "hop limit exceeded",
        _ => "an error",
    };
    let family = if error.from.is_ipv6() { "ICMPv6" } else { "ICMP" };
    format!("{word} ({family} {}/{})", error.kind, error.code)
}
