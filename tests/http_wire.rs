//! HTTP/1.1 on the wire: what a correct client gets, and what a careless or hostile one gets (RFC 9110, RFC 9112).

mod harness;

use std::thread;
use std::time::Duration;

use harness::Server;
use harness::wire::{Response, Wire};

/// Sends `bytes` on a connection of its own; returns the answer, and whether the server ended the connection after it.
fn answer(server: &Server, bytes: impl AsRef<[u8]>) -> (Response, bool) {
    let mut wire = server.wire();
    wire.send(bytes);
    let response = wire.response();
    let closes = response.field("connection").is_some_and(|value| value.contains("close"));
    if closes {
        wire.ends();
    } else {
        assert_eq!(wire.request("GET", "/healthz", "", "").status, 200, "it lives on");
    }
    (response, closes)
}

/// `bytes` are refused with `status` and an error body, and the connection ends.
#[track_caller]
fn refused(server: &Server, status: u16, bytes: impl AsRef<[u8]>) -> Response {
    let shown = String::from_utf8_lossy(bytes.as_ref()).into_owned();
    let (response, closes) = answer(server, bytes);
    assert_eq!(response.status, status, "{shown:?}: {response:?}");
    assert!(closes, "{shown:?}: {response:?}");
    response.code();
    response
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    let server = Server::start();
    let mut wire = server.wire();
    for _ in 0..3 {
        let response = wire.request("GET", "/healthz", "", "");
        assert_eq!((response.status, response.body.as_str()), (200, r#"{"status":"ok"}"#));
        assert_eq!(response.field("connection"), None, "{response:?}");
        let date = response.field("date").expect("a date");
        assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
    }
    assert_eq!(
        wire.request("GET", "/healthz", "Connection: close\r\n", "").field("connection"),
        Some("close")
    );
    wire.ends();
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::sharded(2, "");
    let mut wire = server.wire();
    let mut all = String::new();
    for n in 0..40 {
        // Rooms with different homes: the answers come from different shards, but are sent in order.
        let body = format!("{{\"data\":{n}}}");
        all += &format!(
            "POST /api/rooms/r{n}/messages HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}GET /api/rooms/r{n} \
             HTTP/1.1\r\nHost: a\r\n\r\nGET /nowhere/{n} HTTP/1.1\r\nHost: a\r\n\r\n",
            body.len()
        );
    }
    wire.send(all);
    for n in 0..40 {
        let position = wire.response().json()["position"].clone();
        assert!(position.as_str().expect("a position").ends_with(":1"), "{position}");
        let room = wire.response().json();
        assert_eq!((&room["room"], &room["position"]), (&format!("r{n}").into(), &position));
        assert_eq!(wire.response().status, 404);
    }
}

#[test]
fn a_body_may_come_in_chunks() {
    let server = Server::start();
    let mut wire = server.wire();
    let head = "POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    wire.send(format!(
        "{head}5;x=\"y\"\r\n{{\"dat\r\n00A ;z\r\na\":\"hello\"\r\n1\r\n}}\r\n0\r\nTrailer: t\r\n\r\n"
    ));
    assert_eq!(wire.response().status, 200);
    wire.trickle(format!("{head}A\r\n{{\"data\":12\r\n1\r\n}}\r\n0\r\n\r\n"));
    assert_eq!(wire.response().status, 200);
    let messages = server.get("/api/rooms/a/messages").json();
    assert_eq!(messages["messages"][0]["data"], "hello");
    assert_eq!(messages["messages"][1]["data"], 12);
    refused(&server, 400, format!("{head}x\r\n"));
    refused(&server, 400, format!("{head}2\r\nabc\r\n"));
    refused(&server, 400, format!("{head}5\nhello\r\n"));
    refused(&server, 400, format!("{head}-1\r\n"));
    refused(&server, 400, format!("{head}1ffffffffffffffff\r\n"));
}

#[test]
fn a_client_that_waits_for_100_gets_it() {
    let server = Server::start();
    let mut wire = server.wire();
    let fields = "Content-Length: 10\r\nExpect: 100-Continue\r\n";
    wire.send(format!("POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    assert_eq!(wire.head().status, 100);
    wire.send("{\"data\":1}");
    assert_eq!(wire.response().status, 200);
    // RFC 9110 10.1.1: a client that has already sent the body does not wait.
    assert_eq!(wire.request("POST", "/api/rooms/a/messages", fields, "{\"data\":2}").status, 200);
    // After a final answer instead of 100, the body need not be sent.
    wire.send(format!("POST /nowhere HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    assert_eq!(wire.response().status, 404);
    wire.ends();
    refused(&server, 417, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: tea\r\n\r\n");
}

#[test]
fn head_has_the_length_and_not_the_body() {
    let server = Server::start();
    let mut wire = server.wire();
    for path in ["/healthz", "/api/rooms", "/nowhere"] {
        let got = wire.request("GET", path, "", "");
        let head = wire.request("HEAD", path, "", "");
        assert_eq!((head.status, head.field("content-length")), (got.status, got.field("content-length")));
    }
    assert_eq!(wire.request("GET", "/healthz", "", "").status, 200);
}

#[test]
fn paths_and_methods_that_there_are_not() {
    let server = Server::start();
    for path in ["/nowhere", "/api", "/api/", "/healthz/", "/ws/a/b", "/raw", "/api/rooms/a/b", "//", "/%2e"]
    {
        let (response, closes) = answer(&server, format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((response.status, response.code().as_str(), closes), (404, "not_found", false), "{path}");
    }
    for (path, allow) in [
        ("/healthz", "GET, HEAD"),
        ("/api/batch", "POST"),
        ("/api/rooms", "GET, HEAD"),
        ("/api/rooms/a", "GET, HEAD"),
        ("/api/rooms/a/messages", "GET, HEAD, POST"),
        ("/ws", "GET"),
        ("/ws/a", "GET"),
        ("/raw/a", "GET"),
        ("/echo", "GET"),
    ] {
        for method in ["DELETE", "OPTIONS", "get", "BREW"] {
            if (path, method) == ("/healthz", "OPTIONS") {
                continue;
            }
            let (response, closes) = answer(&server, format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert_eq!(
                (response.status, response.field("allow"), closes),
                (405, Some(allow), false),
                "{path}"
            );
            assert_eq!(response.code(), "method_not_allowed");
        }
    }
}

#[test]
fn limits_have_their_statuses() {
    let server = Server::with("[limits]\nheader = 1024\nheaders = 8\napi_body = 64\n");
    refused(&server, 414, format!("GET /{} HTTP/1.1\r\n", "a".repeat(1100)));
    refused(&server, 431, format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n", "a".repeat(1100)));
    refused(&server, 431, format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(8)));
    let post = "POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\n";
    refused(&server, 413, format!("{post}Content-Length: 65\r\n\r\n"));
    refused(&server, 413, format!("{post}Transfer-Encoding: chunked\r\n\r\n41\r\n"));
    let data = "x".repeat(64 - r#"{"data":""}"#.len());
    assert_eq!(server.post("/api/rooms/a/messages", &format!(r#"{{"data":"{data}"}}"#)).status, 200);
    refused(&server, 411, format!("{post}\r\n"));
    refused(&server, 415, format!("{post}Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n"));
    refused(&server, 501, format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n"));
    refused(&server, 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n");
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let server = Server::start();
    let post = "POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\n";
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 3, 3\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x3\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length : 3\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "X: y\r\n folded\r\n",
        "X: a\rb\r\n",
        "X: a\nY: b\r\n",
        "X: a\0b\r\n",
        " X: y\r\n",
        "X\r\n",
        ": y\r\n",
    ] {
        refused(&server, 400, format!("{post}{fields}\r\n{{}}"));
    }
    for line in [
        "GET  / HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET /",
        "GET / HTTP/1.x",
        "G(T / HTTP/1.1",
    ] {
        refused(&server, 400, format!("{line}\r\nHost: a\r\n\r\n"));
    }
    for target in ["/%", "/%zz", "/%ff", "*", "a:80", "http://", "ftp://a/", "/a#b"] {
        refused(&server, 400, format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    refused(&server, 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
}

#[test]
fn host_is_there_once() {
    let server = Server::start();
    for host in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nHost: b\r\n",
        "Host: a b\r\n",
        "Host: u@a\r\n",
        "Host:\r\n",
    ] {
        refused(&server, 400, format!("GET /healthz HTTP/1.1\r\n{host}\r\n"));
    }
    for head in [
        "GET /healthz HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "GET http://b/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\nGET /healthz HTTP/1.1\r\nhOST:a\t\r\n\r\n",
    ] {
        assert_eq!(answer(&server, head).0.status, 200, "{head}");
    }
    // HTTP/1.0 is answered, without Host too, and closed.
    for head in ["GET /healthz HTTP/1.0\r\n\r\n", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"] {
        let (response, closes) = answer(&server, head);
        assert_eq!((response.status, closes), (200, true), "{head}");
    }
}

#[test]
fn a_refusal_arrives_though_more_was_sent_than_is_read() {
    let server = Server::start();
    for _ in 0..5 {
        let mut wire = server.wire();
        wire.send("POST /api/batch HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n");
        // Unread bytes at a close would be answered by a reset, which destroys the answer on its way.
        wire.offer(vec![b'x'; 1_048_577]);
        assert_eq!(wire.response().status, 413);
        wire.finish();
        wire.ends();
    }
}

#[test]
fn a_client_that_has_finished_is_still_answered() {
    let server = Server::sharded(2, "");
    for room in ["a", "b", "c", "d", "e", "f"] {
        let mut wire = server.wire();
        let fields = "Host: a\r\nContent-Length: 10\r\n";
        wire.send(format!("POST /api/rooms/{room}/messages HTTP/1.1\r\n{fields}\r\n{{\"data\":1}}"));
        wire.send(format!("GET /api/rooms/{room} HTTP/1.1\r\nHost: a\r\n\r\n"));
        wire.finish();
        assert_eq!(wire.response().status, 200, "{room}");
        assert_eq!(wire.response().json()["room"], room);
        wire.ends();
    }
    let mut wire = server.wire();
    wire.send("GET /healthz HT");
    wire.finish();
    wire.ends();
}

#[test]
fn what_trickles_in_is_cut_by_a_deadline() {
    let server = Server::with("[limits]\nhandshake = \"1s\"\nbody = \"1s\"\nhttp_idle = \"1s\"\n");
    let late = |mut wire: Wire, bytes: &[u8]| {
        let took = wire.trickle_until_answered(bytes);
        assert!(took < Duration::from_secs(5), "{took:?}: each byte must not earn time");
        let response = wire.response();
        assert_eq!((response.status, response.code().as_str()), (408, "request_timeout"));
        wire.ends();
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut head = server.wire();
            head.send("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
            late(head, b"z");
        });
        scope.spawn(|| {
            let mut body = server.wire();
            body.send("POST /api/batch HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
            late(body, b"z");
        });
        scope.spawn(|| {
            let mut chunks = server.wire();
            chunks.send("POST /api/batch HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
            late(chunks, b"1\r\nx\r\n");
        });
        scope.spawn(|| {
            // A second request has the time of a first.
            let mut second = server.wire();
            assert_eq!(second.request("GET", "/healthz", "", "").status, 200);
            second.send("GET / HTTP/1.1\r\nX-Slow: ");
            late(second, b"z");
        });
        scope.spawn(|| {
            // A client that sends nothing, or nothing more, gets no answer: no request is under way.
            let mut silent = server.wire();
            let mut idle = server.wire();
            assert_eq!(idle.request("GET", "/healthz", "", "").status, 200);
            silent.ends();
            idle.ends();
        });
    });
}
