//! How much connections may do, on a virtual clock.

use super::*;
use crate::settings::{KIB, MIB};

/// A shard alone, with these limits.
fn limited(limits: Limits) -> Bench {
    Bench::new(0, &common(1, Settings { limits, ..Settings::default() }), Engine::Local(Local::default()))
}

const PING: &[u8] = br#"{"type":"ping","id":7}"#;
const TEXT: u8 = 0x81;
/// A protocol error would be no refusal; this is.
const BAD: &[u8] = b"{}";

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn too_many_messages_are_refused_in_words() {
    let mut bench = limited(Limits { messages_per_second: 2, ..Limits::default() });
    let key = bench.connect("/ws");
    (0..5).for_each(|_| bench.frame(key, TEXT, PING));
    bench.turn(0);
    let text = bench.text(key);
    assert_eq!(count(&text, r#""type":"pong""#), 4);
    let refused = r#"{"type":"error","id":7,"code":"rate_limited","message":"too many requests; this one was not carried out","retry_after_ms":500}"#;
    assert_eq!(count(&text, refused), 1, "{text}");
    bench.turn(500);
    bench.frame(key, TEXT, PING);
    bench.turn(0);
    assert_eq!(count(&bench.text(key), r#""type":"pong""#), 5);
}

#[test]
fn a_users_connections_share_a_rate_and_nobody_elses() {
    let mut bench = limited(Limits { user_messages_per_second: 1, ..Limits::default() });
    let keys = ["ann", "ann", "bob"].map(|user| bench.connect(&format!("/ws?user={user}")));
    let guest = bench.connect("/ws");
    for key in keys.into_iter().chain([guest, keys[0], keys[1]]) {
        bench.frame(key, TEXT, PING);
    }
    bench.turn(0);
    let heard = |key| count(&bench.text(key), r#""type":"pong""#);
    assert_eq!(keys.map(heard), [1, 1, 1]);
    assert_eq!(count(&bench.text(keys[1]), r#""code":"rate_limited""#), 1, "{}", bench.text(keys[1]));
    assert_eq!(heard(guest), 1);
    let raw = bench.connect("/raw/a?echo=1&user=bob");
    bench.turn(0);
    (0..3).for_each(|_| bench.frame(raw, TEXT, b"11111"));
    bench.turn(0);
    assert_eq!(count(&bench.text(raw), "11111"), 1, "{}", bench.text(raw));
    bench.turn(2_000);
    bench.turn(1_000);
    assert!(count(&bench.text(raw), "11111") > 1, "{}", bench.text(raw));
}

#[test]
fn a_request_that_waited_is_counted_once() {
    let mut bench = limited(Limits { messages_per_second: 1, messages_burst: 2, ..Limits::default() });
    let key = bench.connect("/ws");
    // The second waits for the first, and nothing has come back meanwhile.
    bench.frame(key, TEXT, br#"{"type":"join","room":"a"}"#);
    bench.frame(key, TEXT, br#"{"type":"publish","room":"a","data":1,"id":1}"#);
    bench.turn(0);
    assert!(bench.text(key).contains(r#""type":"published""#), "{}", bench.text(key));
    assert!(!bench.text(key).contains("rate_limited"));
}

#[test]
fn a_dialect_without_words_is_read_more_slowly_and_loses_nothing() {
    let mut bench = limited(Limits { messages_per_second: 4, messages_burst: 1, ..Limits::default() });
    let key = bench.connect("/raw/a?echo=1");
    bench.turn(0);
    for number in 0..4u8 {
        bench.frame(key, TEXT, &[b'0' + number; 5]);
    }
    let heard = |bench: &Bench| {
        count(&bench.text(key), "00000")
            + count(&bench.text(key), "11111")
            + count(&bench.text(key), "22222")
            + count(&bench.text(key), "33333")
    };
    bench.turn(0);
    assert_eq!(heard(&bench), 1, "{:?}", bench.text(key));
    assert!(!bench.shard.wants_read(key), "what waits in the socket goes on waiting there");
    for turn in 2..=4 {
        bench.turn(250);
        bench.turn(0);
        assert_eq!(heard(&bench), turn, "a message comes back every 250 ms");
    }
    bench.turn(250);
    bench.turn(0);
    assert!(bench.shard.wants_read(key));
}

#[test]
fn nobody_is_cut_for_a_rest() {
    let second = Duration::from_secs(1);
    let heartbeat = Heartbeat { interval: second, timeout: second };
    let limits = Limits { bytes_per_second: 10, ..Limits::default() };
    let settings = Settings { heartbeat, limits, ..Settings::default() };
    let mut bench = Bench::new(0, &common(1, settings), Engine::Local(Local::default()));
    let key = bench.connect("/raw/a?echo=1");
    bench.turn(0);
    bench.frame(key, TEXT, &[b'x'; 120]);
    for _ in 0..39 {
        bench.turn(250);
        assert!(!bench.shard.wants_read(key));
    }
    bench.turn(250);
    assert!(bench.shard.wants_read(key));
    assert!(!bench.text(key).contains("no pong"));
    for _ in 0..12 {
        bench.turn(250);
    }
    assert!(bench.text(key).contains("no pong"), "once it is read it has to be alive");
}

#[test]
fn whoever_does_not_listen_to_refusals_is_closed() {
    let mut bench = Bench::alone();
    let keys = [(); 2].map(|()| bench.connect("/ws"));
    for _ in 0..99 {
        keys.iter().for_each(|&key| bench.frame(key, TEXT, BAD));
        bench.turn(0);
    }
    keys.iter().for_each(|&key| assert!(!bench.text(key).contains("too many refusals")));
    bench.frame(keys[0], TEXT, BAD);
    bench.turn(0);
    assert!(bench.text(keys[0]).contains("\x03\u{fffd}too many refusals"), "1008 is 03 F0");
    bench.turn(10_250);
    bench.frame(keys[1], TEXT, BAD);
    bench.turn(0);
    assert!(!bench.text(keys[1]).contains("too many refusals"), "ten seconds are over");
    assert_eq!(count(&bench.text(keys[1]), "bad_request"), 100);
}

/// A stream's requests come from somewhere else and count for the stream.
#[test]
fn requests_for_a_stream_are_its_messages() {
    let mut bench = limited(Limits { messages_per_second: 1, ..Limits::default() });
    let stream = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    bench.shard.receive(stream, &mut b"GET /sse/a HTTP/1.1\r\nHost: a\r\n\r\n".to_vec());
    bench.turn(0);
    let text = bench.text(stream);
    let name = text.split(r#""connection":""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let post = |bench: &mut Bench, requests: &str| {
        let call = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
        let length = requests.len();
        let request =
            format!("POST /sse/{name} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{requests}");
        bench.shard.receive(call, &mut request.into_bytes());
        bench.turn(0);
        bench.text(call)
    };
    let answer =
        post(&mut bench, r#"[{"type":"ping","id":1},{"type":"ping","id":2},{"type":"ping","id":3}]"#);
    assert_eq!((count(&answer, "pong"), count(&answer, "rate_limited")), (2, 1), "{answer}");
    for _ in 0..99 {
        post(&mut bench, r#"{"type":"ping","id":4}"#);
    }
    let text = bench.text(stream);
    assert!(
        text.ends_with(
            "event: close\ndata: {\"type\":\"close\",\"code\":1008,\"reason\":\"too many refusals\"}\n\n"
        ),
        "{text}"
    );
    assert!(post(&mut bench, r#"{"type":"ping"}"#).starts_with("HTTP/1.1 404"));
}

#[test]
fn an_address_has_so_many_connections_that_last() {
    let mut bench = limited(Limits { connections_per_ip: 2, ..Limits::default() });
    let keys = [(); 3].map(|()| bench.connect("/ws"));
    bench.turn(0);
    assert!(bench.text(keys[2]).starts_with("HTTP/1.1 429 "), "{}", bench.text(keys[2]));
    assert!(bench.text(keys[2]).contains("Retry-After: 1\r\n"));
    // What was refused is not counted, and whoever goes makes room.
    bench.shard.fail(keys[0]);
    bench.shard.fail(keys[2]);
    bench.turn(0);
    bench.sink.written.clear();
    let [next, last] = [(); 2].map(|()| bench.connect("/ws"));
    bench.turn(0);
    assert!(bench.text(next).contains("welcome") && bench.text(last).starts_with("HTTP/1.1 429 "));
}

#[test]
fn what_came_to_nothing_is_not_counted() {
    let mut bench = limited(Limits { connections_per_ip: 1, rooms_per_connection: 1, ..Limits::default() });
    let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    for _ in 0..3 {
        bench.shard.receive(key, &mut b"GET /sse?room=a&room=b HTTP/1.1\r\nHost: a\r\n\r\n".to_vec());
        bench.turn(0);
    }
    assert_eq!(count(&bench.text(key), "room_limit"), 3);
    let next = bench.connect("/ws");
    bench.turn(0);
    assert!(bench.text(next).contains("welcome"));
}

#[test]
fn an_address_shakes_hands_so_often() {
    let mut bench = limited(Limits { handshakes_per_second_per_ip: 1, ..Limits::default() });
    let keys = [(); 3].map(|()| bench.connect("/ws"));
    bench.turn(0);
    let refused = bench.text(keys[2]);
    assert!(
        refused.starts_with("HTTP/1.1 429 ") && refused.contains(r#""code":"rate_limited""#),
        "{refused}"
    );
    assert!(refused.contains("Retry-After: 1\r\n"), "{refused}");
    let health = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    bench.shard.receive(health, &mut b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".to_vec());
    bench.turn(1_000);
    assert!(bench.text(health).starts_with("HTTP/1.1 200 "));
    let next = bench.connect("/ws");
    bench.turn(0);
    assert!(bench.text(next).contains("welcome"));
}

/// Members that read nothing hold one copy of what all of them are sent.
#[test]
fn what_many_queues_share_counts_once() {
    let mut bench = limited(Limits { queue_total: 8 * MIB, ..Limits::default() });
    let keys: Vec<_> = (0..100).map(|_| bench.connect("/ws/a")).collect();
    bench.turn(0);
    bench.sink.full = true;
    for _ in 0..8 {
        bench.say("a", format!("\"{}\"", "x".repeat(100 * KIB)));
        bench.turn(0);
    }
    // Each holds 800 KiB, which is 80 MB of 800 KB.
    assert!(!bench.shard.common.queued.is_overdrawn());
    assert!((800 * KIB..2 * MIB).contains(&bench.shard.queues.used()), "{}", bench.shard.queues.used());
    bench.sink.full = false;
    keys.iter().for_each(|&key| bench.shard.writable(key));
    bench.turn(0);
    keys.iter().for_each(|&key| assert_eq!(count(&bench.text(key), r#""type":"message""#), 8));
    assert_eq!(bench.shard.queues.used(), 0, "and it is given back");
}

#[test]
fn the_fullest_queues_go_first_and_nobody_comes_meanwhile() {
    let mut bench = limited(Limits { queue_total: 4 * MIB, ..Limits::default() });
    let keys: Vec<_> = (0..10).map(|number| bench.connect(&format!("/ws/room-{number}"))).collect();
    bench.turn(0);
    bench.sink.full = true;
    // Each has more than the one before, nobody more than a queue may hold, and together they have 4.4 MiB.
    for (number, _) in keys.iter().enumerate() {
        for _ in 0..=number {
            bench.say(&format!("room-{number}"), format!("\"{}\"", "x".repeat(81 * KIB)));
        }
    }
    bench.turn(0);
    assert!(bench.shard.queues.used() <= 4 * MIB, "{}", bench.shard.queues.used());
    bench.sink.full = false;
    keys.iter().for_each(|&key| bench.shard.writable(key));
    bench.turn(0);
    let shed: Vec<_> = keys.iter().map(|&key| bench.text(key).contains("over capacity")).collect();
    assert_eq!(shed, [false, false, false, false, false, false, false, false, true, true]);
    assert_eq!(bench.shard.queues.used(), 0);
}

#[test]
fn while_the_total_is_used_up_nobody_comes_in() {
    let common = common(
        2,
        Settings { limits: Limits { queue_total: MIB, ..Limits::default() }, ..Settings::default() },
    );
    let [mut full, mut empty] = [0, 1].map(|me| Bench::new(me, &common, Engine::Local(Local::default())));
    let key = full.connect("/raw/a?echo=1");
    full.turn(0);
    assert!(!common.queued.is_overdrawn());
    full.shard.queues.spend(&common.queued, 2 * MIB, 0);
    let refused = empty.connect("/ws");
    empty.turn(0);
    assert!(empty.text(refused).starts_with("HTTP/1.1 503 "), "{}", empty.text(refused));
    assert!(empty.text(refused).contains("Retry-After: 1\r\n"));
    full.shard.queues.spend(&common.queued, 0, 2 * MIB);
    let next = empty.connect("/ws");
    empty.turn(0);
    assert!(empty.text(next).contains("welcome"));
    assert!(full.text(key).starts_with("HTTP/1.1 101 "));
}
