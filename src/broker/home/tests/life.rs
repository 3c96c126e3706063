//! Who is counted, who is let in, and when a room is forgotten.

use super::*;

#[test]
fn members_are_counted_by_shard_and_a_full_room_takes_no_more() {
    let mut bench = Bench::open(RoomSettings { max_members: 2, ..Default::default() }, 0, 1);
    for (shard, key) in [(2, 1), (0, 2), (0, 3)] {
        bench.join(shard, key, Span::Nothing);
    }
    bench.posted(&["2: joined 1 0 newest[]", "0: joined 2 0 newest[]", "0: joined 3 room_full"]);
    assert_eq!((bench.home.members(), bench.home.connections()), (&[1, 0, 1][..], 2));
    bench.leave(2);
    bench.join(1, 3, Span::Nothing);
    bench.posted(&["1: joined 3 0 newest[]"]);
    assert_eq!(bench.home.members(), [1, 1, 0]);
}

#[test]
fn a_member_that_joins_again_is_counted_once_even_in_a_full_room() {
    let mut bench = Bench::open(RoomSettings { max_members: 1, ..Default::default() }, 0, 1);
    bench.join(0, 1, Span::Nothing);
    let session = SessionId { shard: 0, key: 1, generation: 1 };
    let again =
        Join { session, site: 0, user: None, ticket: Ticket::default(), span: Span::Nothing, again: true };
    bench.request(Request::Join(Box::new(again)));
    bench.posted(&["0: joined 1 0 newest[]", "0: joined 1 0 newest[]"]);
    assert_eq!(bench.home.members(), [1, 0, 0]);
}

#[test]
fn a_shard_without_members_hears_nothing() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.join(1, 1, Span::Nothing);
    bench.leave(1);
    bench.posts.clear();
    bench.committed(at(1), None);
    bench.tell(Tell::Lost { room: bench.key.clone(), from: at(2), to: at(2) });
    bench.posted(&[]);
}

#[test]
fn an_unused_room_is_forgotten_exactly_when_its_time_has_run_out() {
    let ttl = Duration::from_secs(10);
    let mut bench = Bench::open(RoomSettings { ttl, ..Default::default() }, 0, 1);
    bench.join(0, 1, Span::Nothing);
    assert_eq!(bench.home.deadline(), Tick::NEVER);
    bench.wait(ttl * 9);
    assert!(!bench.home.is_over(bench.now));
    bench.leave(0);
    let used = bench.now;
    assert_eq!(bench.home.deadline(), used.after(ttl));
    bench.wait(ttl / 2);
    bench.publish(1);
    assert!(!bench.home.is_over(Tick(u32::MAX - 2)));
    bench.committed(at(1), Some(1));
    let used = bench.now;
    assert_eq!(bench.home.deadline(), used.after(ttl));
    assert!(!bench.home.is_over(Tick(used.after(ttl).0 - 1)));
    assert!(bench.home.is_over(used.after(ttl)));
}

#[test]
fn a_raw_room_that_is_empty_is_forgotten_at_once() {
    let key = RoomKeys::default().key(Space::Raw, "a");
    let home = Home::new(key, Arc::default(), 1, 0, Tick(100));
    assert!(home.is_over(Tick(100)));
}

#[test]
fn messages_are_dropped_when_they_are_too_old() {
    let ttl = Duration::from_secs(10);
    let mut bench = Bench::open(RoomSettings { ttl, ..Default::default() }, 0, 1);
    bench.join(0, 1, Span::Nothing);
    bench.commit(1..=1);
    bench.wait(ttl / 2);
    bench.commit(2..=2);
    assert_eq!(bench.home.deadline(), Tick(100).after(ttl));
    bench.wait(ttl / 2);
    bench.look(1, Span::Newest(9));
    bench.posted(&["0: looked 1 2 newest[2]"]);
    bench.wait(ttl / 2);
    bench.look(2, Span::Newest(9));
    bench.posted(&["0: looked 2 2 newest[]"]);
    assert_eq!(bench.home.deadline(), Tick::NEVER);
}
