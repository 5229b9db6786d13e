//! The grammar of stories: from the text to the [`script`](super::script), one statement a line.

use std::net::IpAddr;

use super::complaint::Complaint;
use super::script::{
    Action, Clock, Flag, Line, Link, Mishap, MishapKind, Opening, Payload, Place, RawSegment, Reception,
    Side, Statement, Unreachable,
};
use super::settings::{end, one_setting, settings};
use super::words::{Words, split, written_out};

/// What a line can begin with, besides `NAME:` and `meanwhile`.
const STATEMENTS: &[&str] = &[
    "title",
    "pace",
    "start",
    "link",
    "client",
    "server",
    "mss",
    "mtu",
    "rtt",
    "timestamps",
    "sack",
    "wscale",
    "isn",
    "vlan",
    "tunnel",
    "window",
    "retries",
    "delayed-ack",
    "connection",
    "open",
    "close",
    "middlebox",
    "icmp",
    "udp",
    "sleep",
    "at",
    "settle",
    "begin",
    "end",
    "cut",
    "blind",
    "lose",
    "miss",
    "repeat",
    "swap",
    "delay",
    "fragment",
    "meanwhile",
];

/// What a side can do.
const DEEDS: &[&str] = &[
    "\"text\"",
    "hex",
    "bytes",
    "fin",
    "close",
    "reset",
    "keepalive",
    "window",
    "stall",
    "read",
    "ack",
    "forget",
    "vanish",
    "return",
    "segment",
];

/// Most bytes that one line can send.
const MOST_BYTES: u32 = 64 << 20;

/// Most bytes that ride on a SYN: one segment with all its options on a link with IPv6.
const MOST_EARLY: usize = 1_400;

/// Most datagram bytes that fit an IPv6 packet with its UDP header.
const MOST_DATAGRAM: usize = 65_487;

/// Reads a whole story; a complaint comes with its line, from 1.
pub(super) fn parse(story: &str) -> Result<Vec<Line>, (usize, Complaint)> {
    let mut lines = Vec::new();
    let mut pace = 1.0;
    for (index, text) in story.lines().enumerate() {
        let number = index + 1;
        let said = match text.trim().strip_prefix("pace ") {
            Some(rest) => self::pace(rest).map(|given| {
                pace = given;
                None
            }),
            None => line(number, text, pace),
        };
        lines.extend(said.map_err(|complaint| (number, complaint))?);
    }
    Ok(lines)
}

/// How many times as long the waits of a story take.
fn pace(rest: &str) -> Result<f64, Complaint> {
    let parts = split(rest)?;
    let mut words = Words::new(&parts);
    let pace = words.pace()?;
    words.finish()?;
    Ok(pace)
}

/// One line; none if it says nothing.
fn line(number: usize, text: &str, pace: f64) -> Result<Option<Line>, Complaint> {
    // A title is prose: quotation marks and number signs mean nothing in it.
    if let Some(title) = text.trim().strip_prefix("title ") {
        let statement = Statement::Title(title.trim().to_owned());
        return Ok(Some(Line { number, connection: None, meanwhile: false, statement }));
    }
    let text = written_out(text, pace)?;
    let parts = split(&text)?;
    let mut words = Words::new(&parts).paced(pace);
    if words.is_empty() {
        return Ok(None);
    }
    let connection = match words.peek().and_then(|word| word.strip_suffix(':')) {
        Some(name) if !name.is_empty() => {
            words.any("a name")?;
            Some(name.to_owned())
        }
        _ => None,
    };
    let meanwhile = words.take("meanwhile");
    let statement = statement(&mut words)?;
    words.finish()?;
    Ok(Some(Line { number, connection, meanwhile, statement }))
}

/// What the line says.
fn statement(words: &mut Words<'_>) -> Result<Statement, Complaint> {
    let first = words.one_of("a statement", STATEMENTS)?;
    Ok(match first {
        "title" => return Err(words.expected("the title")),
        "pace" => return Err(words.expected("a factor such as 0.3 or 7")),
        "start" => Statement::Start(start(words)?),
        "link" => Statement::Link(link(words)?),
        "client" | "server" => {
            let side = if first == "client" { Side::Client } else { Side::Server };
            match words.maybe_endpoint() {
                Some(address) => {
                    let mut all = vec![end(words, side, address)?];
                    settings(words, &mut all)?;
                    Statement::Settings(all)
                }
                None => Statement::Action(deed(words, side)?),
            }
        }
        "connection" => {
            let name = words.any("the connection's name")?.trim_end_matches(':').to_owned();
            let mut all = Vec::new();
            settings(words, &mut all)?;
            Statement::Connection(name, all)
        }
        "open" => Statement::Action(Action::Open(opening(words)?)),
        "close" => {
            words.one_of("`by`", &["by"])?;
            Statement::Action(Action::CloseBy(words.side()?))
        }
        "middlebox" => Statement::Action(middlebox(words)?),
        "icmp" => Statement::Action(icmp(words)?),
        "udp" => {
            let side = words.side()?;
            let data = data(words)?;
            if data.len() > MOST_DATAGRAM {
                return Err(Complaint::TooLarge);
            }
            Statement::Action(Action::Datagram(side, data))
        }
        "sleep" | "at" | "settle" | "begin" | "end" | "cut" | "blind" => {
            Statement::Clock(clock(first, words)?)
        }
        "lose" | "miss" | "repeat" | "swap" | "delay" | "fragment" => {
            let side = words.side()?;
            Statement::Fault(side, mishap(first, words)?)
        }
        setting => {
            let mut all = Vec::new();
            one_setting(setting, words, &mut all)?;
            settings(words, &mut all)?;
            Statement::Settings(all)
        }
    })
}

/// A moment of civil time.
fn start(words: &mut Words<'_>) -> Result<i64, Complaint> {
    let what = "a moment such as 2026-01-02T03:04:05Z";
    let unread = words.expected(what);
    let moment: jiff::Timestamp = words.any(what)?.parse().map_err(|_| unread)?;
    i64::try_from(moment.as_nanosecond()).map_err(|_| Complaint::OutOfRange {
        what: "the start",
        range: "between the years 1678 and 2261".to_owned(),
        found: moment.to_string(),
    })
}

fn link(words: &mut Words<'_>) -> Result<Link, Complaint> {
    Ok(match words.one_of("a link type", &["ethernet", "raw", "cooked", "null"])? {
        "raw" => Link::Raw,
        "cooked" => Link::Cooked,
        "null" => Link::Null,
        _ => Link::Ethernet,
    })
}

/// What follows `open`.
fn opening(words: &mut Words<'_>) -> Result<Opening, Complaint> {
    let mut opening = Opening::default();
    match words.peek() {
        None | Some("isn") => {}
        Some(_) => {
            let kinds = ["refused", "unanswered", "both", "scan", "early"];
            match words.one_of("how it is opened", &kinds)? {
                "refused" => opening.reception = Reception::Refused,
                "unanswered" => {
                    opening.reception = Reception::Unanswered(words.maybe_number().unwrap_or(6).min(30));
                }
                "both" => opening.reception = Reception::Crossing,
                "scan" => opening.reception = Reception::Scan,
                _ => {
                    opening.early = Some(early_data(words)?);
                    if words.take("ignored") {
                        opening.reception = Reception::EarlyIgnored;
                    }
                }
            }
        }
    }
    if words.take("isn") {
        opening.isn = Some(words.number("a sequence number", 0, u32::MAX)?);
    }
    Ok(opening)
}

/// What `side` does.
fn deed(words: &mut Words<'_>, side: Side) -> Result<Action, Complaint> {
    if let Some(text) = words.maybe_text() {
        return Ok(Action::Say(side, Payload::Bytes(text)));
    }
    Ok(match words.peek() {
        Some("hex" | "bytes") => Action::Say(side, data(words)?),
        _ => match words.one_of("what the side does, or its address", DEEDS)? {
            "fin" => Action::Fin(side),
            "close" => Action::Close(side),
            "reset" => {
                let bare = words.take("bare");
                if !bare {
                    words.take("ack");
                }
                Action::Reset { side, bare }
            }
            "keepalive" => keep_alive(words, side)?,
            "window" => Action::Window(side, words.number("a window", 0, 1 << 30)?),
            "stall" => Action::Stall(side),
            "read" => Action::Read(side),
            "ack" => Action::Ack(side),
            "forget" => Action::Forget(side),
            "vanish" => Action::Vanish(side),
            "return" => Action::Return(side),
            _ => Action::Segment(side, segment(words)?),
        },
    })
}

/// `keepalive`, `keepalive byte`, `keepalive 9 every 75s`.
fn keep_alive(words: &mut Words<'_>, side: Side) -> Result<Action, Complaint> {
    let byte = words.take("byte");
    let (mut times, mut every) = (1, 0);
    if !words.is_empty() {
        times = words.number("the number of probes", 1, 1_000)?;
        words.one_of("`every`", &["every"])?;
        every = words.wait("the time between probes")?;
    }
    Ok(Action::KeepAlive { side, byte, times, every })
}

/// Bytes to send: text, octets, or so many bytes of filler.
fn data(words: &mut Words<'_>) -> Result<Payload, Complaint> {
    if let Some(text) = words.maybe_text() {
        return Ok(Payload::Bytes(text));
    }
    match words.one_of("what is sent", &["\"text\"", "hex", "bytes"])? {
        "hex" => {
            let mut octets = Vec::new();
            while let Some(octet) = words.maybe_octet() {
                octets.push(octet);
            }
            if octets.is_empty() {
                Err(words.expected("octets such as 20 02 0f"))
            } else {
                Ok(Payload::Bytes(octets))
            }
        }
        "bytes" => Ok(Payload::Filler(words.number("the number of bytes", 1, MOST_BYTES)? as usize)),
        _ => Err(words.expected("text in quotation marks")),
    }
}

/// Data of a SYN, which must fit one segment.
fn early_data(words: &mut Words<'_>) -> Result<Vec<u8>, Complaint> {
    let data = data(words)?;
    if data.len() > MOST_EARLY {
        let range = format!("at most {MOST_EARLY} bytes");
        return Err(Complaint::OutOfRange { what: "early data", range, found: format!("{}", data.len()) });
    }
    Ok(data.to_bytes())
}

/// What follows `middlebox`.
fn middlebox(words: &mut Words<'_>) -> Result<Action, Complaint> {
    words.one_of("`reset`", &["reset"])?;
    let towards = match words.one_of("whom", &["both", "client", "server"])? {
        "client" => vec![Side::Client],
        "server" => vec![Side::Server],
        _ => Side::BOTH.to_vec(),
    };
    let (mut ttl, mut mac, mut bare) = (None, None, false);
    while !words.is_empty() {
        match words.one_of("more about the reset", &["ttl", "mac", "bare"])? {
            "ttl" => ttl = Some(words.number("a time to live", 1, 255)? as u8),
            "mac" => mac = Some(words.mac()?),
            _ => bare = true,
        }
    }
    Ok(Action::MiddleboxReset { towards, ttl, mac, bare })
}

/// What follows `icmp`.
fn icmp(words: &mut Words<'_>) -> Result<Action, Complaint> {
    const KINDS: &[&str] = &[
        "network-unreachable",
        "host-unreachable",
        "protocol-unreachable",
        "port-unreachable",
        "prohibited",
        "time-exceeded",
        "too-big",
    ];
    let kind = match words.one_of("a kind of ICMP message", KINDS)? {
        "network-unreachable" => Unreachable::Network,
        "host-unreachable" => Unreachable::Host,
        "protocol-unreachable" => Unreachable::Protocol,
        "port-unreachable" => Unreachable::Port,
        "prohibited" => Unreachable::Prohibited,
        "time-exceeded" => Unreachable::TimeExceeded,
        _ => {
            words.one_of("`mtu`", &["mtu"])?;
            Unreachable::TooBig { mtu: words.number("a packet size", 0, 65_535)? as u16 }
        }
    };
    let from = if words.take("from") { Some(words.address()?) } else { None::<IpAddr> };
    words.one_of("`quoting`", &["quoting"])?;
    Ok(Action::Icmp { kind, from, quoting: words.side()? })
}

/// What follows the words about time and the recording.
fn clock(first: &str, words: &mut Words<'_>) -> Result<Clock, Complaint> {
    Ok(match first {
        "sleep" => Clock::Sleep(words.wait("how long")?),
        "at" => Clock::At(words.wait("the time since the start")?),
        "settle" => Clock::Settle,
        "begin" => Clock::Begin,
        "end" => Clock::End,
        "cut" if words.take("off") => Clock::Cut(None),
        "cut" => Clock::Cut(Some(words.number("the bytes kept of a frame", 1, 262_144)?)),
        _ if words.take("none") => Clock::Blind(None),
        _ => Clock::Blind(Some(words.side()?)),
    })
}

/// What follows the side of a mishap.
fn mishap(first: &str, words: &mut Words<'_>) -> Result<Mishap, Complaint> {
    let mut kind = match first {
        "lose" => MishapKind::LoseBehind,
        "miss" => MishapKind::Miss,
        "repeat" => MishapKind::Repeat { later: 10_000, ttl: 0 },
        "swap" => MishapKind::Swap,
        "delay" => MishapKind::Delay(words.duration("by how much")?),
        _ => MishapKind::Fragment(words.number("the size of a fragment", 8, 65_000)? as u16),
    };
    let mut count = Some(1);
    if words.take("all") {
        count = None;
    } else if words.take("none") {
        count = Some(0);
    } else if let Some(number) = words.maybe_number() {
        count = Some(number);
    }
    let mut after = 0;
    while !words.is_empty() {
        let more: &[&str] = match kind {
            MishapKind::LoseBehind => &["after", "before"],
            MishapKind::Repeat { .. } => &["after", "later", "ttl"],
            _ => &["after"],
        };
        match (words.one_of("more about the mishap", more)?, &mut kind) {
            ("before", kind) => *kind = MishapKind::LoseBefore,
            ("later", MishapKind::Repeat { later, .. }) => *later = words.duration("by how much")?,
            ("ttl", MishapKind::Repeat { ttl, .. }) => {
                let change = words.maybe_signed().filter(|change| (-255..=255).contains(change));
                *ttl = change.ok_or_else(|| words.expected("a change such as -1"))? as i16;
            }
            _ => after = words.number("how many pass first", 0, u32::MAX)?,
        }
    }
    Ok(Mishap { kind, after, count })
}

/// What follows `segment`.
fn segment(words: &mut Words<'_>) -> Result<RawSegment, Complaint> {
    let mut raw = RawSegment::default();
    while !words.is_empty() {
        if let Some(text) = words.maybe_text() {
            raw.data = text;
            continue;
        }
        match words
            .one_of("a field of the segment", &["seq", "ack", "flags", "len", "window", "ttl", "hex"])?
        {
            "seq" => raw.seq = Some(place(words)?),
            "ack" => raw.ack = Some(place(words)?),
            "flags" => raw.flags = Some(flags(words)?),
            "len" => raw.data = Payload::Filler(words.number("a length", 0, 65_000)? as usize).to_bytes(),
            "window" => raw.window = Some(words.number("a window as on the wire", 0, 65_535)? as u16),
            "ttl" => raw.ttl = Some(words.number("a time to live", 1, 255)? as u8),
            _ => {
                while let Some(octet) = words.maybe_octet() {
                    raw.data.push(octet);
                }
            }
        }
    }
    if raw.data.len() > 65_000 { Err(Complaint::TooLarge) } else { Ok(raw) }
}

/// A sequence number: `5` from the initial one, `+10` or `-1` from where the stack is.
fn place(words: &mut Words<'_>) -> Result<Place, Complaint> {
    if let Some(shift) = words.maybe_signed() {
        return Ok(Place::Shifted(shift));
    }
    let what = "a sequence number such as 5, +10 or -1";
    words.maybe_number().map(Place::Relative).ok_or_else(|| words.expected(what))
}

/// The flags of a segment as letters, `none` for none.
fn flags(words: &mut Words<'_>) -> Result<Vec<Flag>, Complaint> {
    let unread = words.expected("flags of the letters SAFRPUEC, or `none`");
    let letters = words.any("the flags")?;
    if letters == "none" {
        return Ok(Vec::new());
    }
    let flag = |letter| match letter {
        'S' => Some(Flag::Syn),
        'A' => Some(Flag::Ack),
        'F' => Some(Flag::Fin),
        'R' => Some(Flag::Reset),
        'P' => Some(Flag::Push),
        'U' => Some(Flag::Urgent),
        'E' => Some(Flag::Echo),
        'C' => Some(Flag::Reduced),
        _ => None,
    };
    letters.chars().map(flag).collect::<Option<_>>().ok_or(unread)
}

#[cfg(test)]
mod tests {
    use super::super::script::Setting;
    use super::*;

    fn complain(story: &str) -> (usize, String) {
        parse(story).map_err(|(line, complaint)| (line, complaint.to_string())).unwrap_err()
    }

    fn only(story: &str) -> Line {
        let mut lines = parse(story).unwrap();
        assert_eq!(lines.len(), 1, "{story}");
        lines.remove(0)
    }

    #[test]
    fn lines_carry_their_number_connection_and_haste() {
        let line = only("# a comment\n\n  b: meanwhile client fin\n");
        assert_eq!((line.number, line.connection.as_deref(), line.meanwhile), (3, Some("b"), true));
        assert_eq!(line.statement, Statement::Action(Action::Fin(Side::Client)));
    }

    #[test]
    fn an_end_and_a_deed_begin_with_the_same_word() {
        let line = only("server [2001:db8::2]:443 ttl 57 mac 02:00:00:00:00:09");
        let address = "[2001:db8::2]:443".parse().unwrap();
        let mac = Some([2, 0, 0, 0, 0, 9]);
        let end = Setting::End { side: Side::Server, address, mac, ttl: Some(57) };
        assert_eq!(line.statement, Statement::Settings(vec![end]));
        let said = Statement::Action(Action::Say(Side::Server, Payload::Bytes(vec![0x20, 2, 0, 0])));
        assert_eq!(only("server hex 20 02 00 00").statement, said);
    }

    #[test]
    fn mishaps_say_which_packets_they_hit() {
        let mishap = |text| match only(text).statement {
            Statement::Fault(_, mishap) => mishap,
            other => panic!("{other:?}"),
        };
        assert_eq!(mishap("lose client"), Mishap { kind: MishapKind::LoseBehind, after: 0, count: Some(1) });
        assert_eq!(
            mishap("lose client 2 after 3 before"),
            Mishap { kind: MishapKind::LoseBefore, after: 3, count: Some(2) }
        );
        let repeat = MishapKind::Repeat { later: 5_000_000, ttl: -1 };
        assert_eq!(
            mishap("repeat server all later 5ms ttl -1"),
            Mishap { kind: repeat, after: 0, count: None }
        );
        assert_eq!(mishap("miss server none").count, Some(0));
    }

    #[test]
    fn complaints_name_the_line_and_what_was_expected() {
        let table = [
            ("open\nslep 3s", 2, "did you mean `sleep`?"),
            ("client shout", 1, "expected what the side does"),
            ("client", 1, "found the end of the line"),
            ("sleep 3", 1, "expected how long, a time such as 300ms, 1.5s or 2h, found `3`"),
            ("sleep 3s now", 1, "expected the end of the line, found `now`"),
            ("client \"open", 1, "text must end"),
            ("link ether", 1, "expected a link type (ethernet, raw, cooked, null), found `ether`"),
            ("rtt fast", 1, "expected the round trip"),
            ("client 10.0.0.1", 1, "expected what the side does, or its address"),
            ("connection b client 10.0.0.1", 1, "expected an address and port"),
            ("start yesterday", 1, "expected a moment such as 2026-01-02T03:04:05Z, found `yesterday`"),
            ("client 10.0.0.1:1 ttl 256", 1, "a time to live must be a number from 1 to 255, found 256"),
            ("vlan 4096", 1, "a VLAN must be a number from 0 to 4095, found 4096"),
            ("client segment flags XY", 1, "expected flags of the letters SAFRPUEC, or `none`, found `XY`"),
            ("tunnel gre from 10.0.0.1 to ::1", 1, "must both be IPv4 or both IPv6"),
            ("icmp port-unreachable from nowhere quoting client", 1, "expected an IPv4 or IPv6 address"),
            ("udp client bytes 70000", 1, "larger than 65535 bytes"),
            ("client hex", 1, "expected octets"),
        ];
        for (story, line, part) in table {
            let (at, said) = complain(story);
            assert_eq!(at, line, "{story}: {said}");
            assert!(said.contains(part), "{story}: {said}");
        }
    }

    #[test]
    fn filler_differs_between_segments() {
        let bytes = Payload::Filler(4344).to_bytes();
        assert_ne!(bytes[..1448], bytes[1448..2896]);
        assert_eq!(bytes.len(), 4344);
    }

    #[test]
    fn a_title_is_prose() {
        let line = only("title Bob says \"hi # there");
        assert_eq!(line.statement, Statement::Title("Bob says \"hi # there".to_owned()));
    }
}
