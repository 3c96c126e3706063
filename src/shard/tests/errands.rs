//! What the app asks of rooms that are not open here, of an engine that keeps rooms itself.

use super::*;

fn bench(odds: Odds) -> (Bench, u32) {
    let mut bench = Bench::new(0, &common(1, Settings::default()), Delayed::engine(1, odds));
    let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    bench.turn(0);
    (bench, key)
}

/// The answer to a call.
fn call(bench: &mut Bench, key: u32, method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    let request =
        format!("{method} /api/rooms/{path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}");
    bench.sink.written.clear();
    bench.shard.receive(key, &mut request.into_bytes());
    bench.turn(0);
    bench.turn(0);
    bench.text(key)
}

const SAID: &str = r#"{"data":"hello","idempotency_key":"k"}"#;

#[test]
fn a_publish_and_a_look_open_no_room() {
    let (mut bench, key) = bench(Odds::default());
    let told = call(&mut bench, key, "GET", "a", "");
    assert!(told.starts_with("HTTP/1.1 200") && !told.contains(":1\""), "{told}");
    let told = call(&mut bench, key, "POST", "a/messages", SAID);
    assert!(told.starts_with("HTTP/1.1 200") && told.contains(":1\""), "{told}");
    // The retry is answered by the key.
    let again = call(&mut bench, key, "POST", "a/messages", SAID);
    assert_eq!(again.lines().last(), told.lines().last());
    let history = call(&mut bench, key, "GET", "a/messages", "");
    assert_eq!(history.matches("hello").count(), 1, "{history}");
    let room = call(&mut bench, key, "GET", "a", "");
    assert!(room.starts_with("HTTP/1.1 200") && room.contains(":1\""), "{room}");
    assert_eq!((bench.shard.rooms(), bench.shard.rooms.waiting), (0, 0));
}

#[test]
fn whoever_joins_later_goes_on_behind_what_was_published_afar() {
    let (mut bench, key) = bench(Odds::default());
    call(&mut bench, key, "POST", "a/messages", SAID);
    let socket = bench.connect("/ws/a");
    bench.turn(0);
    bench.turn(0);
    let told = call(&mut bench, key, "POST", "a/messages", r#"{"data":2}"#);
    assert!(told.contains(":2\""), "{told}");
    assert!(bench.text(socket).contains(r#""data":2"#), "{}", bench.text(socket));
}

#[test]
fn an_engine_that_fails_or_is_silent_makes_them_unavailable() {
    for (odds, wait_ms) in
        [(Odds { fail: 1_000, ..Odds::default() }, 0), (Odds { silent: 1_000, ..Odds::default() }, 5_000)]
    {
        let (mut bench, key) = bench(odds);
        for (method, body) in [("POST", SAID), ("GET", "")] {
            let mut told = call(&mut bench, key, method, "a/messages", body);
            if wait_ms > 0 {
                assert!(told.is_empty() && bench.shard.rooms.waiting > 0, "{told}");
                assert!(bench.shard.next_tick().is_some());
                bench.turn(wait_ms);
                bench.turn(500);
                told = bench.text(key);
            }
            assert!(told.starts_with("HTTP/1.1 503"), "{told}");
        }
        assert_eq!((bench.shard.rooms(), bench.shard.rooms.waiting), (0, 0));
    }
}

#[test]
fn there_are_only_so_many_at_once() {
    let (mut bench, key) = bench(Odds { silent: 1_000, ..Odds::default() });
    for _ in 0..1_000 {
        bench.publish("a");
    }
    let told = call(&mut bench, key, "POST", "a/messages", r#"{"data":1}"#);
    assert!(told.starts_with("HTTP/1.1 503"), "{told}");
    bench.turn(5_000);
    bench.turn(500);
    assert_eq!(bench.shard.rooms.waiting, 0);
}
