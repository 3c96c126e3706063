//! What peers have sent and nobody has carried out yet, on a virtual clock: it is in the total, and bounded by it.

use super::*;
use crate::http::Method;
use crate::settings::{KIB, MIB};

const TOTAL: usize = 4 * MIB;

fn bench() -> Bench {
    let limits = Limits { queue_total: TOTAL, ..Limits::default() };
    Bench::new(0, &common(1, Settings { limits, ..Settings::default() }), Engine::Local(Local::default()))
}

impl Bench {
    fn arrive(&mut self) -> u32 {
        self.shard.accept(IpAddr::from([127, 0, 0, 1]))
    }

    fn send(&mut self, key: u32, bytes: &[u8]) {
        for piece in bytes.chunks(64 * KIB) {
            self.shard.receive(key, &mut piece.to_vec());
        }
    }

    /// What all sessions hold, as the total has it.
    fn held(&self) -> usize {
        self.shard.queues.used()
    }

    fn end_all(&mut self) {
        for key in self.shard.sessions.iter().map(|(key, _)| key as u32).collect::<Vec<_>>() {
            self.shard.fail(key);
        }
        self.turn(0);
    }
}

/// All but the last byte of a request whose body is in chunks or not.
fn almost(method: &Method, path: &str, fields: &str, chunked: bool) -> Vec<u8> {
    const LENGTH: usize = 900 * KIB;
    let framing = if chunked {
        format!("Transfer-Encoding: chunked\r\n\r\n{LENGTH:x}\r\n")
    } else {
        format!("Content-Length: {LENGTH}\r\n\r\n")
    };
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}{framing}").into_bytes();
    request.resize(request.len() + LENGTH - 1, b'x');
    request
}

#[test]
fn the_body_of_a_refused_request_is_not_kept() {
    let foreign = "Origin: https://elsewhere.example\r\n";
    for (method, path, fields, status) in [
        (Method::Post, "/nowhere", "", 404),
        (Method::Put, "/api/rooms/a/messages", "", 405),
        (Method::Delete, "/healthz", "", 405),
        (Method::Get, "/healthz", "", 200),
        (Method::Get, "/api/rooms", "", 200),
        (Method::Get, "/switchboard.js", "", 200),
        (Method::Post, "/api/rooms/a/messages", foreign, 403),
        (Method::Post, "/api/rooms/a%20b/messages", "", 400),
    ] {
        for chunked in [false, true] {
            let mut bench = bench();
            let key = bench.arrive();
            bench.send(key, &almost(&method, path, fields, chunked));
            assert_eq!(bench.shard.sessions[key as usize].input() / KIB, 0, "{method} {path} {chunked}");
            bench.send(key, if chunked { b"x\r\n0\r\n\r\n" } else { b"x" });
            bench.send(key, b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
            bench.turn(0);
            bench.turn(0);
            let text = bench.text(key);
            assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {text}");
            assert!(text.ends_with(r#"{"status":"ready"}"#), "the connection lives on: {text}");
        }
    }
}

#[test]
fn a_refused_body_is_bounded_like_any_other() {
    let mut bench = bench();
    let key = bench.arrive();
    bench.send(key, b"POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [&b"10000\r\n"[..], &[b'x'; 64 * KIB], b"\r\n"].concat();
    (0..17).for_each(|_| bench.send(key, &chunk));
    bench.turn(0);
    assert!(bench.text(key).starts_with("HTTP/1.1 413 "), "{}", bench.text(key));
    assert_eq!(bench.sink.finished, [key]);
}

#[test]
fn what_a_call_waits_for_is_in_the_total_and_bounded_by_it() {
    for chunked in [false, true] {
        let mut bench = bench();
        let request = almost(&Method::Post, "/api/rooms/a/messages", "", chunked);
        let keys: Vec<u32> = (0..20).map(|_| bench.arrive()).collect();
        for &key in &keys {
            bench.send(key, &request);
            bench.turn(0);
            assert!(bench.held() <= TOTAL + MIB, "{}", bench.held());
        }
        let refused = keys.iter().filter(|&&key| bench.text(key).starts_with("HTTP/1.1 503 ")).count();
        assert!((10..20).contains(&refused), "{refused}");
        bench.end_all();
        assert_eq!((bench.held(), bench.shard.inputs.len()), (0, 0));
    }
}

#[test]
fn no_body_is_begun_while_the_total_is_used_up() {
    let mut bench = bench();
    bench.shard.spend(2 * TOTAL as isize);
    let key = bench.arrive();
    bench.send(
        key,
        b"POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{\"data\":1}",
    );
    bench.send(key, b"GET /api/rooms HTTP/1.1\r\nHost: a\r\n\r\n");
    bench.send(key, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    bench.turn(0);
    bench.turn(0);
    let text = bench.text(key);
    assert!(text.starts_with("HTTP/1.1 503 ") && text.contains("Retry-After: 1\r\n"), "{text}");
    assert_eq!(text.matches("HTTP/1.1 503 ").count(), 2, "{text}");
    assert!(text.ends_with(r#"{"status":"ok"}"#), "{text}");
}

#[test]
fn messages_that_have_not_come_whole_are_in_the_total() {
    let mut bench = bench();
    let keys: Vec<u32> = (0..100).map(|_| bench.connect("/ws/a")).collect();
    bench.turn(0);
    let mut frame = vec![0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0];
    frame.resize(60 * KIB, b'x');
    for &key in &keys {
        bench.send(key, &frame);
        bench.turn(0);
        assert!(bench.held() <= TOTAL + MIB, "{}", bench.held());
    }
    let shed = keys.iter().filter(|&&key| bench.text(key).contains("over capacity")).count();
    assert!(shed > 0);
    bench.end_all();
    assert_eq!((bench.held(), bench.shard.inputs.len()), (0, 0));
}

#[test]
fn every_kind_of_input_is_paid_for_and_given_back() {
    let mut bench = bench();
    // The beginning of a head; one behind a WebSocket's frame; a call that waits for the one before it.
    let key = bench.arrive();
    bench.send(key, &[&b"GET /"[..], &[b'x'; 4 * KIB]].concat());
    assert!(bench.held() >= 4 * KIB, "{}", bench.held());
    bench.send(key, b" HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(bench.held(), 0);
    let socket = bench.connect("/ws/a");
    bench.send(socket, &[0x81, 0xfe, 0xff]);
    assert!(bench.held() > 0);
    bench.shard.fail(socket);
    assert_eq!(bench.held(), 0);
    bench.turn(0);
    let silent = Odds { silent: 1_000, ..Odds::default() };
    let engine = Delayed::engine(1, silent);
    let mut bench = Bench::new(0, &common(1, Settings::default()), engine);
    let key = bench.arrive();
    let call = b"POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{\"data\":1}";
    bench.send(key, &call.repeat(100));
    assert!(bench.held() >= 99 * call.len(), "{}", bench.held());
    for _ in 0..3_000 {
        bench.turn(250);
    }
    assert_eq!(bench.text(key).matches("HTTP/1.1 503 ").count(), 100);
    assert_eq!((bench.held(), bench.shard.inputs.len()), (0, 0));
}

type Ask = fn(&mut Bench, &str);

#[test]
fn answers_of_one_turn_do_not_outgrow_the_total_before_anybody_is_let_go() {
    let message = format!("\"{}\"", "x".repeat(60 * KIB));
    let look = "GET /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\n\r\n";
    let asks: [(&str, Ask); 5] = [
        ("the people of a room, by a call", |bench, _| {
            let key = bench.arrive();
            bench.send(key, b"GET /api/rooms/b/members?limit=1000 HTTP/1.1\r\nHost: a\r\n\r\n");
        }),
        ("the people of a room, by a WebSocket", |bench, _| {
            let key = bench.connect("/ws/b");
            bench.frame(key, 0x81, br#"{"type":"members","room":"b","limit":1000}"#);
        }),
        ("a stream", |bench, _| {
            let key = bench.arrive();
            bench.send(key, b"GET /sse/a?history=100 HTTP/1.1\r\nHost: a\r\n\r\n");
        }),
        ("a call", |bench, look| {
            let key = bench.arrive();
            bench.send(key, look.as_bytes());
        }),
        ("a WebSocket", |bench, _| {
            let key = bench.connect("/ws");
            bench.frame(key, 0x81, br#"{"type":"join","room":"a","history":100}"#);
        }),
    ];
    for (name, ask) in asks {
        let mut bench = bench();
        for _ in 0..10 {
            bench.say("a", message.clone());
            bench.turn(0);
        }
        for number in 0..350 {
            bench.connect(&format!("/ws/b?user={number}{}", "x".repeat(120)));
        }
        (0..20).for_each(|_| bench.turn(0));
        let before = bench.held();
        for _ in 0..250 {
            ask(&mut bench, look);
        }
        assert!(bench.held() > before + TOTAL / 2, "{name}: {}", bench.held());
        assert!(bench.held() <= TOTAL + 2 * MIB, "{name}: {}", bench.held());
        bench.turn(0);
        assert_eq!(
            bench.shard.seated().map(|(_, n)| n).sum::<usize>(),
            bench.shard.counted().map(|(_, n)| n.iter().sum::<u32>() as usize).sum::<usize>(),
            "{name}"
        );
        bench.end_all();
    }
}
