//! A member that is not sent everything of a room that skips knows all the same who is there.

use super::*;

impl Bench {
    fn come(&mut self, user: &str) -> u32 {
        let key = self.connect(&format!("/ws/a?user={user}"));
        self.turn(0);
        key
    }

    fn go(&mut self, key: u32) {
        self.shard.fail(key);
        self.turn(0);
    }
}

/// A member behind a full socket, and others who came before it was full.
fn behind_with(users: &[&str], room: RoomSettings, queue: usize) -> (Bench, u32, Vec<u32>) {
    let rooms = vec![RoomRule { pattern: "a".into(), room: RoomSettings { slow: Slow::Skip, ..room } }];
    let limits = Limits { queue, ..Limits::default() };
    let common = common(1, Settings { limits, rooms, ..Settings::default() });
    let mut bench = Bench::new(0, &common, Engine::Local(Local::default()));
    let others = users.iter().map(|user| bench.come(user)).collect();
    let key = bench.connect("/ws/a");
    bench.turn(0);
    bench.sink.full = true;
    bench.say("a", format!("\"{}\"", "x".repeat(queue - 250)));
    bench.turn(0);
    (bench, key, others)
}

#[test]
fn who_went_and_who_came_is_told_behind_the_gap() {
    let (mut bench, key, others) = behind_with(&["bob", "eve"], RoomSettings::default(), 600);
    bench.publish("a");
    bench.turn(0);
    bench.go(others[0]);
    bench.come("ann");
    let fay = bench.come("fay");
    bench.go(fay);
    assert_eq!(bench.unblocked(key), ["message", "gap", "user_left", "user_joined"]);
    let text = bench.text(key);
    assert!(text.contains(r#""user_left","room":"a","user":"bob","count":3}"#), "{text}");
    assert!(text.contains(r#""user_joined","room":"a","user":"ann","count":3}"#), "{text}");
}

#[test]
fn news_alone_are_no_gap() {
    let (mut bench, key, others) = behind_with(&["bob"], RoomSettings::default(), 600);
    bench.go(others[0]);
    assert_eq!(bench.unblocked(key), ["message", "user_left"]);
    bench.come("bob");
    assert!(bench.text(key).ends_with(r#""user_joined","room":"a","user":"bob","count":2}"#));
}

#[test]
fn nobody_writes_for_ever() {
    let (mut bench, key, others) = behind_with(&["bob", "eve"], RoomSettings::default(), 600);
    bench.sink.full = false;
    bench.frame(others[0], 0x81, br#"{"type":"typing","room":"a"}"#);
    bench.turn(0);
    bench.sink.full = true;
    bench.unblocked(key);
    bench.sink.full = true;
    bench.say("a", format!("\"{}\"", "x".repeat(350)));
    bench.turn(0);
    bench.frame(others[0], 0x81, br#"{"type":"typing","room":"a","active":false}"#);
    bench.frame(others[1], 0x81, br#"{"type":"typing","room":"a"}"#);
    bench.turn(0);
    let heard = bench.unblocked(key);
    assert_eq!(heard, ["message", "typing", "typing"]);
    let text = bench.text(key);
    assert!(
        text.contains(r#""user":"bob","active":false"#) && text.contains(r#""user":"eve","active":true"#)
    );
}

#[test]
fn where_people_are_counted_the_number_is_told() {
    let room = RoomSettings { presence_limit: 2, ..RoomSettings::default() };
    let (mut bench, key, others) = behind_with(&["bob", "eve", "fay"], room, 600);
    bench.publish("a");
    bench.turn(2_000);
    bench.go(others[0]);
    bench.turn(2_000);
    assert_eq!(bench.unblocked(key), ["message", "gap", "count"]);
    assert!(bench.text(key).contains(r#""count","room":"a","count":3}"#));
}

#[test]
fn a_stream_is_told_as_well() {
    let (mut bench, _, others) = behind_with(&["bob"], RoomSettings::default(), 600);
    bench.sink.full = false;
    let stream = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    bench.shard.receive(stream, &mut b"GET /sse?room=a&room=b HTTP/1.1\r\nHost: a\r\n\r\n".to_vec());
    bench.turn(0);
    bench.turn(0);
    bench.sink.full = true;
    bench.say("a", format!("\"{}\"", "x".repeat(350)));
    bench.turn(0);
    bench.publish("a");
    bench.turn(0);
    bench.go(others[0]);
    assert_eq!(bench.unblocked(stream), ["message", "gap", "user_left"]);
}

#[test]
fn what_is_kept_is_counted_and_bounded() {
    let room = RoomSettings { presence_limit: 1_000, ..RoomSettings::default() };
    let (mut bench, key, others) = behind_with(&["bob"], room, 2_000);
    bench.publish("a");
    bench.turn(0);
    let before = bench.shard.queued;
    bench.sink.full = false;
    let users: Vec<_> = (0..10).map(|n| bench.come(&format!("user{n}"))).collect();
    assert_eq!(bench.shard.queued - before, 2 * 10 * (64 + 5));
    users.into_iter().for_each(|user| bench.go(user));
    assert_eq!(bench.shard.queued, before);
    for n in 0..40 {
        bench.come(&format!("user{n}"));
    }
    assert_eq!(bench.shard.counters().slow, 2, "they are so far behind that not even that fits");
    [key, others[0]].into_iter().for_each(|key| bench.shard.fail(key));
    bench.turn(0);
    assert_eq!(bench.shard.queued, 0);
}
