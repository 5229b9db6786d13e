//! What each stage costs by itself: bytes and packets a second of framing, decoding and the parity layer.
#![allow(clippy::expect_used, reason = "a bench that cannot make its input has nothing to measure")]

use std::collections::HashMap;
use std::hint::black_box;
use std::io::Cursor;
use std::path::PathBuf;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ghostshark::capture::{Batch, Capture};
use ghostshark::events::transport::WiresharkCounters;
use ghostshark::limits::BATCH_BYTES;
use ghostshark::packet::{Body, Decoder, Direction, FlowKey, Packet, TcpHead};
use ghostshark::stream::wireshark::WiresharkStream;
use ghostshark::time::Timestamp;

mod corpus;

/// Packets of the input: some 50 MB, more than caches hold.
const PACKETS: u64 = 200_000;

/// A segment, and the index of its connection.
type Step = (usize, Timestamp, Direction, TcpHead);

fn capture() -> Vec<u8> {
    let mut bytes = Vec::new();
    corpus::write_capture(corpus::Traffic::Short, PACKETS, &mut bytes).expect("memory takes what is written");
    bytes
}

fn open(bytes: Vec<u8>) -> Capture {
    Capture::from_readers(vec![(PathBuf::from("corpus"), Box::new(Cursor::new(bytes)))], BATCH_BYTES)
        .expect("the corpus is a capture")
}

/// Reads all frames, one batch after the other.
fn frame_all(mut capture: Capture, batch: &mut Batch) -> usize {
    let mut frames = 0;
    while capture.fill(batch) {
        frames += batch.frames.len();
    }
    frames
}

/// Takes apart all frames of a batch.
fn decode_all(batch: &Batch, decoder: &mut Decoder, mut sink: impl FnMut(Packet)) {
    let mut side = Vec::new();
    for record in &batch.frames {
        decoder.decode(&batch.frame(record), record.bytes, &mut side, &mut sink);
    }
}

/// All batches of the corpus, kept.
fn batches(bytes: Vec<u8>) -> Vec<Batch> {
    let mut capture = open(bytes);
    let mut batches = Vec::new();
    let mut batch = Batch::default();
    while capture.fill(&mut batch) {
        batches.push(std::mem::take(&mut batch));
    }
    batches
}

/// All segments in file order, and the number of connections. No tuple comes twice in the corpus, so that the
/// flow alone tells connections apart.
fn segments(batches: &[Batch]) -> (Vec<Step>, usize) {
    let mut numbers: HashMap<FlowKey, usize> = HashMap::new();
    let mut steps = Vec::new();
    let mut decoder = Decoder::new();
    for batch in batches {
        decode_all(batch, &mut decoder, |packet| {
            let fresh = numbers.len();
            let number = *numbers.entry(packet.flow).or_insert(fresh);
            if let Body::Tcp(head) = packet.body {
                steps.push((number, packet.time, packet.direction, head));
            }
        });
    }
    (steps, numbers.len())
}

fn stages(criterion: &mut Criterion) {
    let bytes = capture();
    let length = bytes.len() as u64;
    let batches = batches(bytes.clone());
    let (steps, connections) = segments(&batches);
    // A stage that does nothing is the fastest: the input must be what it is meant to be.
    assert_eq!(steps.len() as u64, PACKETS, "every packet of the corpus is a segment");

    let mut group = criterion.benchmark_group("bytes");
    group.throughput(Throughput::Bytes(length)).sample_size(20);
    let mut batch = Batch::default();
    group.bench_function("capture", |bencher| {
        bencher.iter_batched(
            || open(bytes.clone()),
            |capture| black_box(frame_all(capture, &mut batch)),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("packet", |bencher| {
        bencher.iter(|| {
            let mut decoder = Decoder::new();
            for batch in &batches {
                decode_all(batch, &mut decoder, |packet| {
                    black_box(&packet);
                });
            }
            decoder.finish()
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("segments");
    group.throughput(Throughput::Elements(PACKETS)).sample_size(20);
    group.bench_function("parity", |bencher| {
        bencher.iter_batched(
            || vec![WiresharkStream::default(); connections],
            |mut streams| {
                let mut counters = WiresharkCounters::default();
                for (number, time, direction, head) in &steps {
                    if let Some(stream) = streams.get_mut(*number) {
                        stream.segment(*time, *direction, head, false).count(&mut counters);
                    }
                }
                (streams, counters)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
