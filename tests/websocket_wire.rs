//! WebSocket on the wire: the handshake, and messages in every size and form (RFC 6455).

mod harness;

use harness::Server;
use harness::wire::{Wire, header, masked, upgrade};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

fn echo(server: &Server) -> Wire {
    server.wire().upgraded("/echo")
}

/// `payload` comes back unchanged.
#[track_caller]
fn echoes(wire: &mut Wire, payload: &[u8]) {
    wire.send(masked(BINARY, payload));
    let frame = wire.frame();
    assert!(frame.first == BINARY && frame.payload == payload, "{frame:?}");
}

#[test]
fn a_handshake_may_come_a_byte_at_a_time() {
    let server = Server::start();
    let mut wire = server.wire();
    wire.trickle(upgrade("/echo"));
    let response = wire.head();
    assert_eq!(response.status, 101);
    // RFC 6455 section 1.3: the answer to the key of its example.
    assert_eq!(response.field("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(response.field("upgrade"), Some("websocket"));
    assert_eq!(response.field("connection"), Some("Upgrade"));
    assert_eq!(response.field("sec-websocket-protocol"), None);
    wire.trickle(masked(TEXT, b"hello"));
    assert_eq!(wire.frame().payload, b"hello");
}

#[test]
fn frames_may_follow_the_request_in_one_segment() {
    let server = Server::start();
    let mut wire = server.wire();
    let frames = [masked(TEXT, b"a"), masked(PING, b"b"), masked(BINARY, b"c")].concat();
    wire.send([upgrade("/echo").into_bytes(), frames].concat());
    assert_eq!(wire.head().status, 101);
    for (first, payload) in [(TEXT, b"a"), (PONG, b"b"), (BINARY, b"c")] {
        let frame = wire.frame();
        assert_eq!((frame.first, &frame.payload[..]), (first, &payload[..]));
    }
    // A request before the handshake is answered first.
    let mut wire = server.wire();
    wire.send(format!("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n{}", upgrade("/echo")));
    assert_eq!((wire.response().status, wire.head().status), (200, 101));
}

#[test]
fn bad_handshakes_have_their_statuses() {
    let server = Server::start();
    let good = upgrade("/ws");
    for (from, to, status) in [
        ("Upgrade: websocket\r\n", "", 426),
        ("Upgrade: websocket\r\n", "Upgrade: h2c\r\n", 426),
        ("Version: 13", "Version: 777", 426),
        ("Version: 13", "Version: 8", 426),
        ("Version: 13", "Version: 013", 426),
        ("Sec-WebSocket-Version: 13\r\n", "", 400),
        ("Connection: Upgrade\r\n", "", 400),
        ("Connection: Upgrade", "Connection: keep-alive", 400),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "", 400),
        ("Host: a\r\n", "Host: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400),
        ("Host: a\r\n", "Host: a\r\nSec-WebSocket-Version: 13\r\n", 400),
        ("Host: a\r\n", "", 400),
        ("GET", "POST", 405),
        ("GET", "HEAD", 405),
        ("HTTP/1.1", "HTTP/1.0", 400),
        ("/ws", "/nowhere", 404),
        ("/ws", "/ws?user=", 400),
        ("/ws", "/ws?user=%00", 400),
        ("/ws", "/raw/%24me", 400),
        ("/ws", "/raw/", 400),
    ] {
        let mut request = good.replacen(from, to, 1);
        if to == "POST" {
            request = request.replacen("\r\n", "\r\nContent-Length: 0\r\n", 1);
        }
        let mut wire = server.wire();
        wire.send(&request);
        let response = if to == "HEAD" { wire.head() } else { wire.response() };
        assert_eq!(response.status, status, "{from:?} as {to:?}: {response:?}");
        if status == 426 {
            assert_eq!(response.field("sec-websocket-version"), Some("13"), "{response:?}");
            assert_eq!(response.field("upgrade"), Some("websocket"), "{response:?}");
        }
        if to != "HEAD" {
            response.code();
        }
    }
    let plain = server.get("/ws");
    assert_eq!((plain.status, plain.code().as_str()), (426, "upgrade_required"));
}

#[test]
fn fields_of_the_handshake_may_be_written_in_any_case_and_in_lists() {
    let server = Server::start();
    let request = upgrade("/ws")
        .replace("Upgrade: websocket", "UPGRADE: h2c, WebSocket")
        .replace("Connection: Upgrade", "connection: keep-alive,\tuPGRADE");
    let mut wire = server.wire();
    wire.send(request);
    assert_eq!(wire.head().status, 101);
}

#[test]
fn the_subprotocol_is_chosen_where_it_is_offered_and_spoken() {
    let server = Server::start();
    let chosen = |path: &str, offer: &str| {
        let mut wire = server.wire();
        wire.send(upgrade(path).replace("Host: a\r\n", &format!("Host: a\r\n{offer}")));
        let response = wire.head();
        assert_eq!(response.status, 101, "{offer}");
        response.field("sec-websocket-protocol").map(str::to_owned)
    };
    assert_eq!(
        chosen("/ws", "Sec-WebSocket-Protocol: x, switchboard.v1\r\n").as_deref(),
        Some("switchboard.v1")
    );
    let two = "Sec-WebSocket-Protocol: x\r\nSec-WebSocket-Protocol: switchboard.v1\r\n";
    assert_eq!(chosen("/ws/a", two).as_deref(), Some("switchboard.v1"));
    assert_eq!(chosen("/ws", "Sec-WebSocket-Protocol: switchboard.v2\r\n"), None);
    assert_eq!(chosen("/echo", "Sec-WebSocket-Protocol: switchboard.v1\r\n"), None);
    assert_eq!(chosen("/ws", "Sec-WebSocket-Extensions: permessage-deflate\r\n"), None);
}

#[test]
fn control_frames_come_between_fragments() {
    let server = Server::start();
    let mut wire = echo(&server);
    wire.send(masked(0x01, "a\u{20ac}".split_at(1).0.as_bytes()));
    for byte in "\u{20ac}".as_bytes() {
        wire.send(masked(PING, b"between"));
        let pong = wire.frame();
        assert_eq!((pong.first, &pong.payload[..]), (PONG, &b"between"[..]));
        wire.send(masked(PONG, b"unasked"));
        wire.send(masked(0x00, &[*byte]));
    }
    wire.send(masked(0x80, b""));
    let frame = wire.frame();
    assert_eq!((frame.first, &frame.payload[..]), (TEXT, "a\u{20ac}".as_bytes()));
}

#[test]
fn messages_of_every_size_come_back() {
    let server = Server::start();
    let mut wire = echo(&server);
    for len in [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1 << 20, 16 << 20] {
        let payload: Vec<u8> = (0..len).map(|i: usize| ((i * 31) >> 3) as u8).collect();
        let mut reader = wire.clone();
        std::thread::scope(|scope| {
            scope.spawn(|| wire.send(masked(BINARY, &payload)));
            let frame = reader.frame();
            assert!(frame.first == BINARY && frame.payload == payload, "{len}: {frame:?}");
        });
    }
    wire.send(header(BINARY, (16 << 20) + 1));
    assert_eq!(wire.close().0, Some(1009));
}

#[test]
fn an_echo_that_never_reads_is_held_back() {
    let server = Server::sharded(1, harness::NO_BEAT);
    let mut reader = echo(&server);
    echoes(&mut reader, b"warm");
    let before = server.memory_kib();
    let mut deaf = echo(&server);
    deaf.stream().set_nonblocking(true).expect("the socket is open");
    // Sends until the server and the kernel take no more, while another connection is still served.
    let (mut taken, mut refused) = (0, 0);
    let message = masked(BINARY, &vec![7; 64 * 1024]);
    while refused < 200 {
        match std::io::Write::write(&mut deaf.stream(), &message[taken % message.len()..]) {
            Ok(n) => (taken, refused) = (taken + n, 0),
            Err(_) => {
                refused += 1;
                echoes(&mut reader, b"beside");
            }
        }
        assert!(taken < 64 << 20, "the sender is not held back");
    }
    let grown = server.memory_kib().saturating_sub(before);
    assert!(grown < 2_048, "{grown} KiB for {taken} bytes");
    // Once it reads, nothing is lost.
    deaf.stream().set_nonblocking(false).expect("the socket is open");
    for _ in 0..taken / message.len() {
        assert_eq!(deaf.frame().payload.len(), 64 * 1024);
    }
}

#[test]
fn small_and_empty_fragments_by_the_hundred_thousand() {
    let server = Server::start();
    let mut wire = echo(&server);
    let mut bytes = masked(0x02, b"x");
    bytes.extend(masked(0x00, b"x").repeat(100_000));
    bytes.extend(masked(0x80, b"").as_slice());
    wire.send(bytes);
    assert_eq!(wire.frame().payload, vec![b'x'; 100_001]);
    // Empty messages are messages, too.
    let mut writer = wire.clone();
    std::thread::scope(|scope| {
        scope.spawn(move || writer.send(masked(TEXT, b"").repeat(100_000)));
        for _ in 0..100_000 {
            assert!(wire.frame().payload.is_empty());
        }
    });
}
