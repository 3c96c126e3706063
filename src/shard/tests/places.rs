//! Who has a place and who goes, on a virtual clock.

use super::*;
use crate::settings::Proxies;

const LIMIT: usize = 5;

fn bench_with(change: impl FnOnce(&mut Settings)) -> Bench {
    let mut settings = Settings::default();
    settings.limits.connections = LIMIT;
    change(&mut settings);
    Bench::new(0, &common(1, settings), Engine::Local(Local::default()))
}

impl Bench {
    fn come_from(&mut self, address: [u8; 4], bytes: &[u8]) -> u32 {
        let key = self.shard.accept(IpAddr::from(address));
        // It may have been another's.
        self.sink.written.remove(&key);
        self.shard.receive(key, &mut bytes.to_vec());
        self.turn(0);
        key
    }

    fn is_there(&self, key: u32) -> bool {
        self.shard.sessions.contains(key as usize)
    }
}

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];
const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
const LIST: &[u8] = b"GET /api/rooms HTTP/1.1\r\nHost: a\r\n\r\n";
const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Kept alive, silent, slow to say what they want, slow to bring its body, or staying on when all is said: none of them keeps
/// anybody out.
#[test]
fn whoever_has_been_idle_for_longest_makes_room() {
    let half: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ";
    let body: &[u8] = b"POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{";
    let last: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for bytes in [HEALTH, b"", half, body, last, b"rubbish\r\n\r\n"] {
        let mut bench = bench_with(|_| ());
        let idle: Vec<u32> = (0..12).map(|_| bench.come_from(A, bytes)).collect();
        bench.turn(250);
        assert_eq!(bench.shard.sessions(), 12, "nobody goes who has just come");
        // Whoever asks for what lasts meanwhile has a place.
        let first = bench.come_from(B, UPGRADE);
        assert!(bench.text(first).contains("welcome"), "{}", bench.text(first));
        (0..4).for_each(|_| bench.turn(250));
        assert_eq!(bench.shard.sessions(), LIMIT);
        let left: Vec<bool> = idle.iter().map(|key| bench.is_there(*key)).collect();
        assert_eq!(left, [vec![false; 8], vec![true; 4]].concat(), "the youngest are left");
        let more: Vec<u32> = (0..4).map(|_| bench.come_from(B, UPGRADE)).collect();
        assert!(more.iter().all(|key| bench.text(*key).contains("welcome")));
        assert_eq!((bench.shard.sessions(), bench.shard.common.idle.load(Ordering::Relaxed)), (LIMIT, 0));
        // What lasts does not make room, and a health check is answered all the same.
        let late = bench.come_from(B, UPGRADE);
        assert!(bench.text(late).starts_with("HTTP/1.1 503 "), "{}", bench.text(late));
        let health = bench.come_from(B, HEALTH);
        assert!(bench.text(health).starts_with("HTTP/1.1 200 "), "{}", bench.text(health));
    }
}

#[test]
fn who_waits_for_an_answer_is_not_idle() {
    let silent = Odds { silent: 1_000, ..Odds::default() };
    let mut settings = Settings::default();
    settings.limits.connections = 1;
    let engine = Delayed::engine(1, silent);
    let mut bench = Bench::new(0, &common(1, settings), engine);
    let call = b"POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{\"data\":1}";
    let key = bench.come_from(A, call);
    let late = bench.come_from(B, UPGRADE);
    assert!(bench.text(late).starts_with("HTTP/1.1 503 "), "{}", bench.text(late));
    for _ in 0..8 {
        bench.turn(250);
    }
    assert!(bench.is_there(key));
}

#[test]
fn a_shard_without_anybody_idle_asks_the_others() {
    let mut settings = Settings::default();
    settings.limits.connections = 2;
    let common = common(2, settings);
    let [mut here, mut there] = [0, 1].map(|me| Bench::new(me, &common, Engine::Local(Local::default())));
    let idle = [(); 2].map(|()| there.come_from(A, HEALTH));
    (0..5).for_each(|_| there.turn(250));
    here.now.loop_ms = there.now.loop_ms;
    let key = here.come_from(B, UPGRADE);
    assert!(here.text(key).contains("welcome"), "{}", here.text(key));
    there.shard.take_all(std::mem::take(here.shard.outgoing(1)));
    there.turn(0);
    assert_eq!(idle.map(|key| there.is_there(key)), [false, true]);
}

#[test]
fn a_busy_connection_leaves_no_trail() {
    let mut bench = bench_with(|_| ());
    let key = bench.come_from(A, HEALTH);
    for _ in 0..1_000 {
        bench.shard.receive(key, &mut HEALTH.to_vec());
        bench.turn(0);
    }
    assert!(bench.shard.idlers.len() < 200, "{}", bench.shard.idlers.len());
    assert_eq!(bench.shard.common.idle.load(Ordering::Relaxed), 1);
}

#[test]
fn every_connection_of_an_address_counts() {
    let mut bench = bench_with(|settings| {
        settings.limits.connections = 0;
        settings.limits.connections_per_ip = 2;
    });
    let [one, two] = [HEALTH, LIST].map(|bytes| bench.come_from(A, bytes));
    // Its own that has been idle for longest makes room.
    let three = bench.come_from(A, UPGRADE);
    assert!(bench.text(three).contains("welcome"), "{}", bench.text(three));
    assert_eq!([one, two, three].map(|key| bench.is_there(key)), [false, true, true]);
    let four = bench.come_from(A, UPGRADE);
    assert!(bench.text(four).contains("welcome"), "{}", bench.text(four));
    for (bytes, status) in [
        (UPGRADE, 429),
        (LIST, 429),
        (b"GET /sse/a HTTP/1.1\r\nHost: a\r\n\r\n", 429),
        (b"GET /console/app.js HTTP/1.1\r\nHost: a\r\n\r\n", 429),
        (HEALTH, 200),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    ] {
        let key = bench.come_from(A, bytes);
        bench.turn(0);
        let text = bench.text(key);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
        assert!(text.contains("Connection: close\r\n") || text.contains("upgrade, close"), "{text}");
        assert!(bench.sink.finished.contains(&key), "{text}");
        bench.shard.fail(key);
        bench.turn(0);
        bench.sink.finished.clear();
        bench.sink.written.remove(&key);
    }
    let other = bench.come_from(B, LIST);
    assert!(bench.text(other).starts_with("HTTP/1.1 200 "));
    // Who goes makes room, and one that was refused nothing yet comes in then.
    let late = bench.shard.accept(IpAddr::from(A));
    bench.shard.fail(four);
    bench.turn(0);
    bench.sink.written.clear();
    bench.shard.receive(late, &mut UPGRADE.to_vec());
    bench.turn(0);
    assert!(bench.text(late).contains("welcome"), "{}", bench.text(late));
    for key in [two, three, late, other] {
        bench.shard.fail(key);
    }
    bench.turn(0);
    let allowed = bench.shard.common.allowed;
    assert!(
        (0..2).all(|_| bench.shard.common.addresses.come(IpAddr::from(A), allowed, 0)),
        "nothing is left behind"
    );
}

#[test]
fn on_a_proxys_connection_a_client_counts_while_it_asks() {
    let mut bench = bench_with(|settings| {
        settings.limits.connections = 0;
        settings.limits.connections_per_ip = 1;
        settings.proxies = Proxies { trust: vec!["10.0.0.0/8".parse().unwrap()], proxy_protocol: false };
    });
    let asks = |request: &[u8], client: &str| {
        let text = String::from_utf8(request.to_vec()).unwrap();
        text.replace("Host: a\r\n", &format!("Host: a\r\nX-Forwarded-For: {client}\r\n")).into_bytes()
    };
    // Its own checks, and one client after the other on one connection, and on several.
    let mut keys: Vec<u32> = (0..3).map(|_| bench.come_from(A, LIST)).collect();
    for client in ["1.2.3.4", "1.2.3.4", "1.2.3.5"] {
        for &key in &keys {
            bench.sink.written.clear();
            bench.shard.receive(key, &mut asks(LIST, client));
            bench.turn(0);
            assert!(bench.text(key).starts_with("HTTP/1.1 200 "), "{}", bench.text(key));
        }
    }
    let lasting = keys.remove(0);
    bench.sink.written.clear();
    bench.shard.receive(lasting, &mut asks(UPGRADE, "1.2.3.4"));
    bench.turn(0);
    assert!(bench.text(lasting).contains("welcome"));
    for (client, status) in [("1.2.3.4", 429), ("1.2.3.5", 200)] {
        bench.sink.written.clear();
        let key = keys.remove(0);
        bench.shard.receive(key, &mut asks(LIST, client));
        bench.turn(0);
        assert!(bench.text(key).starts_with(&format!("HTTP/1.1 {status} ")), "{}", bench.text(key));
    }
}
