//! Frames: each message that the server passes on is written as a frame once, and each that it gets is read from one.

use std::hint::black_box;
use std::io::{self, Read, Write};

use criterion::{BenchmarkId, Criterion, Throughput};
use switchboard::ws::connection::{Connection, Limits};
use switchboard::ws::frame;
use tungstenite::WebSocket;
use tungstenite::protocol::Role;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::house::masked;

const BINARY: OpCode = OpCode::Data(Data::Binary);
const SIZES: [usize; 4] = [16, 128, 1024, 64 * 1024];

/// Writing and reading frames, beside tungstenite.
pub(crate) fn bench(criterion: &mut Criterion) {
    encode(criterion);
    decode(criterion);
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame encode");
    for size in SIZES {
        let payload = bytes::Bytes::from(vec![b'x'; size]);
        let mut out = Vec::with_capacity(size + 16);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("switchboard", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                frame::encode(BINARY, black_box(&payload), &mut out);
            });
        });
        group.bench_function(BenchmarkId::new("tungstenite", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                let frame = Frame::message(black_box(&payload).clone(), BINARY, true);
                frame.format(&mut out).expect("a buffer takes everything");
            });
        });
    }
    group.finish();
}

/// From a client's bytes to the message in them, the copy from the kernel included.
fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame decode");
    let limits = Limits { message: 1024 * 1024 };
    for size in SIZES {
        let frame = masked(Data::Binary, &vec![b'x'; size]);
        let mut buffer = frame.clone();
        let mut connection = Connection::default();
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("switchboard", size), |bencher| {
            bencher.iter(|| {
                buffer.copy_from_slice(&frame);
                black_box(connection.read(&mut buffer, &limits)).is_ok_and(|step| step.event.is_some())
            });
        });
        let mut socket = WebSocket::from_raw_socket(Tape { frame, at: 0 }, Role::Server, None);
        group.bench_function(BenchmarkId::new("tungstenite", size), |bencher| {
            bencher.iter(|| socket.read().expect("the frame is sound"));
        });
    }
    group.finish();
}

/// A stream that repeats one frame.
struct Tape {
    frame: Vec<u8>,
    at: usize,
}

impl Read for Tape {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&self.frame[self.at..]).read(buffer)?;
        self.at = (self.at + read) % self.frame.len();
        Ok(read)
    }
}

impl Write for Tape {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
