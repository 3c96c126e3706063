//! Everything that waits is in a total, on a virtual clock.

use super::*;
use crate::settings::{KIB, MIB};

const TOTAL: usize = 4 * MIB;

fn bench(limits: Limits) -> Bench {
    let limits = Limits { queue_total: TOTAL, ..limits };
    Bench::new(0, &common(1, Settings { limits, ..Settings::default() }), Engine::Local(Local::default()))
}

/// A connection that asks for something so many times at once, and reads nothing of it.
fn piped(bench: &mut Bench, request: &str, times: usize) -> u32 {
    let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    bench.shard.receive(key, &mut request.repeat(times).into_bytes());
    key
}

/// The console's pages are parts of the program: whoever asks for them over and over has nothing waiting for it but heads,
/// and few of those.
#[test]
fn a_page_that_nobody_reads_costs_next_to_nothing() {
    for fields in ["", "Connection: close\r\n"] {
        let mut bench = bench(Limits::default());
        bench.sink.full = true;
        let request = format!("GET /switchboard.js HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let keys: Vec<u32> = (0..100).map(|_| piped(&mut bench, &request, 500)).collect();
        bench.turn(0);
        let answers = bench.shard.queued;
        assert!(answers <= 100 * 20 * KIB, "{answers}");
        assert!(!bench.shard.common.queued.is_overdrawn());
        assert!(bench.shard.refuse_while_full_or_draining().is_ok());
        keys.into_iter().for_each(|key| bench.shard.fail(key));
        assert_eq!((bench.shard.queued, bench.shard.queues.used()), (0, 0));
    }
}

#[test]
fn a_page_is_sent_whole() {
    let mut bench = bench(Limits::default());
    let key = piped(&mut bench, "GET /switchboard.js HTTP/1.1\r\nHost: a\r\n\r\n", 2);
    let head = piped(&mut bench, "HEAD /switchboard.js HTTP/1.1\r\nHost: a\r\n\r\n", 1);
    bench.turn(0);
    bench.turn(0);
    let page = include_str!("../../../clients/js/switchboard.js");
    let text = bench.text(key);
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(text.matches(page).count(), 2);
    let text = bench.text(head);
    assert!(text.contains(&format!("Content-Length: {}\r\n", page.len())) && text.ends_with("\r\n\r\n"));
}

/// Nobody is spared because it is about to end: what it has waiting is there until it reads it or its time is over.
#[test]
fn the_fattest_goes_first_whatever_it_is_doing() {
    let fat = format!("\"{}\"", "x".repeat(60 * KIB));
    let close = "GET /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let open = "GET /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\n\r\n";
    for request in [open, close] {
        let mut bench = bench(Limits::default());
        (0..10).for_each(|_| bench.say("a", fat.clone()));
        let honest = bench.connect("/ws/b");
        bench.turn(0);
        bench.sink.full = true;
        for _ in 0..20 {
            piped(&mut bench, request, 1);
            bench.turn(0);
            assert!(bench.shard.queues.used() <= TOTAL + MIB, "{}", bench.shard.queues.used());
        }
        assert!(!bench.shard.common.queued.is_overdrawn());
        assert!(bench.shard.sessions.len() < 20);
        assert!(bench.shard.sessions[honest as usize].is_open());
    }
}

/// What may come behind a large answer waits, unread, until that is nearly gone.
#[test]
fn nothing_is_read_while_a_large_answer_waits() {
    let mut bench = bench(Limits::default());
    bench.say("a", format!("\"{}\"", "x".repeat(60 * KIB)));
    bench.sink.full = true;
    let request = "GET /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\n\r\n";
    let key = piped(&mut bench, request, 10);
    bench.turn(0);
    assert!(bench.shard.queued < 70 * KIB, "{}", bench.shard.queued);
    assert!(!bench.shard.wants_read(key));
    bench.sink.full = false;
    bench.shard.writable(key);
    (0..20).for_each(|_| bench.turn(0));
    assert_eq!(bench.text(key).matches("HTTP/1.1 200 OK").count(), 10);
    assert!(bench.shard.wants_read(key));
}
