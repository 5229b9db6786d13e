//! Every story against its golden file: what the analysis tells of each of its connections.
//!
//! `INSTA_UPDATE=always cargo test --test suite stories` writes the files anew; read the difference.

use std::fmt::Write;
use std::panic;

use ghostshark::analysis::Analysis;
use ghostshark::events::Connection;
use ghostshark::events::visibility::Sight;
use ghostshark::report::words::Word;
use ghostshark::scenario::Format;
use serde_json::Value;

use crate::support::run::{Desk, plain, records};
use crate::support::{self, file_of};

#[test]
fn every_story_is_told_as_before() {
    let desk = Desk::new();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/stories");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut changed = Vec::new();
    for (name, recording) in support::stories() {
        let analysis = desk.analyze("story", &file_of(&recording, Format::Pcapng), &plain()).unwrap();
        let told = told(&recording.title, &analysis);
        // All stories that changed are shown, not the first alone.
        let same = settings.bind(|| panic::catch_unwind(|| insta::assert_snapshot!(name.as_str(), told)));
        if same.is_err() {
            changed.push(name);
        }
    }
    assert!(changed.is_empty(), "{} stories are told otherwise: {}", changed.len(), changed.join(", "));
}

/// The account of a story, for readers of differences.
fn told(title: &str, analysis: &Analysis) -> String {
    let mut out = format!("{title}\n");
    let counters = records(analysis, "connection");
    for (connection, record) in analysis.connections.iter().zip(&counters) {
        tell(connection, &record["wireshark"], &mut out);
    }
    for problem in &analysis.problems {
        let _ =
            writeln!(out, "\nproblem {}, {} times: {}", problem.kind.name(), problem.count, problem.message);
    }
    for (name, count) in &analysis.totals.other {
        let _ = writeln!(out, "\nother {name}: {count}");
    }
    out
}

fn tell(connection: &Connection, counters: &Value, out: &mut String) {
    let ended = &connection.ended;
    let stream = connection.stream.map_or("-".to_owned(), |stream| stream.to_string());
    let (client, server) = (connection.client, connection.server);
    let _ = writeln!(out, "\n{} {stream}  {client} > {server}", connection.transport.word());
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "  {name:<10} {text}");
    };
    let (opened, evidence) = (connection.opened.word(), connection.role_evidence.word());
    line("opened", &format!("{opened}, roles by {evidence}"));
    let detail = ended.detail.map(|detail| format!(", {detail}")).unwrap_or_default();
    let (how, by, reason) = (ended.how.word(), ended.by.word(), ended.reason.word());
    line("ended", &format!("{how} by {by}: {reason}{detail} ({})", ended.confidence.word()));
    let cited: Vec<String> = ended.frames.iter().map(|at| at.frame.to_string()).collect();
    line("frames", &cited.join(" "));
    line("because", &ended.because);
    if let Some(rst) = ended.rst {
        line("rst", &format!("{}, forgery {:.2}", rst.class.word(), rst.forgery_score));
    }
    let (from, to) = (&connection.sides.client, &connection.sides.server);
    line(
        "traffic",
        &format!(
            "{}/{} packets, {}/{} bytes, {}/{} delivered",
            from.packets,
            to.packets,
            from.payload_bytes,
            to.payload_bytes,
            from.delivered_bytes,
            to.delivered_bytes
        ),
    );
    let (state, history) = (connection.conn_state, &connection.history);
    line("zeek", &format!("{state} {history}"));
    if let Some(counters) = counters.as_object() {
        let counted = counters.iter().filter(|(_, count)| **count != 0);
        let counted = counted.map(|(name, count)| format!("{name} {count}"));
        let all = [format!("completeness {}", connection.completeness)].into_iter().chain(counted);
        line("wireshark", &all.collect::<Vec<_>>().join(", "));
    }
    let unseen = unseen(connection);
    if !unseen.is_empty() {
        line("unseen", &unseen.join(", "));
    }
}

/// What could not be seen.
fn unseen(connection: &Connection) -> Vec<String> {
    let seen = &connection.visibility;
    let mut list = Vec::new();
    let mut note = |so: bool, what: String| {
        if so {
            list.push(what);
        }
    };
    note(seen.began_before, "the beginning".to_owned());
    note(seen.ended_after, "the end".to_owned());
    note(seen.sight != Sight::Both, format!("sight {}", seen.sight.word()));
    for gap in &seen.gaps {
        let fate = if gap.acknowledged { "acknowledged" } else { "never acknowledged" };
        note(true, format!("{}'s bytes {}+{} {fate}", gap.side.name(), gap.start, gap.length));
    }
    note(seen.snapped > 0, format!("{} cut", seen.snapped));
    note(seen.duplicates > 0, format!("{} recorded twice", seen.duplicates));
    list
}
