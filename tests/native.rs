//! The native dialect as its clients meet it: every request, every answer and every error (docs/protocol.md).

mod harness;

use harness::Server;
use harness::client::{data, offset};
use serde_json::{Value, json};
use tungstenite::Message;

#[test]
fn welcome_comes_first() {
    let server = Server::with("[limits]\nmessage = 3000\n[heartbeat]\ninterval = \"7s\"\n");
    let mut guest = server.client("/ws");
    let welcome = guest.expect("welcome");
    assert_eq!(welcome["user"], Value::Null);
    assert_eq!((&welcome["ping_interval_s"], &welcome["max_message_bytes"]), (&json!(7), &json!(3000)));
    let named = server.client("/ws?user=J%C3%BCrg+M").expect("welcome");
    assert_eq!(named["user"], "J\u{fc}rg M");
    let connection = |welcome: &Value| welcome["connection"].as_str().map(str::to_owned).expect("a string");
    assert_ne!(connection(&welcome), connection(&named));
    assert!(connection(&welcome).len() >= 32, "{welcome}");
}

#[test]
fn a_join_tells_how_the_room_stands() {
    let server = Server::sharded(2, "");
    let mut alice = server.native("/ws?user=alice");
    let joined = alice.ask(r#"{"type":"join","room":"a","id":"j1"}"#, "joined");
    let position = joined["position"].clone();
    let expected = json!({
        "type": "joined", "id": "j1", "room": "a", "position": position, "recovered": false, "history": [],
        "count": 1, "users": [{"user": "alice", "connections": 1}],
    });
    assert_eq!(joined, expected);
    assert_eq!(harness::client::parts(&position).1, 0);
    let second = server.native("/ws?user=alice").ask(r#"{"type":"join","room":"a"}"#, "joined");
    assert_eq!(second["count"], 1, "one person, two connections");
    let guest = server.client("/ws/a");
    let _kept = {
        let mut guest = guest;
        guest.expect("welcome");
        let joined = guest.expect("joined");
        assert!(joined["count"].as_u64().is_some_and(|count| (2..=3).contains(&count)), "{joined}");
        assert!(joined["users"].to_string().contains("alice"), "{joined}");
        assert_eq!(joined.get("id"), None);
        guest
    };
    // A second join of a room answers again.
    assert_eq!(alice.ask(r#"{"type":"join","room":"a","id":2}"#, "joined")["id"], 2);
}

#[test]
fn a_message_goes_to_every_member_and_to_its_sender() {
    let server = Server::sharded(2, "");
    let mut members: Vec<_> = (0..6).map(|_| server.member("a")).collect();
    let mut bob = server.native("/ws/a?user=bob");
    bob.expect("joined");
    bob.say(r#"{"type":"publish","room":"a","data":{"x":1},"event":"note.new","id":7}"#);
    let own = bob.expect("message");
    let published = bob.expect("published");
    let position = published["position"].clone();
    assert_eq!(published, json!({"type": "published", "id": 7, "room": "a", "position": position}));
    assert_eq!(own["time"].as_str().map(str::len), Some("2023-11-14T22:13:20.007Z".len()));
    let expected = json!({
        "type": "message", "room": "a", "position": position, "from": "bob", "event": "note.new", "data": {"x": 1},
        "time": own["time"],
    });
    assert_eq!(own, expected);
    for member in &mut members {
        assert_eq!(member.expect("user_joined")["user"], "bob");
        assert_eq!(member.expect("message"), expected);
    }
    members[0].publish("a", 2);
    let from_guest = bob.expect("message");
    assert_eq!((&from_guest["from"], offset(&from_guest)), (&Value::Null, offset(&own) + 1));
    assert_eq!(from_guest.get("event"), None);
    // The request had no `id`, so there is no answer.
    members[0].expect("message");
    members[0].nothing_came();
}

#[test]
fn echo_false_leaves_the_sender_out_and_store_false_leaves_no_trace() {
    let server = Server::sharded(2, "");
    let (mut sender, mut other) = (server.member("a"), server.member("a"));
    sender.say(r#"{"type":"publish","room":"a","data":1,"echo":false,"id":1}"#);
    assert_eq!(offset(&sender.expect("published")), 1);
    assert_eq!(other.expect("message")["data"], 1);
    sender.say(r#"{"type":"publish","room":"a","data":2,"store":false,"id":2}"#);
    let (own, published) = (sender.expect("message"), sender.expect("published"));
    assert_eq!((own.get("position"), &published["position"]), (None, &Value::Null));
    assert_eq!(other.expect("message")["data"], 2);
    sender.publish("a", 3);
    assert_eq!(offset(&sender.expect("message")), 2);
    let history = sender.ask(r#"{"type":"history","room":"a"}"#, "history");
    assert_eq!(data(&history["messages"]), [1, 3], "{history}");
}

#[test]
fn data_arrives_as_it_was_written() {
    let server = Server::sharded(2, "");
    let (mut sender, mut member) = (server.member("a"), server.member("a"));
    let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
    let written = [
        "1e400",
        "-0",
        "1.0",
        "12345678901234567890",
        r#"{"a":1,"a":2}"#,
        "[ 1 ,\t2\r\n]",
        r#""\u00e9\ud800\/""#,
        "\"\u{1f349}\u{2028}\"",
        r#"{"type":"error"}"#,
        "null",
        &deep,
    ];
    for data in written {
        sender.say(format!(r#" {{"data": {data} ,"x":[],"type":"publish","room":"a"}} "#));
        let text = member.text();
        assert!(text.contains(&format!(r#""data":{data}}}"#)), "{data} became {text}");
        sender.next();
    }
    sender.say(r#"{"type":"history","room":"a"}"#);
    let text = sender.text();
    for data in written {
        assert!(text.contains(&format!(r#""data":{data}}}"#)), "{data} is not in {text}");
    }
}

#[test]
fn leaving_is_answered_only_if_asked_and_takes_effect_at_once() {
    let server = Server::sharded(2, "");
    let (mut a, mut b) = (server.member("a"), server.member("a"));
    assert_eq!(
        a.ask(r#"{"type":"leave","room":"a","id":"x"}"#, "left"),
        json!({"type":"left","id":"x","room":"a"})
    );
    b.publish("a", 1);
    b.expect("message");
    a.nothing_came();
    b.say(r#"{"type":"leave","room":"a"}"#);
    b.nothing_came();
    assert_eq!(b.refused(r#"{"type":"leave","room":"a"}"#), "not_joined");
    harness::eventually("both are out", || server.get("/api/rooms/a").json()["connections"] == 0);
}

#[test]
fn every_error_has_its_code_and_the_connection_lives_on() {
    let server = Server::with(
        "[limits]\nrooms_per_connection = 2\n[[rooms]]\npattern = \"mute\"\nclient_publish = false\n[[rooms]]\npattern \
         = \"full\"\nmax_members = 1\n",
    );
    let _first = server.member("full");
    let mut client = server.member("mute");
    let too_deep =
        format!(r#"{{"type":"publish","room":"mute","data":{}{}}}"#, "[".repeat(129), "]".repeat(129));
    for (request, code) in [
        ("", "bad_json"),
        ("{", "bad_json"),
        ("nonsense", "bad_json"),
        (&too_deep, "bad_json"),
        ("[]", "bad_request"),
        ("1", "bad_request"),
        ("{}", "bad_request"),
        (r#"{"type":1}"#, "bad_request"),
        (r#"{"type":"ping","type":"ping"}"#, "bad_request"),
        (r#"{"type":"ping","id":null}"#, "bad_request"),
        (r#"{"type":"ping","id":{}}"#, "bad_request"),
        (r#"{"type":"join"}"#, "bad_request"),
        (r#"{"type":"join","room":7}"#, "bad_request"),
        (r#"{"type":"join","room":"a","since":7}"#, "bad_request"),
        (r#"{"type":"join","room":"a","history":-1}"#, "bad_request"),
        (r#"{"type":"publish","room":"mute"}"#, "bad_request"),
        (r#"{"type":"publish","room":"mute","data":1,"event":"a b"}"#, "bad_request"),
        (r#"{"type":"publish","room":"mute","data":1,"echo":1}"#, "bad_request"),
        (r#"{"type":"publish","room":"mute","data":1,"store":null}"#, "bad_request"),
        (r#"{"type":"history","room":"mute","limit":1.5}"#, "bad_request"),
        (r#"{"type":"dance"}"#, "unknown_type"),
        (r#"{"type":""}"#, "unknown_type"),
        (r#"{"type":"join","room":""}"#, "bad_room"),
        (r#"{"type":"join","room":"a b"}"#, "bad_room"),
        (r#"{"type":"join","room":"\u00e9"}"#, "bad_room"),
        (r#"{"type":"join","room":"$me2"}"#, "bad_room"),
        (r#"{"type":"leave","room":"other"}"#, "not_joined"),
        (r#"{"type":"publish","room":"other","data":1}"#, "not_joined"),
        (r#"{"type":"history","room":"other"}"#, "not_joined"),
        (r#"{"type":"publish","room":"mute","data":1}"#, "forbidden"),
        (r#"{"type":"join","room":"full"}"#, "room_full"),
    ] {
        assert_eq!(client.refused(request), code, "{request}");
    }
    client.ask(r#"{"type":"join","room":"second"}"#, "joined");
    assert_eq!(client.refused(r#"{"type":"join","room":"third"}"#), "room_limit");
    client.ask(r#"{"type":"join","room":"second"}"#, "joined");
    client.say(r#"{"type":"leave","room":"second"}"#);
    client.ask(r#"{"type":"join","room":"third"}"#, "joined");
    let long = format!(r#"{{"type":"join","room":"{}"}}"#, "a".repeat(201));
    assert_eq!(client.refused(long), "bad_room");
}

#[test]
fn an_id_comes_back_as_it_was_written() {
    let server = Server::start();
    let mut client = server.member("a");
    let longest = format!("\"{}\"", "x".repeat(62));
    for id in ["0", "-1.50e+3", "12345678901234567890", r#""""#, r#""\u0041\n""#, &longest] {
        for request in ["ping", "dance", r#"join","room":"b"#, r#"history","room":"a"#] {
            client.say(format!(r#"{{"type":"{request}","id":{id}}}"#));
            let text = client.text();
            assert!(text.contains(&format!(r#""id":{id},"#)), "{id} is not in {text}");
        }
    }
    let too_long = format!(r#"{{"type":"ping","id":"{}"}}"#, "x".repeat(63));
    assert_eq!(client.refused(too_long), "bad_request");
    let pong = client.ask(r#"{"type":"ping","id":1}"#, "pong");
    assert!(pong["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{pong}");
    // An error that concerns a room names it.
    assert_eq!(client.ask(r#"{"type":"leave","room":"x"}"#, "error")["room"], "x");
}

#[test]
fn rooms_in_the_query_are_joined_at_once_and_bad_ones_are_errors() {
    let server = Server::sharded(2, "[[rooms]]\npattern = \"full\"\nmax_members = 1\n");
    let _first = server.member("full");
    let mut client = server.native("/ws?room=a&room=b%3A1&room=a+b&room=&room=a&room=full&user=x");
    let (mut joined, mut refused) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let told = client.json();
        let room = told["room"].as_str().expect("a room").to_owned();
        match told["type"].as_str() {
            Some("joined") => joined.push(room),
            Some("error") => refused.push((room, told["code"].as_str().unwrap_or_default().to_owned())),
            other => panic!("{other:?}"),
        }
    }
    joined.sort();
    refused.sort();
    assert_eq!(joined, ["a", "b:1"]);
    let bad = |room: &str, code: &str| (room.to_owned(), code.to_owned());
    assert_eq!(refused, [bad("", "bad_room"), bad("a b", "bad_room"), bad("full", "room_full")]);
    client.nothing_came();
    let mut path = server.native("/ws/a%2Fb");
    assert_eq!(path.expect("joined")["room"], "a/b");
    assert_eq!(server.native("/ws/%24stats2").expect("error")["code"], "bad_room");
}

#[test]
fn binary_and_too_large_messages_end_the_connection() {
    let server = Server::with("[limits]\nmessage = 1000\n");
    let mut client = server.native("/ws");
    client.send(Message::binary("{}"));
    assert_eq!(client.closed().0, 1003);
    let mut client = server.member("a");
    client.publish("a", format!("\"{}\"", "x".repeat(900)));
    client.expect("message");
    client.publish("a", format!("\"{}\"", "x".repeat(1000)));
    assert_eq!(client.closed().0, 1009);
    assert_eq!(server.member("a").leave(), 1000);
}
