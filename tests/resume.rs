//! What a room remembers: the order of its messages, its history, and how a client resumes exactly.

mod harness;

use harness::Server;
use harness::client::{data, offset, parts};
use serde_json::json;

#[test]
fn requests_about_one_room_take_effect_in_order() {
    for shards in [1, 2, 4] {
        let server = Server::sharded(shards, "");
        let mut client = server.native("/ws");
        for n in 0..30 {
            let room = format!("r{n}");
            let about =
                |kind: &str, more: &str| format!(r#"{{"type":"{kind}","room":"{room}","id":1{more}}}"#);
            client.say(about("join", ""));
            client.say(about("publish", r#","data":1"#));
            client.say(about("publish", r#","data":2,"store":false"#));
            client.say(about("publish", r#","data":3,"echo":false"#));
            client.say(about("leave", ""));
            client.say(about("publish", r#","data":4"#));
            client.say(about("join", r#","history":10"#));
            client.say(about("publish", r#","data":5"#));
            let heard: Vec<_> = (0..11).map(|_| client.json()).collect();
            let kinds: Vec<_> = heard.iter().filter_map(|event| event["type"].as_str()).collect();
            let expected = [
                "joined",
                "message",
                "published",
                "message",
                "published",
                "published",
                "left",
                "error",
                "joined",
                "message",
                "published",
            ];
            assert_eq!(kinds, expected, "{shards} shards, {room}: {heard:#?}");
            assert_eq!(
                [&heard[1]["data"], &heard[3]["data"], &heard[9]["data"]],
                [&json!(1), &json!(2), &json!(5)]
            );
            assert_eq!(heard[7]["code"], "not_joined");
            assert_eq!(data(&heard[8]["history"]), [&json!(1), &json!(3)], "{room}");
            assert_eq!(offset(&heard[10]), 3);
        }
    }
}

#[test]
fn requests_on_behalf_of_a_stream_take_effect_in_order() {
    for shards in [1, 2, 4] {
        let server = Server::sharded(shards, "");
        for n in 0..8 {
            let (room, other) = (format!("r{n}"), format!("o{n}"));
            let mut stream = server.stream(&format!("/sse?room={room}&room={other}"));
            let connection = stream.expect("welcome")["connection"].as_str().unwrap_or_default().to_owned();
            stream.expect("joined");
            stream.expect("joined");
            let requests = json!([
                {"type": "publish", "room": room, "data": 1, "id": 1}, {"type": "leave", "room": room, "id": 2},
                {"type": "publish", "room": room, "data": 2, "id": 3}, {"type": "join", "room": room, "id": 4},
                {"type": "publish", "room": room, "data": 3, "id": 5},
            ]);
            let answers = server.post(&format!("/sse/{connection}"), &requests.to_string()).json();
            let kinds: Vec<_> =
                answers.as_array().into_iter().flatten().map(|answer| &answer["type"]).collect();
            assert_eq!(kinds, ["published", "left", "error", "joined", "published"], "{answers}");
            assert_eq!(
                [&stream.expect("message")["data"], &stream.expect("message")["data"]],
                [&json!(1), &json!(3)]
            );
        }
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
        (format!(r#","since":{},"history":1"#, positions[2]), vec![4, 5], true),
        (format!(r#","since":{}"#, positions[0]), vec![3, 4, 5], false),
        (format!(r#","since":{},"history":2"#, positions[0]), vec![4, 5], false),
        (r#","since":"rubbish","history":1"#.to_owned(), vec![5], false),
        (r#","since":"00000000:4","history":0"#.to_owned(), vec![], false),
    ] {
        let joined = ask("join", &more);
        assert_eq!(data(&joined["history"]), expected, "{more}: {joined}");
        assert_eq!(joined["recovered"], recovered, "{more}");
    }
}

#[test]
fn whoever_has_lost_its_place_gets_no_more_than_it_asks_for() {
    let server = Server::sharded(2, "");
    for n in 1..=4 {
        server.publish("a", &n.to_string());
    }
    let missed = |query: &str, id: &str| {
        let mut stream = server.resume(&format!("/sse/a{query}"), id);
        stream.expect("welcome");
        let joined = stream.expect("joined");
        assert_eq!(joined["recovered"], false, "{query} {id}");
        server.post("/api/rooms/a/messages", r#"{"data":"end","store":false}"#);
        let heard = std::iter::from_fn(|| Some(stream.expect("message")["data"].clone()));
        heard.take_while(|data| data != "end").filter(serde_json::Value::is_number).count()
    };
    for id in ["deadbeef:2", "rubbish"] {
        let counts = ["?history=3", "?history=0", "", "?history=99"].map(|query| missed(query, id));
        assert_eq!(counts, [3, 0, 4, 4], "{id}");
    }
    let post = |n: u32| server.post("/api/users/ann/messages", &format!(r#"{{"data":{n}}}"#));
    (1..=4).for_each(|n| assert_eq!(post(n).status, 200));
    let mut ann = server.native("/ws?user=ann");
    let joined = ann.ask(r#"{"type":"join","room":"$me","since":"deadbeef:1","history":2}"#, "joined");
    assert_eq!((data(&joined["history"]), &joined["recovered"]), (vec![&json!(3), &json!(4)], &json!(false)));
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
