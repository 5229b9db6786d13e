//! The recorded captures, each against the truth of what was done to its connections.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use ghostshark::events::Connection;
use ghostshark::events::transport::{By, How, Reason};
use ghostshark::report::words::Word;
use serde::Deserialize;

use crate::support::run::{files, plain};
use crate::support::{fixtures, stem};

/// What `fixtures/lab` wrote down of a recording.
#[derive(Debug, Deserialize)]
struct Truth {
    capture: String,
    packets: u64,
    connection: Vec<Known>,
}

/// What was done to one connection.
#[derive(Debug, Deserialize)]
struct Known {
    protocol: String,
    client: String,
    server: String,
    stream: u32,
    how: String,
    by: String,
    reason: String,
    /// What the segments suggest where only the protocol tells the reason.
    alone: Option<String>,
    frames: Vec<u64>,
    #[serde(default)]
    note: String,
}

impl Known {
    /// Whether this is the connection that is meant: by its stream and its ends, whoever is called the client.
    fn is(&self, other: &Connection) -> bool {
        let mut ours = [other.client.to_string(), other.server.to_string()];
        let mut theirs = [self.client.clone(), self.server.clone()];
        ours.sort();
        theirs.sort();
        other.stream == Some(self.stream) && other.transport.word() == self.protocol && ours == theirs
    }

    /// What we say otherwise; `unknown` is never wrong.
    fn differences(&self, other: &Connection) -> Vec<String> {
        let ended = &other.ended;
        let mut found = Vec::new();
        for (name, ours, truth, honest) in [
            ("how", ended.how.word(), &self.how, false),
            ("by", ended.by.word(), &self.by, ended.by == By::Unknown),
            (
                "reason",
                ended.reason.word(),
                self.alone.as_ref().unwrap_or(&self.reason),
                ended.reason == Reason::Unknown,
            ),
        ] {
            if ours != truth && !honest {
                found.push(format!("{name} is {truth}, we say {ours}"));
            }
        }
        if other.client.to_string() != self.client {
            found.push(format!("the client is {}, we say {}", self.client, other.client));
        }
        let cited: Vec<u64> = ended.frames.iter().map(|at| at.frame).collect();
        // Where nothing ended, no frame proves it, and any frame that shows the connection alive will do.
        let proved = match ended.how {
            How::CaptureEnd => !cited.is_empty(),
            _ => self.frames.iter().any(|frame| cited.contains(frame)),
        };
        if !proved && ended.reason != Reason::Unknown {
            found.push(format!("proved by frames {:?}, we cite {cited:?}", self.frames));
        }
        found
    }
}

#[test]
fn the_end_of_each_connection_is_what_was_done_to_it() {
    let (mut connections, mut unknown) = (0, 0);
    let mut wrong = String::new();
    for path in fixtures("captures", &["toml"]) {
        let truth: Truth = toml::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
        let capture = path.with_file_name(&truth.capture);
        let analysis = files(&[&capture], &plain()).unwrap();
        let mut complain = |who: &str, what: &str| {
            let _ = writeln!(wrong, "{}, {who}: {what}", truth.capture);
        };
        if analysis.totals.packets != truth.packets {
            complain("packets", &format!("{} of {}", analysis.totals.packets, truth.packets));
        }
        for known in &truth.connection {
            let who = format!("{} {} ({} > {})", known.protocol, known.stream, known.client, known.server);
            connections += 1;
            let told: Vec<&Connection> =
                analysis.connections.iter().filter(|connection| known.is(connection)).collect();
            let [told] = told[..] else {
                complain(&who, &format!("is told {} times instead of once", told.len()));
                continue;
            };
            unknown += u32::from(told.ended.reason == Reason::Unknown);
            let differences = known.differences(told);
            if !differences.is_empty() {
                let ours = &told.ended.because;
                let sentences = format!("\n    truth: {}\n    ours:  {ours}", known.note);
                complain(&who, &(differences.join("; ") + &sentences));
            }
        }
        for connection in &analysis.connections {
            if !truth.connection.iter().any(|known| known.is(connection)) {
                let (stream, client) = (connection.stream, connection.client);
                complain(&format!("{stream:?}"), &format!("a connection of {client} that is not there"));
            }
        }
    }
    assert!(wrong.is_empty(), "against what was done:\n{wrong}");
    // To know nothing is honest and no help: it is for the few that the packets cannot tell.
    assert!(unknown * 10 <= connections, "{unknown} of {connections} ends are unknown");
}

#[test]
fn every_capture_has_its_truth() {
    let names = |end| fixtures("captures", end).iter().map(|path| stem(path)).collect::<Vec<_>>();
    let truths: Vec<String> = names(&["toml"]).iter().map(|name| name.replace(".truth", "")).collect();
    let mut captures = names(&["pcap", "pcapng"]);
    captures.sort();
    let mut sorted = truths;
    sorted.sort();
    assert_eq!(captures, sorted);
}

/// The pairs that look alike on the wire: a capture, which of its streams, its twin, which of that one's.
#[test]
fn what_looks_alike_is_told_apart_or_left_open() {
    let reason = |capture: &str, stream| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures").join(capture);
        let analysis = files(&[&path], &plain()).unwrap();
        let found = analysis.connections.iter().find(|connection| connection.stream == Some(stream));
        found.unwrap_or_else(|| panic!("{capture} has no stream {stream}")).ended.reason
    };
    let mut alike = String::new();
    for ((one, its), (other, of_other)) in PAIRS {
        let (first, second) = (reason(one, its), reason(other, of_other));
        let open = first == Reason::Unknown && second == Reason::Unknown;
        if first == second && !open {
            let _ = writeln!(alike, "{one} {its} and {other} {of_other} are both {}", first.word());
        }
    }
    assert!(alike.is_empty(), "{alike}");
}

/// A stream of a capture.
type Stream = (&'static str, u32);

const PAIRS: [(Stream, Stream); 8] = [
    // Killed with an answer owed; closed in order.
    (("redis_killed.pcapng", 0), ("redis_orderly_quit.pcapng", 1)),
    // Reset by a box on the way; by the server itself.
    (("reset_by_firewall.pcapng", 0), ("reset_by_server.pcapng", 0)),
    // A timer of idleness; a shutdown.
    (("nginx_idle_timeout.pcapng", 1), ("nginx_shutdown.pcapng", 0)),
    // A peer that slept and came back; a box that forgot.
    (("peer_sleeps.pcapng", 0), ("box_forgot.pcapng", 0)),
    // Refused; filtered.
    (("port_refused.pcap", 1), ("port_filtered.pcap", 0)),
    // Closed by half on purpose; never closed by the other.
    (("half_close.pcap", 0), ("half_close_leak.pcapng", 1)),
    // Forgotten by a box; by the host itself.
    (("reset_after_idle.pcap", 0), ("server_rebooted.pcapng", 0)),
    // Keep-alives without answer; answered.
    (("client_vanished.pcapng", 1), ("keepalives_answered.pcap", 0)),
];
