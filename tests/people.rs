//! Users as addresses: messages to a user and to everybody, and questions about a user.

mod harness;

use harness::{Client, Server};
use serde_json::{Value, json};

/// A message without its time and its position, which no test can know.
fn bare(mut message: Value) -> Value {
    for field in ["time", "position"] {
        let text = message[field].as_str().map(str::to_owned);
        assert!(text.is_some_and(|text| !text.is_empty()), "no {field} in {message}");
        message.as_object_mut().expect("an object").remove(field);
    }
    message
}

fn user(server: &Server, name: &str) -> Client {
    server.native(&format!("/ws?user={name}"))
}

#[test]
fn a_direct_message_reaches_all_of_a_users_connections_and_nobody_else() {
    let server = Server::sharded(2, "");
    let (mut ann, mut phone, mut laptop) = (user(&server, "ann"), user(&server, "bob"), user(&server, "bob"));
    let mut tablet = user(&server, "ann");
    let sent = ann.ask(r#"{"type":"direct","to":"bob","data":{"n":1e400},"event":"e","id":7}"#, "delivered");
    assert_eq!(sent, json!({"type": "delivered", "id": 7, "to": "bob", "connections": 2}));
    for device in [&mut phone, &mut laptop] {
        let text = device.text();
        assert!(text.starts_with(r#"{"type":"direct","event":"e","position":""#), "{text}");
        assert!(text.contains(r#""from":"ann","#) && text.ends_with(r#""data":{"n":1e400}}"#), "{text}");
    }
    for other in [&mut ann, &mut tablet, &mut phone] {
        other.nothing_came();
    }
    // The answer comes without an `id`, too, and says when nobody is there.
    let nobody = ann.ask(r#"{"type":"direct","to":"zoë","data":1}"#, "delivered");
    assert_eq!(nobody, json!({"type": "delivered", "to": "zoë", "connections": 0}));
    // An idempotency key belongs to its sender, and the message is sent once.
    let marked = r#"{"type":"direct","to":"bob","data":"once","idempotency_key":"k"}"#;
    for sender in [&mut ann, &mut tablet] {
        sender.ask(marked, "delivered");
    }
    let mut eve = user(&server, "eve");
    eve.ask(marked, "delivered");
    for from in ["ann", "eve"] {
        assert_eq!(phone.expect("direct")["from"], from);
    }
    phone.nothing_came();
    for bad in [r#"{"type":"direct","to":"","data":1}"#, r#"{"type":"direct","to":"bob"}"#] {
        assert_eq!(ann.refused(bad), "bad_request");
    }
}

#[test]
fn whoever_was_welcomed_is_reached() {
    let server = Server::sharded(2, "");
    let mut bob = user(&server, "bob");
    // Half of these names have their home on each shard, so every way of a message is tried often.
    for name in 0..300 {
        let mut ann = user(&server, &format!("ann{name}"));
        let sent = bob.ask(
            json!({"type": "direct", "to": format!("ann{name}"), "data": name}).to_string(),
            "delivered",
        );
        assert_eq!(sent["connections"], 1, "{name}");
        assert_eq!(ann.expect("direct")["data"], name);
    }
}

#[test]
fn an_inbox_gives_what_was_missed_once() {
    let server = Server::sharded(2, "");
    let mut bob = user(&server, "bob");
    let mut ann = user(&server, "ann");
    assert_eq!(server.post("/api/users/ann/messages", r#"{"data":1}"#).json()["connections"], 1);
    let first = ann.expect("notification");
    ann.leave();
    bob.ask(r#"{"type":"direct","to":"ann","data":2}"#, "delivered");
    assert_eq!(server.post("/api/users/ann/messages", r#"{"data":3,"event":"e"}"#).status, 200);

    let mut ann = user(&server, "ann");
    // Messages from before the join of the inbox are not sent again.
    bob.ask(r#"{"type":"direct","to":"ann","data":4}"#, "delivered");
    assert_eq!(ann.expect("direct")["data"], 4);
    let since = &first["position"];
    let joined =
        ann.ask(json!({"type": "join", "room": "$me", "since": since, "id": 1}).to_string(), "joined");
    assert_eq!((&joined["room"], &joined["recovered"]), (&json!("$me"), &json!(true)));
    let history = joined["history"].as_array().unwrap().clone();
    assert_eq!(
        history.into_iter().map(bare).collect::<Vec<_>>(),
        [
            json!({"type": "direct", "from": "bob", "data": 2}),
            json!({"type": "notification", "event": "e", "data": 3}),
        ]
    );
    bob.ask(r#"{"type":"direct","to":"ann","data":5}"#, "delivered");
    assert_eq!(bare(ann.expect("direct")), json!({"type": "direct", "from": "bob", "data": 5}));
    let page = ann.ask(r#"{"type":"history","room":"$me","limit":2}"#, "history");
    assert_eq!((page["messages"][1]["data"].as_i64(), &page["room"]), (Some(5), &json!("$me")));
    // Nobody publishes there, and nobody has another's.
    assert_eq!(ann.refused(r#"{"type":"publish","room":"$me","data":1}"#), "forbidden");
    let mut guest = server.native("/ws");
    assert_eq!(guest.refused(r#"{"type":"join","room":"$me"}"#), "forbidden");
    ann.ask(r#"{"type":"leave","room":"$me","id":2}"#, "left");
    bob.ask(r#"{"type":"direct","to":"ann","data":6}"#, "delivered");
    assert_eq!(ann.expect("direct")["data"], 6);
    ann.nothing_came();
}

#[test]
fn a_stream_hears_its_inbox_if_it_asks_for_it_and_resumes_it() {
    let server = Server::sharded(2, "");
    let mut deaf = server.stream("/sse/a?user=ann");
    deaf.expect("welcome");
    deaf.expect("joined");
    let notify = |data: &str| server.post("/api/users/ann/messages", &format!(r#"{{"data":{data}}}"#)).json();
    assert_eq!(notify("1")["connections"], 0);
    let mut stream = server.stream("/sse?room=a&room=$me&user=ann");
    for name in ["welcome", "joined", "joined"] {
        stream.expect(name);
    }
    assert_eq!(notify("2")["connections"], 1);
    assert_eq!(stream.expect("notification")["data"], 2);
    let id = stream.last_event_id.clone();
    drop(stream);
    harness::eventually("the stream is gone", || server.get("/api/users/ann").json()["connections"] == 1);
    assert_eq!(notify("3")["connections"], 0);
    let mut again = server.resume("/sse?room=a&room=$me&user=ann", &id);
    again.expect("welcome");
    let mut joined = [again.event(), again.event(), again.event()];
    joined.sort_by_key(|event| event.name.clone());
    let [first, second, missed] = joined;
    assert!(first.data["recovered"] == true && second.data["recovered"] == true, "{first:?} {second:?}");
    assert_eq!((missed.name.as_str(), &missed.data["data"]), ("notification", &json!(3)));
    // Everybody hears an announcement.
    assert_eq!(server.post("/api/broadcast", r#"{"data":"all","event":"news"}"#).json()["connections"], 2);
    assert_eq!(again.event().name, "news");
    assert_eq!(deaf.expect("news")["type"], "announcement");
    assert_eq!(server.get("/sse/$me").status, 403);
}

#[test]
fn everybody_hears_an_announcement() {
    let server = Server::sharded(2, "");
    let mut all: Vec<_> = (0..5).map(|index| server.native(&format!("/ws?user=u{index}"))).collect();
    all.push(server.native("/ws/a"));
    all[5].expect("joined");
    let raw = server.client("/raw/a");
    let answer = server.post("/api/broadcast", r#"{"data":{"down":"at noon"},"event":"news"}"#);
    assert_eq!((answer.status, answer.json()), (200, json!({"connections": 6})));
    for client in &mut all {
        let mut heard = client.expect("announcement");
        heard.as_object_mut().unwrap().remove("time").expect("a time");
        assert_eq!(heard, json!({"type": "announcement", "event": "news", "data": {"down": "at noon"}}));
    }
    drop(raw);
    assert_eq!(server.post("/api/broadcast", r#"{"event":"news"}"#).status, 400);
}

#[test]
fn typing_is_told_to_the_others_until_it_ends() {
    let server = Server::sharded(2, "");
    let mut ann = server.native("/ws/a?user=ann");
    ann.expect("joined");
    let mut other = server.native("/ws/a?user=ann");
    other.expect("joined");
    let mut bob = server.native("/ws/a?user=bob");
    bob.expect("joined");
    for device in [&mut ann, &mut other] {
        device.expect("user_joined");
    }
    let typing = |active| json!({"type": "typing", "room": "a", "user": "ann", "active": active});
    ann.say(r#"{"type":"typing","room":"a"}"#);
    assert_eq!(bob.expect("typing"), typing(true));
    // It ends by itself after three seconds.
    assert_eq!(bob.expect("typing"), typing(false));
    // It ends by publishing, before the published message.
    ann.say(r#"{"type":"typing","room":"a"}"#);
    assert_eq!(bob.expect("typing"), typing(true));
    ann.publish("a", 1);
    assert_eq!(bob.expect("typing"), typing(false));
    assert_eq!(bob.expect("message")["data"], 1);
    for device in [&mut ann, &mut other] {
        assert_eq!(device.json()["type"], "message");
        device.nothing_came();
    }
    assert_eq!(ann.refused(r#"{"type":"typing","room":"b"}"#), "not_joined");
}

#[test]
fn typing_ends_with_leaving_and_is_not_for_guests() {
    let server = Server::sharded(2, "[[rooms]]\npattern = \"still\"\ntyping = false\n");
    let mut ann = server.native("/ws/a?user=ann");
    ann.expect("joined");
    let mut guest = server.native("/ws/a");
    guest.expect("joined");
    guest.say(r#"{"type":"typing","room":"a"}"#);
    ann.nothing_came();
    ann.say(r#"{"type":"typing","room":"a"}"#);
    assert_eq!(guest.expect("typing")["active"], true);
    ann.leave();
    assert_eq!(guest.expect("typing")["active"], false);
    assert_eq!(guest.expect("user_left")["user"], "ann");
    let mut bob = server.native("/ws/still?user=bob");
    bob.expect("joined");
    assert_eq!(bob.refused(r#"{"type":"typing","room":"still"}"#), "forbidden");
}

/// Two calls in one piece: the second takes effect after the first, on every shard.
#[test]
fn whoever_is_removed_or_disconnected_gets_what_was_published_before() {
    for shards in [1, 4] {
        let server = Server::sharded(shards, "");
        let mut app = server.wire();
        for n in 0..24 {
            let (room, user) = (format!("r{n}"), format!("u{n}"));
            let mut reader = server.native(&format!("/ws?user={user}"));
            reader.ask(format!(r#"{{"type":"join","room":"{room}"}}"#), "joined");
            let removes = n % 2 == 0;
            let call = if removes {
                format!("/api/rooms/{room}/members/{user}")
            } else {
                format!("/api/users/{user}/connections")
            };
            app.send(format!(
                "POST /api/rooms/{room}/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{{\"data\":1}}\
                 DELETE {call} HTTP/1.1\r\nHost: a\r\n\r\n"
            ));
            assert_eq!([app.response(), app.response()].map(|answer| answer.status), [200, 200]);
            reader.expect("message");
            if removes {
                reader.expect("left");
            } else {
                assert_eq!(reader.closed().0, 4000);
            }
        }
    }
}

#[test]
fn the_app_finds_removes_and_disconnects_users() {
    let server = Server::sharded(2, "");
    let mut ann = server.native("/ws?room=a&room=b&user=ann");
    ann.expect("joined");
    ann.expect("joined");
    let mut phone = server.native("/ws/a?user=ann");
    phone.expect("joined");
    let raw = server.client("/raw/a?user=ann");
    let found = server.get("/api/users/ann").json();
    assert_eq!(found, json!({"online": true, "connections": 3, "rooms": ["a", "b"], "after": null}));
    let page = |query: &str| server.get(&format!("/api/users/ann{query}")).json();
    assert_eq!(page("?limit=1"), json!({"online": true, "connections": 3, "rooms": ["a"], "after": "a"}));
    assert_eq!(
        page("?limit=1&after=a"),
        json!({"online": true, "connections": 3, "rooms": ["b"], "after": null})
    );
    assert_eq!(server.get("/api/users/ann?limit=x").status, 400);
    assert_eq!(
        server.get("/api/users/zo%C3%AB").json(),
        json!({"online": false, "connections": 0, "rooms": [], "after": null})
    );

    let removed = server.delete("/api/rooms/a/members/ann", "");
    assert_eq!((removed.status, removed.json()), (200, json!({"connections": 2})));
    for device in [&mut ann, &mut phone] {
        let left = json!({"type": "left", "room": "a", "reason": "removed by the app"});
        assert_eq!(device.expect("left"), left);
    }
    assert_eq!(ann.refused(r#"{"type":"publish","room":"a","data":1}"#), "not_joined");
    assert_eq!(server.get("/api/rooms/a").json()["count"], 0);

    assert_eq!(server.delete("/api/users/ann/connections", "{").status, 400);
    let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(124));
    // A reason that is too long for a close frame is cut.
    assert_eq!(server.delete("/api/users/nobody/connections", &long).json(), json!({"connections": 0}));
    let gone = server.delete("/api/users/ann/connections", r#"{"reason":"banned"}"#);
    assert_eq!(gone.json(), json!({"connections": 3}));
    assert_eq!(ann.closed(), (4000, "banned".to_owned()));
    assert_eq!(phone.closed(), (4000, "banned".to_owned()));
    drop(raw);
    harness::eventually("ann is offline", || server.get("/api/users/ann").json()["online"] == false);
    let mut bob = user(&server, "bob");
    assert_eq!(server.delete("/api/users/bob/connections?reason=bye%20now", "").json()["connections"], 1);
    assert_eq!(bob.closed(), (4000, "bye now".to_owned()));
}

#[test]
fn a_batch_goes_to_rooms_users_and_everybody() {
    let server = Server::sharded(2, "");
    let mut ann = server.native("/ws/a?user=ann");
    ann.expect("joined");
    let body = r#"{"messages":[{"room":"a","data":1},{"user":"ann","data":2},{"all":true,"data":3},{"user":"zoe","data":4},
        {"user":"","data":5}]}"#;
    let results = server.post("/api/batch", body).json()["results"].clone();
    let shape = |result: &Value| result.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(",");
    let shapes: Vec<_> = results.as_array().unwrap().iter().map(shape).collect();
    assert_eq!(shapes, ["position", "connections,position", "connections", "connections,position", "error"]);
    assert_eq!((&results[1]["connections"], &results[2]["connections"]), (&json!(1), &json!(1)));
    let mut kinds: Vec<_> = (0..3).map(|_| ann.json()["type"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    assert_eq!(kinds, ["announcement", "message", "notification"]);
    // With the same idempotency key it is sent once.
    let body = r#"{"data":1,"idempotency_key":"k"}"#;
    let [first, second] = [0, 1].map(|_| server.post("/api/users/ann/messages", body).json());
    assert_eq!(first, second);
    ann.expect("notification");
    ann.nothing_came();
}

#[test]
fn a_user_on_three_devices_and_a_fourth_refused() {
    let server = Server::sharded(2, "[limits]\nconnections_per_user = 3\n");
    let mut devices: Vec<_> = (0..3).map(|_| server.native("/ws/a?user=ann")).collect();
    for device in &mut devices {
        device.expect("joined");
    }
    let mut fourth = server.client("/ws/a?user=ann");
    assert_eq!(fourth.closed(), (1008, "max connections reached".to_owned()));
    let mut stream = server.stream("/sse/a?user=ann");
    assert_eq!(
        stream.expect("close"),
        json!({"type": "close", "code": 1008, "reason": "max connections reached"})
    );
    let mut bob = server.native("/ws/a?user=bob");
    bob.expect("joined");
    devices.pop().unwrap().leave();
    harness::eventually("there is room again", || {
        let mut next = server.client("/ws/a?user=ann");
        let first = next.any();
        first.is_text()
    });
}

#[test]
fn the_oldest_makes_room_where_that_is_wanted() {
    let server = Server::sharded(2, "[limits]\nconnections_per_user = 2\ntoo_many = \"evict-oldest\"\n");
    let mut devices: Vec<_> = (0..3)
        .map(|_| {
            let mut device = server.native("/ws/a?user=ann");
            device.expect("joined");
            device
        })
        .collect();
    assert_eq!(devices[0].closed(), (1008, "replaced by a newer connection".to_owned()));
    harness::eventually("two are left", || server.get("/api/users/ann").json()["connections"] == 2);
    devices[1].publish("a", 1);
    assert_eq!(devices[2].expect("message")["data"], 1);
}

#[test]
fn a_name_is_one_connections_alone_where_that_is_wanted() {
    let server = Server::sharded(2, "[auth]\nunique_names = true\n");
    let ann = user(&server, "ann");
    let mut other = server.client("/ws?user=ann");
    assert_eq!(other.closed(), (1008, "user name taken".to_owned()));
    let _guests = [server.native("/ws"), server.native("/ws")];
    ann.leave();
    harness::eventually("the name is free", || server.client("/ws?user=ann").any().is_text());
}

#[test]
fn writing_to_users_can_be_the_apps_alone() {
    let server = Server::with("direct = false\n");
    let mut ann = user(&server, "ann");
    assert_eq!(ann.refused(r#"{"type":"direct","to":"ann","data":1}"#), "forbidden");
    assert_eq!(server.post("/api/users/ann/messages", r#"{"data":1}"#).json()["connections"], 1);
    assert_eq!(bare(ann.expect("notification")), json!({"type": "notification", "data": 1}));
}
