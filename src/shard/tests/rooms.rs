//! What rooms cost, who may make them, and which go when there are too many.

use super::*;
use crate::broker::home::ROOM;
use crate::broker::permit::all;
use crate::broker::post::Listing;
use crate::broker::question::{Part, Parts, question};
use crate::settings::KIB;

fn limited(limits: Limits) -> Bench {
    Bench::new(0, &common(1, Settings { limits, ..Settings::default() }), Engine::Local(Local::default()))
}

/// No limit but the total, which so many empty rooms of short names fill.
fn with_space_for(rooms: usize) -> Bench {
    let rooms_total = rooms * (ROOM + 8);
    limited(Limits { rooms_per_second: 0, rooms_per_ip: 0, rooms_total, ..Limits::default() })
}

impl Bench {
    /// Connects from another address than others.
    fn stranger(&mut self, number: u8) -> u32 {
        let key = self.shard.accept(IpAddr::from([10, 0, 0, number]));
        let request = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        self.shard.receive(key, &mut request.as_bytes().to_vec());
        key
    }

    fn ask(&mut self, key: u32, kind: &str, room: &str) {
        self.frame(key, 0x81, format!(r#"{{"type":"{kind}","room":"{room}"}}"#).as_bytes());
    }

    /// Asks to be in these rooms; how often it was let in, and how often it was told this code.
    fn join_all(&mut self, key: u32, rooms: impl Iterator<Item = String>, code: &str) -> (usize, usize) {
        self.sink.written.remove(&key);
        rooms.for_each(|room| self.ask(key, "join", &room));
        self.turn(0);
        let text = self.text(key);
        (text.matches(r#""type":"joined""#).count(), text.matches(&format!(r#""code":"{code}""#)).count())
    }

    /// Makes a room and leaves it.
    fn pass_through(&mut self, key: u32, room: &str) {
        self.ask(key, "join", room);
        self.ask(key, "leave", room);
        self.turn(250);
    }

    fn rooms_there(&self) -> Vec<String> {
        let mut names: Vec<_> = self.shard.counted().map(|(room, _)| room.name().to_owned()).collect();
        names.sort();
        names
    }

    fn listing(&mut self, listing: Listing) -> Parts {
        let (asked, parts) = question();
        self.shard.take_all([Post::List(Caller::Program(asked, 0), Arc::new(listing))]);
        self.shard.answer_questions();
        parts
    }
}

fn named(prefix: &'static str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |number| format!("{prefix}{number}"))
}

/// What a question was answered, if it was.
fn answered(parts: &Parts) -> Option<Vec<String>> {
    let lines = parts.wait(Duration::ZERO)?.into_iter().filter_map(|part| match part {
        Part::Listed(lines) => Some(lines),
        _ => None,
    });
    Some(lines.flatten().map(|line| line.name.name().to_owned()).collect())
}

#[test]
fn a_connection_makes_so_many_rooms_a_second() {
    let mut bench = limited(Limits { rooms_per_second: 2, ..Limits::default() });
    let [key, other] = [(); 2].map(|()| bench.connect("/ws"));
    assert_eq!(bench.join_all(key, named("a", 6), "rate_limited"), (4, 2));
    assert_eq!(bench.join_all(other, named("a", 4), "rate_limited"), (4, 0), "they are there already");
    bench.turn(500);
    assert_eq!(bench.join_all(key, named("b", 3), "rate_limited"), (1, 2));
}

/// Whoever writes to users nobody has heard of makes rooms, too.
#[test]
fn inboxes_are_made_at_the_same_rate() {
    let mut bench = limited(Limits { rooms_per_second: 2, ..Limits::default() });
    let key = bench.connect("/ws");
    for user in 0..6 {
        bench.frame(key, 0x81, format!(r#"{{"type":"direct","to":"u{user}","data":1}}"#).as_bytes());
    }
    bench.turn(0);
    let text = bench.text(key);
    let count = |part| text.matches(part).count();
    assert_eq!((count(r#""type":"delivered""#), count(r#""code":"rate_limited""#)), (4, 2), "{text}");
    assert_eq!(bench.shard.rooms(), 4);
}

/// The rate of an address holds for inboxes as for rooms, however many connections it has; their number counts for nobody.
#[test]
fn inboxes_are_made_at_the_rate_of_their_address() {
    let limits =
        Limits { rooms_per_second: 0, rooms_per_second_per_ip: 2, rooms_per_ip: 1, ..Limits::default() };
    let mut bench = limited(limits);
    let keys = [1, 1, 2].map(|number| bench.stranger(number));
    bench.turn(0);
    let told = |bench: &mut Bench, key, users: std::ops::Range<u32>| {
        bench.sink.written.remove(&key);
        for user in users {
            bench.frame(key, 0x81, format!(r#"{{"type":"direct","to":"u{user}","data":1}}"#).as_bytes());
        }
        bench.turn(0);
        let text = bench.text(key);
        let count = |part| text.matches(part).count();
        (count(r#""type":"delivered""#), count(r#""code":"rate_limited""#))
    };
    assert_eq!(told(&mut bench, keys[0], 0..3), (3, 0));
    assert_eq!(told(&mut bench, keys[1], 3..6), (1, 2), "four of that address");
    assert_eq!(told(&mut bench, keys[1], 0..3), (3, 0), "they are there already");
    assert_eq!(told(&mut bench, keys[2], 4..6), (2, 0));
    assert_eq!(bench.join_all(keys[2], named("a", 2), "room_limit"), (1, 1), "a room, and no inbox");
}

#[test]
fn a_stranger_leaves_space_for_others() {
    let mut bench = limited(Limits { rooms_total: 64 * KIB, rooms_per_second: 0, ..Limits::default() });
    let keys = [1, 1, 2].map(|number| bench.stranger(number));
    bench.turn(0);
    assert_eq!(bench.join_all(keys[0], named("a", 20), "room_limit"), (20, 0));
    assert_eq!(bench.join_all(keys[1], named("b", 20), "room_limit"), (12, 8), "a quarter is 32 rooms");
    assert_eq!(bench.join_all(keys[2], named("c", 20), "room_limit"), (20, 0));
    // Their rooms are counted until they are forgotten.
    bench.shard.fail(keys[0]);
    assert_eq!(bench.join_all(keys[1], named("d", 2), "room_limit"), (0, 2));
    bench.turn(301_000);
    assert_eq!(bench.join_all(keys[1], named("d", 2), "room_limit"), (2, 0));
}

#[test]
fn rooms_that_nobody_misses_go_first() {
    let mut bench = with_space_for(12);
    let key = bench.connect("/ws");
    bench.ask(key, "join", "said");
    bench.publish("said");
    bench.ask(key, "leave", "said");
    for room in ["first", "second", "third"] {
        bench.pass_through(key, room);
    }
    // Whoever is in again is not gone.
    bench.ask(key, "join", "first");
    let mut gone = Vec::new();
    for room in named("n", 30) {
        let before = bench.rooms_there();
        bench.ask(key, "join", &room);
        bench.turn(250);
        let after = bench.rooms_there();
        gone.extend(before.into_iter().filter(|room| !after.contains(room)));
    }
    assert_eq!(gone, ["second", "third", "said"]);
    assert!(bench.text(key).contains(r#""code":"unavailable""#), "the rest is taken");
    assert!(bench.rooms_there().contains(&"first".to_owned()));
    // The app is heard all the same, and what it leaves behind goes next.
    bench.publish("app:1");
    bench.publish("app:2");
    let rooms = bench.rooms_there();
    assert!(rooms.contains(&"app:2".to_owned()) && !rooms.contains(&"app:1".to_owned()), "{rooms:?}");
}

#[test]
fn going_through_names_for_ever_costs_what_the_total_is() {
    let mut bench = with_space_for(100);
    let total = bench.shard.common.settings.limits.rooms_total;
    let (key, other) = (bench.connect("/ws"), bench.connect("/ws"));
    bench.ask(other, "join", "theirs");
    for number in 0..2_000 {
        bench.ask(key, "join", &format!("a{number}"));
        bench.ask(key, "leave", &format!("a{number}"));
        assert!(bench.shard.common.rooms.taken() <= total + total / 16);
    }
    assert!(bench.shard.rooms() <= 110);
    bench.turn(0);
    assert!(!bench.text(key).contains("unavailable"));
    assert_eq!(bench.join_all(other, named("new", 3), "unavailable"), (3, 0));
    bench.turn(301_000);
    assert_eq!(bench.shard.rooms(), 4);
    [key, other].into_iter().for_each(|key| bench.shard.fail(key));
    bench.turn(301_000);
    // What was left of the sweep before came first.
    bench.turn(250);
    assert_eq!((bench.shard.rooms(), bench.shard.rooms.purse.used()), (0, 0));
}

#[test]
fn what_is_in_a_room_counts_until_it_is_gone() {
    let mut bench = with_space_for(1_000);
    let used = |bench: &Bench| bench.shard.rooms.purse.used();
    let keys: Vec<_> = (0..10).map(|user| bench.connect(&format!("/ws/a?user=u{user}"))).collect();
    bench.turn(0);
    let before = used(&bench);
    bench.ask(keys[0], "typing", "a");
    assert!(used(&bench) > before && before > ROOM + 10 * 32);
    for key in keys {
        bench.shard.fail(key);
    }
    bench.turn(5_000);
    assert_eq!(used(&bench), ROOM + 1);
}

#[test]
fn a_page_costs_what_it_is() {
    let mut bench = with_space_for(10_000);
    for room in named("room:", 3_000) {
        bench.publish(&room);
    }
    bench.turn(0);
    let page = |bench: &mut Bench, after: &str| {
        let listing = Listing { after: after.into(), limit: 2, ..Listing::default() };
        let parts = bench.listing(listing);
        (answered(&parts).expect("it was answered in this turn").join(" "), bench.shard.lists.looked())
    };
    assert_eq!(page(&mut bench, ""), ("room:0 room:1".into(), 2));
    assert_eq!(page(&mut bench, "room:2997"), ("room:2998 room:2999".into(), 4));
}

#[test]
fn what_is_looked_for_long_is_looked_for_in_turns() {
    let mut bench = with_space_for(10_000);
    for room in named("room:", 2_000) {
        bench.publish(&room);
    }
    bench.turn(0);
    let rooms = Some(all(&["room:1999".to_owned()]).into());
    let lists = [
        Listing { limit: 9, rooms, ..Listing::default() },
        Listing { limit: 1, prefix: "room:7".into(), ..Listing::default() },
    ];
    let parts = lists.map(|listing| bench.listing(listing));
    let mut turns = 0;
    while bench.shard.has_work() {
        assert!(parts.iter().all(|parts| answered(parts).is_none()));
        bench.turn(0);
        bench.shard.answer_questions();
        turns += 1;
    }
    assert_eq!(turns, 3, "of 512 each, and the first at once");
    assert_eq!(parts.each_ref().map(|parts| answered(parts).unwrap()), [["room:1999"], ["room:7"]]);
}

/// A list is made even if its caller has gone, so callers that go at once could have any number of lists wait.
#[test]
fn only_so_many_lists_wait() {
    let mut bench = with_space_for(10_000);
    for room in named("room:", 2_000) {
        bench.publish(&room);
    }
    bench.turn(0);
    let rooms = Some(all(&["room:1999".to_owned()]).into());
    let long = bench.listing(Listing { limit: 9, rooms, ..Listing::default() });
    let short = Listing { limit: 1, ..Listing::default() };
    let parts: Vec<Parts> = (0..999).map(|_| bench.listing(short.clone())).collect();
    let ask = |bench: &mut Bench| {
        let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
        bench.shard.receive(key, &mut b"GET /api/rooms HTTP/1.1\r\nHost: a\r\n\r\n".to_vec());
        bench.turn(0);
        bench.text(key)
    };
    let refused = ask(&mut bench);
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("\r\nRetry-After: 1\r\n"), "{refused}");
    while bench.shard.has_work() {
        bench.turn(0);
        bench.shard.answer_questions();
    }
    assert!(parts.iter().chain([&long]).all(|parts| answered(parts).is_some()));
    assert!(ask(&mut bench).starts_with("HTTP/1.1 200 "));
}
