//! Shapes of load: each is a shard with sessions and one operation, which is repeated.

use switchboard::settings::RoomSettings;
use tungstenite::protocol::frame::coding::Data;

use crate::house::{House, masked, publish, text};

/// All shapes by name.
pub(crate) const SHAPES: [&str; 14] = [
    "raw to 2",
    "raw to 10",
    "raw to 1000",
    "native to 2",
    "native to 10",
    "native to 1000",
    "echo",
    "http publish to 10",
    "join and leave",
    "native to 10, no history",
    "join and leave, 50 guests",
    "join and leave, 50 users",
    "join and leave, no presence",
    "direct",
];

/// Does the operation of a shape `rounds` times.
///
/// # Panics
///
/// If there is no such shape.
pub(crate) fn run(name: &str, rounds: u32) {
    match name {
        "raw to 2" => raw(2, rounds),
        "raw to 10" => raw(10, rounds),
        "raw to 1000" => raw(1000, rounds),
        "native to 2" => native(RoomSettings::default(), 2, rounds),
        "native to 10" => native(RoomSettings::default(), 10, rounds),
        "native to 1000" => native(RoomSettings::default(), 1000, rounds),
        "native to 10, no history" => {
            native(RoomSettings { history: 0, ..RoomSettings::default() }, 10, rounds)
        }
        "echo" => echo(rounds),
        "http publish to 10" => http(rounds),
        "join and leave" => join_and_leave(rounds),
        "join and leave, 50 guests" => come_and_go(RoomSettings::default(), "", [1, 1], rounds),
        "join and leave, 50 users" => come_and_go(RoomSettings::default(), "?user=", [51, 51], rounds),
        "join and leave, no presence" => {
            let room = RoomSettings { presence: false, ..RoomSettings::default() };
            come_and_go(room, "?user=", [1, 1], rounds);
        }
        "direct" => direct(rounds),
        _ => panic!("there is no shape called {name:?}"),
    }
}

/// A publish of 128 bytes in a raw room. The publisher is a member and gets it, too.
fn raw(members: u64, rounds: u32) {
    let (mut house, keys) = House::with("/raw/room?echo=1", members as usize);
    let frame = masked(Data::Binary, &[b'x'; 128]);
    for _ in 0..rounds {
        assert_eq!(house.turn(keys[0], &frame), members);
    }
}

/// A publish with an `id` in a native room; the publisher gets the message and the answer in one write.
fn native(room: RoomSettings, members: u64, rounds: u32) {
    let mut house = House::of(room);
    let keys: Vec<u32> = (0..members).map(|_| house.open("/ws/room")).collect();
    let frame = publish("room");
    for _ in 0..rounds {
        assert_eq!(house.turn(keys[0], &frame), members);
    }
}

/// A message of 128 bytes that is echoed.
fn echo(rounds: u32) {
    let (mut house, keys) = House::with("/echo", 1);
    let frame = masked(Data::Binary, &[b'x'; 128]);
    for _ in 0..rounds {
        assert_eq!(house.turn(keys[0], &frame), 1);
    }
}

/// A publish over the HTTP API, on a connection that is kept alive, into a native room of ten.
fn http(rounds: u32) {
    let (mut house, _) = House::with("/ws/room", 10);
    let app = house.accept();
    let body = format!(r#"{{"data":"{}"}}"#, "x".repeat(126));
    let request = format!(
        "POST /api/rooms/room/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..rounds {
        assert_eq!(house.turn(app, request.as_bytes()), 11);
    }
}

/// One more member joins a native room of a thousand and leaves it, each in a turn of its own.
fn join_and_leave(rounds: u32) {
    let (mut house, _) = House::with("/ws/room", 1000);
    let key = house.open("/ws");
    let (join, leave) =
        (text(r#"{"type":"join","room":"room"}"#), text(r#"{"type":"leave","id":1,"room":"room"}"#));
    for _ in 0..rounds {
        assert_eq!(house.turn(key, &join) + house.turn(key, &leave), 2);
    }
}

/// One more member joins a native room of fifty and leaves it: the cost of presence, with so many `writes` for each.
fn come_and_go(room: RoomSettings, user: &str, writes: [u64; 2], rounds: u32) {
    let mut house = House::of(room);
    let path = |path: &str, index: u32| match user {
        "" => path.to_owned(),
        user => format!("{path}{user}u{index}"),
    };
    for index in 0..50 {
        house.open(&path("/ws/room", index));
    }
    let key = house.open(&path("/ws", 50));
    let (join, leave) =
        (text(r#"{"type":"join","room":"room"}"#), text(r#"{"type":"leave","id":1,"room":"room"}"#));
    for _ in 0..rounds {
        assert_eq!([house.turn(key, &join), house.turn(key, &leave)], writes);
    }
}

/// A message of 128 bytes from one user to another, who has one connection.
fn direct(rounds: u32) {
    let mut house = House::new();
    let [from, _] = ["/ws?user=ann", "/ws?user=bob"].map(|path| house.open(path));
    let frame = text(&format!(r#"{{"type":"direct","to":"bob","data":"{}"}}"#, "x".repeat(126)));
    for _ in 0..rounds {
        assert_eq!(house.turn(from, &frame), 2);
    }
}
