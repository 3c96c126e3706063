//! What random schedules found in the shard, each as small as it gets.

mod answers;
mod batches;
#[path = "../../tests/simulation/delayed.rs"]
#[allow(unreachable_pub)] // The simulation has the same file.
mod delayed;
mod dialects;
mod drain;
mod floods;
mod gaps;
mod http;
mod input;
mod limits;
mod order;
mod places;
mod rooms;
mod slices;
mod timers;
mod totals;
mod typing;
mod users;

use std::collections::HashMap;
use std::io::IoSlice;
use std::time::Duration;

use super::outlet::Taken;
use super::*;
use crate::broker::post::{Caller, Post};

use crate::engine::local::Local;
use crate::message::{Draft, Kind};
use crate::position::Position;
use crate::room_key::Space;
use crate::settings::{Heartbeat, Limits, RoomRule, RoomSettings, Settings, Slow};
use crate::shard::outlet::Outlet;
use delayed::{Delayed, Odds};

/// Sockets that take everything, or nothing, within a budget.
#[derive(Default)]
struct Sink {
    written: HashMap<u32, Vec<u8>>,
    /// Sessions written since the last look, each as often as it was.
    writes: Vec<u32>,
    finished: Vec<u32>,
    broken: bool,
    full: bool,
    budget: usize,
}

impl Outlet for Sink {
    fn write(&mut self, key: u32, slices: &[IoSlice<'_>]) -> Taken {
        if self.broken || self.full {
            return if self.broken { Taken::Broken } else { Taken::Some(0) };
        }
        self.writes.push(key);
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        self.written.entry(key).or_default().extend_from_slice(&bytes);
        Taken::Some(bytes.len())
    }

    fn finish(&mut self, key: u32) {
        self.finished.push(key);
    }

    fn is_spent(&mut self) -> bool {
        self.budget = self.budget.saturating_sub(1);
        self.budget == 0
    }
}

struct Bench {
    shard: Shard,
    sink: Sink,
    now: Now,
}

impl Bench {
    fn new(me: ShardId, common: &Arc<Common>, engine: Engine) -> Self {
        let now = Now { loop_ms: 1_000, wall_ms: 0, us: 0 };
        let sink = Sink { budget: usize::MAX, ..Sink::default() };
        Self { shard: Shard::new(me, common.clone(), engine, now), sink, now }
    }

    /// A shard alone.
    fn alone() -> Self {
        Self::new(0, &common(1, Settings::default()), Engine::Local(Local::default()))
    }

    fn connect(&mut self, target: &str) -> u32 {
        let key = self.shard.accept(IpAddr::from([127, 0, 0, 1]));
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        self.shard.receive(key, &mut request.into_bytes());
        key
    }

    /// A short frame, masked with zeros.
    fn frame(&mut self, key: u32, first: u8, payload: &[u8]) {
        let mut frame = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        self.shard.receive(key, &mut frame);
    }

    fn publish(&mut self, room: &str) {
        self.say(room, "1".into());
    }

    fn say(&mut self, room: &str, data: String) {
        let room = self.shard.common.room_keys.key(Space::Native, room);
        let draft = Draft {
            kind: Kind::Message,
            from: None,
            event: None,
            data: data.into(),
            store: true,
            exclude: None,
            key: None,
        };
        self.shard.take_all([Post::Publish(room, Caller::Nobody, draft)]);
    }

    /// One turn, that long after the last.
    fn turn(&mut self, after_ms: u64) {
        self.now.loop_ms += after_ms;
        self.now.us += 1_000 * after_ms;
        self.shard.begin(self.now);
        while self.shard.next_resumed().is_some() {}
        self.shard.tick();
        self.shard.flush(&mut self.sink);
        self.shard.reap(|_| ());
    }

    fn text(&self, key: u32) -> String {
        self.sink
            .written
            .get(&key)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .unwrap_or_default()
    }
}

fn common(shards: usize, settings: Settings) -> Arc<Common> {
    Arc::new(Common::new(settings, crate::auth::access::Access::default(), shards, true))
}

/// RFC 6455 section 7.1.1: the server closes the TCP connection first, and at once.
#[test]
fn a_close_that_the_server_began_ends_with_the_clients_answer() {
    let mut bench = Bench::alone();
    let key = bench.connect("/ws");
    bench.frame(key, 0x82, b"binary");
    bench.turn(0);
    assert!(bench.sink.finished.is_empty());
    bench.frame(key, 0x88, &1003u16.to_be_bytes());
    bench.turn(0);
    assert_eq!(bench.sink.finished, [key]);
}

#[test]
fn nobody_is_written_twice_in_the_turn_that_ends_a_pass() {
    let mut bench = Bench::alone();
    let keys = [(); 3].map(|()| bench.connect("/ws/a"));
    bench.turn(0);
    bench.publish("a");
    bench.sink.budget = 2;
    bench.turn(0);
    bench.publish("a");
    bench.sink.writes.clear();
    bench.sink.budget = usize::MAX;
    bench.turn(0);
    assert_eq!(bench.sink.writes.len(), 2);
    assert!(bench.shard.has_work());
    bench.turn(0);
    assert!(!bench.shard.has_work());
    for key in keys {
        assert_eq!(bench.text(key).matches(r#""type":"message""#).count(), 2);
    }
}

#[test]
fn a_message_to_a_member_of_two_rooms_costs_one_turn() {
    let mut bench = Bench::alone();
    bench.connect("/ws?room=a&room=b");
    bench.turn(0);
    bench.publish("a");
    bench.turn(0);
    assert!(!bench.shard.has_work());
}

#[test]
fn a_leave_that_a_broken_write_brings_about_is_handed_over_soon() {
    let common = common(2, Settings::default());
    let mut names = (0..).map(|number| common.room_keys.key(Space::Native, &format!("a{number}")));
    let room = names.find(|key| key.home(2) == 1).unwrap();
    let [mut here, mut home] = [0, 1].map(|me| Bench::new(me, &common, Engine::Local(Local::default())));
    here.connect(&format!("/ws/{}", room.name()));
    home.shard.take_all(std::mem::take(here.shard.outgoing(1)));
    home.publish(room.name());
    here.shard.take_all(std::mem::take(home.shard.outgoing(0)));
    here.sink.broken = true;
    here.turn(0);
    assert!(here.shard.has_work());
    assert!(matches!(here.shard.outgoing(1)[..], [Post::Leave(..)]));
}

#[test]
fn nobody_is_cut_for_a_pong_that_the_server_does_not_read() {
    let second = Duration::from_secs(1);
    let heartbeat = Heartbeat { interval: second, timeout: second };
    let odds = Odds { silent: 1_000, ..Odds::default() };
    let engine = Delayed::engine(1, odds);
    let mut bench = Bench::new(0, &common(1, Settings { heartbeat, ..Settings::default() }), engine);
    let key = bench.connect("/ws");
    bench.frame(key, 0x81, br#"{"type":"join","room":"a","history":1}"#);
    while !bench.text(key).contains("unavailable") {
        assert!(!bench.shard.wants_read(key));
        bench.turn(250);
    }
    bench.turn(250);
    assert!(bench.shard.wants_read(key));
    assert!(!bench.text(key).contains("no pong"));
    bench.turn(1_250);
    bench.turn(1_250);
    assert!(bench.text(key).contains("no pong"));
}

#[test]
fn a_call_that_takes_long_is_not_late_because_it_was_piped_behind_another() {
    let limits = Limits { handshake: Duration::from_secs(1), ..Limits::default() };
    let odds = Odds { silent: 1_000, ..Odds::default() };
    let engine = Delayed::engine(1, odds);
    let mut bench = Bench::new(0, &common(1, Settings { limits, ..Settings::default() }), engine);
    let key = bench.shard.accept(std::net::Ipv4Addr::LOCALHOST.into());
    let mut requests = *b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n\
        POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{\"data\":1}";
    bench.shard.receive(key, &mut requests);
    for _ in 0..24 {
        bench.turn(250);
    }
    let text = bench.text(key);
    let statuses: Vec<_> = text.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["404", "503"]);
}

/// A member whose socket takes nothing and whose queue has one message and no room for another.
fn behind(slow: Slow) -> (Bench, u32) {
    let room = RoomSettings { slow, ..RoomSettings::default() };
    let rooms = vec![RoomRule { pattern: "a".into(), room }];
    let limits = Limits { queue: 600, ..Limits::default() };
    let common = common(1, Settings { limits, rooms, ..Settings::default() });
    let mut bench = Bench::new(0, &common, Engine::Local(Local::default()));
    let key = bench.connect("/ws/a");
    bench.turn(0);
    bench.sink.full = true;
    bench.say("a", format!("\"{}\"", "x".repeat(350)));
    bench.turn(0);
    (bench, key)
}

impl Bench {
    /// The socket takes everything again; the types of all that comes out.
    fn unblocked(&mut self, key: u32) -> Vec<String> {
        self.sink.full = false;
        self.sink.written.clear();
        self.shard.writable(key);
        self.turn(0);
        let text = self.text(key);
        let kinds = text.split(r#"{"type":""#).skip(1).filter_map(|rest| rest.split('"').next());
        kinds.map(str::to_owned).collect()
    }
}

#[test]
fn an_answer_that_names_a_position_does_not_hide_what_was_missed() {
    for request in [&br#"{"type":"join","room":"a"}"#[..], br#"{"type":"history","room":"a","limit":0}"#] {
        let (mut bench, key) = behind(Slow::Skip);
        bench.publish("a");
        bench.turn(0);
        bench.frame(key, 0x81, request);
        assert_eq!(bench.unblocked(key)[..2], ["message", "gap"]);
    }
}

#[test]
fn the_loss_of_an_epoch_is_told_to_a_member_that_skips() {
    let (mut bench, key) = behind(Slow::Skip);
    let room = bench.shard.common.room_keys.key(Space::Native, "a");
    let lost = Position { epoch: 9, offset: 0 };
    bench.shard.take_all([Post::Gap(room, lost, lost)]);
    bench.turn(0);
    assert_eq!(bench.unblocked(key), ["message", "gap"]);
    assert!(bench.text(key).contains(r#""to":"00000009:0""#));
}

#[test]
fn a_slow_member_is_told_of_no_publish_that_it_did_not_see() {
    let (mut bench, key) = behind(Slow::Disconnect);
    bench.frame(key, 0x81, br#"{"type":"publish","room":"a","id":1,"data":1}"#);
    bench.frame(key, 0x88, &1000u16.to_be_bytes());
    bench.turn(0);
    assert_eq!(bench.unblocked(key), ["message"]);
}

#[test]
fn news_of_people_are_no_messages() {
    let mut bench = Bench::alone();
    for user in ["ann", "bob"] {
        bench.connect(&format!("/ws/a?user={user}"));
    }
    bench.turn(0);
    assert_eq!(bench.shard.counters().messages_out, 0);
    bench.publish("a");
    assert_eq!(bench.shard.counters().messages_out, 2);
}

#[test]
fn a_stalled_member_that_may_fall_behind_costs_no_turns() {
    let skips = RoomSettings { slow: Slow::Skip, ..RoomSettings::default() };
    let rooms = vec![RoomRule { pattern: "*".into(), room: skips }];
    let common = common(1, Settings { rooms, ..Settings::default() });
    let mut bench = Bench::new(0, &common, Engine::Local(Local::default()));
    let key = bench.connect("/ws/a");
    bench.turn(10);
    bench.sink.full = true;
    bench.publish("a");
    for _ in 0..60 {
        bench.frame(key, 0x8a, b"");
        bench.turn(250);
        assert!(bench.shard.next_tick().is_some_and(|tick| tick > bench.now.tick()));
    }
    assert_eq!(bench.shard.sessions(), 1);
}

#[test]
fn what_was_held_under_pressure_goes_on_behind_it() {
    let mut bench = Bench::alone();
    let key = bench.connect("/ws/a");
    bench.turn(10);
    bench.shard.common.pressure.set_rooms(0, usize::MAX / 2);
    bench.shard.begin(bench.now);
    let publish = br#"{"type":"publish","room":"a","data":1}"#;
    let mut frame = vec![0x81, 0x80 | publish.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(publish);
    bench.shard.receive(key, &mut frame.repeat(3));
    assert_eq!(bench.shard.counters().messages_in, 1);
    bench.turn(10);
    bench.turn(10);
    assert_eq!(bench.shard.counters().messages_in, 3);
}

/// A drain has passed the place of whoever comes late in it, and must not take it for one that said nothing.
#[test]
fn whoever_comes_while_draining_is_answered() {
    let mut bench = Bench::alone();
    let old = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    bench.shard.drain(Duration::from_secs(10));
    bench.turn(9_000);
    assert_eq!(bench.shard.sessions(), 0, "{old} has said nothing");
    let new = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    bench.turn(100);
    bench.shard.receive(new, &mut b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n".to_vec());
    bench.turn(0);
    assert!(bench.text(new).starts_with("HTTP/1.1 503 "), "{}", bench.text(new));
    assert!(bench.sink.finished.contains(&new));
}
