//! The front door: what pages may read, what caches may keep, what balancers ask, and what is no request.

use super::*;
use crate::settings::{OriginRule, Secret};

const PAGE: &str = "Origin: http://localhost:3000\r\n";
const FOREIGN: &str = "Origin: https://evil.example\r\n";
const GRANT: &str = "\r\nAccess-Control-Allow-Origin: http://localhost:3000\r\n";

/// What comes of `bytes` on a connection of their own, and whether it was ended.
fn ask(bench: &mut Bench, bytes: &str) -> (String, bool) {
    let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    bench.shard.receive(key, &mut bytes.as_bytes().to_vec());
    bench.turn(0);
    bench.turn(0);
    let ended = bench.sink.finished.contains(&key);
    bench.shard.fail(key);
    bench.turn(0);
    bench.sink.finished.clear();
    (
        bench
            .sink
            .written
            .remove(&key)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default(),
        ended,
    )
}

fn status(text: &str) -> &str {
    text.split(' ').nth(1).unwrap_or_default()
}

/// A server with a key for clients and one for pages, none of which is there in these tests.
fn keyed(change: impl FnOnce(&mut Settings)) -> Bench {
    let mut settings = Settings::default();
    settings.auth.secret = Some(Secret::new("a secret that is long enough to be one"));
    change(&mut settings);
    let access =
        crate::auth::access::Access::new(&settings, &crate::auth::access::Sources::default()).unwrap();
    Bench::new(0, &Arc::new(Common::new(settings, access, 1, true)), Engine::Local(Local::default()))
}

#[test]
fn a_page_reads_why_a_head_was_refused() {
    let post = "POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\n";
    let many = "X: y\r\n".repeat(64);
    let long = format!("X: {}", "y".repeat(9_000));
    let parts = format!("GET /{} HTTP/1.1\r\nHost: a\r\n", "/".repeat(300));
    for (expected, before, behind) in [
        ("400", "GET /api/rooms?prefix=%zz HTTP/1.1\r\nHost: a\r\n", "\r\n"),
        ("400", "GET /api/rooms HTTP/1.1\r\nHost: a\r\n", "Host: b\r\n\r\n"),
        ("400", "GET /api/rooms HTTP/1.1\r\n", "\r\n"),
        ("400", "GET /api/rooms HTTP/1.1\r\nHost: a\r\n", "X: a\nY: b\r\n\r\n"),
        ("400", "GET /api/rooms HTTP/1.1\r\nHost: a\r\n", "X y\r\n\r\n"),
        ("400", post, "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
        ("411", post, "\r\n"),
        ("413", post, "Content-Length: 2000000\r\n\r\n"),
        ("414", &parts, "\r\n"),
        ("415", post, "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n"),
        ("417", post, "Expect: wonders\r\nContent-Length: 1\r\n\r\n"),
        ("431", post, &many),
        ("431", post, &long),
        ("501", post, "Transfer-Encoding: gzip\r\n\r\n"),
        ("505", "GET /api/rooms HTTP/1.9\r\nHost: a\r\n", "\r\n"),
    ] {
        for cut in [false, true] {
            let mut bench = Bench::alone();
            let mut told = |page: &str| {
                let request = format!("{before}{page}{behind}");
                if !cut {
                    return ask(&mut bench, &request);
                }
                // A byte at a time.
                let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
                request.bytes().for_each(|byte| bench.shard.receive(key, &mut [byte]));
                bench.turn(0);
                (bench.text(key), bench.sink.finished.contains(&key))
            };
            let (text, ended) = told(PAGE);
            if expected == "505" {
                // Only the line is at fault.
                assert!(matches!(status(&text), "400" | "505"), "{text}");
            } else {
                assert_eq!(status(&text), expected, "{text}");
            }
            assert!(
                text.contains(GRANT) && text.contains("\r\nVary: Origin\r\n") && ended,
                "{expected}: {text}"
            );
            let (text, _) = told(FOREIGN);
            assert!(!text.contains("Access-Control"), "{text}");
        }
    }
}

#[test]
fn a_page_reads_that_its_request_was_too_slow() {
    let mut bench = Bench::alone();
    let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    let half = format!("GET /api/rooms HTTP/1.1\r\nHost: a\r\n{PAGE}X: ");
    bench.shard.receive(key, &mut half.into_bytes());
    bench.turn(6_000);
    bench.turn(0);
    let text = bench.text(key);
    assert!(status(&text) == "408" && text.contains(GRANT), "{text}");
}

#[test]
fn answers_are_for_one_request_and_one_page() {
    let mut bench = Bench::alone();
    for path in [
        "/api/rooms",
        "/api/rooms/app.js",
        "/api/rooms/app.js/messages",
        "/api/rooms/a/members",
        "/api/users/a",
        "/api/stats",
        "/api/openapi.json",
        "/healthz",
        "/readyz",
        "/metrics",
        "/nowhere",
        "/api/batch",
        "/sse/%20",
        "/ws",
    ] {
        for (page, vary) in [("", "Origin"), (PAGE, "Origin"), (FOREIGN, "Origin")] {
            let (text, _) = ask(&mut bench, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n{page}\r\n"));
            assert!(text.contains("\r\nCache-Control: no-store\r\n"), "{text}");
            assert!(text.contains(&format!("\r\nVary: {vary}\r\n")), "{text}");
            assert_eq!(text.contains("Access-Control"), page == PAGE, "{text}");
        }
    }
    let (stream, _) = ask(&mut bench, "GET /sse/a HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(stream.contains("\r\nCache-Control: no-cache, no-transform\r\n"), "{stream}");
    let (client, _) = ask(&mut bench, "GET /switchboard.js HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        client.contains("\r\nAccess-Control-Allow-Origin: *\r\n") && !client.contains("Vary"),
        "{client:.400}"
    );
}

#[test]
fn a_preflight_allows_what_it_asks_for() {
    let mut bench = Bench::alone();
    let mut preflight = |path: &str, asked: &str| {
        let fields = format!("{PAGE}Access-Control-Request-Method: POST\r\n{asked}");
        let (text, ended) = ask(&mut bench, &format!("OPTIONS {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
        assert!(status(&text) == "204" && text.contains(GRANT) && !ended, "{text}");
        assert!(text.contains("\r\nVary: Origin, Access-Control-Request-Headers\r\n"), "{text}");
        let (_, allowed) = text.split_once("Access-Control-Allow-Headers: ").unwrap();
        allowed.split("\r\n").next().unwrap().to_owned()
    };
    const KNOWN: &str = "Authorization, Content-Type, Last-Event-ID";
    for path in ["/api/rooms/a/messages", "/sse/a", "/sse", "/healthz", "/metrics"] {
        assert_eq!(preflight(path, ""), KNOWN);
    }
    assert_eq!(
        preflight("/sse/a", "Access-Control-Request-Headers: content-type,sentry-trace, baggage\r\n"),
        format!("{KNOWN}, sentry-trace, baggage")
    );
    // What is no name of a field is not said again.
    assert_eq!(
        preflight("/sse/a", "Access-Control-Request-Headers: a b, \"c\", d:e, f\r\n"),
        format!("{KNOWN}, f")
    );
    let many: String = (0..200).map(|number| format!("x{number},")).collect();
    let allowed = preflight("/sse/a", &format!("Access-Control-Request-Headers: {many}\r\n"));
    assert_eq!(allowed.split(", ").count(), 3 + 64);
    let asked = format!("{FOREIGN}Access-Control-Request-Method: POST\r\n");
    let (text, _) = ask(&mut bench, &format!("OPTIONS /sse/a HTTP/1.1\r\nHost: a\r\n{asked}\r\n"));
    assert!(status(&text) == "403" && !text.contains("Access-Control"), "{text}");
}

#[test]
fn balancers_are_answered_without_being_told_what_to_ask() {
    let mut bench = keyed(|_| ());
    bench.shard.common.console.then(|| unreachable!("a server with keys has no console"));
    for (request, expected, body) in [
        ("GET / HTTP/1.1\r\nHost: a", "200", r#"{"status":"ready"}"#),
        ("GET / HTTP/1.0", "200", r#"{"status":"ready"}"#),
        ("HEAD / HTTP/1.1\r\nHost: a", "200", ""),
        ("HEAD /healthz HTTP/1.1\r\nHost: a", "200", ""),
        ("OPTIONS / HTTP/1.0", "204", ""),
        ("OPTIONS * HTTP/1.1\r\nHost: a", "204", ""),
        ("OPTIONS /healthz HTTP/1.1\r\nHost: a", "204", ""),
        ("OPTIONS /readyz HTTP/1.1\r\nHost: a", "204", ""),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0", "405", ""),
    ] {
        let (text, _) = ask(&mut bench, &format!("{request}\r\n\r\n"));
        assert!(status(&text) == expected && text.contains(body), "{text}");
        assert_eq!(text.contains("\r\nAllow: GET, HEAD"), matches!(expected, "204" | "405"), "{text}");
    }
    bench.shard.drain(Duration::from_secs(10));
    for (request, expected) in [
        ("GET / HTTP/1.0", "503"),
        ("OPTIONS / HTTP/1.0", "503"),
        ("OPTIONS * HTTP/1.1\r\nHost: a", "503"),
        ("OPTIONS /healthz HTTP/1.0", "204"),
    ] {
        assert_eq!(status(&ask(&mut bench, &format!("{request}\r\n\r\n")).0), expected, "{request}");
    }
}

#[test]
fn the_console_is_at_the_root_where_it_is_on() {
    let mut bench = Bench::alone();
    assert!(ask(&mut bench, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").0.contains("<!doctype html>"));
    assert_eq!(status(&ask(&mut bench, "OPTIONS / HTTP/1.0\r\n\r\n").0), "204");
}

const UPGRADE: &str = "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[test]
fn a_body_is_no_frames() {
    let mut bench = Bench::alone();
    for framing in ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"] {
        for path in ["/ws/a", "/raw/a", "/echo"] {
            let (text, ended) = ask(&mut bench, &format!("GET {path} HTTP/1.1\r\n{UPGRADE}{framing}"));
            assert!(status(&text) == "400" && ended, "{path}: {text}");
            assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
        }
    }
    let (text, _) = ask(&mut bench, &format!("GET /ws HTTP/1.1\r\n{UPGRADE}Content-Length: 0\r\n\r\n"));
    assert!(status(&text) == "101" && text.contains("welcome"), "{text}");
    // Of a stream nothing more is read.
    let hidden = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = hidden.len();
    let stream =
        format!("GET /sse/a HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{hidden}{hidden}");
    let (text, _) = ask(&mut bench, &stream);
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
}

/// A proxy that takes any answer to a handshake for consent passes on what follows unread.
#[test]
fn what_follows_a_refused_handshake_is_no_request() {
    for (head, expected) in [
        (format!("GET /ws HTTP/1.1\r\n{}", UPGRADE.replace(": 13", ": 777")), "426"),
        (format!("GET /ws HTTP/1.1\r\n{}", UPGRADE.replace("==", "")), "400"),
        (format!("POST /ws HTTP/1.1\r\nContent-Length: 0\r\n{UPGRADE}"), "405"),
        (format!("GET /nowhere HTTP/1.1\r\n{UPGRADE}"), "404"),
        (format!("GET /ws HTTP/1.0\r\n{UPGRADE}"), "400"),
    ] {
        let mut bench = Bench::alone();
        let (text, ended) = ask(&mut bench, &format!("{head}\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(status(&text) == expected && ended, "{text}");
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
    }
    // Who asked for no other protocol goes on.
    let plain = "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n";
    let (text, ended) = ask(&mut Bench::alone(), &plain.repeat(2));
    assert!(text.matches("HTTP/1.1 426").count() == 2 && !ended, "{text}");
}

#[test]
fn a_page_that_its_browser_does_not_name_begins_nothing() {
    let listed = || {
        keyed(|settings| {
            settings.origins.push(OriginRule::parse("https://example.com").unwrap());
            settings.auth.anonymous = true;
        })
    };
    let any = || keyed(|settings| settings.auth.anonymous = true);
    type Made = fn() -> Bench;
    for (name, bench, sibling) in [
        ("open", Bench::alone as Made, true),
        ("listed", listed as Made, true),
        ("any page", any as Made, false),
    ] {
        for (site, refused) in
            [("cross-site", true), ("same-site", sibling), ("same-origin", false), ("none", false)]
        {
            let mut bench = bench();
            let field = format!("Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: no-cors\r\n");
            let mut get = |path: &str, fields: &str| {
                let fields = format!("Host: localhost\r\n{field}{fields}");
                ask(&mut bench, &format!("GET {path} HTTP/1.1\r\n{fields}\r\n")).0
            };
            for path in ["/sse/a", "/sse?room=a", "/api/rooms", "/metrics"] {
                let text = get(path, "");
                let forbidden = text.contains("pages of this origin") || text.contains("takes only pages");
                assert_eq!(forbidden, refused, "{name}, {site}, {path}: {text}");
            }
            let text = get("/ws", &UPGRADE.replace("Host: a\r\n", ""));
            assert_eq!(text.contains("origin not allowed"), refused, "{name}, {site}: {text}");
            assert_eq!(text.contains("welcome"), !refused, "{name}, {site}: {text}");
            // What is for everybody is for everybody, and a page that is named is judged by its name.
            for path in ["/healthz", "/readyz", "/switchboard.js", "/"] {
                assert_eq!(status(&get(path, "")), "200", "{name}, {site}, {path}");
            }
            let named = if name == "listed" { "https://example.com" } else { "http://localhost:3000" };
            assert_eq!(status(&get("/sse/a", &format!("Origin: {named}\r\n"))), "200", "{name}, {site}");
        }
    }
}

#[test]
fn a_drain_answers_a_request_of_which_a_part_has_come() {
    let post = "POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n";
    for (first, rest) in [
        (format!("{post}\r\n{{\"dat"), "a\":1}"),
        ("GET /api/rooms/a HTTP/1.1\r\nHo".to_owned(), "st: a\r\n\r\n"),
        (format!("{post}Expect: 100-continue\r\n\r\n"), "{\"data\":1}"),
        (format!("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n{post}\r\n{{\"dat"), "a\":1}"),
    ] {
        let mut bench = Bench::alone();
        let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
        bench.shard.receive(key, &mut first.clone().into_bytes());
        bench.turn(0);
        bench.shard.drain(Duration::from_secs(5));
        for _ in 0..4 {
            bench.turn(250);
        }
        bench.sink.written.clear();
        bench.shard.receive(key, &mut rest.as_bytes().to_vec());
        bench.turn(0);
        let text = bench.text(key);
        assert!(status(&text) == "200" && text.contains("\r\nConnection: close\r\n"), "{first}: {text}");
    }
}
