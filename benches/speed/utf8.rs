//! The check that text is UTF-8, which every text message needs, whole or in pieces.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use switchboard::ws::connection::{Connection, Limits};
use tungstenite::protocol::frame::coding::Data;

use crate::house::masked;

/// Bytes of a long message in one read.
const PIECE: usize = 1460;

/// The codec's check beside the standard library's, and a message that comes in pieces.
pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("utf8");
    for (kind, sample) in [("ascii", "The quick brown fox. "), ("mixed", "größer, 水, Ω, 🍉. ")] {
        for size in [20, 128, 1024, 64 * 1024] {
            let text = sample.repeat((size / sample.len()).max(1));
            let bytes = text.as_bytes();
            group.throughput(Throughput::Bytes(bytes.len() as u64));
            group.bench_function(BenchmarkId::new(format!("{kind} switchboard"), bytes.len()), |bencher| {
                bencher.iter(|| simdutf8::basic::from_utf8(black_box(bytes)).is_ok());
            });
            group.bench_function(BenchmarkId::new(format!("{kind} std"), bytes.len()), |bencher| {
                bencher.iter(|| std::str::from_utf8(black_box(bytes)).is_ok());
            });
        }
        pieces(&mut group, kind, &sample.repeat(64 * 1024 / sample.len()));
    }
    group.finish();
}

/// A long text message that comes in pieces, cut even inside characters: unmasked, checked and put together.
fn pieces<M: criterion::measurement::Measurement>(
    group: &mut criterion::BenchmarkGroup<'_, M>,
    kind: &str,
    text: &str,
) {
    let frame = masked(Data::Text, text.as_bytes());
    let limits = Limits { message: text.len() };
    let mut connection = Connection::default();
    let mut buffer = Vec::new();
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function(BenchmarkId::new(format!("{kind} in pieces"), text.len()), |bencher| {
        bencher.iter(|| {
            for piece in frame.chunks(PIECE) {
                buffer.clear();
                buffer.extend_from_slice(piece);
                black_box(connection.read(&mut buffer, &limits)).expect("the frame is sound");
            }
        });
    });
}
