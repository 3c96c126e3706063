//! Fan-out: one publish to everybody in its room, from the publisher's frame to one write for each member.

use criterion::{BenchmarkId, Criterion, Throughput};
use tungstenite::protocol::frame::coding::Data;

use crate::house::{House, masked, publish};

/// A whole turn of a shard with rooms of 10, 1,000 and 100,000 members, on both wires.
///
/// The sink's writes cost nothing, so this is what the server adds to the system calls of its fan-out.
pub(crate) fn bench(criterion: &mut Criterion) {
    let raw = masked(Data::Binary, &[b'x'; 128]);
    let mut group = criterion.benchmark_group("fan-out");
    for members in [10, 1_000, 100_000] {
        for (wire, path, frame) in
            [("raw", "/raw/room?echo=1", raw.clone()), ("native", "/ws/room", publish("room"))]
        {
            let (mut house, keys) = House::with(path, members);
            group.throughput(Throughput::Elements(members as u64));
            group.bench_function(BenchmarkId::new(wire, members), |bencher| {
                bencher.iter(|| assert_eq!(house.turn(keys[0], &frame), members as u64));
            });
        }
    }
    group.finish();
}
