//! How servers start and stop, and how connections, rooms and messages come to their ends.

mod harness;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use harness::{NO_BEAT, Server, eventually, output, program};
use rustix::process::Signal;
use tungstenite::Message;

/// Starting a server on `address` is refused in one line that names it.
#[track_caller]
fn refuses(address: &str, shards: &str) {
    let output = output(program().args(["--listen", address, "--shards", shards]));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains(address) && told.contains("another program uses this port"), "{told}");
    assert_eq!((told.lines().count(), output.stdout.len(), output.status.code()), (1, 0, Some(2)), "{told}");
}

#[test]
fn a_taken_port_is_refused_whoever_has_it() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = other.local_addr().expect("it is bound").to_string();
    // Sockets of several shards share a port, and must not share it with another Switchboard.
    for (first, second) in [(1, "1"), (1, "2"), (2, "1"), (2, "2")] {
        let server = Server::sharded(first, "");
        refuses(&server.address().to_string(), second);
        refuses(&taken, second);
        assert_eq!(server.get("/healthz").status, 200);
    }
}

#[test]
fn port_0_is_one_port_for_all_shards() {
    let server = Server::sharded(4, "");
    let mut members: Vec<_> = (0..40).map(|_| server.member("a")).collect();
    server.publish("a", "1");
    members.iter_mut().for_each(|member| assert_eq!(member.expect("message")["data"], 1));
    let several = Server::configured(&["--listen", "127.0.0.1:0", "--shards", "2"], "");
    assert_eq!(several.get("/healthz").status, 200);
}

#[test]
fn the_first_shard_can_accept_for_all_and_hands_connections_round() {
    let mut server = Server::sharded(4, "accept = \"first\"\ndrain = \"2s\"\n");
    let mut members: Vec<_> = (0..40).map(|_| server.client("/ws/a")).collect();
    let mut shards = [0; 4];
    for member in &mut members {
        let connection = member.expect("welcome")["connection"].as_str().expect("a name").to_owned();
        shards[usize::from_str_radix(&connection[..4], 16).expect("it begins with the shard")] += 1;
        member.expect("joined");
    }
    assert_eq!(shards, [10; 4]);
    server.publish("a", "1");
    members.iter_mut().for_each(|member| assert_eq!(member.expect("message")["data"], 1));
    server.signal(Signal::TERM);
    members.iter_mut().for_each(|member| assert_eq!(member.closed().0, 1001));
    drop(members);
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_restart_finds_its_port_again() {
    let mut server = Server::sharded(2, "drain = \"1s\"\n");
    let address = server.address();
    for _ in 0..5 {
        // The server closes first, so TIME_WAIT is on its side.
        let mut wire = server.wire();
        assert_eq!(wire.request("GET", "/healthz", "Connection: close\r\n", "").status, 200);
        wire.ends();
    }
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(0));
    drop(server);
    let again = Server::listening(&address.to_string(), &["--shards", "2"], "");
    assert_eq!(again.get("/healthz").status, 200);
}

/// The N of a close that says `retry in N ms`.
#[track_caller]
fn retry((code, reason): (u16, String)) -> u64 {
    assert_eq!(code, 1001, "{reason}");
    let delay = reason.strip_prefix("retry in ").and_then(|rest| rest.strip_suffix(" ms"));
    delay.and_then(|delay| delay.parse().ok()).unwrap_or_else(|| panic!("no delay in {reason:?}"))
}

#[test]
fn a_signal_drains() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::sharded(2, "drain = \"2s\"\n");
        let mut clients: Vec<_> =
            (0..20).map(|n| server.client(if n < 10 { "/ws/a" } else { "/echo" })).collect();
        let began = Instant::now();
        server.signal(signal);
        let delays: Vec<u64> = clients.iter_mut().map(|client| retry(client.closed())).collect();
        drop(clients);
        assert_eq!(server.ended().code(), Some(0));
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        // What is left of the drain and a random part of it: clients of one server do not come back in one instant.
        assert!(delays.iter().all(|delay| (0..=4_000).contains(delay)), "{delays:?}");
        let earliest = delays.iter().min().expect("there are clients");
        assert!(delays.iter().any(|delay| delay > &(earliest + 200)), "{delays:?}");
    }
}

#[test]
fn a_draining_server_answers_http_and_takes_no_websocket() {
    let mut server = Server::sharded(1, "drain = \"3s\"\n");
    let mut clients = [server.client("/echo"), server.client("/echo"), server.client("/echo")];
    server.signal(Signal::TERM);
    retry(clients[0].closed());
    assert_eq!(server.get("/healthz").status, 200);
    let mut late = server.wire();
    late.send(harness::wire::upgrade("/ws"));
    let answer = late.response();
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"));
    let wait: u64 =
        answer.field("retry-after").and_then(|wait| wait.parse().ok()).expect("a time in seconds");
    assert!((1..=3).contains(&wait), "{answer:?}");
    // Whoever has not been sent away yet is served.
    clients[2].send(Message::text("still here"));
    assert_eq!(clients[2].text(), "still here");
    clients[1..].iter_mut().for_each(|client| assert!(retry(client.closed()) <= 6_000));
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut server = Server::sharded(2, "drain = \"1h\"\n");
    let _clients: Vec<_> = (0..5).map(|_| server.client("/echo")).collect();
    server.signal(Signal::TERM);
    // Two signals that come before the first was taken are one.
    eventually("it drains", || server.get("/healthz").field("connection") == Some("close"));
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn who_is_silent_is_pinged_and_who_stays_silent_is_closed() {
    let server =
        Server::with("[heartbeat]\ninterval = \"1s\"\ntimeout = \"500ms\"\n[limits]\nclose = \"500ms\"\n");
    let mut wire = server.wire().upgraded("/ws");
    wire.frame();
    for _ in 0..2 {
        assert_eq!(wire.frame().first, 0x89, "a ping");
        wire.send(harness::wire::masked(0x8a, b""));
    }
    let ping = wire.frame();
    assert_eq!((ping.first, ping.payload.len()), (0x89, 0));
    assert_eq!(wire.close(), (Some(4101), "no pong".to_owned()));
    wire.ends();
}

#[test]
fn a_deadline_is_kept_where_nothing_else_happens() {
    let server = Server::sharded(1, "[limits]\nhttp_idle = \"4s\"\n");
    let mut idle = server.wire();
    let began = Instant::now();
    assert_eq!(idle.request("GET", "/healthz", "", "").status, 200);
    idle.ends();
    let took = began.elapsed();
    assert!((Duration::from_secs(3)..Duration::from_secs(8)).contains(&took), "{took:?}");
}

/// Publishes large messages in `room` until `enough`; says how many there were.
fn flood(server: &Server, room: &str, mut enough: impl FnMut() -> bool) -> u64 {
    let body = format!(r#"{{"data":"{}"}}"#, "x".repeat(60_000));
    let mut app = server.wire();
    let fields = format!("Content-Length: {}\r\n", body.len());
    for n in 1..=2_000 {
        let answer = app.request("POST", &format!("/api/rooms/{room}/messages"), &fields, &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        if enough() {
            return n;
        }
    }
    panic!("120 MB were not enough");
}

#[test]
fn who_does_not_read_is_closed_and_nobody_else_waits() {
    let server = Server::sharded(2, &format!("{NO_BEAT}[limits]\nqueue = \"256KiB\"\n"));
    let mut deaf = server.wire().upgraded("/ws/a");
    deaf.frame();
    deaf.frame();
    let mut reader = server.member("a");
    let connections = || server.get("/api/rooms/a").json()["connections"].as_u64();
    let mut sent = 0;
    flood(&server, "a", || {
        sent += 1;
        assert_eq!(
            reader.expect("message")["position"].as_str().map(|at| at.ends_with(&format!(":{sent}"))),
            Some(true)
        );
        connections() == Some(1)
    });
    // What was on its way arrives whole, and behind it why nothing follows.
    let mut heard = 0;
    let close = loop {
        let frame = deaf.frame();
        if frame.first == 0x88 {
            break frame.payload;
        }
        heard += 1;
        assert!(frame.payload.ends_with(b"xx\"}"), "{frame:?}");
    };
    assert_eq!(close, harness::wire::closing(4100, "slow consumer"));
    assert!((1..sent).contains(&heard), "{heard} of {sent}");
    deaf.send(harness::wire::masked(0x88, &close));
    deaf.ends();
}

#[test]
fn who_makes_no_progress_is_closed_though_little_waits() {
    let server = Server::sharded(1, &format!("{NO_BEAT}[limits]\nqueue = \"16MiB\"\nstall = \"1s\"\n"));
    let mut deaf = server.wire().upgraded("/ws/a");
    deaf.frame();
    deaf.frame();
    let mut sent = 0;
    // Enough to fill what the kernel takes; none of it is near the limit.
    flood(&server, "a", || {
        sent += 1;
        sent == 160
    });
    eventually("it is closed", || server.get("/api/rooms/a").json()["connections"] == 0);
}

#[test]
fn where_the_room_says_skip_a_gap_tells_what_was_missed() {
    let skips = "[[rooms]]\npattern = \"ticker\"\nslow = \"skip\"\nhistory = 1\n";
    let server = Server::sharded(2, &format!("{NO_BEAT}[limits]\nqueue = \"256KiB\"\n{skips}"));
    let mut slow = server.native("/ws");
    slow.ask(r#"{"type":"join","room":"ticker"}"#, "joined");
    let mut sent = 0;
    let total = flood(&server, "ticker", || {
        sent += 1;
        sent == 250
    });
    let offset = |position: &serde_json::Value| -> u64 {
        position.as_str().and_then(|text| text.split_once(':')?.1.parse().ok()).expect("a position")
    };
    // Every offset is either a message or in a gap, in order.
    let (mut seen, mut gaps) = (0, 0);
    while seen < total {
        let told = slow.json();
        match told["type"].as_str() {
            Some("message") => {
                seen += 1;
                assert_eq!(offset(&told["position"]), seen);
            }
            Some("gap") => {
                gaps += 1;
                assert_eq!((&told["room"], offset(&told["from"])), (&"ticker".into(), seen + 1), "{told}");
                seen = offset(&told["to"]);
            }
            _ => panic!("{told}"),
        }
    }
    assert!(gaps > 0 && seen == total, "{gaps} gaps, {seen} of {total}");
    server.publish("ticker", "\"live\"");
    assert_eq!(slow.expect("message")["data"], "live");
}

#[test]
fn messages_and_rooms_are_forgotten_after_their_time() {
    let server = Server::sharded(2, "[[rooms]]\npattern = \"brief\"\nttl = \"1s\"\n");
    let position = server.publish("brief", "1").json()["position"].as_str().expect("a position").to_owned();
    let messages = || server.get("/api/rooms/brief/messages").json();
    assert_eq!(messages()["messages"].as_array().map(Vec::len), Some(1));
    // A member keeps the room, not its messages.
    let member = server.member("brief");
    eventually("the message is forgotten", || messages()["messages"].as_array().is_some_and(Vec::is_empty));
    assert_eq!(messages()["position"], position);
    assert_eq!(member.leave(), 1000);
    eventually("the room is forgotten", || server.get("/api/rooms").json()["rooms"] == serde_json::json!([]));
    // A later room of that name is another: nothing can be recovered from the old one's positions.
    let again = server.publish("brief", "2").json()["position"].as_str().expect("a position").to_owned();
    assert_ne!(again.split_once(':').map(|at| at.0), position.split_once(':').map(|at| at.0));
    let mut late = server.native("/ws");
    let joined = late.ask(format!(r#"{{"type":"join","room":"brief","since":"{position}"}}"#), "joined");
    assert_eq!((&joined["recovered"], &joined["history"][0]["data"]), (&false.into(), &2.into()), "{joined}");
}

#[test]
fn over_the_limit_of_connections_only_short_calls_are_answered() {
    let server = Server::with("[limits]\nconnections = 2\n");
    let first = server.native("/ws");
    let second = server.native("/ws");
    for path in ["/ws", "/raw/a", "/sse/a"] {
        let mut third = server.wire();
        third.send(harness::wire::upgrade(path));
        let refused = third.response();
        assert_eq!((refused.status, refused.field("retry-after")), (503, Some("1")), "{path}");
    }
    assert_eq!(server.get("/healthz").status, 200);
    drop((first, second));
    harness::eventually("a place is free again", || {
        let mut again = server.wire();
        again.send(harness::wire::upgrade("/ws"));
        again.head().status == 101
    });
}
