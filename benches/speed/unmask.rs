//! Unmasking: the only work that the wire needs for each byte of a client.

use std::hint::black_box;
use std::io;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use switchboard::ws::frame::unmask;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Unmasking a buffer in place, beside tungstenite's.
///
/// tungstenite's function is private. The shortest public way to it is to write a masked frame into nothing: that takes
/// the payload back from the frame, masks it in place, writes 14 bytes of header and frees it.
pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("unmask");
    for size in [16, 128, 1024, 16 * 1024, 64 * 1024] {
        let payload = || vec![b'x'; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("switchboard", size), |bencher| {
            let unmask = |mut payload: Vec<u8>| {
                unmask(&mut payload, black_box(KEY), 0);
                drop(black_box(payload));
            };
            bencher.iter_batched(payload, unmask, BatchSize::SmallInput);
        });
        group.bench_function(BenchmarkId::new("tungstenite", size), |bencher| {
            let write = |payload: Vec<u8>| {
                let mut frame = Frame::message(payload, OpCode::Data(Data::Binary), true);
                frame.header_mut().mask = Some(black_box(KEY));
                frame.format(&mut io::sink()).expect("nothing takes everything");
            };
            bencher.iter_batched(payload, write, BatchSize::SmallInput);
        });
    }
    group.finish();
}
