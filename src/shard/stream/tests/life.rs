//! How streams begin, are kept alive and end.

use std::time::Duration;

use super::house::House;
use super::reader::Reader;
use crate::settings::{RoomRule, RoomSettings, Settings};

fn house() -> House {
    House::new(2, Settings::default())
}

/// The status line and fields of an answer, without its date.
fn head(answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answer);
    let (head, _) = text.split_once("\r\n\r\n").expect("a head is complete");
    head.split("\r\n").filter(|line| !line.starts_with("Date: ")).map(str::to_owned).collect()
}

const HEAD: [&str; 6] = [
    "HTTP/1.1 200 OK",
    "Cache-Control: no-cache, no-transform",
    "X-Accel-Buffering: no",
    "Vary: Origin",
    "Connection: close",
    "Content-Type: text/event-stream",
];

#[test]
fn a_stream_begins_with_its_retry_and_welcome() {
    let mut house = house();
    let line = house.stream(0, "/sse/a?user=ann", "");
    let bytes = house.take(line);
    assert_eq!(head(&bytes), HEAD);
    let text = String::from_utf8(bytes).expect("streams are text");
    let (_, body) = text.split_once("\r\n\r\n").expect("a head is complete");
    assert!(body.starts_with("retry: 2000\nevent: welcome\ndata: {\"type\":\"welcome\","), "{body}");
    let read = Reader::read(body.as_bytes());
    assert_eq!((read.retry, read.names()), (Some(2_000), vec!["welcome", "joined"]));
    assert_eq!(read.events[0].text("user"), "ann");
    assert_eq!(read.joined("a").expect("it is joined")["history"], serde_json::json!([]));
}

#[test]
fn http_10_has_the_same_and_head_has_no_more_than_the_head() {
    let mut house = house();
    let line = house.connect(0);
    house.send(line, "GET /sse/a HTTP/1.0\r\n\r\n");
    assert_eq!(head(&house.take(line)), HEAD);
    assert!(!house.is_finished(line));
    let line = house.connect(0);
    house.send(line, "HEAD /sse/a HTTP/1.1\r\nHost: a\r\n\r\n");
    let bytes = house.take(line);
    assert_eq!(head(&bytes), HEAD);
    assert!(bytes.ends_with(b"\r\n\r\n") && house.is_finished(line));
}

#[test]
fn what_cannot_be_a_stream_is_refused_before_it_begins() {
    let mut house = house();
    let many = (0..65).map(|n| format!("room={n}")).collect::<Vec<_>>().join("&");
    let cases = [
        ("/sse", "bad_request"),
        ("/sse?room=", "bad_room"),
        ("/sse?room=a&room=b%20c", "bad_room"),
        ("/sse/$stats-not-yet", "bad_room"),
        ("/sse/a?history=x", "bad_request"),
        ("/sse/a?user=%00", "bad_request"),
        (&format!("/sse?{many}"), "bad_request"),
    ];
    for (target, code) in cases {
        let (status, body) = house.call(0, "GET", target, "");
        assert!(status == 400 && body.contains(code), "{target} {status} {body}");
    }
    assert_eq!(house.call(0, "POST", "/sse", "").0, 405);
    assert_eq!(house.call(0, "PUT", "/sse/a", "").0, 405);
    let line = house.connect(0);
    house.send(line, "GET /sse/a HTTP/1.1\r\nHost: a\r\nOrigin: https://elsewhere.example\r\n\r\n");
    assert!(house.take(line).starts_with(b"HTTP/1.1 403 "));
}

#[test]
fn as_many_rooms_as_a_connection_may_be_in() {
    let mut settings = Settings::default();
    settings.limits.rooms_per_connection = 2;
    let mut house = House::new(2, settings);
    let (status, body) = house.call(0, "GET", "/sse?room=a&room=b&room=c", "");
    assert!(status == 429 && body.contains("room_limit"), "{body}");
    // The same room twice is one.
    let read = house.glance(0, "/sse?room=a&room=b&room=a", "");
    assert_eq!(read.last_event_id.split(',').count(), 2);
}

/// Without one of its rooms a stream is not what was asked for; the browser tries again by itself.
#[test]
fn a_full_room_ends_the_stream() {
    let room = RoomSettings { max_members: 1, ..RoomSettings::default() };
    let settings = Settings { rooms: vec![RoomRule { pattern: "*".into(), room }], ..Settings::default() };
    let mut house = House::new(2, settings);
    let first = house.stream(0, "/sse/a", "");
    let second = house.stream(1, "/sse?room=b&room=a", "");
    assert!(house.is_finished(second) && !house.is_finished(first));
    let read = Reader::read(&house.body(second));
    let [.., error, close] = &read.events[..] else { panic!("{read:?}") };
    assert_eq!(
        (error.text("code"), error.text("room"), &close.json["code"]),
        ("room_full", "a", &1013.into())
    );
    // It has left the room that it was in.
    assert_eq!(house.glance(0, "/sse/b", "").names(), ["welcome", "joined"]);
}

#[test]
fn a_silent_stream_is_heard_of_once_an_interval() {
    let mut house = house();
    let line = house.stream(0, "/sse/a", "");
    for _ in 0..100 {
        house.wait(Duration::from_secs(1));
    }
    let read = Reader::read(&house.body(line));
    assert!((3..=5).contains(&read.comments), "{}", read.comments);
    assert_eq!(read.names(), ["welcome", "joined"]);
}

#[test]
fn a_stream_that_takes_nothing_ends_when_its_oldest_byte_has_waited_too_long() {
    let mut house = house();
    for target in ["/sse/a", "/sse?room=a&room=b"] {
        let line = house.stream(0, target, "");
        house.allow(line, 5);
        for _ in 0..12 {
            house.publish(0, "a", r#"{"data":1}"#);
            house.wait(Duration::from_secs(1));
        }
        house.allow(line, usize::MAX);
        let read = Reader::read(&house.body(line));
        let last = read.events.last().expect("a stream says why it ends");
        assert_eq!((&*last.name, &last.json["reason"]), ("close", &"slow consumer".into()));
        assert!(house.is_finished(line));
    }
}

#[test]
fn a_drain_says_when_to_come_back() {
    let mut house = house();
    let line = house.stream(0, "/sse/a", "");
    house.publish(1, "a", r#"{"data":1}"#);
    house.drain(Duration::from_secs(2));
    house.wait(Duration::from_secs(1));
    house.wait(Duration::from_millis(900));
    let read = Reader::read(&house.body(line));
    assert_eq!(read.names(), ["welcome", "joined", "message", "close"]);
    let retry = read.retry.expect("a retry");
    assert!(retry != 2_000 && retry <= 4_000, "{retry}");
    let reason = read.events[3].json["reason"].as_str().expect("a reason").to_owned();
    assert_eq!((reason, &read.events[3].json["code"]), (format!("retry in {retry} ms"), &1001.into()));
    let (status, _) = house.call(0, "GET", "/sse/a", "");
    assert_eq!(status, 503);
}

#[test]
fn what_follows_on_the_connection_is_never_a_request() {
    let mut house = house();
    let line = house.connect(0);
    house.send(line, "GET /sse/a HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    house.send(line, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(Reader::read(&house.body(line)).names(), ["welcome", "joined"]);
    house.hang_up(line);
    assert_eq!(house.sessions(), 0);
}

/// The header is what the browser knows; the query is what its page once wrote.
#[test]
fn the_last_event_id_is_taken_from_the_header_before_the_query() {
    let mut house = house();
    let first = house.publish(0, "a", r#"{"data":1}"#);
    let second = house.publish(0, "a", r#"{"data":2}"#);
    let target = format!("/sse/a?last_event_id={first}");
    assert_eq!(house.glance(0, &target, "").offsets("a"), [2]);
    assert_eq!(house.glance(0, &target, &second).offsets("a"), [0; 0]);
}
