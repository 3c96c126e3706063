//! Rooms as Server-Sent Events, from outside: by hand, and with `curl`.

mod harness;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use harness::client::data;
use harness::{Server, eventually};
use rustix::process::Signal;
use serde_json::json;

#[test]
fn a_stream_goes_on_where_another_ended() {
    let server = Server::sharded(2, "");
    let rooms = ["a", "b", "c"];
    let path = "/sse?room=a&room=b&room=c";
    let mut stream = server.stream(path);
    let head = |name| stream.head.field(name).map(str::to_owned);
    assert_eq!((stream.head.status, head("content-type").as_deref()), (200, Some("text/event-stream")));
    assert_eq!(head("cache-control").as_deref(), Some("no-cache, no-transform"));
    assert_eq!(head("x-accel-buffering").as_deref(), Some("no"));
    stream.expect("welcome");
    for _ in rooms {
        assert_eq!(stream.expect("joined")["recovered"], false);
    }
    for n in 0..30 {
        server.publish(rooms[n % 3], &n.to_string());
    }
    let number = |data: &serde_json::Value| data["data"].as_u64().expect("a number");
    let mut told: Vec<u64> = (0..17).map(|_| number(&stream.expect("message"))).collect();
    let mut stream = server.resume(path, &stream.last_event_id);
    stream.expect("welcome");
    while told.len() < 30 {
        let event = stream.event();
        match event.name.as_str() {
            "joined" => {
                assert_eq!((&event.data["recovered"], &event.data["history"]), (&json!(true), &json!([])))
            }
            _ => told.push(number(&event.data)),
        }
    }
    // Between rooms no order is promised.
    told.sort_unstable();
    assert_eq!(told, (0..30).collect::<Vec<_>>());
}

#[test]
fn a_server_that_was_killed_says_that_something_is_missing() {
    let server = Server::start();
    let address = server.address().to_string();
    let mut stream = server.stream("/sse/a");
    stream.expect("welcome");
    stream.expect("joined");
    server.publish("a", "1");
    stream.expect("message");
    let id = stream.last_event_id;
    drop(server);
    let server = Server::listening(&address, &[], "");
    let mut stream = server.resume("/sse/a", &id);
    stream.expect("welcome");
    assert_eq!(stream.expect("joined")["recovered"], false);
    server.publish("a", "2");
    assert_eq!(stream.expect("message")["data"], 2);
}

#[test]
fn streams_and_websockets_share_rooms() {
    let server = Server::sharded(2, "");
    let mut stream = server.stream("/sse/a?user=ann");
    let welcome = stream.expect("welcome");
    stream.expect("joined");
    let mut member = server.member("a");
    member.say(r#"{"type":"publish","room":"a","data":"hi","event":"greeting"}"#);
    assert_eq!(stream.expect("greeting")["data"], "hi");
    member.expect("message");
    let connection = welcome["connection"].as_str().expect("a name");
    let body = r#"[{"type":"publish","room":"a","data":"ho","id":1},{"type":"history","room":"a"}]"#;
    let response = server.post(&format!("/sse/{connection}"), body);
    let answer: serde_json::Value = serde_json::from_str(&response.body).expect("JSON");
    assert_eq!(
        (&answer[0]["type"], data(&answer[1]["messages"])),
        (&json!("published"), vec![&json!("hi"), &json!("ho")])
    );
    let message = member.expect("message");
    assert_eq!((&message["data"], &message["from"]), (&json!("ho"), &json!("ann")));
    assert_eq!(stream.expect("message")["data"], "ho");
    drop(stream);
    eventually("the stream's name is forgotten", || {
        server.post(&format!("/sse/{connection}"), r#"{"type":"ping"}"#).status == 404
    });
}

#[test]
fn a_drain_ends_streams_and_says_when_to_come_back() {
    let mut server = Server::configured(&["--drain", "1s"], "");
    let mut stream = server.stream("/sse/a");
    stream.expect("welcome");
    stream.expect("joined");
    server.signal(Signal::TERM);
    let close = stream.expect("close");
    let retry = stream.retry.expect("a time to wait");
    assert_eq!((&close["code"], &close["reason"]), (&json!(1001), &json!(format!("retry in {retry} ms"))));
    stream.ends();
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn many_streams_that_nobody_reads_cost_no_memory() {
    let server = Server::with("[limits]\nqueue = \"64KiB\"\n");
    let streams: Vec<_> = (0..50).map(|_| server.stream("/sse?room=a&room=b")).collect();
    let before = server.memory_kib();
    let text = format!("\"{}\"", "x".repeat(32 * 1024));
    for _ in 0..200 {
        server.publish("a", &text);
    }
    let grown = server.memory_kib().saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB");
    drop(streams);
}

#[test]
fn curl_reads_a_stream() {
    let server = Server::start();
    let url = format!("http://{}/sse/a?history=1", server.address());
    let Ok(mut curl) = Command::new("curl").args(["-sN", &url]).stdout(Stdio::piped()).spawn() else {
        eprintln!("skipped: curl is not here");
        return;
    };
    let mut lines =
        BufReader::new(curl.stdout.take().expect("it is a pipe")).lines().map(|line| line.expect("text"));
    let joined = lines.by_ref().find(|line| line == "event: joined");
    assert!(joined.is_some());
    server.publish("a", "[1,\n2]");
    let event: Vec<_> =
        lines.skip_while(|line| line != "event: message").take_while(|line| !line.is_empty()).collect();
    let [name, first, second, id] = &event[..] else { panic!("{event:?}") };
    assert_eq!((name.as_str(), second.as_str()), ("event: message", "data: 2]}"));
    assert!(
        first.starts_with("data: {\"type\":\"message\"")
            && first.ends_with("\"data\":[1,")
            && id.starts_with("id: ")
    );
    curl.kill().expect("it still runs");
    curl.wait().expect("it can be waited for");
}
