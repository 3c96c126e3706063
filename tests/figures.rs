//! What the server says about itself: live figures, as an answer and as a room; metrics; readiness; its description.

mod harness;

use std::collections::BTreeMap;

use harness::wire::Response;
use harness::{Server, eventually};
use rustix::process::Signal;
use serde_json::{Value, json};

/// A key for everything, one for some rooms, one that only publishes, and one for clients.
const KEYS: &str = r#"
[auth]
secret = "a secret of more than thirty-two bytes"
[api]
key = "app-key-that-is-long-enough-to-be-no-riddle"
keys = [{ name = "shop", key = "shop-key-that-is-long-enough-to-be-no-riddle", rooms = ["shop:*"] }, { name = "writer", key = "writer-key-that-is-long-enough-to-be-no-riddle", calls = ["publish"] }]
"#;

fn stats(server: &Server) -> Value {
    server.get("/api/stats").json()
}

/// The samples of a scrape.
fn metrics(server: &Server) -> BTreeMap<String, f64> {
    let response = server.get("/metrics");
    assert_eq!(response.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let samples = response.body.lines().filter(|line| !line.starts_with('#'));
    let parse = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample in {line:?}"));
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number in {line:?}")))
    };
    samples.map(parse).collect()
}

fn with_key(server: &Server, path: &str, key: &str) -> Response {
    let bearer = format!("Authorization: Bearer {key}-key-that-is-long-enough-to-be-no-riddle\r\n");
    server.wire().request("GET", path, &bearer, "")
}

#[test]
fn figures_are_of_all_shards() {
    let server = Server::sharded(4, "[[rooms]]\npattern = \"*\"\npresence = false\n");
    let fields: Vec<_> = stats(&server).as_object().expect("an object").keys().cloned().collect();
    let expected = "bytes_in bytes_out connections fanout_p50_us fanout_p99_us memory_bytes messages_in messages_out \
                    queue_bytes rooms uptime_s users version";
    assert_eq!(fields.join(" "), expected);
    let mut members: Vec<_> = (0..6).map(|n| server.member(&format!("a?user=u{}", n % 3))).collect();
    let _stream = server.stream("/sse/b");
    server.publish("a", "1");
    members.iter_mut().for_each(|member| drop(member.expect("message")));
    eventually("everything is counted", || {
        let stats = stats(&server);
        ["connections", "rooms", "users", "messages_in", "messages_out"].map(|name| stats[name].clone())
            == [json!(7), json!(2), json!(3), json!(1), json!(6)]
    });
    let last = stats(&server);
    for figure in ["bytes_in", "bytes_out", "fanout_p50_us", "fanout_p99_us"] {
        assert!(last[figure].as_u64() > Some(0), "{figure} in {last}");
    }
    assert!(!cfg!(target_os = "linux") || last["memory_bytes"].as_u64() > Some(1 << 20), "{last}");
    drop(members);
    eventually("who is gone is not counted", || stats(&server)["connections"] == 1);
    let head = server.wire().request("POST", "/api/stats", "Content-Length: 0\r\n", "");
    assert_eq!((head.status, head.field("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn the_room_of_the_figures_has_them_once_a_second() {
    for shards in [1, 4] {
        let server = Server::sharded(shards, "[[rooms]]\npattern = \"$*\"\nprivate = true\nhistory = 9\n");
        let mut watcher = server.native("/ws");
        watcher.say(r#"{"type":"join","room":"$stats","history":5}"#);
        let joined = watcher.expect("joined");
        assert_eq!(
            (&joined["history"], &joined["users"], &joined["count"]),
            (&json!([]), &json!(null), &json!(1))
        );
        let mut stream = server.stream("/sse/%24stats");
        stream.expect("welcome");
        stream.expect("joined");
        let (first, second) = (watcher.expect("message"), watcher.expect("message"));
        assert_eq!((&first["room"], first.get("position")), (&json!("$stats"), None));
        let fields =
            |value: &Value| value.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
        assert_eq!(fields(&first["data"]), fields(&stats(&server)));
        let uptime = |message: &Value| message["data"]["uptime_s"].as_u64().expect("a number");
        assert!(uptime(&second) > uptime(&first), "{first} {second}");
        assert_eq!(stream.expect("message")["data"]["rooms"], 0, "it does not count itself");
        assert_eq!(server.get("/api/rooms").json()["rooms"], json!([]));
        assert_eq!(watcher.refused(r#"{"type":"publish","room":"$stats","data":1}"#), "forbidden");
        assert_eq!(server.post("/api/rooms/%24stats/messages", r#"{"data":1}"#).code(), "bad_room");
    }
}

#[test]
fn metrics_count_what_happened() {
    let server = Server::sharded(2, "");
    let mut member = server.member("a");
    let mut gone = server.client("/ws/a");
    member.publish("a", 1);
    member.expect("message");
    assert_eq!(member.refused(r#"{"type":"leave","room":"b"}"#), "not_joined");
    assert_eq!(server.get("/nowhere").status, 404);
    gone.expect("welcome");
    gone.leave();
    let counts = |name: &str, least: f64| {
        eventually(name, || metrics(&server).get(name).is_some_and(|value| *value >= least));
    };
    counts("switchboard_connections{transport=\"websocket\"}", 1.0);
    counts("switchboard_closes_total{code=\"1000\"}", 1.0);
    counts("switchboard_refusals_total{code=\"not_joined\"}", 1.0);
    counts("switchboard_refusals_total{code=\"not_found\"}", 1.0);
    counts("switchboard_messages_received_total", 1.0);
    counts("switchboard_fanout_seconds_count", 1.0);
    counts("switchboard_turn_seconds_count", 10.0);
    counts("switchboard_history_bytes", 100.0);
    let now = metrics(&server);
    assert_eq!(now["switchboard_rooms"], 1.0);
    assert_eq!(
        now["switchboard_fanout_seconds_count"],
        now["switchboard_fanout_seconds_bucket{le=\"+Inf\"}"]
    );
    if cfg!(target_os = "linux") {
        assert!((now["process_open_fds"] - server.descriptors() as f64).abs() < 10.0, "{now:?}");
        assert!(now["process_start_time_seconds"] > 1.6e9);
    }
    let mut wire = server.wire();
    wire.send("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    let head = wire.head();
    assert!(head.status == 200 && head.field("content-length").is_some_and(|length| length != "0"));
}

#[test]
fn figures_need_a_key_that_is_for_everything() {
    let server = Server::with(KEYS);
    for path in ["/api/stats", "/metrics"] {
        assert_eq!(
            (server.get(path).status, server.get(path).code().as_str()),
            (401, "unauthorized"),
            "{path}"
        );
        let statuses = ["app", "shop", "writer", "other"].map(|key| with_key(&server, path, key).status);
        assert_eq!(statuses, [200, 403, 403, 401], "{path}");
    }
    let statuses =
        ["app", "shop", "writer", "other"].map(|key| with_key(&server, "/api/openapi.json", key).status);
    assert_eq!(statuses, [200, 200, 200, 401]);
    assert_eq!((server.get("/healthz").status, server.get("/readyz").status), (200, 200));
    let public = Server::with(&format!("{KEYS}[metrics]\npublic = true\n"));
    assert_eq!((public.get("/metrics").status, public.get("/api/stats").status), (200, 401));
    let clients_only = Server::with("[auth]\nsecret = \"a secret of more than thirty-two bytes\"\n");
    assert_eq!((clients_only.get("/metrics").status, clients_only.get("/api/stats").status), (403, 403));
}

#[test]
fn a_draining_server_is_alive_and_not_ready() {
    let mut server = Server::sharded(2, "drain = \"5s\"\n");
    let ready = server.get("/readyz");
    assert_eq!((ready.status, ready.json()), (200, json!({"status": "ready"})));
    // While a connection is open, the server answers, even at its end.
    let _clients: Vec<_> = (0..5).map(|_| server.client("/echo")).collect();
    server.signal(Signal::TERM);
    eventually("it drains", || server.get("/readyz").status == 503);
    let refused = server.get("/readyz");
    assert_eq!(refused.code(), "unavailable");
    let wait = refused.field("retry-after").and_then(|wait| wait.parse::<u64>().ok());
    assert!(wait.is_some_and(|wait| (1..=5).contains(&wait)), "{refused:?}");
    assert_eq!((server.get("/healthz").status, server.get("/api/stats").status), (200, 200));
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn the_server_describes_itself() {
    let security = |server: &Server, key: &str| {
        let document = with_key(server, "/api/openapi.json", key).json();
        (document["openapi"].clone(), document["security"].clone())
    };
    assert_eq!(security(&Server::start(), ""), (json!("3.1.0"), json!([])));
    assert_eq!(security(&Server::with(KEYS), "app"), (json!("3.1.0"), json!([{"apiKey": []}])));
}
