//! Redacted captures: the same connections, and nothing by which anybody could be known.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use ghostshark::analysis::Analysis;
use ghostshark::capture::Input;
use ghostshark::export::{self, Key, Payload, redact::Done};
use ghostshark::scenario::{self, Format};

use crate::rules::{other_ends, outside_of_texts};
use crate::support::run::{Desk, files, plain};
use crate::support::{self, file_of};

fn redacted(path: &Path, payload: Payload) -> (Vec<u8>, Done) {
    let mut out = Vec::new();
    let key = Key::phrase("a phrase for these tests");
    let done = export::redact(vec![Input::File(path.to_path_buf())], key, payload, &mut out).unwrap();
    (out, done)
}

/// The connections by what does not name anybody; their roles may be told by what is said in them.
fn connections(analysis: &Analysis, ftp: bool) -> Vec<String> {
    let all = analysis.connections.iter().map(|one| {
        let mut ports = [one.client.port, one.server.port];
        ports.sort_unstable();
        // tshark takes what FTP announces for the beginning of a stream, where the address is the one it knows.
        let announced = u8::from(ftp);
        format!(
            "{} {ports:?} {:?} {:?} {} {} {} {}",
            one.transport.name(),
            one.ended.how,
            one.ended.reason,
            one.completeness | announced,
            one.first.number,
            one.last.number,
            one.sides.client.packets + one.sides.server.packets,
        )
    });
    all.collect()
}

/// Addresses that must not be found again: what says what an address is for stays.
fn private(analysis: &Analysis) -> BTreeSet<IpAddr> {
    let ends = analysis.connections.iter().flat_map(|one| [one.client.ip, one.server.ip]);
    ends.filter(|ip| !ip.is_loopback() && !ip.is_multicast() && !ip.is_unspecified())
        .filter(|ip| *ip != IpAddr::from([255; 4]))
        .collect()
}

fn holds(bytes: &[u8], ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => bytes.windows(4).any(|window| window == ip.octets()),
        IpAddr::V6(ip) => bytes.windows(16).any(|window| window == ip.octets()),
    }
}

#[test]
fn connections_are_the_same_and_addresses_are_not() {
    let desk = Desk::new();
    let mut wrong = String::new();
    // At addresses that no other number looks like.
    let stories = support::fixtures("stories", &["story"]).into_iter().map(|path| {
        let text = outside_of_texts(&fs::read_to_string(&path).unwrap(), |part| other_ends(part, false));
        let story = scenario::compile(&text.replace("10,0,0,", "172,20,9,"), &path).unwrap();
        (support::stem(&path), file_of(&story, Format::Pcapng))
    });
    let captures = support::captures().into_iter().map(|capture| (capture.name, capture.bytes));
    let mut compared = 0;
    for (name, bytes) in stories.chain(captures) {
        let path = desk.put("whole", &bytes);
        let whole = files(&[&path], &plain()).unwrap();
        let before = connections(&whole, name.starts_with("ftp"));
        compared += before.len();
        for payload in [Payload::Keep, Payload::Mask] {
            let (out, done) = redacted(&path, payload);
            let part = desk.analyze("redacted.pcapng", &out, &plain()).unwrap();
            let after = connections(&part, name.starts_with("ftp"));
            if before != after {
                let differing = before.iter().zip(&after).find(|(a, b)| a != b);
                let _ = writeln!(
                    wrong,
                    "{name} {payload:?}: {} and {}: {differing:?}",
                    before.len(),
                    after.len()
                );
            }
            if done.frames != whole.totals.packets {
                let _ =
                    writeln!(wrong, "{name} {payload:?}: {} of {} frames", done.frames, whole.totals.packets);
            }
            // Payload that stays may hold anything.
            if payload == Payload::Mask {
                for ip in private(&whole) {
                    if holds(&out, ip) {
                        let _ = writeln!(wrong, "{name}: {ip} is still there");
                    }
                }
            }
        }
    }
    assert!(compared > 200, "{compared} connections");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_same_key_gives_the_same_bytes_and_a_map() {
    let desk = Desk::new();
    let path = desk.put("whole", &support::captures().remove(0).bytes);
    let (one, done) = redacted(&path, Payload::Mask);
    let (other, again) = redacted(&path, Payload::Mask);
    assert_eq!((&one, &done), (&other, &again));
    let whole = files(&[&path], &plain()).unwrap();
    for ip in private(&whole) {
        assert!(done.map.lines().any(|line| line.starts_with(&format!("{ip}\t"))), "{ip}: {}", done.map);
    }
    let part = desk.analyze("redacted.pcapng", &one, &plain()).unwrap();
    assert!(part.files[0].comments[0].1.starts_with("Redacted. "), "{:?}", part.files[0].comments);
}

#[test]
fn payload_is_gone_when_it_is_cut_off() {
    let desk = Desk::new();
    let (name, story) = support::stories().into_iter().find(|(name, _)| name == "smtp_delivery").unwrap();
    let path = desk.put(&name, &file_of(&story, Format::Pcapng));
    let whole = files(&[&path], &plain()).unwrap();
    for payload in [Payload::Mask, Payload::Cut] {
        let (out, _) = redacted(&path, payload);
        assert!(!out.windows(4).any(|window| window == b"MAIL"), "{payload:?}");
        let part = desk.analyze("redacted.pcapng", &out, &plain()).unwrap();
        let bytes = |analysis: &Analysis| analysis.connections[0].sides.client.payload_bytes;
        assert_eq!(bytes(&part), bytes(&whole), "{payload:?}");
        assert_eq!(part.files[0].snapped > 0, payload == Payload::Cut);
    }
}

#[test]
fn every_wrapping_is_opened_or_left_blank() {
    let desk = Desk::new();
    let wanted =
        ["gre_raw", "qinq_vxlan", "cooked", "fragments", "icmp_prohibited", "orderly_close_ipv6", "path_mtu"];
    let mut seen = 0;
    for (name, story) in support::stories().into_iter().filter(|(name, _)| wanted.contains(&name.as_str())) {
        seen += 1;
        let bytes = file_of(&story, Format::Pcapng);
        let path = desk.put(&name, &bytes);
        let (out, done) = redacted(&path, Payload::Mask);
        assert_eq!(done.masked, 0, "{name}: everything in this story is understood");
        // Tunnel ends are in no list of connections.
        for ip in ["192.0.2.1", "192.0.2.2", "10.0.0.254"].map(|ip| ip.parse::<IpAddr>().unwrap()) {
            assert!(!holds(&out, ip), "{name}: {ip}");
        }
    }
    assert_eq!(seen, wanted.len());
}
