//! A capture without end is told in bounded memory, and what was left out is said.

use ghostshark::limits;
use ghostshark::problem::ProblemKind;
use ghostshark::scenario::Format;

use crate::support::file_of;
use crate::support::flood::{Flood, Kind};
use crate::support::run::{Desk, plain, records, written};

/// Rows that one shard can hold at most: live connections, which become rows at the end, and finished ones.
const ROWS: usize = limits::LIVE_PER_SHARD + limits::FINISHED_PER_SHARD;

#[test]
fn ever_new_connections_fold_into_counters() {
    let desk = Desk::new();
    for kind in [Kind::HalfOpen, Kind::Refused, Kind::Closed] {
        let connections = ROWS + 12_000;
        let bytes = file_of(&Flood::into_one_shard(kind).take(connections), Format::Pcapng);
        let analysis = desk.analyze("flood", &bytes, &plain()).unwrap();
        let (rows, folded) = (analysis.connections.len(), analysis.totals.folded_connections);
        assert!(rows <= ROWS, "{kind:?}: {rows} rows of at most {ROWS}");
        assert!(rows >= limits::LIVE_PER_SHARD, "{kind:?}: only {rows} rows are kept");
        assert_eq!(rows as u64 + folded, connections as u64, "{kind:?}: each is a row or counted");

        let summary = records(&analysis, "summary").remove(0);
        assert_eq!(summary["connections"]["folded"], folded, "{kind:?}");
        let text = written("text", &analysis);
        assert!(text.contains("over the limit, counted only"), "{kind:?}:\n{text}");
        let told = analysis.problems.iter().find(|problem| problem.kind == ProblemKind::LimitReached);
        assert!(told.is_some(), "{kind:?}: {:?}", analysis.problems);
    }
}

#[test]
fn what_fits_is_told_whole() {
    let connections = 2_000;
    let bytes = file_of(&Flood::into_one_shard(Kind::HalfOpen).take(connections), Format::Pcapng);
    let analysis = Desk::new().analyze("flood", &bytes, &plain()).unwrap();
    assert_eq!((analysis.connections.len(), analysis.totals.folded_connections), (connections, 0));
    assert!(analysis.connections.iter().all(|connection| !connection.visibility.evicted));
    assert_eq!(analysis.problems, []);
}

/// The peak of a process that reads a pipe does not grow once the bounds are reached.
#[cfg(all(feature = "cli", target_os = "linux"))]
#[test]
fn a_pipe_without_end_does_not_grow() {
    use std::io::Write;
    use std::process::{Child, Command, Stdio};

    /// Most memory that a process ever held, in KiB (`proc_pid_status(5)`).
    fn peak(of: &Child) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", of.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    let mut child = Command::new(env!("CARGO_BIN_EXE_ghostshark"))
        .args(["report", "--format", "jsonl", "-q", "-j", "1", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let mut flood = Flood::into_one_shard(Kind::HalfOpen);
    let mut feed = |connections| {
        // Each piece is a section of its own, which pcapng lets follow each other without end.
        pipe.write_all(&file_of(&flood.take(connections), Format::Pcapng)).unwrap();
    };
    // What is still in the pipe and in batches is a few MiB, so both looks are taken with it under way.
    feed(ROWS + 120_000);
    let full = peak(&child);
    feed(200_000);
    let later = peak(&child);
    drop(pipe);
    assert!(child.wait().unwrap().success());
    // One thread, since the allocator keeps an arena for each, and a shard that moves to the other one late is no growth.
    // State of the connections in between that was kept would be well over 100 MiB.
    assert!(later < full + 64 * 1024, "the peak grew from {full} to {later} KiB");
}
