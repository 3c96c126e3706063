//! Which side needs which key, from outside: open mode and its end, keys of the API, pages, proxies, and keys that change.

mod relay;

use std::io::Write;
use std::path::PathBuf;

use relay::{KEYS, PATIENCE, Relay, SECRET, Ws, token};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

#[test]
fn an_open_relay_is_for_this_machine() {
    let relay = Relay::start("open", "");
    assert_eq!(relay.ws("/ws?user=alice&token=whatever", "").outcome(), "alice");
    assert_eq!(relay.ws("/ws", "Origin: http://localhost:3000\r\n").outcome(), "nobody yet");
    for foreign in [
        "Origin: https://example.com\r\n",
        "Origin: null\r\n",
        "Origin: http://localhost\r\nOrigin: http://a.com\r\n",
    ] {
        relay.ws("/ws", foreign).expect_close("origin not allowed");
        relay.ws("/raw/a", foreign).expect_close("origin not allowed");
        assert_eq!(relay.http("GET", "/api/rooms", foreign, "").0, 403, "{foreign}");
    }
    let (status, head, _) = relay.http("GET", "/api/rooms", "Origin: http://localhost:3000\r\n", "");
    assert_eq!(status, 200);
    assert!(head.contains("access-control-allow-origin: http://localhost:3000"), "{head}");
}

#[test]
fn any_key_ends_open_mode_for_both_sides() {
    let app_only = Relay::start("app", "[api]\nkey = \"app\"\n");
    assert_eq!(app_only.ws("/ws?user=alice", "").outcome(), "token required");
    assert_eq!(app_only.ws(&format!("/ws?token={}", token("alice")), "").outcome(), "token required");
    assert_eq!(app_only.ws("/echo", "").status, 404);
    assert_eq!(app_only.http("GET", "/api/rooms", "Authorization: Bearer app\r\n", "").0, 200);
    let clients_only = Relay::start("clients", "[auth]\nsecret = \"s\"\n");
    for fields in ["", "Authorization: Bearer app\r\n"] {
        let (status, _, body) = clients_only.http("GET", "/api/rooms", fields, "");
        assert_eq!((status, &body["error"]["message"]), (403, &json!("no api key configured")));
    }
    assert_eq!(clients_only.http("GET", "/healthz", "", "").0, 200);
    let guests = Relay::start("guests", "[auth]\nanonymous = true\n[api]\nkey = \"app\"\n");
    assert_eq!(guests.ws("/ws?user=alice", "").outcome(), "nobody yet");
    assert_eq!(guests.ws("/ws?token=x", "").outcome(), "invalid token");
}

#[test]
fn keys_of_the_api_do_what_they_are_for() {
    let keys = "[api]\nkey = \"app\"\nkeys = [{ name = \"shop\", key = \"s\", rooms = [\"shop:*\"] }, \
                { name = \"writer\", key = \"w\", calls = [\"publish\"] }]\n";
    let relay = Relay::start("keys", keys);
    let bearer = |key: &str| format!("Authorization: Bearer {key}\r\n");
    let post = |key: &str, room: &str| {
        let target = format!("/api/rooms/{room}/messages");
        relay.http("POST", &target, &bearer(key), r#"{"data":1}"#).0
    };
    assert_eq!([post("app", "shop:1"), post("s", "shop:2"), post("w", "chat")], [200, 200, 200]);
    assert_eq!(
        [post("s", "chat"), post("S", "shop:1"), post("", "shop:1"), post("app2", "a")],
        [403, 401, 401, 401]
    );
    let (status, head, body) = relay.http("GET", "/api/rooms", "", "");
    assert_eq!((status, &body["error"]["code"]), (401, &json!("unauthorized")));
    assert!(head.contains("www-authenticate: bearer"), "{head}");
    assert_eq!(relay.http("GET", "/api/rooms", &bearer("w"), "").0, 403);
    let rooms = |key: &str| {
        let body = relay.http("GET", "/api/rooms", &bearer(key), "").2;
        let names =
            body["rooms"].as_array().unwrap().iter().map(|room| room["room"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(rooms("app"), ["chat", "shop:1", "shop:2"]);
    assert_eq!(rooms("s"), ["shop:1", "shop:2"]);
    for path in ["/api/rooms/chat", "/api/rooms/chat/members", "/api/rooms/chat/messages"] {
        assert_eq!(relay.http("GET", path, &bearer("s"), "").0, 403, "{path}");
    }
    let batch = r#"{"messages":[{"room":"shop:1","data":1},{"room":"chat","data":1}]}"#;
    let results = relay.http("POST", "/api/batch", &bearer("s"), batch).2["results"].clone();
    assert!(results[0]["position"].is_string() && results[1]["error"]["code"] == "forbidden", "{results}");
}

#[test]
fn pages_are_told_apart_by_their_origin() {
    let allow = "[origins]\nallow = [\"https://example.com\", \"https://*.example.org\"]\n";
    let relay = Relay::start("origins", &format!("{KEYS}{allow}"));
    let ws = |origin: &str| {
        relay.ws(&format!("/ws?token={}", token("alice")), &format!("Origin: {origin}\r\n")).outcome()
    };
    for welcome in ["https://example.com", "https://a.example.org", "https://a.b.example.org"] {
        assert_eq!(ws(welcome), "alice", "{welcome}");
    }
    for foreign in
        ["https://example.org", "http://example.com", "https://example.com:444", "http://localhost", "null"]
    {
        assert_eq!(ws(foreign), "origin not allowed", "{foreign}");
    }
    let preflight = |origin: &str| {
        let fields = format!("Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\n");
        relay.http("OPTIONS", "/api/rooms/a/messages", &fields, "")
    };
    let (status, head, _) = preflight("https://example.com");
    assert_eq!(status, 204);
    assert!(head.contains("access-control-allow-origin: https://example.com"), "{head}");
    assert!(head.contains("access-control-allow-headers: authorization"), "{head}");
    assert!(!head.contains("credentials"), "{head}");
    let (status, head, _) = preflight("https://evil.com");
    assert!(status == 403 && !head.contains("access-control"), "{head}");
    // An error can be read by the page, too.
    let (status, head, _) = relay.http("GET", "/api/rooms", "Origin: https://example.com\r\n", "");
    assert!(status == 401 && head.contains("access-control-allow-origin: https://example.com"), "{head}");
    assert!(
        head.contains("access-control-expose-headers: retry-after") && head.contains("vary: origin"),
        "{head}"
    );
}

#[test]
fn a_proxy_says_whom_it_speaks_for() {
    let relay = Relay::start("proxy", "[proxies]\ntrust = \"127.0.0.1\"\nproxy_protocol = true\n");
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x7f\x00\x00\x01\x12\x34\x00\x50";
    for header in [&b"PROXY TCP4 1.2.3.4 127.0.0.1 5678 80\r\n"[..], v2] {
        let mut stream = relay.connect();
        stream.write_all(header).unwrap();
        assert_eq!(Ws::open(stream, "/ws?user=alice", "").outcome(), "alice");
    }
    assert_eq!(relay.http("GET", "/healthz", "", "").0, 400);
}

#[test]
fn key_files_are_read_again() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("admission-secret");
    let secret = |secret: &str| std::fs::write(&path, secret).unwrap();
    secret("the first secret, which is soon replaced");
    let relay = Relay::start("reload", &format!("[auth]\nsecret_file = {path:?}\n"));
    let good = format!("/ws?token={}", token("alice"));
    assert_eq!(relay.ws(&good, "").outcome(), "invalid token");
    // A file that cannot be used changes nothing.
    secret("");
    kill_process(Pid::from_child(&relay.child), Signal::HUP).unwrap();
    secret(SECRET);
    kill_process(Pid::from_child(&relay.child), Signal::HUP).unwrap();
    let until = std::time::Instant::now() + PATIENCE;
    while relay.ws(&good, "").outcome() != "alice" {
        assert!(std::time::Instant::now() < until, "the new secret is never read");
    }
    // A change is noticed without a signal, too.
    secret("the third secret, which nobody announces");
    while relay.ws(&good, "").outcome() == "alice" {
        assert!(std::time::Instant::now() < until, "the change is never seen");
    }
}

#[test]
fn a_bad_key_file_keeps_its_old_key_and_no_other() {
    let write = |name: &str, text: &str| {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (old, new) = ("the-first-key-of-the-app-with-32-bytes", "the-second-key-of-the-app-with-32-bytes");
    let (secret, key) = (write("one-bad-secret", SECRET), write("one-bad-key", old));
    let config = format!("[auth]\nsecret_file = {secret:?}\n[api]\nkey_file = {key:?}\n");
    let relay = Relay::start("one-bad", &config);
    let status =
        |key: &str| relay.http("GET", "/api/stats", &format!("Authorization: Bearer {key}\r\n"), "").0;
    assert_eq!((status(old), status(new)), (200, 401));
    write("one-bad-secret", "");
    write("one-bad-key", new);
    kill_process(Pid::from_child(&relay.child), Signal::HUP).unwrap();
    let until = std::time::Instant::now() + PATIENCE;
    while status(new) != 200 {
        assert!(std::time::Instant::now() < until, "the good file is never read");
    }
    assert_eq!(status(old), 401);
    assert_eq!(relay.ws(&format!("/ws?token={}", token("alice")), "").outcome(), "alice");
}
