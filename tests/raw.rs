//! The raw dialect: the others get what one member sends, unchanged and with its type.

mod harness;

use harness::Server;
use harness::client::Client;
use tungstenite::Message;

/// A member of the raw room `room` that has joined for certain: what it sends waits until it has.
fn member(server: &Server, room: &str) -> Client {
    let mut client = server.client(&format!("/raw/{room}?echo=1"));
    client.send(Message::text("in"));
    while client.text() != "in" {}
    client
}

/// Skips what others sent while they joined.
fn after_the_others(client: &mut Client) -> Message {
    loop {
        match client.next() {
            Message::Text(text) if text.as_str() == "in" => {}
            message => return message,
        }
    }
}

#[test]
fn messages_go_verbatim_to_the_others() {
    let server = Server::sharded(2, "");
    let mut others: Vec<_> = (0..4).map(|_| member(&server, "doc")).collect();
    let mut sender = server.client("/raw/doc");
    let all: Vec<u8> = (0..=255).collect();
    let messages = [
        Message::text(r#"{"type":"join","room":"x"}"#),
        Message::binary(all),
        Message::text(""),
        Message::binary(Vec::new()),
        Message::text("\u{1f349}".repeat(10_000)),
    ];
    for message in &messages {
        sender.send(message.clone());
    }
    for other in &mut others {
        assert_eq!(&after_the_others(other), &messages[0]);
        for message in &messages[1..] {
            assert_eq!(&other.next(), message);
        }
    }
    // The sender itself gets none of them, only what comes next.
    others[0].send(Message::text("answer"));
    assert_eq!(sender.text(), "answer");
}

#[test]
fn whoever_has_shaken_hands_hears_what_is_said_then() {
    let server = Server::sharded(2, "");
    // A quarter of these rooms have their home and their sender on one shard, and their reader on another.
    for number in 0..300 {
        let room = format!("doc{number}");
        let mut speaker = member(&server, &room);
        let mut listener = server.client(&format!("/raw/{room}"));
        speaker.send(Message::text("hello"));
        assert_eq!(speaker.text(), "hello");
        assert_eq!(listener.text(), "hello");
    }
}

#[test]
fn echo_includes_the_sender() {
    let server = Server::start();
    let mut client = server.client("/raw/doc?echo=1");
    for n in 0..100 {
        client.send(Message::binary(vec![n]));
    }
    for n in 0..100 {
        assert_eq!(client.next(), Message::binary(vec![n]));
    }
    for query in ["?echo=0", "?echo=", "?echo=true", ""] {
        let mut silent = server.client(&format!("/raw/doc{query}"));
        silent.send(Message::text("silent"));
        assert_eq!(client.text(), "silent", "{query}");
        client.send(Message::text("heard"));
        assert_eq!((client.text(), silent.text()), ("heard".to_owned(), "heard".to_owned()), "{query}");
    }
}

#[test]
fn fragments_arrive_as_one_message_and_pings_stay_here() {
    let server = Server::start();
    let mut reader = member(&server, "doc");
    let mut wire = server.wire().upgraded("/raw/doc");
    use harness::wire::masked;
    wire.send([masked(0x02, b"a"), masked(0x89, b"p"), masked(0x00, b"b"), masked(0x80, b"c")].concat());
    assert_eq!((wire.frame().first, reader.next()), (0x8a, Message::binary("abc")));
}

#[test]
fn one_name_in_raw_and_native_is_two_rooms() {
    let server = Server::sharded(2, "");
    let (mut native, mut raw) = (server.member("doc"), member(&server, "doc"));
    raw.send(Message::text("raw"));
    assert_eq!(raw.text(), "raw");
    native.nothing_came();
    server.publish("doc", "1");
    assert_eq!(native.expect("message")["data"], 1);
    raw.send(Message::text("still raw"));
    assert_eq!(raw.text(), "still raw");
    // A raw room has no API.
    assert_eq!(server.get("/api/rooms/doc").json()["connections"], 1);
    let rooms = server.get("/api/rooms").json();
    assert_eq!(rooms["rooms"].as_array().map(Vec::len), Some(1), "{rooms}");
}

#[test]
fn everybody_sees_one_order() {
    let server = Server::sharded(2, "");
    const EACH: usize = 200;
    let mut members: Vec<_> = (0..4).map(|_| member(&server, "busy")).collect();
    // All have joined once each has heard the last of them.
    members[3].send(Message::text("all here"));
    for client in &mut members {
        while client.text() != "all here" {}
    }
    let heard: Vec<Vec<String>> = std::thread::scope(|scope| {
        let talk = |(who, mut client): (usize, Client)| {
            for n in 0..EACH {
                client.send(Message::text(format!("{who}:{n}")));
            }
            (0..4 * EACH).map(|_| client.text()).collect()
        };
        let threads: Vec<_> =
            members.into_iter().enumerate().map(|each| scope.spawn(move || talk(each))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no member fails")).collect()
    });
    for other in &heard[1..] {
        assert!(heard[0] == *other, "two members saw two orders");
    }
    for who in 0..4 {
        let prefix = format!("{who}:");
        let own = heard[0].iter().filter_map(|text| text.strip_prefix(&prefix));
        assert!(own.eq((0..EACH).map(|n| n.to_string()).collect::<Vec<_>>().iter()), "{who} is out of order");
    }
}

#[test]
fn rooms_settings_hold_here_as_far_as_they_have_a_meaning() {
    let server = Server::with(
        "[[rooms]]\npattern = \"mute\"\nclient_publish = false\n[[rooms]]\npattern = \"full\"\nmax_members = 1\n",
    );
    let mut mute = server.client("/raw/mute?echo=1");
    mute.send(Message::text("unheard"));
    mute.send(Message::Ping("still here".into()));
    assert_eq!(mute.any(), Message::Pong("still here".into()));
    let _first = member(&server, "full");
    assert_eq!(server.client("/raw/full").closed().0, 1013);
    // A message over the limit is refused by its length.
    let mut client = server.client("/raw/doc");
    client.send(Message::binary(vec![0; 64 * 1024 + 1]));
    assert_eq!(client.closed().0, 1009);
}
