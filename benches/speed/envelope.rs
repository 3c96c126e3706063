//! The native envelope: the cost of JSON for a message on its way in, and, once for all members, on its way out.

use std::hint::black_box;

use bytes::Bytes;
use criterion::Criterion;
use switchboard::dialect::kept;
use switchboard::dialect::native::{event, request};
use switchboard::dialect::told::Told;
use switchboard::message::{Draft, Kind};
use switchboard::position::Position;
use switchboard::room_key::{RoomKeys, Space};

const PUBLISH: &str = r#"{"type":"publish","id":17,"room":"chat:lobby","event":"line","data":{"text":"Good morning, everybody. Has anyone seen the plan for today?","reply_to":null,"mood":"awake"}}"#;
const JOIN: &str = r#"{"type":"join","id":"a","room":"chat:lobby","since":"0000beef:1017"}"#;

/// Requests read, and events written.
pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("envelope");
    for (name, text) in [("read publish", PUBLISH), ("read join", JOIN)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(request::read(black_box(text))).is_ok());
        });
    }
    let room = RoomKeys::default().key(Space::Native, "chat:lobby");
    let position = Some(Position { epoch: 0xbeef, offset: 1017 });
    let draft = Draft {
        kind: Kind::Message,
        from: Some("ann".into()),
        event: Some("line".into()),
        data: Bytes::from_static(PUBLISH.as_bytes()),
        store: true,
        exclude: None,
        key: None,
    };
    group.bench_function("write message", |bencher| {
        bencher.iter(|| kept::compose(room.clone(), position, black_box(&draft).clone(), 1_700_000_000_000));
    });
    let mut out = Vec::new();
    group.bench_function("write published", |bencher| {
        bencher.iter(|| {
            out.clear();
            let told = Told::Published { id: "17", room: &room, position: black_box(position) };
            event::write(&told, &mut out);
        });
    });
    group.finish();
}
