//! Slices: a session cut out of a capture is the same session, says what was found, and can be read by others.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use ghostshark::analysis::Analysis;
use ghostshark::capture::Input;
use ghostshark::events::Connection;
use ghostshark::events::transport::Reason;
use ghostshark::export::{self, Keys};
use ghostshark::packet::Endpoint;
use ghostshark::rules::Finding;
use ghostshark::scenario::{self, Format, Frame, Link, Recording};
use ghostshark::session::Session;
use ghostshark::time::Timestamp;

use crate::support::flood::{Flood, Kind};
use crate::support::run::{Desk, files, plain};
use crate::support::{self, file_of};

/// The slice of these sessions.
fn slice(path: &Path, analysis: &Analysis, sessions: &[&Session], keys: Keys) -> Vec<u8> {
    let inputs = vec![Input::File(path.to_path_buf())];
    let selection = export::select(inputs.clone(), analysis, sessions).unwrap();
    let mut out = Vec::new();
    export::slice(inputs, analysis, sessions, (&selection, keys), &mut out).unwrap();
    out
}

/// A story among other people's traffic, which begins before it and goes on after it.
fn among_others(story: &Recording) -> Recording {
    let mut whole = story.clone();
    whole.interfaces.push(Link::default());
    let interface = u32::try_from(story.interfaces.len()).unwrap();
    let mut others = Flood::new(Kind::Closed).take(40);
    let (first, last) = (story.frames.first().unwrap().time.0, story.frames.last().unwrap().time.0);
    let step = (last - first + 120_000_000_000) / others.frames.len() as i64;
    for (index, frame) in others.frames.drain(..).enumerate() {
        let time = Timestamp(first - 20_000_000_000 + step * index as i64);
        whole.frames.push(Frame { time, interface, ..frame });
    }
    whole.frames.sort_by_key(|frame| frame.time);
    whole
}

/// What a session is, its `tcp.completeness` left out where other connections share its stream, as far as a slice must keep it: its connections and its end.
fn account(analysis: &Analysis, session: &Session, several: &BTreeSet<(Endpoint, Endpoint)>) -> String {
    let mut text = format!(
        "{} {:?} {} {}\n",
        session.protocol,
        session.outcome.reason,
        session.outcome.by.name(),
        session.history
    );
    for leg in &session.legs {
        let one = &analysis.connections[leg.connection as usize];
        let shared = several.contains(&(one.client, one.server));
        let _ = writeln!(
            text,
            "  {} {} -> {} {:?} {:?} {} {} {} {:?}",
            one.transport.name(),
            one.client,
            one.server,
            one.ended.how,
            one.ended.reason,
            one.ended.by.name(),
            if shared { 0 } else { one.completeness },
            one.history,
            one.sides.client.payload_bytes + one.sides.server.payload_bytes
        );
    }
    text
}

/// The ends between which there are several connections: tshark counts some segments of one for another.
fn shared(analysis: &Analysis) -> BTreeSet<(Endpoint, Endpoint)> {
    let all = &analysis.connections;
    let ends = |one: &Connection| (one.client.min(one.server), one.client.max(one.server));
    let twice = |one: &&Connection| all.iter().any(|other| other.id != one.id && ends(other) == ends(one));
    all.iter().filter(twice).map(|one| (one.client, one.server)).collect()
}

/// The rules that a session breaks by itself, those about the capture left out.
fn rules(analysis: &Analysis, session: &Session) -> BTreeSet<&'static str> {
    let inside: BTreeSet<u32> = session.legs.iter().map(|leg| leg.connection).collect();
    let alone = |finding: &&Finding| finding.connections.iter().all(|id| inside.contains(id));
    let codes = analysis.findings_of(session).filter(alone).map(|finding| finding.rule.code);
    codes.filter(|code| !code.starts_with("GSQ")).collect()
}

/// The stories of a folder, by their paths.
fn told(folder: &str) -> Vec<(PathBuf, Recording)> {
    let compiled = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let recording = scenario::compile(&text, &path).unwrap();
        (path, recording)
    };
    support::fixtures(folder, &["story"]).into_iter().map(compiled).collect()
}

#[test]
fn a_session_in_its_slice_is_the_same_session() {
    let desk = Desk::new();
    let mut wrong = String::new();
    let mut compared = 0;
    let other = IpAddr::from([192, 0, 2, 1]);
    for (path, story) in told("stories") {
        let recording = among_others(&story);
        let file = desk.put("whole.pcapng", &file_of(&recording, Format::Pcapng));
        let whole = files(&[&file], &plain()).unwrap();
        for session in whole.sessions.iter().filter(|session| session.server.ip != other) {
            let cut = slice(&file, &whole, &[session], Keys::Strip);
            let part = desk.analyze("slice.pcapng", &cut, &plain()).unwrap();
            // That a server stopped is known from the sessions beside it.
            if session.outcome.reason == Reason::ServerShutdown {
                continue;
            }
            compared += 1;
            let Some(same) = part.sessions.iter().find(|other| other.uid == session.uid) else {
                let _ = writeln!(wrong, "{}: {} is not in its slice", path.display(), session.name());
                continue;
            };
            let several = shared(&whole);
            let (before, after) = (account(&whole, session, &several), account(&part, same, &several));
            let (broken, still) = (rules(&whole, session), rules(&part, same));
            // Where its neighbours are gone, it may be told of one what was told of all of them.
            let alone = whole.sessions.iter().filter(|other| other.server == session.server).count() == 1;
            let rules_kept = if alone { broken == still } else { broken.is_subset(&still) };
            if before != after || !rules_kept {
                let _ = writeln!(
                    wrong,
                    "{} {}:\n{before}{broken:?}\n--\n{after}{still:?}",
                    path.file_stem().unwrap().display(),
                    session.name()
                );
            }
        }
    }
    assert!(compared > 100, "{compared} sessions");
    assert!(wrong.is_empty(), "{wrong}");
}

/// A story in which a name is asked for, its server is reached, and a router complains.
const RESOLVED: &str = r#"
title   A name, a connection, a complaint
client  10.0.0.1:40000
server  10.0.0.2:8080
connection dns client 10.0.0.1:5353 server 10.0.0.53:53
connection other client 10.0.0.7:41000 server 10.0.0.9:8080
dns: udp client hex 12 34 01 00 00 01 00 00 00 00 00 00 04 73 68 6f 70 00 00 01 00 01
dns: udp server hex 12 34 81 80 00 01 00 01 00 00 00 00 04 73 68 6f 70 00 00 01 00 01 c0 0c 00 01 00 01 00 00 00 3c 00 04 0a 00 00 02
other: open
open
client "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
icmp host-unreachable from 10.0.0.254 quoting client
server "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
other: client "GET /x HTTP/1.1\r\n\r\n"
other: close by client
sleep 20s
client reset
"#;

fn told_as(text: &str, name: &str) -> Recording {
    scenario::compile(text, Path::new(name)).unwrap_or_else(|complaint| panic!("{complaint}"))
}

#[test]
fn a_slice_holds_the_name_and_the_complaint() {
    let desk = Desk::new();
    let file = desk.put("whole.pcapng", &file_of(&told_as(RESOLVED, "resolved.story"), Format::Pcapng));
    let whole = files(&[&file], &plain()).unwrap();
    let session = whole.sessions.iter().find(|session| session.client.port == 40_000).unwrap();
    let selection = export::select(vec![Input::File(file.clone())], &whole, &[session]).unwrap();
    assert_eq!((selection.errors, selection.resolutions, selection.fragments), (1, 2, 0));
    let part =
        desk.analyze("slice.pcapng", &slice(&file, &whole, &[session], Keys::Strip), &plain()).unwrap();
    let ports: Vec<u16> = part.connections.iter().map(|one| one.server.port).collect();
    assert_eq!(ports, [53, 8080]);
    assert_eq!(part.totals.icmp_errors, 1);
    assert_eq!(part.files[0].packets, selection.frames.len() as u64);
    let (_, head) = &part.files[0].comments[0];
    for said in ["Slice of whole.pcapng", "1 ICMP errors", "2 frames of the DNS", "Frames by their numbers"] {
        assert!(head.contains(said), "{said}: {head}");
    }
}

#[test]
fn all_parts_of_a_datagram_are_in_the_slice() {
    let text = "client 10.0.0.1:40000\nserver 10.0.0.2:80\nopen\nfragment client 600\nclient bytes 1400\nserver \"ok\"\nclose by client\n";
    let desk = Desk::new();
    let recording = told_as(text, "parts.story");
    let file = desk.put("whole.pcapng", &file_of(&recording, Format::Pcapng));
    let whole = files(&[&file], &plain()).unwrap();
    let selection = export::select(vec![Input::File(file.clone())], &whole, &[&whole.sessions[0]]).unwrap();
    assert!(selection.fragments >= 1, "{selection:?}");
    assert_eq!(selection.frames.len(), recording.frames.len());
}

/// A pcapng block.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &length].concat()
}

/// A capture that carries secrets.
fn with_secrets(recording: &Recording) -> Vec<u8> {
    let bytes = file_of(recording, Format::Pcapng);
    let head = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let mut body = [0x544c_534b_u32.to_le_bytes(), 16_u32.to_le_bytes()].concat();
    body.extend(b"CLIENT_RANDOM xx");
    [&bytes[..head], &block(10, &body), &bytes[head..]].concat()
}

#[test]
fn secrets_go_only_where_they_are_sent() {
    let desk = Desk::new();
    let file = desk.put("whole.pcapng", &with_secrets(&told_as(RESOLVED, "resolved.story")));
    let whole = files(&[&file], &plain()).unwrap();
    let session = whole.sessions.iter().find(|session| session.client.port == 40_000).unwrap();
    for (keys, held, said) in [
        (Keys::Strip, 0, "and 1 blocks of decryption secrets"),
        (Keys::Embed, 1, "All 1 blocks of decryption secrets"),
    ] {
        let cut = slice(&file, &whole, &[session], keys);
        let path = desk.put("slice.pcapng", &cut);
        let part = files(&[&path], &plain()).unwrap();
        let again = export::select(vec![Input::File(path)], &part, &[]).unwrap();
        assert_eq!(again.secrets.len(), held, "{keys:?}");
        assert!(part.files[0].comments[0].1.contains(said), "{keys:?}");
        assert_eq!(cut.windows(13).any(|window| window == b"CLIENT_RANDOM"), held == 1);
    }
}

#[test]
fn findings_stand_beside_their_frames() {
    let desk = Desk::new();
    let story = support::fixtures("rules/GSN802", &["story"]).remove(0);
    let recording = told_as(&fs::read_to_string(&story).unwrap(), "reset.story");
    let file = desk.put("whole.pcapng", &file_of(&recording, Format::Pcapng));
    let whole = files(&[&file], &plain()).unwrap();
    let finding = whole.findings.iter().find(|finding| finding.rule.code == "GSN802").unwrap();
    let session = whole.sessions.iter().find(|session| Some(session.id) == finding.session).unwrap();
    let path = desk.put("slice.pcapng", &slice(&file, &whole, &[session], Keys::Strip));
    let part = files(&[&path], &plain()).unwrap();
    let beside: Vec<&str> = part.files[0]
        .comments
        .iter()
        .filter(|(frame, _)| *frame > 0)
        .map(|(_, text)| text.as_str())
        .collect();
    assert!(beside.iter().any(|text| text.starts_with("GSN802 middlebox-reset: ")), "{beside:?}");
    assert!(part.problems.is_empty(), "{:?}", part.problems);

    // Another program reads the same.
    let tshark = Command::new("tshark")
        .args(["-r", path.to_str().unwrap(), "-T", "fields", "-e", "frame.comment"])
        .output();
    match tshark {
        Ok(said) if said.status.success() => {
            let said = String::from_utf8(said.stdout).unwrap();
            assert_eq!(said.lines().count() as u64, part.files[0].packets);
            assert!(said.contains("GSN802 middlebox-reset: "), "{said}");
        }
        other => {
            println!("SKIPPED: tshark cannot be run here ({other:?}); comments were read by ghostshark only");
        }
    }
}

#[test]
fn every_input_keeps_its_interface_and_its_clock() {
    let desk = Desk::new();
    let text =
        "client 10.0.0.1:40000\nserver 10.0.0.2:80\nopen\nclient \"one\"\nserver \"two\"\nclose by client\n";
    let recording = told_as(text, "two.story");
    let half = |odd: usize| {
        let frames = recording.frames.iter().enumerate().filter(|(index, _)| index % 2 == odd);
        Recording { frames: frames.map(|(_, frame)| frame.clone()).collect(), ..recording.clone() }
    };
    let micro = Format::Pcap { nanoseconds: false, big_endian: true };
    let one = desk.put("one.pcap", &file_of(&half(0), micro));
    let other = desk.put("other.pcapng", &file_of(&half(1), Format::Pcapng));
    let whole = files(&[&one, &other], &plain()).unwrap();
    let inputs = vec![Input::File(one), Input::File(other)];
    let sessions: Vec<&Session> = whole.sessions.iter().collect();
    assert_eq!(sessions.len(), 1);
    let selection = export::select(inputs.clone(), &whole, &sessions).unwrap();
    let mut out = Vec::new();
    export::slice(inputs, &whole, &sessions, (&selection, Keys::Strip), &mut out).unwrap();
    let part = desk.analyze("slice.pcapng", &out, &plain()).unwrap();
    assert_eq!(part.files[0].interfaces.len(), 2);
    assert_eq!(part.files[0].packets, recording.frames.len() as u64);
    let shared = BTreeSet::new();
    assert_eq!(account(&part, &part.sessions[0], &shared), account(&whole, sessions[0], &shared));
    assert_eq!(
        (part.connections[0].start, part.connections[0].end),
        (whole.connections[0].start, whole.connections[0].end)
    );
    assert!(part.files[0].comments[0].1.contains("in the inputs as one timeline"));
}

#[test]
fn a_recorder_is_believed_for_a_day() {
    let desk = Desk::new();
    let recording =
        told_as("client 10.0.0.1:40000\nserver 10.0.0.2:80\nopen\nclient fin\nend\n", "open.story");
    let last = recording.frames.last().unwrap().time.0;
    let hour = 3_600_000_000_000;
    for (after, believed) in [(hour, true), (24 * hour, true), (25 * hour, false), (0, false), (-hour, false)]
    {
        let end = (last + after) as u64;
        let mut body = [0_u32.to_le_bytes(), [0; 4], [0; 4]].concat();
        body.extend(3_u16.to_le_bytes());
        body.extend(8_u16.to_le_bytes());
        body.extend(((end >> 32) as u32).to_le_bytes());
        body.extend((end as u32).to_le_bytes());
        body.extend([0; 4]);
        let bytes = [file_of(&recording, Format::Pcapng), block(5, &body)].concat();
        let analysis = desk.analyze("watched.pcapng", &bytes, &plain()).unwrap();
        let until = analysis.files[0].watched_until;
        assert_eq!(until, believed.then_some(Timestamp(last + after)), "{after}");
        let tail = analysis.connections[0].visibility.tail.0;
        assert_eq!(tail, if believed { after } else { 0 });
    }
}
