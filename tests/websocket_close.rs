//! How a WebSocket ends: by forbidden frames, and by every order of closing (RFC 6455 section 7).

mod harness;

use harness::wire::{Wire, closing, header, masked, upgrade};
use harness::{Server, eventually};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;

fn echo(server: &Server) -> Wire {
    server.wire().upgraded("/echo")
}

#[test]
fn frames_against_the_rules_close_with_their_codes() {
    let server = Server::with("[limits]\necho_message = 1000\n");
    let unmasked = vec![0x81, 0x02, b'h', b'i'];
    for (bytes, code, reason) in [
        (unmasked, 1002, "frame not masked"),
        (masked(0xc1, b""), 1002, "reserved bit set"),
        (masked(0xa1, b""), 1002, "reserved bit set"),
        (masked(0x91, b""), 1002, "reserved bit set"),
        (masked(0x83, b""), 1002, "reserved opcode"),
        (masked(0x8b, b""), 1002, "reserved opcode"),
        (masked(0x09, b""), 1002, "control frame fragmented"),
        (masked(0x89, &[0; 126]), 1002, "control frame too long"),
        (masked(0x80, b""), 1002, "nothing to continue"),
        ([masked(0x01, b"a"), masked(0x81, b"b")].concat(), 1002, "message not finished"),
        (vec![0x82, 0xfe, 0, 125, 0, 0, 0, 0], 1002, "length not minimal"),
        (vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0], 1002, "length not minimal"),
        (vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], 1002, "length out of range"),
        (
            vec![0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
            1002,
            "length out of range",
        ),
        (header(0x82, 1001), 1009, "message too big"),
        (header(0x82, u64::MAX >> 1), 1009, "message too big"),
        ([masked(0x02, &[0; 600]), header(0x80, 401)].concat(), 1009, "message too big"),
        (masked(0x81, b"\xce\xba\xed\xa0\x80"), 1007, "not UTF-8"),
        ([header(0x01, 900), b"\x37\xfa\x21\xc2".to_vec()].concat(), 1007, "not UTF-8"),
        (masked(0x88, b"\x03"), 1002, "close of one byte"),
        (masked(0x88, &closing(1005, "")), 1002, "close code not allowed"),
        (masked(0x88, &closing(1000, "\u{e9}")[..3]), 1007, "not UTF-8"),
        ([masked(0x01, b""), masked(0x00, b"").repeat(1001)].concat(), 1008, "too many empty fragments"),
    ] {
        let mut wire = echo(&server);
        // Earlier requests are answered first.
        wire.send([masked(TEXT, b"before"), bytes.clone()].concat());
        assert_eq!(wire.frame().payload, b"before");
        assert_eq!(wire.close(), (Some(code), reason.to_owned()), "{:x?}", &bytes[..bytes.len().min(20)]);
        // Everything that comes later is read and dropped, so that no reset destroys the close frame on its way.
        wire.offer(vec![0xff; 100_000]);
        wire.ends();
    }
}

#[test]
fn close_handshakes_in_every_order() {
    let server = Server::start();
    for (sent, back) in [
        (closing(1000, "bye"), Some(1000)),
        (closing(1001, ""), Some(1001)),
        (closing(3000, ""), Some(3000)),
        (closing(4999, "x"), Some(4999)),
        (Vec::new(), None),
    ] {
        let mut wire = echo(&server);
        wire.send(masked(CLOSE, &sent));
        assert_eq!(wire.close(), (back, String::new()));
        // RFC 6455 section 7.1.1: the server ends the TCP connection first.
        wire.ends();
    }
    // In the middle of a fragmented message, followed by data and another close.
    let mut wire = echo(&server);
    let behind = [masked(0x80, b"b"), masked(TEXT, b"c"), masked(CLOSE, b""), masked(PING, b"d")].concat();
    wire.send([masked(0x01, b"a"), masked(CLOSE, &closing(1000, "")), behind].concat());
    assert_eq!(wire.close().0, Some(1000));
    wire.ends();
    // The server begins the close: binary in the native dialect.
    let mut wire = server.wire().upgraded("/ws");
    assert_eq!(wire.frame().first, TEXT);
    wire.send(masked(BINARY, b"x"));
    assert_eq!(wire.close().0, Some(1003));
    // RFC 6455 section 5.5.1: data that was on its way is discarded, and so is a ping.
    wire.send(
        [masked(TEXT, br#"{"type":"ping"}"#), masked(PING, b"x"), masked(CLOSE, &closing(1003, ""))].concat(),
    );
    wire.ends();
}

#[test]
fn a_client_that_never_answers_a_close_is_cut_off() {
    let server = Server::with("[limits]\nclose = \"500ms\"\n");
    let mut wire = server.wire().upgraded("/ws");
    assert_eq!(wire.frame().first, TEXT);
    wire.send(masked(BINARY, b"x"));
    assert_eq!(wire.close().0, Some(1003));
    wire.ends();
    let before = server.descriptors();
    let silent: Vec<_> = (0..10).map(|_| echo(&server)).collect();
    for mut wire in silent {
        wire.send(masked(0x83, b""));
        assert_eq!(wire.close().0, Some(1002));
        std::mem::forget(wire);
    }
    eventually("peers that stay are dropped", || server.descriptors() <= before);
}

#[test]
fn a_fin_right_behind_data() {
    let server = Server::start();
    let before = server.descriptors();
    for round in 0..20 {
        // Every request before the end is answered.
        let mut wire = echo(&server);
        wire.send(masked(TEXT, b"last words"));
        wire.finish();
        assert_eq!(wire.frame().payload, b"last words", "round {round}");
        wire.ends();
        // Also right after the handshake.
        let mut wire = server.wire();
        wire.send([upgrade("/echo").into_bytes(), masked(TEXT, b"x"), masked(CLOSE, b"")].concat());
        wire.finish();
        assert_eq!(wire.head().status, 101);
        assert_eq!((wire.frame().payload, wire.close().0), (b"x".to_vec(), None));
        wire.ends();
    }
    eventually("no connection leaks", || server.descriptors() <= before);
}
