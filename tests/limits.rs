//! What connections, addresses and keys may do, over real sockets. The arithmetic is in the unit tests.

mod harness;

use harness::Server;
use harness::wire::{Frame, Response, closing, masked};

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

#[test]
fn who_says_too_much_is_told_when_to_go_on() {
    let server = Server::with("[limits]\nmessages_per_second = 1\nmessages_burst = 5\n");
    let mut client = server.native("/ws");
    for _ in 0..5 {
        client.ask(r#"{"type":"ping"}"#, "pong");
    }
    let refused = client.ask(r#"{"type":"ping","id":"x"}"#, "error");
    assert_eq!((refused["code"].as_str(), refused["id"].as_str()), (Some("rate_limited"), Some("x")));
    let wait_ms = refused["retry_after_ms"].as_u64().expect("a number");
    assert!((1..=1_000).contains(&wait_ms), "{refused}");
    // Another connection has its own rate.
    server.native("/ws").ask(r#"{"type":"ping"}"#, "pong");
}

#[test]
fn who_goes_on_being_refused_is_closed() {
    let server = Server::start();
    let mut client = server.native("/ws");
    for _ in 0..100 {
        client.say("{}");
    }
    for _ in 0..100 {
        client.expect("error");
    }
    assert_eq!(client.closed(), (1008, "too many refusals".to_owned()));
}

/// What it cannot be told it has to wait for: nothing is lost, and nothing comes faster.
#[test]
fn an_echo_comes_no_faster_than_it_may() {
    let server = Server::with("[limits]\nbytes_per_second = \"64KiB\"\n");
    let mut wire = server.wire().upgraded("/echo");
    let began = std::time::Instant::now();
    let sent: Vec<Vec<u8>> = (0..20u8).map(|number| vec![number; 16 * 1024]).collect();
    sent.iter().for_each(|message| wire.send(masked(0x82, message)));
    sent.iter().for_each(|message| assert!(wire.frame().payload == *message));
    // 320 KiB at 64 KiB a second, the first 128 KiB at once, and the last of what comes back is not waited for.
    assert!(began.elapsed().as_millis() >= 2_000, "{:?}", began.elapsed());
    wire.send(masked(CLOSE, &closing(1000, "")));
    assert_eq!(wire.close().0, Some(1000));
}

#[test]
fn an_address_is_the_one_that_a_trusted_proxy_tells() {
    let config = "[limits]\nconnections_per_ip = 1\n[proxies]\ntrust = \"127.0.0.1\"\n";
    let server = Server::with(config);
    let ask = |target: &str, address: &str| {
        let mut wire = server.wire();
        let fields = format!(
            "X-Forwarded-For: 6.6.6.6, {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        wire.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
        let head = wire.head();
        (wire, head)
    };
    let (first, head) = ask("/ws", "1.2.3.4");
    assert_eq!(head.status, 101);
    let (_, refused) = ask("/ws", "1.2.3.4");
    assert_eq!((refused.status, refused.field("retry-after")), (429, Some("1")));
    assert_eq!(ask("/sse/a", "1.2.3.4").1.status, 429);
    assert_eq!(ask("/ws", "1.2.3.5").1.status, 101);
    drop(first);
    harness::eventually("who goes makes room", || ask("/ws", "1.2.3.4").1.status == 101);
}

#[test]
fn a_key_makes_so_many_calls() {
    // Keys that can be guessed are warned of at the start.
    const ONE: &str = "jN3vJwSBbXQm8ckn6gQhNYVyQxEkS1yT6m2aVb7cRz0";
    const TWO: &str = "q2Lw0uHc9pXz5nTVm4JdKfB7sYgR8eA1iO6tCzUvWxM";
    let keys = format!("[api]\nkey = \"{ONE}\"\nkeys = [{{ name = \"two\", key = \"{TWO}\" }}]\n");
    let server = Server::with(&format!("{keys}[limits]\napi_per_second = 1\n"));
    let call = |key: &str| {
        let mut wire = server.wire();
        wire.request("GET", "/api/rooms", &format!("Authorization: Bearer {key}\r\n"), "")
    };
    assert_eq!([call(ONE).status, call(ONE).status], [200, 200]);
    let refused = call(ONE);
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    assert_eq!(refused.field("retry-after"), Some("1"));
    assert_eq!((call(TWO).status, call("neither").status), (200, 401));
    harness::eventually("it comes back", || call(ONE).status == 200);
}

/// Publishes as an app does: a body is not taken while too much waits, and then the same is asked again.
fn publish_again(server: &Server, room: &str, data: &str) {
    let (path, body) = (format!("/api/rooms/{room}/messages"), format!("{{\"data\":{data}}}"));
    harness::eventually("there is room for it", || match server.post(&path, &body) {
        Response { status: 200, .. } => true,
        refused => {
            assert_eq!((refused.status, refused.code().as_str()), (503, "unavailable"));
            false
        }
    });
}

#[test]
fn the_fullest_queues_go_when_all_together_are_too_large() {
    let limits = "[limits]\nmessage = \"64KiB\"\nqueue = \"1MiB\"\nqueue_total = \"2MiB\"\n";
    let server = Server::sharded(2, &format!("{}{limits}", harness::NO_BEAT));
    let rooms: Vec<String> = (0..12).map(|number| format!("room-{number}")).collect();
    let mut deaf: Vec<_> = rooms
        .iter()
        .map(|room| {
            let mut wire = server.wire().upgraded(&format!("/ws/{room}"));
            wire.frame();
            wire.frame();
            wire
        })
        .collect();
    let data = format!("\"{}\"", "x".repeat(40_000));
    // 1.2 MB for each is less than a queue and what the kernel takes, and twelve of them are far more than 2 MiB.
    for _ in 0..30 {
        rooms.iter().for_each(|room| publish_again(&server, room, &data));
    }
    // Behind what a start tells.
    while !server.logged().contains("limits.queue_total") {}
    let mut ends = Vec::new();
    for wire in &mut deaf {
        // Whoever does not read has `limits.close` for its close frame, and may not hold more than others meanwhile.
        let end = (0..30).find_map(|_| match wire.frame_or_end() {
            Some(Frame { first: TEXT, .. }) => None,
            Some(Frame { first, payload }) => Some((first, payload)),
            None => Some((CLOSE, closing(1013, "over capacity"))),
        });
        ends.extend(end);
    }
    assert!(!ends.is_empty() && ends.len() < deaf.len(), "{} of {}", ends.len(), deaf.len());
    assert!(ends.iter().all(|end| *end == (CLOSE, closing(1013, "over capacity"))), "{ends:?}");
    // And the server goes on.
    server.member("room-0");
}

#[test]
fn idle_connections_keep_nobody_out() {
    for accept in ["each", "first"] {
        let server = Server::sharded(2, &format!("accept = \"{accept}\"\n[limits]\nconnections = 50\n"));
        let own = server.descriptors();
        let idle: Vec<_> = (0..60)
            .map(|_| {
                let mut wire = server.wire();
                assert_eq!(wire.request("GET", "/healthz", "", "").status, 200);
                wire
            })
            .collect();
        let honest: Vec<_> = (0..40).map(|_| server.member("a")).collect();
        harness::eventually("idle connections make room", || server.descriptors() <= own + 50);
        assert_eq!(server.get("/healthz").status, 200);
        drop((idle, honest));
    }
}

#[test]
fn every_connection_of_an_address_has_a_place_of_it() {
    let server = Server::sharded(2, "[limits]\nconnections_per_ip = 2\n");
    let members = [(); 2].map(|()| server.member("a"));
    let refused = server.get("/api/rooms");
    assert_eq!((refused.status, refused.code().as_str()), (429, "connection_limit"));
    assert_eq!((refused.field("retry-after"), refused.field("connection")), (Some("1"), Some("close")));
    assert_eq!(server.get("/healthz").status, 200);
    drop(members);
    harness::eventually("who goes makes room", || server.get("/api/rooms").status == 200);
}
