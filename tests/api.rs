//! The app's side: publishing over HTTP, and asking for the state of rooms.

mod harness;

use std::collections::BTreeSet;

use harness::Server;
use harness::client::Client;
use harness::wire::Response;
use serde_json::{Value, json};

fn batch(server: &Server, messages: &Value) -> Response {
    server.post("/api/batch", &json!({ "messages": messages }).to_string())
}

/// The names of the rooms on a page, and where the next page begins.
fn page(server: &Server, query: &str) -> (Vec<String>, Option<String>) {
    let body = server.get(&format!("/api/rooms?{query}")).json();
    let rooms = body["rooms"].as_array().unwrap_or_else(|| panic!("{body}"));
    let names = rooms.iter().map(|room| room["room"].as_str().expect("a name").to_owned()).collect();
    (names, body["after"].as_str().map(str::to_owned))
}

#[test]
fn a_publish_reaches_the_members_and_says_where_it_stands() {
    let server = Server::sharded(2, "");
    let mut members: Vec<_> = (0..5).map(|_| server.member("a")).collect();
    let body = r#"{"data": {"x" : 1e400} ,"event":"e","from":"app:1","unknown":[]}"#;
    let answer = server.post("/api/rooms/a/messages", body);
    let position = answer.json()["position"].clone();
    assert_eq!((answer.status, answer.json()), (200, json!({ "position": position })));
    for member in &mut members {
        let text = member.text();
        let ends = r#""data":{"x" : 1e400}}"#;
        assert!(text.ends_with(ends), "{text}");
        for part in [r#""from":"app:1""#, r#""event":"e""#, &format!(r#""position":{position}"#)] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
    let unstored = server.post("/api/rooms/a/messages", r#"{"data":2,"store":false}"#).json();
    assert_eq!(unstored, json!({ "position": null }));
    assert_eq!(members[0].expect("message").get("position"), None);
    // A name is decoded after the split.
    assert_eq!(server.post("/api/rooms/a%2Fb/messages", r#"{"data":1}"#).status, 200);
    assert_eq!(server.get("/api/rooms/a%2Fb").json()["room"], "a/b");
}

#[test]
fn exclude_leaves_one_connection_out() {
    let server = Server::sharded(2, "");
    let mut left_out = server.client("/ws/a");
    let name = left_out.expect("welcome")["connection"].clone();
    left_out.expect("joined");
    let mut other = server.member("a");
    let body = json!({"data": 1, "exclude": name});
    assert_eq!(server.post("/api/rooms/a/messages", &body.to_string()).status, 200);
    assert_eq!(other.expect("message")["data"], 1);
    server.publish("a", "2");
    assert_eq!(left_out.expect("message")["data"], 2);
    // An unknown connection excludes nobody.
    let body = json!({"data": 3, "exclude": "nobody"});
    assert_eq!(server.post("/api/rooms/a/messages", &body.to_string()).status, 200);
    assert_eq!(left_out.expect("message")["data"], 3);
}

#[test]
fn bad_publishes_have_their_errors() {
    let server = Server::start();
    for (path, body, code) in [
        ("a", "", "bad_json"),
        ("a", "{", "bad_json"),
        ("a", "[]", "bad_request"),
        ("a", "{}", "bad_request"),
        ("a", r#"{"data":1,"data":2}"#, "bad_request"),
        ("a", r#"{"data":1,"event":""}"#, "bad_request"),
        ("a", r#"{"data":1,"from":""}"#, "bad_request"),
        ("a", r#"{"data":1,"from":"\u0000"}"#, "bad_request"),
        ("a", r#"{"data":1,"from":null}"#, "bad_request"),
        ("a", r#"{"data":1,"exclude":1}"#, "bad_request"),
        ("a", r#"{"data":1,"store":"yes"}"#, "bad_request"),
        ("%24me", r#"{"data":1}"#, "bad_room"),
        ("a%20b", r#"{"data":1}"#, "bad_room"),
    ] {
        let answer = server.post(&format!("/api/rooms/{path}/messages"), body);
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{path} {body}");
    }
    let deep = format!(r#"{{"data":{}{}}}"#, "[".repeat(129), "]".repeat(129));
    assert_eq!(server.post("/api/rooms/a/messages", &deep).code(), "bad_json");
    assert_eq!(
        server.wire().request("POST", "/api/rooms/a/messages", "Content-Length: 1\r\n", "\u{1}").status,
        400
    );
    assert_eq!(server.get("/api/rooms/a").json()["position"], "00000000:0", "none of them made a room");
}

#[test]
fn a_batch_answers_each_message() {
    let server = Server::sharded(2, "");
    let mut members: Vec<_> = (0..4).map(|n| server.member(&format!("r{n}"))).collect();
    let mut messages: Vec<Value> =
        (0..40).map(|n| json!({"room": format!("r{}", n % 4), "data": n})).collect();
    messages[10] = json!({"room": "$me", "data": 1});
    messages[20] = json!({"room": "r0"});
    messages[30] = json!(7);
    let answer = batch(&server, &json!(messages));
    assert_eq!(answer.status, 200);
    let body = answer.json();
    let results = body["results"].as_array().expect("an array");
    assert_eq!(results.len(), 40);
    for (n, result) in results.iter().enumerate() {
        match n {
            10 => assert_eq!(result["error"]["code"], "bad_room"),
            20 | 30 => assert_eq!(result["error"]["code"], "bad_request"),
            _ => assert!(result["position"].is_string(), "{n}: {result}"),
        }
    }
    for (room, member) in members.iter_mut().enumerate() {
        for n in (room..40).step_by(4).filter(|n| ![10, 20, 30].contains(n)) {
            let message = member.expect("message");
            assert_eq!((&message["data"], &message["position"]), (&json!(n), &results[n]["position"]));
        }
    }
    assert_eq!(batch(&server, &json!([])).json(), json!({"results": []}));
    let many: Vec<_> = (0..1000).map(|_| json!({"room": "many", "data": 1})).collect();
    assert_eq!(batch(&server, &json!(many)).json()["results"].as_array().map(Vec::len), Some(1000));
    for bad in [json!(null), json!({}), json!([many, vec![json!(1)]].concat())] {
        assert_eq!(batch(&server, &bad).code(), "bad_request");
    }
    assert_eq!(server.post("/api/batch", "{}").code(), "bad_request");
}

#[test]
fn rooms_are_listed_in_byte_order_and_in_pages() {
    let server = Server::sharded(4, "");
    let names: BTreeSet<String> =
        (0..25).map(|n| format!("list:{n}")).chain(["Z".into(), "a".into()]).collect();
    for name in &names {
        server.publish(name, "1");
    }
    let all: Vec<String> = names.iter().cloned().collect();
    assert_eq!(page(&server, ""), (all.clone(), None));
    let mut walked = Vec::new();
    let mut after = String::new();
    loop {
        let (mut names, next) = page(&server, &format!("limit=7&after={after}"));
        assert!(names.len() == 7 || next.is_none(), "{names:?}");
        walked.append(&mut names);
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(walked, all);
    let listed: Vec<String> = all.iter().filter(|name| name.starts_with("list:1")).cloned().collect();
    assert_eq!(page(&server, "prefix=list:1"), (listed, None));
    assert_eq!(page(&server, "prefix=nothing"), (Vec::new(), None));
    // A page that holds exactly all of them has no next page.
    assert_eq!(page(&server, &format!("limit={}", all.len())), (all.clone(), None));
    for query in ["limit=x", "limit=-1", "limit="] {
        assert_eq!(server.get(&format!("/api/rooms?{query}")).code(), "bad_request");
    }
}

#[test]
fn a_room_tells_its_people_and_connections() {
    let server = Server::sharded(2, "");
    let nothing = server.get("/api/rooms/a").json();
    assert_eq!(nothing, json!({"room": "a", "count": 0, "connections": 0, "position": "00000000:0"}));
    let join = |user: &str| {
        let mut client = server.native(&format!("/ws/a?user={user}"));
        client.expect("joined");
        client
    };
    let mut members = vec![join("ann"), join("ann"), join("bob"), server.member("a")];
    let position = server.publish("a", "1").json()["position"].clone();
    let room = server.get("/api/rooms/a").json();
    assert_eq!(room, json!({"room": "a", "count": 3, "connections": 4, "position": position}));
    assert_eq!(server.get("/api/rooms").json()["rooms"], json!([room]));
    assert_eq!(members.pop().map(Client::leave), Some(1000));
    drop(members.pop());
    harness::eventually("both are out", || {
        let room = server.get("/api/rooms/a").json();
        (&room["count"], &room["connections"]) == (&json!(1), &json!(2))
    });
}

#[test]
fn history_is_read_over_http_too() {
    let server = Server::sharded(2, "[[rooms]]\npattern = \"*\"\nhistory = 3\n");
    let empty = server.get("/api/rooms/a/messages").json();
    let expected = json!({"messages": [], "position": "00000000:0", "recovered": false, "more": false});
    assert_eq!(empty, expected);
    let positions: Vec<String> = (1..=5)
        .map(|n| {
            server.publish("a", &n.to_string()).json()["position"].as_str().expect("a position").to_owned()
        })
        .collect();
    for (query, data, recovered, more) in [
        ("".to_owned(), json!([3, 4, 5]), false, false),
        ("limit=2".to_owned(), json!([4, 5]), false, false),
        (format!("since={}", positions[2]), json!([4, 5]), true, false),
        (format!("since={}&limit=1", positions[2]), json!([4]), true, true),
        (format!("since={}", positions[0]), json!([3, 4, 5]), false, false),
        ("since=rubbish".to_owned(), json!([3, 4, 5]), false, false),
    ] {
        let body = server.get(&format!("/api/rooms/a/messages?{query}")).json();
        let got: Vec<_> =
            body["messages"].as_array().expect("an array").iter().map(|each| each["data"].clone()).collect();
        assert_eq!(
            (json!(got), &body["recovered"], &body["more"]),
            (data, &json!(recovered), &json!(more)),
            "{query}"
        );
        assert_eq!(body["position"], positions[4]);
        assert_eq!(body["messages"][0]["type"], "message", "{body}");
    }
    assert_eq!(server.get("/api/rooms/a/messages?limit=two").code(), "bad_request");
}

#[test]
fn pages_of_other_sites_cannot_drive_an_open_relay() {
    let server = Server::start();
    let origin =
        |origin: &str| server.wire().request("GET", "/api/rooms", &format!("Origin: {origin}\r\n"), "");
    for foreign in
        ["http://example.com", "null", "http://localhost.example.com", "http://10.0.0.1", "file://"]
    {
        assert_eq!(
            (origin(foreign).status, origin(foreign).code().as_str()),
            (403, "forbidden"),
            "{foreign}"
        );
        for path in ["/ws/a", "/raw/a", "/echo"] {
            let mut client =
                Client::open(server.address(), path, &[("Origin", foreign)]).expect("a handshake");
            assert_eq!(client.closed(), (1008, "origin not allowed".to_owned()), "{foreign} at {path}");
        }
    }
    let fields = "Origin: http://example.com\r\nContent-Length: 10\r\n";
    let post = server.wire().request("POST", "/api/rooms/a/messages", fields, "{\"data\":1}");
    assert_eq!(post.status, 403);
    assert_eq!(server.get("/api/rooms").json()["rooms"], json!([]), "nothing was published or joined");
    for local in ["http://localhost", "https://localhost:3000", "http://127.0.0.1:8000", "http://[::1]:80"] {
        assert_eq!(origin(local).status, 200, "{local}");
        let mut client = Client::open(server.address(), "/ws/a", &[("Origin", local)]).expect("a handshake");
        client.expect("welcome");
        client.expect("joined");
    }
}

#[test]
fn healthz_is_alive() {
    let server = Server::start();
    assert_eq!((server.get("/healthz").status, server.get("/healthz?x=1").status), (200, 200));
}

#[test]
fn a_name_that_somebody_else_can_own_is_not_served() {
    let server = Server::start();
    let ask = |host: &str| {
        let mut wire = server.wire();
        wire.send(format!("GET /api/rooms HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        wire.response().status
    };
    assert_eq!(["localhost:1", "127.0.0.1", "relay", "a.localhost"].map(ask), [200; 4]);
    assert_eq!(["evil.example", "localhost.evil.example:80"].map(ask), [403; 2]);
}

#[test]
fn a_key_is_whose_it_is() {
    let server = Server::sharded(2, "");
    let enter = |query: &str| {
        let mut member = server.native(&format!("/ws/a{query}"));
        member.expect("joined");
        member
    };
    let said = |who: &str| {
        format!(
            r#"{{"type":"publish","room":"a","data":"{who}","echo":false,"id":1,"idempotency_key":"order 7"}}"#
        )
    };
    let mut watcher = enter("");
    // Whoever guesses the app's key publishes a message of their own, and the app's message still comes.
    for (query, who) in [("", "guest 0"), ("", "guest 1"), ("?user=ann", "ann"), ("?user=ann", "ann again")] {
        let mut member = enter(query);
        let first = member.ask(said(who), "published");
        assert_eq!(member.ask(said("the same again"), "published"), first);
    }
    let body = r#"{"data":"app","idempotency_key":"order 7"}"#;
    let [first, second] = [0, 1].map(|_| server.post("/api/rooms/a/messages", body).json());
    assert_eq!(first, second);
    let mut heard = Vec::new();
    while heard.len() < 4 {
        let event = watcher.json();
        if event["type"] == "message" {
            heard.push(event["data"].as_str().unwrap().to_owned());
        }
    }
    heard.sort();
    assert_eq!(heard, ["ann", "app", "guest 0", "guest 1"]);
    assert_eq!(server.get("/api/rooms/a").json()["position"], first["position"]);
}
