//! A capture file to its finished analysis, with one thread and with two.
#![allow(clippy::expect_used, reason = "a bench that cannot make its input has nothing to measure")]
#![allow(clippy::disallowed_methods, reason = "it writes the file that it measures")]

use std::fs::File;
use std::io::BufWriter;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ghostshark::analysis::{self, Options};
use ghostshark::capture::Input;

mod corpus;

/// Packets of the input: some 50 MB, a dozen batches.
const PACKETS: u64 = 200_000;

fn whole(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("corpus.pcap");
    let file = File::create(&path).expect("a file in it");
    let length = corpus::write_capture(corpus::Traffic::Short, PACKETS, &mut BufWriter::new(file))
        .expect("room for the corpus");

    let mut group = criterion.benchmark_group("analyze");
    group.throughput(Throughput::Bytes(length)).sample_size(20);
    for threads in [1, 2] {
        let options = Options { threads, ..Options::default() };
        let run = || {
            analysis::analyze(vec![Input::File(path.clone())], &options, &mut |_, _| {})
                .expect("the corpus is a capture")
        };
        // What has skipped the work must not be measured.
        assert_eq!(run().totals.tcp_segments, PACKETS, "every packet of the corpus is a segment");
        group.bench_function(BenchmarkId::new("threads", threads), |bencher| bencher.iter(run));
    }
    group.finish();
}

criterion_group!(benches, whole);
criterion_main!(benches);
