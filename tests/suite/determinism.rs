//! The same input gives the same bytes out: whatever the threads, the batches, the door it comes through and
//! the form of the file.

use ghostshark::analysis::Analysis;
use ghostshark::place::{FileId, PacketRef};
use ghostshark::rules::Layer;
use ghostshark::scenario::{Format, Recording};

use crate::support::flood::{Flood, Kind};
use crate::support::run::{Desk, assert_same, divided, files, jsonl, plain};
use crate::support::{self, Sample, file_of};

/// Batches: a few frames; what makes several of the larger captures; all in one.
const BATCHES: [usize; 3] = [700, 64 << 10, 8 << 20];

/// Every story, all of them at once, and connections enough for every shard and many batches.
fn recordings() -> Vec<(String, Recording)> {
    let mut all = support::stories();
    all.push(("all stories at once".to_owned(), support::all_stories_at_once()));
    for kind in [Kind::Refused, Kind::Closed] {
        all.push((format!("{kind:?} flood"), Flood::new(kind).take(1_500)));
    }
    all
}

/// The recorded captures, and the made ones as files.
fn samples() -> Vec<Sample> {
    let made = recordings()
        .into_iter()
        .map(|(name, recording)| Sample { name, bytes: file_of(&recording, Format::Pcapng) });
    support::captures().into_iter().chain(made).collect()
}

#[test]
fn threads_and_batches_change_nothing() {
    let desk = Desk::new();
    for Sample { name, bytes } in samples() {
        let path = desk.put("capture", &bytes);
        let run = |threads, batch| jsonl(&files(&[&path], &divided(threads, batch)).unwrap());
        let expected = run(1, BATCHES[2]);
        assert!(expected.contains(r#""type":"connection""#), "{name}: nothing to compare");
        for batch in BATCHES {
            for threads in [1, 2, 8] {
                assert_same(&format!("{name}, {threads} threads, {batch}"), &expected, &run(threads, batch));
            }
        }
    }
}

#[test]
fn repeating_a_run_changes_nothing() {
    // Tables are seeded anew in every process, so two runs of the program differ in whatever follows their order.
    let desk = Desk::new();
    let bytes = file_of(&support::all_stories_at_once(), Format::Pcapng);
    let first = jsonl(&desk.analyze("capture", &bytes, &plain()).unwrap());
    for _ in 0..3 {
        assert_same("again", &first, &jsonl(&desk.analyze("capture", &bytes, &plain()).unwrap()));
    }
}

#[cfg(feature = "cli")]
#[test]
fn a_pipe_is_a_file() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let desk = Desk::new();
    // A process for each would be slow: all of the recorded ones, and the wildest of the made.
    let made = file_of(&support::all_stories_at_once(), Format::Pcapng);
    let wild = Sample { name: "all stories at once".to_owned(), bytes: made };
    for Sample { name, bytes } in support::captures().into_iter().chain([wild]) {
        let mut expected = desk.analyze("capture", &bytes, &plain()).unwrap();
        expected.files[0].path = "-".into();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ghostshark"))
            .args(["report", "--format", "jsonl", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || {
            // In pieces of an odd size, so that reads end within records.
            for piece in bytes.chunks(4_099) {
                pipe.write_all(piece).unwrap();
            }
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert_same(&name, &jsonl(&expected), &String::from_utf8(output.stdout).unwrap());
    }
}

#[cfg(feature = "compressed")]
#[test]
fn compression_changes_nothing() {
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn lz4(bytes: &[u8]) -> Vec<u8> {
        let mut packer = lz4_flex::frame::FrameEncoder::new(Vec::new());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    let desk = Desk::new();
    for Sample { name, bytes } in samples() {
        let expected = jsonl(&desk.analyze("capture", &bytes, &plain()).unwrap());
        for (what, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd), ("lz4", lz4)] {
            let mut packed = desk.analyze("capture", &pack(&bytes), &plain()).unwrap();
            assert_eq!(packed.files[0].compression.take(), Some(what), "{name}");
            assert_same(&format!("{name}, {what}"), &expected, &jsonl(&packed));
        }
    }
}

/// What a result says apart from the form of its file.
fn without_form(mut analysis: Analysis) -> String {
    for file in &mut analysis.files {
        file.format = "";
        file.interfaces.clear();
    }
    for problem in &mut analysis.problems {
        problem.offset = None;
    }
    jsonl(&analysis)
}

#[test]
fn a_capture_and_its_twin_in_the_other_form_agree() {
    let desk = Desk::new();
    for (name, recording) in recordings() {
        let first = recording.interfaces[0];
        if recording.interfaces.iter().any(|link| *link != first) {
            continue;
        }
        let run = |format| {
            let bytes = file_of(&recording, format);
            without_form(desk.analyze("capture", &bytes, &plain()).unwrap())
        };
        let expected = run(Format::Pcapng);
        for big_endian in [false, true] {
            let format = Format::Pcap { nanoseconds: true, big_endian };
            assert_same(&format!("{name}, big-endian {big_endian}"), &expected, &run(format));
        }
    }
}

/// What a result says apart from its captures: frames by their place in the whole.
fn without_captures(mut analysis: Analysis) -> String {
    let placed = |at: &mut PacketRef| {
        *at = PacketRef { number: at.number, frame: at.number, file: FileId(0), ..PacketRef::default() };
    };
    for connection in &mut analysis.connections {
        placed(&mut connection.first);
        placed(&mut connection.last);
        connection.ended.frames.iter_mut().for_each(placed);
    }
    for evidence in analysis.findings.iter_mut().flat_map(|finding| &mut finding.evidence) {
        evidence.frames.iter_mut().for_each(placed);
    }
    // What is said of the captures themselves is another matter in two files than in one.
    analysis.findings.retain(|finding| finding.layer != Layer::Capture);
    analysis.files.clear();
    analysis.quality.clear();
    analysis.problems.clear();
    jsonl(&analysis).lines().map(|line| without_session_frames(line) + "\n").collect()
}

/// A record of a session without the frames that it cites, which are numbered by their files; other records as they are.
fn without_session_frames(line: &str) -> String {
    fn strip(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(members) => {
                members.remove("frames");
                members.remove("findings");
                members.values_mut().for_each(strip);
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
    if let Some(finding) = record.as_object_mut().filter(|record| record["type"] == "finding") {
        // Numbers count what is said of captures, too.
        finding.remove("id");
        finding.remove("caused_by");
        return record.to_string();
    }
    if record["type"] != "session" {
        return line.to_owned();
    }
    strip(&mut record);
    record.to_string()
}

/// The frames of a recording that are chosen by their index.
fn part(of: &Recording, chosen: impl Fn(usize) -> bool) -> Recording {
    let frames = of.frames.iter().enumerate().filter(|(index, _)| chosen(*index));
    Recording { frames: frames.map(|(_, frame)| frame.clone()).collect(), ..of.clone() }
}

#[test]
fn a_capture_in_two_files_is_the_whole() {
    let desk = Desk::new();
    for (name, recording) in recordings() {
        let expected = desk.analyze("whole", &file_of(&recording, Format::Pcapng), &plain()).unwrap();
        let expected = without_captures(expected);
        let count = recording.frames.len();
        // Where the times of two frames are equal, their order is that of the files, so the parts must not
        // interleave there.
        for at in [1, count / 3, count / 2, count - 1] {
            let (one, two) = (part(&recording, |index| index < at), part(&recording, |index| index >= at));
            let one = desk.put("one", &file_of(&one, Format::Pcapng));
            let two = desk.put("two", &file_of(&two, Format::Pcapng));
            let both = files(&[&one, &two], &plain()).unwrap();
            assert_eq!(both.totals.packets, count as u64, "{name}");
            assert_same(&format!("{name}, cut at {at} of {count}"), &expected, &without_captures(both));
        }
    }
}

#[test]
fn two_files_in_either_order_are_one_timeline() {
    let desk = Desk::new();
    for (name, recording) in recordings() {
        let apart = recording.frames.windows(2).all(|pair| pair[0].time < pair[1].time);
        if !apart {
            continue;
        }
        let one = desk.put("one", &file_of(&part(&recording, |index| index % 2 == 0), Format::Pcapng));
        let two = desk.put("two", &file_of(&part(&recording, |index| index % 2 == 1), Format::Pcapng));
        let whole = desk.analyze("whole", &file_of(&recording, Format::Pcapng), &plain()).unwrap();
        let expected = without_captures(whole);
        for paths in [[&one, &two], [&two, &one]] {
            let [a, b] = paths;
            let both = files(&[a, b], &plain()).unwrap();
            assert_same(&name, &expected, &without_captures(both));
        }
    }
}
