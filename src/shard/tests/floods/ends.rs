//! How a connection ends, or does not, while a part of what it sent waits for its turn.

use super::*;
use crate::broker::question::question;

/// Who has finished is done with when all that it sent is.
#[test]
fn the_end_of_what_a_peer_sends_is_seen_behind_what_it_sent() {
    for at_once in [false, true] {
        let (mut bench, mut kernel) = (Bench::alone(), Kernel::default());
        let socket = bench.connect("/ws/a");
        let http = bench.knock();
        bench.turn(0);
        let publish = frame(0x81, br#"{"type":"publish","room":"a","data":1}"#);
        kernel.send(socket, &publish.repeat(1_000));
        kernel.send(http, &many(100, |number| get("/healthz", number)));
        kernel.finished.extend([socket, http]);
        bench.read(&mut kernel);
        if at_once {
            // The kernel has told of both together.
            [socket, http].into_iter().for_each(|key| bench.shard.hang_up(key));
        }
        bench.go_on(&mut kernel, 1);
        assert_eq!(bench.shard.sessions(), 2);
        bench.settle_down(&mut kernel);
        assert_eq!(bench.shard.counters().messages_in, 1_000);
        assert_eq!(bench.text(http).matches("HTTP/1.1 200").count(), 100);
        assert_eq!((bench.shard.sessions(), bench.total()), (0, 0));
    }
}

/// The peer's close frame lies behind what it sent before: it is seen, and nothing behind it.
#[test]
fn a_close_behind_a_flood_is_seen() {
    for by_app in [false, true] {
        let (mut bench, mut kernel) = (Bench::alone(), Kernel::default());
        let key = bench.connect("/ws?user=ann");
        bench.turn(0);
        let close = frame(0x88, &1000u16.to_be_bytes());
        kernel.send(key, &[many(500, ping), close, many(500, ping)].concat());
        bench.read(&mut kernel);
        if by_app {
            let (asked, _) = question();
            bench.shard.take_all([Post::Disconnect("ann".into(), "bye".into(), Caller::Program(asked, 0))]);
        }
        bench.settle_down(&mut kernel);
        let answers = if by_app { FRAMES } else { 500 };
        assert_eq!(bench.text(key).matches("\"pong\"").count(), answers);
        assert_eq!((bench.sink.finished.clone(), bench.total()), (vec![key], 0));
    }
}

/// A drain closes behind an answer, and not while one is due.
#[test]
fn a_drain_answers_whose_requests_are_here() {
    let (mut bench, mut kernel) = (Bench::alone(), Kernel::default());
    let key = bench.knock();
    kernel.send(key, &many(100, |number| get("/healthz", number)));
    bench.read(&mut kernel);
    bench.go_on(&mut kernel, 0);
    bench.shard.drain(Duration::from_secs(10));
    bench.now.loop_ms += 9_000;
    bench.read(&mut kernel);
    bench.go_on(&mut kernel, 0);
    assert_eq!(bench.text(key).matches("HTTP/1.1 ").count(), REQUESTS);
    bench.settle_down(&mut kernel);
    assert_eq!(bench.text(key).matches("HTTP/1.1 ").count(), REQUESTS + 1);
    assert!(bench.text(key).contains("Connection: close"), "{}", bench.text(key));
    assert_eq!((bench.sink.finished.clone(), bench.total()), (vec![key], 0));
}

/// Whoever floods goes when too much waits, with all that it sent.
#[test]
fn what_floods_leave_is_let_go_with_them() {
    const TOTAL: usize = 4 * MIB;
    let limits = Limits { queue_total: TOTAL, ..Limits::default() };
    for http in [false, true] {
        let common = common(1, Settings { limits: limits.clone(), ..Settings::default() });
        let mut bench = Bench::new(0, &common, Engine::Local(Local::default()));
        let mut kernel = Kernel::default();
        let honest = bench.connect("/ws");
        bench.turn(0);
        let keys: Vec<u32> =
            (0..200).map(|_| if http { bench.knock() } else { bench.connect("/ws") }).collect();
        let bytes = if http { many(2_000, |number| get("/healthz", number)) } else { many(4_000, ping) };
        for &key in &keys {
            kernel.send(key, &bytes);
            bench.read(&mut kernel);
            bench.go_on(&mut kernel, 0);
            assert!(bench.total() <= TOTAL + MIB);
        }
        assert!(bench.shard.sessions[honest as usize].is_open());
        let open = |key: &u32| {
            let session = bench.shard.sessions.get(*key as usize);
            session.is_some_and(|session| session.tail.is_some())
        };
        assert!((10..100).contains(&keys.iter().filter(|key| open(key)).count()));
        keys.iter().for_each(|&key| bench.shard.fail(key));
        bench.go_on(&mut kernel, 0);
        assert_eq!((bench.total(), bench.shard.inputs.len()), (0, 0));
    }
}

/// A pong that lies behind a flood was sent in time.
#[test]
fn nobody_is_cut_for_a_pong_that_waits_for_its_turn() {
    let second = Duration::from_secs(1);
    let heartbeat = Heartbeat { interval: second, timeout: second };
    let settings = Settings { heartbeat, ..Settings::default() };
    let mut bench = Bench::new(0, &common(1, settings), Engine::Local(Local::default()));
    let mut kernel = Kernel::default();
    let key = bench.connect("/ws");
    bench.turn(0);
    kernel.send(key, &[many(100, ping), frame(0x8a, b"")].concat());
    bench.read(&mut kernel);
    for _ in 0..40 {
        bench.now.loop_ms += 250;
        bench.shard.begin(bench.now);
        bench.go_on(&mut kernel, 0);
    }
    assert!(bench.shard.sessions[key as usize].is_open());
    bench.settle_down(&mut kernel);
    assert_eq!(bench.text(key).matches("\"pong\"").count(), 100);
    for _ in 0..20 {
        bench.turn(250);
    }
    assert!(bench.text(key).contains("no pong"));
}

/// A connection whose requests are here is not idle, however long they wait for their turn; afterwards it is.
#[test]
fn nobody_makes_place_whose_requests_wait_for_their_turn() {
    let limits = Limits { http_idle: Duration::from_secs(1), ..Limits::default() };
    let mut bench = Bench::new(
        0,
        &common(1, Settings { limits, ..Settings::default() }),
        Engine::Local(Local::default()),
    );
    let mut kernel = Kernel::default();
    let key = bench.knock();
    kernel.send(key, &many(100, |number| get("/healthz", number)));
    bench.read(&mut kernel);
    for _ in 0..20 {
        bench.now.loop_ms += 250;
        bench.shard.begin(bench.now);
        bench.go_on(&mut kernel, 0);
        assert_eq!(bench.shard.close_idle(1), 0);
    }
    bench.settle_down(&mut kernel);
    assert_eq!(bench.text(key).matches("HTTP/1.1 200").count(), 100);
    bench.now.loop_ms += 1_250;
    bench.shard.begin(bench.now);
    assert_eq!(bench.shard.close_idle(1), 1);
}
