//! What a room remembers: the order of its messages, its history, and coming back to just where one was.

mod harness;

use harness::Server;
use harness::client::{data, offset, parts};
use serde_json::json;

#[test]
fn requests_about_one_room_take_effect_in_order() {
    let server = Server::sharded(2, "");
    let mut client = server.native("/ws");
    for n in 0..30 {
        let room = format!("r{n}");
        let about = |kind: &str, more: &str| format!(r#"{{"type":"{kind}","room":"{room}","id":1{more}}}"#);
        client.say(about("join", ""));
        client.say(about("publish", r#","data":1"#));
        client.say(about("leave", ""));
        client.say(about("join", r#","history":10"#));
        client.say(about("publish", r#","data":2"#));
        client.expect("joined");
        // Who leaves before its own message has come back may or may not see it.
        let mut next = client.json();
        while next["type"] != "left" {
            assert!(["message", "published"].contains(&next["type"].as_str().unwrap_or_default()), "{next}");
            next = client.json();
        }
        let mut again = client.json();
        if again["type"] == "published" {
            again = client.json();
        }
        assert_eq!((&again["type"], data(&again["history"])), (&json!("joined"), vec![&json!(1)]), "{again}");
        assert_eq!(client.expect("message")["data"], 2);
        assert_eq!(offset(&client.expect("published")), 2);
    }
}

#[test]
fn history_and_since_return_what_was_said() {
    let server = Server::sharded(2, "[[rooms]]\npattern = \"short\"\nhistory = 3\n");
    let mut client = server.member("short");
    let mut positions = Vec::new();
    for n in 1..=5 {
        client.publish("short", n);
        positions.push(client.expect("message")["position"].clone());
    }
    let mut ask = |kind: &str, more: &str| {
        client.ask(format!(r#"{{"type":"{kind}","room":"short"{more}}}"#), answer(kind))
    };
    for (more, expected, recovered, left) in [
        ("".to_owned(), vec![3, 4, 5], false, false),
        (r#","limit":2"#.to_owned(), vec![4, 5], false, false),
        (r#","limit":0"#.to_owned(), vec![], false, false),
        (format!(r#","since":{}"#, positions[2]), vec![4, 5], true, false),
        (format!(r#","since":{},"limit":2"#, positions[1]), vec![3, 4], true, true),
        (format!(r#","since":{}"#, positions[4]), vec![], true, false),
        (format!(r#","since":{}"#, positions[0]), vec![3, 4, 5], false, false),
        (r#","since":"00000000:4""#.to_owned(), vec![3, 4, 5], false, false),
        (r#","since":"rubbish""#.to_owned(), vec![3, 4, 5], false, false),
    ] {
        let history = ask("history", &more);
        assert_eq!(data(&history["messages"]), expected, "{more}: {history}");
        assert_eq!((&history["recovered"], &history["more"]), (&json!(recovered), &json!(left)), "{more}");
        assert_eq!((&history["position"], &history["room"]), (&positions[4], &json!("short")), "{more}");
    }
    for (more, expected, recovered) in [
        ("".to_owned(), vec![], false),
        (r#","history":2"#.to_owned(), vec![4, 5], false),
        (r#","history":99"#.to_owned(), vec![3, 4, 5], false),
        (format!(r#","since":{}"#, positions[2]), vec![4, 5], true),
        (format!(r#","since":{}"#, positions[4]), vec![], true),
        (format!(r#","since":{}"#, positions[0]), vec![3, 4, 5], false),
    ] {
        let joined = ask("join", &more);
        assert_eq!(data(&joined["history"]), expected, "{more}: {joined}");
        assert_eq!(joined["recovered"], recovered, "{more}");
    }
}

fn answer(kind: &str) -> &str {
    if kind == "join" { "joined" } else { kind }
}

#[test]
fn a_resume_in_a_storm_misses_and_doubles_nothing() {
    let server = Server::sharded(2, "[[rooms]]\npattern = \"storm\"\nhistory = 5000\n");
    let mut publisher = server.member("storm");
    let total = 2_000;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for n in 1..=total {
                publisher.publish("storm", n);
                if n % 50 == 0 {
                    while offset(&publisher.expect("message")) < n {}
                }
            }
        });
        let mut since = server.get("/api/rooms/storm").json()["position"].clone();
        let mut seen = parts(&since).1;
        while seen < total {
            let mut client = server.native("/ws");
            let request = format!(r#"{{"type":"join","room":"storm","since":{since}}}"#);
            let joined = client.ask(request, "joined");
            assert_eq!(joined["recovered"], true, "{joined}");
            let missed = joined["history"].as_array().expect("an array").clone();
            let live = total.min(seen + missed.len() as u64 + 20) - seen - missed.len() as u64;
            let live: Vec<_> = (0..live).map(|_| client.expect("message")).collect();
            for message in missed.iter().chain(&live) {
                seen += 1;
                assert_eq!((offset(message), &message["data"]), (seen, &json!(seen)));
                since = message["position"].clone();
            }
        }
    });
}
