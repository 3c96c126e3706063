//! Joining and leaving a room of 10,000: the cost of many reconnects, and whether it grows with the room.

use bytes::Bytes;
use criterion::Criterion;
use switchboard::broker::lane::Lane;
use switchboard::message::{Transport, Wire};

use crate::house::{House, text};

const MEMBERS: u32 = 10_000;

/// A join and a leave, in the lane alone, at rest and in the middle of a pass, and as requests to a shard.
pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("join and leave");
    for (name, flying) in [("lane at rest", false), ("lane in a pass", true)] {
        let mut lane = lane();
        if flying {
            lane.append(&Bytes::from_static(b"flying"), None);
            lane.seal();
            (0..MEMBERS / 2).for_each(|_| lane.served());
        }
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let slot = lane.join(MEMBERS, |_, _| {});
                lane.leave(slot, |_, _| {});
            });
        });
    }
    let (mut house, _) = House::with("/ws/lobby", MEMBERS as usize);
    let key = house.open("/ws");
    let (join, leave) =
        (text(r#"{"type":"join","room":"lobby"}"#), text(r#"{"type":"leave","id":1,"room":"lobby"}"#));
    group.bench_function("shard", |bencher| {
        bencher.iter(|| assert_eq!(house.turn(key, &join) + house.turn(key, &leave), 2));
    });
    group.finish();
}

fn lane() -> Lane {
    let mut lane = Lane::new(Wire { dialect: 0, transport: Transport::Frames });
    for session in 0..MEMBERS {
        lane.join(session, |_, _| {});
    }
    lane
}
