//! Tests over all formats: batches, short reads, several inputs, compression, any bytes at all.

use std::io::Read;
use std::path::PathBuf;

use proptest::prelude::*;

use crate::capture::format::ByteOrder;
use crate::capture::sample::{PcapSample, PcapngSample, Seen, SnoopSample, drain, payload, read, read_in};
use crate::capture::{Capture, FileFacts, Finished, Input, Progress};
use crate::error::Error;
use crate::problem::ProblemKind;

const MICRO: u32 = 0xa1b2_c3d4;
const T: u64 = 1_700_000_000_000_000;

fn pcap() -> Vec<u8> {
    let mut sample = PcapSample::new(ByteOrder::Little, MICRO);
    for index in 0..40 {
        sample = sample.record((1_700_000_000 + index as u32, 0), &payload(index, 40 + 17 * (index % 9)));
    }
    sample.bytes
}

fn pcapng() -> Vec<u8> {
    let mut sample = PcapngSample::new(ByteOrder::Big).interface(1, 0, &[]).interface(113, 0, &[(9, &[9])]);
    for index in 0..40 {
        let data = payload(index, 40 + 17 * (index % 9));
        sample = match index % 5 {
            0 => sample.enhanced_with(0, T + index as u64, &data, 1500, &[(1, b"note")]),
            1 => sample.enhanced(1, T + index as u64, &data),
            2 => sample.simple(data.len() as u32, &data),
            3 => sample.obsolete(0, 1, T + index as u64, &data),
            _ => sample.block(9, b"MESSAGE=no packet\n").enhanced(0, T + index as u64, &data),
        };
    }
    sample.section(ByteOrder::Little, &[]).interface(1, 0, &[]).enhanced(0, T, b"last").bytes
}

fn snoop() -> Vec<u8> {
    let mut sample = SnoopSample::new(2, 4);
    for index in 0..40 {
        sample = sample.record((900_000_000 + index as u32, 0), &payload(index, 40 + 17 * (index % 9)));
    }
    sample.bytes
}

/// The same with a hole, a run of noise and a cut end.
fn damaged(bytes: &[u8]) -> Vec<u8> {
    let third = bytes.len() / 3;
    let mut damaged = bytes[..third].to_vec();
    damaged.extend([0x5a; 700]);
    damaged.extend(&bytes[third + 25..bytes.len() - 9]);
    damaged
}

fn story((seen, finished): (Vec<Seen>, Finished)) -> (Vec<Seen>, Vec<FileFacts>, String) {
    (seen, finished.files, format!("{:?}", finished.problems.list()))
}

#[test]
fn neither_the_size_of_batches_nor_of_reads_changes_anything() {
    for bytes in [pcap(), pcapng(), snoop(), damaged(&pcap()), damaged(&pcapng()), damaged(&snoop())] {
        let whole = story(read_in(&bytes, 8 << 20, usize::MAX));
        assert!(whole.0.len() >= 35, "{}", whole.2);
        for batch_bytes in [1, 64, 100, 1000, 4096, 1 << 20] {
            for step in [1, 7, 1000] {
                let other = story(read_in(&bytes, batch_bytes, step));
                assert_eq!(
                    format!("{other:?}"),
                    format!("{whole:?}"),
                    "batches of {batch_bytes}, reads of {step}"
                );
            }
        }
    }
}

#[test]
fn a_batch_holds_a_bounded_number_of_frames() {
    let mut sample = PcapSample::new(ByteOrder::Little, MICRO);
    for index in 0..150_000 {
        sample = sample.record((1, index), b"");
    }
    let (seen, _) = read_in(&sample.bytes, 8 << 20, usize::MAX);
    assert_eq!(seen.len(), 150_000);
    assert!(seen.iter().zip(1..).all(|(frame, number)| frame.number == number));
}

fn folder(captures: &[Vec<u8>]) -> (tempfile::TempDir, Vec<Input>) {
    let folder = tempfile::tempdir().unwrap();
    let mut inputs = Vec::new();
    for (index, bytes) in captures.iter().enumerate() {
        let path = folder.path().join(format!("{index}.pcap"));
        std::fs::write(&path, bytes).unwrap();
        inputs.push(Input::File(path));
    }
    (folder, inputs)
}

#[test]
fn several_inputs_are_one_timeline() {
    // The second file's time runs backwards once: its own order stays.
    let times: [&[u32]; 3] = [&[10, 20, 30, 30], &[5, 30, 12, 31], &[20, 40]];
    let captures: Vec<Vec<u8>> = times
        .iter()
        .enumerate()
        .map(|(file, times)| {
            let mut sample = PcapSample::new(ByteOrder::Little, MICRO);
            for (index, &time) in times.iter().enumerate() {
                sample = sample.record((time, 0), &payload(10 * file + index, 50));
            }
            sample.bytes
        })
        .collect();
    let (_folder, inputs) = folder(&captures);
    for batch_bytes in [1, 120, 1 << 20] {
        let capture = Capture::open(inputs.clone(), batch_bytes).unwrap();
        let total: usize = captures.iter().map(Vec::len).sum();
        assert_eq!(capture.progress(), Progress { read: 0, total: Some(total as u64) });
        let (seen, finished) = drain(capture, batch_bytes);
        let order: Vec<_> = seen.iter().map(|frame| (frame.number, frame.file, frame.frame)).collect();
        assert_eq!(
            order,
            [
                (1, 1, 1),
                (2, 0, 1),
                (3, 0, 2),
                (4, 2, 1),
                (5, 0, 3),
                (6, 0, 4),
                (7, 1, 2),
                (8, 1, 3),
                (9, 1, 4),
                (10, 2, 2)
            ]
        );
        for frame in &seen {
            assert_eq!(frame.bytes, payload(10 * usize::from(frame.file) + frame.frame as usize - 1, 50));
        }
        assert_eq!(finished.files.iter().map(|file| file.packets).collect::<Vec<_>>(), [4, 4, 2]);
        assert_eq!(finished.files[1].backward, 1);
    }
}

#[test]
fn thousands_of_files_are_read_with_few_of_them_open() {
    // More files than a process may usually hold open, each to be read after the one before.
    let captures: Vec<Vec<u8>> = (0..1500)
        .map(|file| {
            let sample = PcapSample::new(ByteOrder::Little, MICRO);
            sample.record((file, 0), b"first").record((file, 5), b"second").bytes
        })
        .collect();
    let (_folder, mut inputs) = folder(&captures);
    inputs.reverse();
    let mut capture = Capture::open(inputs, 200).unwrap();
    let mut batch = crate::capture::Batch::default();
    let mut frames = 0;
    let mut buffers = 0;
    while capture.fill(&mut batch) {
        frames += batch.frames.len();
        buffers = buffers.max(batch.buffers.len());
    }
    assert_eq!(frames, 3000);
    assert!(buffers < 40, "{buffers}");
    let progress = capture.progress();
    assert_eq!(Some(progress.read), progress.total);
    assert_eq!(capture.finish().files.iter().map(|file| file.packets).sum::<u64>(), 3000);
}

#[test]
fn files_side_by_side_are_read_with_few_of_them_open() {
    // All are due at the same time, and each is longer than what is read of it at once.
    let captures: Vec<Vec<u8>> = (0..1200)
        .map(|file| {
            let mut sample = PcapSample::new(ByteOrder::Little, MICRO);
            for time in 0..6 {
                sample = sample.record((time, file), &payload(file as usize + time as usize, 1400));
            }
            sample.bytes
        })
        .collect();
    let (_folder, inputs) = folder(&captures);
    let (seen, finished) = drain(Capture::open(inputs, 1 << 20).unwrap(), 1 << 20);
    assert!(finished.problems.list().is_empty(), "{:?}", finished.problems.list());
    assert_eq!(seen.len(), 7200);
    assert!(seen.windows(2).all(|pair| (pair[0].time, pair[0].file) < (pair[1].time, pair[1].file)));
    for frame in &seen {
        assert_eq!(frame.bytes, payload(usize::from(frame.file) + frame.frame as usize - 1, 1400));
    }
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_read() {
    let (folder, mut inputs) = folder(&[b"GIF89a, not a capture".to_vec(), pcap(), Vec::new()]);
    let missing = folder.path().join("missing.pcap");
    inputs.push(Input::File(missing.clone()));
    let (seen, finished) = drain(Capture::open(inputs.clone(), 1 << 20).unwrap(), 1 << 20);
    assert_eq!((seen.len(), seen[0].file), (40, 1));
    assert_eq!(finished.files.iter().map(|file| file.packets).collect::<Vec<_>>(), [0, 40, 0, 0]);
    assert_eq!(finished.files[3].path, missing);
    let problems = finished.problems.list();
    assert!(problems.iter().all(|problem| problem.kind == ProblemKind::UnreadableFile));
    let text: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert!(text[0].ends_with("found 4749463839612c20") && text[0].contains("0.pcap: at byte 0: expected"));
    assert!(text[1].ends_with("found nothing"), "{text:?}");
    assert!(text[2].contains("missing.pcap: cannot open"), "{text:?}");
    inputs.remove(1);
    let error = Capture::open(inputs, 1 << 20).err().unwrap();
    assert!(matches!(error, Error::NotACapture { .. }), "{error}");
}

#[test]
fn a_folder_is_no_capture() {
    let folder = tempfile::tempdir().unwrap();
    let error = Capture::open(vec![Input::File(folder.path().to_owned())], 1 << 20).err().unwrap();
    assert!(matches!(error, Error::Read { .. } | Error::Open { .. }), "{error}");
}

#[test]
fn a_failing_reader_gives_what_came_before() {
    struct Failing(std::io::Cursor<Vec<u8>>);
    impl Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(std::io::Error::other("the disk is on fire")),
                count => Ok(count),
            }
        }
    }
    let readers: Vec<(PathBuf, Box<dyn Read + Send>)> =
        vec![("burning".into(), Box::new(Failing(std::io::Cursor::new(pcap()))))];
    let (seen, finished) = drain(Capture::from_readers(readers, 500).unwrap(), 500);
    assert_eq!(seen.len(), 40);
    let [problem] = finished.problems.list().try_into().unwrap();
    assert_eq!(problem.kind, ProblemKind::UnreadableFile);
    assert!(problem.message.contains("the disk is on fire"), "{}", problem.message);
}

#[test]
fn a_capture_can_go_to_another_thread() {
    fn sendable<T: Send>() {}
    sendable::<Capture>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_behind_any_magic_end(
        magic in prop::sample::select(vec![
            vec![0xd4_u8, 0xc3, 0xb2, 0xa1], vec![0xa1, 0xb2, 0xc3, 0xd4], vec![0x34, 0xcd, 0xb2, 0xa1],
            vec![0x0a, 0x0d, 0x0d, 0x0a], b"snoop\0\0\0\0\0\0\x02\0\0\0\x04".to_vec(),
            vec![0x1f, 0x8b, 8, 0], vec![0x28, 0xb5, 0x2f, 0xfd], vec![4, 0x22, 0x4d, 0x18],
        ]),
        rest in prop::collection::vec(prop::sample::select(vec![0_u8, 0, 0, 1, 2, 6, 12, 16, 32, 0x4d, 0xff]), 0..400),
    ) {
        let bytes = [magic.as_slice(), &rest].concat();
        let reader: Box<dyn Read + Send> = Box::new(std::io::Cursor::new(bytes.clone()));
        if let Ok(capture) = Capture::from_readers(vec![("sample".into(), reader)], 1 << 16) {
            let (seen, finished) = drain(capture, 1 << 16);
            prop_assert_eq!(finished.files[0].packets, seen.len() as u64);
            let again = story(read_in(&bytes, 50, 3));
            prop_assert_eq!(format!("{again:?}"), format!("{:?}", story((seen, finished))));
        }
    }

    #[test]
    fn damage_anywhere_leaves_what_came_before(at in 24_usize..5000, noise in any::<[u8; 24]>(), format in 0_usize..3) {
        let intact = [pcap, pcapng, snoop][format]();
        let at = at.min(intact.len() - 24);
        let mut bytes = intact.clone();
        bytes[at..at + 24].copy_from_slice(&noise);
        let (whole, _) = read(&intact);
        let (seen, _) = read(&bytes);
        for (frame, other) in whole.iter().zip(&seen).filter(|(frame, _)| {
            (frame.offset as usize + frame.bytes.len() + 64) < at
        }) {
            prop_assert_eq!(frame, other);
        }
    }
}

#[cfg(not(feature = "compressed"))]
#[test]
fn packed_captures_are_refused_by_name() {
    for (magic, what) in
        [([0x1f, 0x8b, 8, 0], "gzip"), ([0x28, 0xb5, 0x2f, 0xfd], "zstd"), ([4, 0x22, 0x4d, 0x18], "lz4")]
    {
        let reader: Box<dyn Read + Send> = Box::new(std::io::Cursor::new(magic.to_vec()));
        let error = Capture::from_readers(vec![("a.pcap".into(), reader)], 100).err().unwrap();
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[cfg(feature = "compressed")]
mod compressed {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn lz4(bytes: &[u8]) -> Vec<u8> {
        let info = lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max64KB);
        let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    type Pack = fn(&[u8]) -> Vec<u8>;
    const PACKERS: [(&str, Pack); 3] = [("gzip", gzip), ("zstd", zstd), ("lz4", lz4)];

    #[test]
    fn packed_captures_are_read_as_plain_ones() {
        for plain in [pcap(), pcapng(), snoop()] {
            let (expected, _) = read(&plain);
            let half = plain.len() / 2;
            for (name, pack) in PACKERS {
                let whole = pack(&plain);
                let pieces = [pack(&plain[..half]), pack(b""), pack(&plain[half..])].concat();
                for (batch_bytes, step) in [(1 << 20, usize::MAX), (300, 11)] {
                    for packed in [&whole, &pieces] {
                        let (seen, finished) = read_in(packed, batch_bytes, step);
                        assert_eq!(seen, expected, "{name}");
                        assert_eq!(finished.files[0].compression, Some(name));
                        let kinds: Vec<_> = finished.problems.list().iter().map(|p| p.kind).collect();
                        assert!(!kinds.contains(&ProblemKind::BadCompression), "{name} {kinds:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn frames_to_be_skipped_and_padding_are_no_damage() {
        let plain = pcap();
        let skippable = [&0x184d_2a57_u32.to_le_bytes(), &3_u32.to_le_bytes(), b"abc".as_slice()].concat();
        for (name, pack) in PACKERS {
            let half = plain.len() / 2;
            let packed =
                [pack(&plain[..half]), skippable.clone(), pack(&plain[half..]), vec![0; 100]].concat();
            let (seen, finished) = read(&packed);
            assert_eq!((seen.len(), finished.problems.list().len()), (40, 0), "{name}");
        }
    }

    #[test]
    fn damaged_packing_gives_what_was_unpacked_before() {
        let plain: Vec<u8> = {
            let mut sample = PcapSample::new(ByteOrder::Little, MICRO);
            // Long enough for several blocks, and not compressible to nothing.
            let mut state = 1_u32;
            for index in 0..3000 {
                let data: Vec<u8> = (0..200)
                    .map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (state >> 28) as u8
                    })
                    .collect();
                sample = sample.record((1_700_000_000, index), &data);
            }
            sample.bytes
        };
        for (name, pack) in PACKERS {
            let packed = pack(&plain);
            let (seen, finished) = read(&packed[..packed.len() * 3 / 4]);
            assert!((1000..3000).contains(&seen.len()), "{name} {}", seen.len());
            let problems = finished.problems.list();
            assert!(problems.iter().any(|problem| problem.kind.is_damage()), "{name}");
            let mut garbage = packed.clone();
            garbage.extend(b"garbage");
            let (seen, finished) = read(&garbage);
            let [problem] = finished.problems.list().try_into().unwrap();
            assert_eq!((seen.len(), problem.kind), (3000, ProblemKind::BadCompression), "{name}");
        }
    }

    #[test]
    fn the_size_of_batches_does_not_change_how_much_of_damaged_packing_is_read() {
        for (name, pack) in PACKERS {
            let intact = pack(&pcap());
            for at in (20..intact.len() - 8).step_by(13) {
                let mut packed = intact.clone();
                packed[at] ^= 0x24;
                let reader: Box<dyn Read + Send> = Box::new(std::io::Cursor::new(packed.clone()));
                if Capture::from_readers(vec![("sample".into(), reader)], 100).is_err() {
                    continue;
                }
                let whole = story(read(&packed));
                for (batch_bytes, step) in [(100, 1), (5000, 900)] {
                    let other = story(read_in(&packed, batch_bytes, step));
                    assert_eq!(format!("{other:?}"), format!("{whole:?}"), "{name} damaged at byte {at}");
                }
            }
        }
    }

    #[test]
    fn packed_garbage_is_no_capture() {
        for (_, pack) in PACKERS {
            let reader: Box<dyn Read + Send> = Box::new(std::io::Cursor::new(pack(b"just text")));
            let error = Capture::from_readers(vec![("text.gz".into(), reader)], 100).err().unwrap();
            assert!(matches!(error, Error::NotACapture { .. }), "{error}");
        }
        let reader: Box<dyn Read + Send> = Box::new(std::io::Cursor::new(vec![0x1f, 0x8b, 8, 0, 1]));
        let error = Capture::from_readers(vec![("cut.gz".into(), reader)], 100).err().unwrap();
        assert!(matches!(error, Error::Read { .. }), "{error}");
    }
}
