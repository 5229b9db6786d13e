//! A worse recording of the same thing claims nothing new: cut at either end, thinned, snapped, one direction only, or
//! every frame twice, a capture gives no error that the whole one does not give (`domain.md` F.1, F-7).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use etherparse::{NetSlice, SlicedPacket};
use ghostshark::analysis::Analysis;
use ghostshark::capture::reader::Capture;
use ghostshark::capture::{Batch, Input, LinkType};
use ghostshark::packet::Endpoint;
use ghostshark::rules::{Layer, Severity};
use ghostshark::scenario::{Format, Frame, Link, Recording};

use crate::support::run::{Desk, plain};
use crate::support::{captures, file_of, stories};

/// The link type of a recording that this test can write again.
const ETHERNET: LinkType = LinkType(1);

/// A claim: a rule about two ends.
type Claim = (&'static str, Endpoint, Endpoint);

/// Errors and worse, apart from what is said of the capture itself.
fn claims(analysis: &Analysis) -> BTreeSet<Claim> {
    let hurts = analysis
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Error && finding.layer != Layer::Capture);
    hurts
        .flat_map(|finding| {
            let ends = finding.connections.iter().filter_map(|id| analysis.connections.get(*id as usize));
            ends.map(|connection| (finding.rule.code, connection.client, connection.server))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The frames of a capture file, if all of them are Ethernet.
fn frames_of(desk: &Desk, name: &str, bytes: &[u8]) -> Option<Recording> {
    let path = desk.put(name, bytes);
    let mut capture = Capture::open(vec![Input::File(path)], 1 << 20).ok()?;
    let mut recording = Recording { interfaces: vec![Link::Ethernet], ..Recording::default() };
    let mut batch = Batch::default();
    while capture.fill(&mut batch) {
        for record in &batch.frames {
            let frame = batch.frame(record);
            if frame.link != ETHERNET {
                return None;
            }
            recording.frames.push(Frame {
                time: frame.time,
                bytes: frame.bytes.to_vec(),
                original: frame.original,
                interface: 0,
            });
        }
    }
    recording.frames.sort_by_key(|frame| frame.time);
    Some(recording)
}

/// Whether a frame comes from one of these hosts.
fn is_from(frame: &Frame, hosts: &BTreeSet<std::net::IpAddr>) -> bool {
    let Ok(sliced) = SlicedPacket::from_ethernet(&frame.bytes) else { return false };
    let source = match &sliced.net {
        Some(NetSlice::Ipv4(ip)) => ip.header().source_addr().into(),
        Some(NetSlice::Ipv6(ip)) => ip.header().source_addr().into(),
        _ => return false,
    };
    hosts.contains(&source)
}

/// All ways in which a recording is made worse, with their names.
fn worse(whole: &Recording, base: &Analysis) -> Vec<(String, Recording)> {
    let of = |frames: Vec<Frame>| Recording { frames, ..whole.clone() };
    let count = whole.frames.len();
    let mut all = Vec::new();
    for tenth in 1..10 {
        let at = count * tenth / 10;
        all.push((format!("without the first {tenth}0 %"), of(whole.frames[at..].to_vec())));
        all.push((format!("without the last {tenth}0 %"), of(whole.frames[..count - at].to_vec())));
    }
    for (one_in, name) in [(100, "1 %"), (20, "5 %")] {
        for first in [3, 11] {
            let kept = whole.frames.iter().enumerate();
            // Multiples of a large odd number are scattered well enough, and the same every time.
            let kept = kept.filter(|(index, _)| (index * 7_919 + first) % one_in != 0);
            let frames = kept.map(|(_, frame)| frame.clone()).collect();
            all.push((format!("{name} of the frames lost ({first})"), of(frames)));
        }
    }
    for bytes in [96, 128] {
        let cut = |frame: &Frame| {
            let kept = frame.bytes.len().min(bytes);
            Frame { bytes: frame.bytes[..kept].to_vec(), ..frame.clone() }
        };
        all.push((format!("{bytes} bytes of each frame"), of(whole.frames.iter().map(cut).collect())));
    }
    let clients: BTreeSet<_> = base.connections.iter().map(|connection| connection.client.ip).collect();
    for (from_clients, name) in [(true, "only what clients sent"), (false, "only what servers sent")] {
        let kept = whole.frames.iter().filter(|frame| is_from(frame, &clients) == from_clients);
        all.push((name.to_owned(), of(kept.cloned().collect())));
    }
    let twice = whole.frames.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect();
    all.push(("every frame twice".to_owned(), of(twice)));
    all.retain(|(_, recording)| !recording.frames.is_empty());
    all
}

#[test]
fn a_worse_recording_claims_nothing_new() {
    let desk = Desk::new();
    let mut samples: Vec<(String, Recording)> =
        stories().into_iter().filter(|(_, recording)| recording.interfaces == [Link::Ethernet]).collect();
    for sample in captures() {
        samples.extend(frames_of(&desk, "sample", &sample.bytes).map(|recording| (sample.name, recording)));
    }
    let mut new: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, whole) in &samples {
        let base = desk.analyze("whole", &file_of(whole, Format::Pcapng), &plain()).unwrap();
        let known = claims(&base);
        for (how, recording) in worse(whole, &base) {
            let analysis = desk.analyze("worse", &file_of(&recording, Format::Pcapng), &plain()).unwrap();
            for (code, client, server) in claims(&analysis) {
                // Where the first packets are missing, the roles may be taken the other way round.
                let as_before =
                    known.contains(&(code, client, server)) || known.contains(&(code, server, client));
                if !as_before {
                    new.entry(code).or_default().push(format!("{name}, {how}: {client} -> {server}"));
                }
            }
        }
    }
    let mut text = String::new();
    for (code, places) in &new {
        let _ = writeln!(
            text,
            "{code}, {} times:\n    {}",
            places.len(),
            places[..places.len().min(12)].join("\n    ")
        );
    }
    assert!(new.is_empty(), "{text}");
}
