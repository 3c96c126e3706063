//! Requests on behalf of a stream, which any connection may bring that knows its name.

use std::time::Duration;

use serde_json::{Value, json};

use super::house::{House, Line};
use super::reader::Reader;
use crate::settings::Settings;

/// A house, a stream of room `a` on its first shard, and the stream's name.
struct Trial {
    house: House,
    line: Line,
    connection: String,
}

impl Trial {
    fn new(target: &str) -> Self {
        let mut house = House::new(2, Settings::default());
        let line = house.stream(0, target, "");
        let connection = Reader::read(&house.body(line)).connection();
        Self { house, line, connection }
    }

    /// The status and the answer of a call on shard `shard`.
    fn ask(&mut self, shard: usize, body: &str) -> (u16, Value) {
        let (status, answer) = self.house.call(shard, "POST", &format!("/sse/{}", self.connection), body);
        (status, serde_json::from_str(&answer).expect("answers are JSON"))
    }

    /// What the stream has been told since it was last looked at.
    fn told(&mut self) -> Reader {
        Reader::read(&self.house.take(self.line))
    }
}

/// The types of the replies in an answer.
fn types(answer: &Value) -> Vec<&str> {
    let replies = answer.as_array().expect("an array").iter();
    replies.map(|reply| reply["type"].as_str().unwrap_or_default()).collect()
}

#[test]
fn replies_are_the_answer_in_the_order_of_the_requests() {
    let mut trial = Trial::new("/sse/a?user=ann");
    for shard in [0, 1] {
        let body = r#"[{"type":"publish","room":"a","data":1,"id":1}, {"type":"ping","id":"two"},
            {"type":"nope","id":3}, 7, {"type":"members","room":"a"}, {"type":"history","room":"a","limit":1}]"#;
        let (status, answer) = trial.ask(shard, body);
        let types = types(&answer);
        assert_eq!((status, types), (200, vec!["published", "pong", "error", "error", "members", "history"]));
        assert_eq!(
            (&answer[0]["id"], &answer[1]["id"], &answer[2]["id"]),
            (&1.into(), &"two".into(), &3.into())
        );
        assert_eq!(answer[5]["messages"][0]["from"], "ann");
        assert_eq!(trial.told().names(), ["message"]);
    }
}

#[test]
fn one_request_has_one_reply_or_null() {
    let mut trial = Trial::new("/sse/a");
    assert_eq!(trial.ask(1, r#"{"type":"ping"}"#).1["type"], "pong");
    assert_eq!(trial.ask(1, r#" {"type":"publish","room":"a","data":1} "#), (200, Value::Null));
    assert_eq!(trial.ask(1, r#"[{"type":"publish","room":"a","data":1}]"#), (200, json!([])));
    assert_eq!(trial.ask(0, r#"{"type":"publish","room":"b","data":1}"#).1["code"], "not_joined");
    assert_eq!(trial.ask(0, r#"[{"type":"leave","room":"a"}]"#), (200, json!([])));
    assert_eq!(trial.told().names(), ["message", "message"]);
}

#[test]
fn what_is_no_request_is_refused() {
    let mut trial = Trial::new("/sse/a");
    let many = format!("[{}]", vec!["{}"; 101].join(","));
    let long = format!("{{\"type\":\"{}\"}}", "x".repeat(70_000));
    for (body, expected, code) in [
        ("", 400, "bad_json"),
        ("{", 400, "bad_json"),
        ("7", 400, "bad_request"),
        ("[]", 400, "bad_request"),
        (&many, 400, "bad_request"),
        (&long, 413, "content_too_large"),
    ] {
        let (status, answer) = trial.ask(1, body);
        assert_eq!((status, &answer["error"]["code"]), (expected, &code.into()));
    }
}

/// Rule 3: what follows a join about its room waits for the answer.
#[test]
fn a_join_and_what_follows_it_go_together() {
    let mut trial = Trial::new("/sse/a");
    for home in [0, 1] {
        let room = trial.house.room_at(home, "c");
        let body = format!(
            r#"[{{"type":"join","room":"{room}","id":1}},{{"type":"publish","room":"{room}","data":1,"id":2}},
                {{"type":"leave","room":"{room}","id":3}},{{"type":"publish","room":"{room}","data":1,"id":4}}]"#
        );
        let (_, answer) = trial.ask(1, &body);
        let types = types(&answer);
        assert_eq!(types, ["joined", "published", "left", "error"]);
    }
}

/// A reconnect asks for the rooms in its address and no others, so only they have a place in the id.
#[test]
fn a_room_that_is_joined_by_a_request_moves_no_id() {
    for target in ["/sse/a", "/sse?room=a&room=b"] {
        let mut trial = Trial::new(target);
        trial.ask(1, r#"{"type":"join","room":"c"}"#);
        trial.house.publish(0, "a", r#"{"data":1}"#);
        let before = trial.told().last_event_id;
        trial.house.publish(0, "c", r#"{"data":1}"#);
        trial.house.publish(0, "c", r#"{"data":2}"#);
        let told = trial.told();
        assert_eq!((told.offsets("c"), told.last_event_id.as_str()), (vec![1, 2], ""));
        trial.house.publish(0, "a", r#"{"data":2}"#);
        let after = trial.told();
        assert_eq!((after.offsets("a"), after.names()), (vec![2], vec!["message"]));
        assert_eq!(after.last_event_id.split(',').count(), before.split(',').count());
        let other = trial.house.glance(1, target, &after.last_event_id);
        assert_eq!(
            (other.offsets("a"), &other.joined("a").expect("it is joined")["recovered"]),
            (vec![], &true.into())
        );
    }
}

/// With one room left it is still a stream of two, whose id names both.
#[test]
fn a_room_that_is_left_by_a_request_stays_where_it_was() {
    let mut trial = Trial::new("/sse?room=a&room=b");
    trial.house.publish(0, "b", r#"{"data":1}"#);
    assert_eq!(trial.ask(1, r#"{"type":"leave","room":"b","id":1}"#).1["type"], "left");
    trial.house.publish(0, "a", r#"{"data":1}"#);
    trial.house.publish(0, "b", r#"{"data":2}"#);
    let told = trial.told();
    assert_eq!((told.offsets("a"), told.offsets("b")), (vec![1], vec![1]));
    let other = trial.house.glance(0, "/sse?room=a&room=b", &told.last_event_id);
    assert_eq!((other.offsets("a"), other.offsets("b")), (vec![], vec![2]));
}

#[test]
fn a_sender_that_wants_no_copy_gets_none() {
    let mut trial = Trial::new("/sse?room=a&room=b");
    trial.ask(1, r#"{"type":"publish","room":"a","data":1,"echo":false}"#);
    assert_eq!(trial.told().names(), [""; 0]);
    trial.house.publish(0, "a", r#"{"data":2}"#);
    assert_eq!(trial.told().offsets("a"), [2]);
}

#[test]
fn nobody_answers_for_a_stream_that_is_gone() {
    let mut trial = Trial::new("/sse/a");
    trial.house.hang_up(trial.line);
    let made_up = "0".repeat(52);
    for connection in [trial.connection.clone(), "x".into(), made_up] {
        trial.connection = connection;
        let (status, answer) = trial.ask(1, r#"{"type":"ping"}"#);
        assert_eq!((status, &answer["error"]["code"]), (404, &"not_found".into()));
    }
}

/// Whoever opened the stream reads nothing more of a long history, so nothing is carried out for it.
#[test]
fn what_waits_for_a_client_that_does_not_read_is_answered_in_time() {
    let mut house = House::new(2, Settings::default());
    let data = format!(r#"{{"data":"{}"}}"#, "x".repeat(60_000));
    for _ in 0..8 {
        house.publish(0, "a", &data);
    }
    let line = house.connect(0);
    house.allow(line, 2_000);
    house.send(line, "GET /sse/a?history=8 HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut trial = Trial { connection: Reader::read(&house.body(line)).connection(), house, line };
    let body = r#"[{"type":"publish","room":"a","data":1,"id":2},{"type":"leave","room":"a","id":3}]"#;
    let stall = Settings::default().limits.stall;
    let first = trial.house.begin_call(1, "POST", &format!("/sse/{}", trial.connection), body);
    trial.house.wait(stall / 2);
    let second = trial.house.begin_call(0, "POST", &format!("/sse/{}", trial.connection), body);
    trial.house.wait(stall / 2 - Duration::from_millis(250));
    assert_eq!([first, second].map(|call| trial.house.take(call).len()), [0, 0]);
    trial.house.wait(Duration::from_millis(750));
    let (status, answer) = trial.house.end_call(first);
    let answer: Value = serde_json::from_str(&answer).expect("answers are JSON");
    assert_eq!((status, types(&answer)), (200, vec!["error", "error"]));
    assert_eq!((&answer[0]["code"], &answer[1]["id"]), (&"unavailable".into(), &3.into()));
    // The second has time of its own, and is carried out when the client reads.
    trial.house.allow(line, usize::MAX);
    let (_, answer) = trial.house.end_call(second);
    let answer: Value = serde_json::from_str(&answer).expect("answers are JSON");
    assert_eq!(types(&answer), ["published", "left"]);
    assert_eq!(trial.told().offsets("a").last(), Some(&9));
}

/// A WebSocket has a way of its own to make requests.
#[test]
fn only_streams_are_asked_for() {
    let mut trial = Trial::new("/sse/a");
    let line = trial.house.connect(0);
    trial.house.send(line, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    trial.connection = trial.house.name(line);
    assert_eq!(trial.ask(1, r#"{"type":"ping"}"#).0, 404);
}
