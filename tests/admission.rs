//! Who may connect, from outside: every way to send a token with every fault, what a token allows, and how it ends.

mod relay;

use std::io::{BufRead, BufReader, Write};

use jsonwebtoken::{EncodingKey, Header};
use relay::{Got, KEYS, Relay, now, sign, token};
use serde_json::{Value, json};

/// Bad tokens, and the answers to them.
fn bad_tokens() -> Vec<(String, &'static str)> {
    let other = EncodingKey::from_secret(b"another secret, just as long as that one");
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJldmUifQ.";
    vec![
        (String::new(), "invalid token"),
        ("rubbish".to_owned(), "invalid token"),
        (unsigned.to_owned(), "invalid token"),
        (jsonwebtoken::encode(&Header::default(), &json!({"sub": "eve"}), &other).unwrap(), "invalid token"),
        (sign(&json!({"sub": "eve", "exp": 1_700_000_000})), "token expired"),
        (sign(&json!({"sub": "eve", "exp": null})), "invalid token"),
        (sign(&json!({"sub": "eve", "exp": "9999999999"})), "invalid token"),
        (sign(&json!({"sub": "eve", "nbf": now() + 600})), "invalid token"),
        (sign(&json!({"sub": "", "exp": now() + 600})), "invalid token"),
        (sign(&json!({"exp": now() + 600})), "invalid token"),
        (sign(&json!({"sub": "eve", "rooms": vec!["a"; 1_000]})), "invalid token"),
    ]
}

/// The ways to send a token with the handshake: target and header lines.
fn ways(path: &str, token: &str) -> [(String, String); 4] {
    [
        (format!("{path}?token={token}"), String::new()),
        (path.to_owned(), format!("Authorization: Bearer {token}\r\n")),
        (path.to_owned(), format!("Cookie: a=b; session={token}\r\n")),
        // The query decides alone, whatever else there is.
        (format!("{path}?token={token}"), format!("Authorization: Bearer {}\r\n", self::token("bob"))),
    ]
}

const COOKIE: &str = "cookie = \"session\"\n[origins]\nallow = \"https://example.com\"\n";

fn with_cookie() -> String {
    KEYS.replace("[api]", &format!("{COOKIE}[api]"))
}

#[test]
fn every_way_in_with_every_fault() {
    let relay = Relay::start("ways", &format!("console = true\n{}", with_cookie()));
    for path in ["/ws", "/raw/a", "/echo"] {
        for (bad, reason) in bad_tokens() {
            for (target, fields) in ways(path, &bad) {
                let mut ws = relay.ws(&target, &fields);
                assert_eq!((ws.status, ws.outcome().as_str()), (101, reason), "{target} {fields}");
            }
        }
    }
    for (target, fields) in ways("/ws", &token("alice")) {
        assert_eq!(relay.ws(&target, &fields).outcome(), "alice", "{target} {fields}");
    }
    for path in ["/raw/a", "/echo"] {
        assert_eq!(relay.ws(path, "").outcome(), "token required");
    }
    assert_eq!(relay.ws("/ws?user=alice", "").outcome(), "nobody yet");
}

#[test]
fn every_first_message_with_every_fault() {
    let relay = Relay::start("first", KEYS);
    for (bad, reason) in bad_tokens() {
        let mut ws = relay.ws("/ws", "");
        ws.expect("welcome");
        ws.say(json!({"type": "auth", "token": bad, "id": 1}));
        ws.expect_close(reason);
    }
    let others = [
        json!({"type": "ping"}),
        json!({"type": "join", "room": "a"}),
        json!({"type": "auth"}),
        json!({"type": "auth", "token": 7}),
        json!([]),
    ];
    for other in others {
        let mut ws = relay.ws("/ws", "");
        ws.expect("welcome");
        ws.say(other);
        ws.expect_close("first message must be auth");
    }
    let exp = now() + 600;
    let mut ws = relay.ws("/ws?room=a&room=b", "");
    assert_eq!(ws.expect("welcome")["user"], Value::Null);
    ws.frame(9, b"");
    ws.say(json!({"type": "auth", "token": sign(&json!({"sub": "alice", "exp": exp})), "id": "x"}));
    let (pong, known) = (ws.hear(), ws.expect("auth_ok"));
    assert_eq!(pong, Got::Text(Vec::new()));
    assert_eq!((&known["user"], &known["id"]), (&json!("alice"), &json!("x")));
    assert!(known["expires"].as_str().unwrap().ends_with(".000Z"), "{known}");
    let mut joined = [ws.expect("joined")["room"].clone(), ws.expect("joined")["room"].clone()];
    joined.sort_by_key(ToString::to_string);
    assert_eq!(joined, ["a", "b"]);
}

#[test]
fn nobody_waits_for_ever() {
    let relay = Relay::start("timeout", &KEYS.replace("[api]", "timeout = \"300ms\"\n[api]"));
    let mut ws = relay.ws("/ws?room=a", "");
    ws.expect("welcome");
    ws.expect_close("auth timeout");
}

#[test]
fn refusals_can_be_http() {
    let relay = Relay::start("http", &with_cookie().replace("[origins]", "reject = \"http\"\n[origins]"));
    for (bad, _) in bad_tokens() {
        for (target, fields) in ways("/ws", &bad) {
            assert_eq!(relay.ws(&target, &fields).status, 401, "{target} {fields}");
        }
    }
    assert_eq!(relay.ws("/raw/a", "").status, 401);
    assert_eq!(relay.ws("/ws", "Origin: https://evil.com\r\n").status, 403);
    assert_eq!(relay.ws(&format!("/ws?token={}", token("alice")), "").outcome(), "alice");
    let head = relay.http("GET", "/raw/a", "", "").1;
    assert!(!head.contains("101"), "{head}");
}

#[test]
fn a_token_ends_with_its_time_and_can_be_renewed() {
    let relay = Relay::start("expiry", KEYS);
    let soon = || sign(&json!({"sub": "alice", "exp": now() + 2}));
    let mut ends = relay.ws(&format!("/ws?token={}&room=a", soon()), "");
    let mut raw = relay.ws(&format!("/raw/a?token={}", soon()), "");
    let mut stays = relay.ws(&format!("/ws?token={}&room=a", soon()), "");
    stays.expect("welcome");
    stays.say(json!({"type": "auth", "token": sign(&json!({"sub": "alice"})), "id": 1}));
    ends.expect("welcome");
    ends.expect("joined");
    raw.expect_close("token expired");
    ends.expect_close("token expired");
    let mut heard = [stays.hear(), stays.hear()];
    heard.sort_by_key(|got| format!("{got:?}").contains("joined"));
    assert!(format!("{:?}", heard[0]).contains("auth_ok") && format!("{:?}", heard[0]).contains("Null"));
    stays.say(json!({"type": "ping"}));
    stays.expect("pong");
}

#[test]
fn a_stream_ends_with_its_token_and_is_spoken_for_by_its_user_alone() {
    let relay = Relay::start("streams", KEYS);
    let soon = sign(&json!({"sub": "alice", "exp": now() + 2}));
    let mut stream = BufReader::new(relay.connect());
    write!(stream.get_mut(), "GET /sse/a?token={soon} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut lines = stream.lines().map(Result::unwrap);
    let welcome = lines.find(|line| line.contains("\"welcome\"")).expect("a welcome");
    let welcome: Value = serde_json::from_str(welcome.strip_prefix("data: ").unwrap()).unwrap();
    let path = format!("/sse/{}", welcome["connection"].as_str().unwrap());
    let post = |fields: &str| relay.http("POST", &path, fields, r#"{"type":"ping"}"#);
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let alice = bearer(&token("alice"));
    let (status, _, body) = post(&alice);
    assert_eq!((status, &body["type"]), (200, &json!("pong")));
    let (status, _, body) = post(&bearer(&token("bob")));
    assert_eq!((status, &body["error"]["code"]), (403, &json!("forbidden")));
    assert_eq!((post("").0, post(&format!("{alice}{alice}")).0, post(&bearer("app")).0), (401, 401, 401));
    let last: Vec<String> = lines.skip_while(|line| line != "event: close").collect();
    let close: Value = serde_json::from_str(last[1].strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!((&close["code"], &close["reason"]), (&json!(1008), &json!("token expired")));
    assert_eq!(post(&alice).0, 404);
}

#[test]
fn a_fresh_token_narrows_and_widens() {
    let relay = Relay::start("renew", KEYS);
    let rooms = |rooms: Value| sign(&json!({"sub": "alice", "rooms": rooms}));
    let mut ws = relay.ws(&format!("/ws?token={}", rooms(json!(["a*"]))), "");
    ws.expect("welcome");
    ws.say(json!({"type": "join", "room": "b", "id": 1}));
    let error = ws.expect("error");
    assert_eq!((&error["code"], &error["room"]), (&json!("forbidden"), &json!("b")));
    for room in ["a1", "a2"] {
        ws.say(json!({"type": "join", "room": room}));
        ws.expect("joined");
    }
    ws.say(json!({"type": "auth", "token": rooms(json!({"join": ["a2", "b"], "publish": ["b"]})), "id": 2}));
    ws.expect("auth_ok");
    let left = ws.expect("left");
    assert_eq!((&left["room"], &left["reason"]), (&json!("a1"), &json!("no longer allowed")));
    ws.say(json!({"type": "publish", "room": "a2", "data": 1, "id": 3}));
    assert_eq!(ws.expect("error")["code"], "forbidden");
    ws.say(json!({"type": "join", "room": "b"}));
    ws.expect("joined");
    ws.say(json!({"type": "publish", "room": "b", "data": 1, "id": 4}));
    assert_eq!(ws.expect("message")["from"], "alice");
    ws.expect("published");
    // A bad token changes nothing.
    ws.say(json!({"type": "auth", "token": "rubbish", "id": 5}));
    assert_eq!(ws.expect("error")["code"], "unauthorized");
    ws.say(json!({"type": "auth", "token": token("bob"), "id": 6}));
    assert_eq!(ws.expect("error")["code"], "forbidden");
    ws.say(json!({"type": "publish", "room": "b", "data": 2}));
    ws.expect("message");
}

#[test]
fn rooms_are_open_to_those_whom_they_are_for() {
    let rooms = "[[rooms]]\npattern = \"private:*\"\nprivate = true\n[[rooms]]\npattern = \"members:*\"\nanonymous = false\n\
                 [[rooms]]\npattern = \"news:*\"\nclient_publish = false\n";
    let relay =
        Relay::start("rooms", &format!("{}{rooms}", KEYS.replace("[api]", "anonymous = true\n[api]")));
    let mut guest = relay.ws("/ws?room=private:1&room=members:1&room=news:1&room=free", "");
    assert_eq!(guest.outcome(), "nobody yet");
    let mut heard: Vec<_> = (0..4).map(|_| guest.hear()).collect();
    heard.sort_by_key(|got| format!("{got:?}"));
    let word = |got: &Got| match got {
        Got::Json(value) => {
            format!("{} {}", value["type"].as_str().unwrap(), value["room"].as_str().unwrap())
        }
        other => format!("{other:?}"),
    };
    let mut words: Vec<_> = heard.iter().map(word).collect();
    words.sort();
    assert_eq!(words, ["error members:1", "error private:1", "joined free", "joined news:1"]);
    guest.say(json!({"type": "publish", "room": "news:1", "data": 1}));
    assert_eq!(guest.expect("error")["code"], "forbidden");
    // A guest that rooms have counted stays a guest; another becomes a user.
    guest.say(json!({"type": "auth", "token": token("alice")}));
    assert_eq!(guest.expect("error")["code"], "forbidden");
    let mut other = relay.ws("/ws", "");
    other.expect("welcome");
    other.say(json!({"type": "auth", "token": sign(&json!({"sub": "alice", "rooms": ["private:*"]}))}));
    other.expect("auth_ok");
    other.say(json!({"type": "join", "room": "private:1"}));
    other.expect("joined");
    // The refusal is the same for a room that exists and one that does not.
    let mut stranger = relay.ws(&format!("/ws?token={}", token("eve")), "");
    stranger.expect("welcome");
    let mut refused = |room: &str| {
        stranger.say(json!({"type": "join", "room": room}));
        let mut error = stranger.expect("error");
        error["room"].take();
        error
    };
    assert_eq!(refused("private:1"), refused("private:2"));
    relay.ws("/raw/private:1", "").expect_close("forbidden");
}
