//! Nothing is lost and nothing comes twice, wherever a stream is cut: after each of its bytes a client reconnects with the
//! last event id that it has, and what both streams gave together is compared with what was said.

use super::house::{House, Line};
use super::reader::Reader;
use crate::position::Position;
use crate::settings::{RoomRule, RoomSettings, Settings, Slow};

/// Messages that a client wants of a room on its first connect.
const HISTORY: u64 = 2;

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) as usize) % end
    }
}

/// A house whose rooms are at home on both of its shards, and a stream of some of them on the first.
struct Trial {
    house: House,
    rooms: Vec<String>,
    target: String,
    random: Random,
    /// The newest offsets.
    ends: Vec<u64>,
    /// Those when the first stream began.
    starts: Vec<u64>,
}

impl Trial {
    fn new(seed: u64, rooms: usize, settings: Settings) -> Self {
        let house = House::new(2, settings);
        let rooms: Vec<_> = (0..rooms).map(|room| house.room_at(room % 2, &format!("r{room}-"))).collect();
        let query: Vec<_> = rooms.iter().map(|room| format!("room={room}")).collect();
        let target = format!("/sse?{}&history={HISTORY}", query.join("&"));
        let none = vec![0; rooms.len()];
        Self { house, rooms, target, random: Random(seed), ends: none.clone(), starts: none }
    }

    /// Something is said in one of the rooms, and sometimes somebody looks in: people are told of and have no place.
    fn happen(&mut self) {
        let index = self.random.below(self.rooms.len());
        let body = match self.random.below(6) {
            0 => r#"{"data":"whisper","store":false}"#.into(),
            1 => "{\"data\":[1,\r\n\n\r 2\n],\"event\":\"note.new\"}".into(),
            2 => r#"{"data":"é","event":"close"}"#.into(),
            _ => format!(r#"{{"data":"{}"}}"#, "x".repeat(self.random.below(60))),
        };
        let room = self.rooms[index].clone();
        if let Ok(Position { offset, .. }) = self.house.publish(index % 2, &room, &body).parse() {
            self.ends[index] = offset;
        }
        if self.random.below(5) == 0 {
            self.house.glance(1, &format!("/sse/{room}?user=bob"), "");
        }
    }

    fn begin(&mut self) -> Line {
        self.starts = self.ends.clone();
        self.house.stream(0, &self.target.clone(), "")
    }

    /// Cuts `body` after every byte.
    fn cut_everywhere(&mut self, body: &[u8]) {
        for cut in 0..=body.len() {
            self.resume_after(&body[..cut]);
        }
    }

    /// A client that has got `body` and no more comes back.
    fn resume_after(&mut self, body: &[u8]) {
        let (before, cut) = (Reader::read(body), body.len());
        let after = self.house.glance(cut % 2, &self.target.clone(), &before.last_event_id);
        for (index, room) in self.rooms.iter().enumerate() {
            let known = before.joined(room).is_some();
            let joined = after.joined(room).expect("every room is joined again");
            assert_eq!(joined["recovered"], known, "{room} cut after {cut}: {before:?}");
            let newest = if known { self.starts[index] } else { self.ends[index] };
            let due: Vec<u64> = (newest.saturating_sub(HISTORY) + 1..=self.ends[index]).collect();
            let told = [before.offsets(room), after.offsets(room)].concat();
            assert_eq!(told, due, "{room} cut after {cut} with {:?}", before.last_event_id);
        }
    }
}

#[test]
fn a_stream_cut_after_any_byte_goes_on_exactly() {
    for (seed, rooms) in [(1, 1), (2, 2), (3, 3)] {
        let mut trial = Trial::new(seed, rooms, Settings::default());
        for _ in 0..4 {
            trial.happen();
        }
        let line = trial.begin();
        for _ in 0..8 {
            trial.happen();
        }
        let body = trial.house.body(line);
        trial.house.hang_up(line);
        trial.cut_everywhere(&body);
    }
}

/// Parts wait in queues, are gone in pieces, and are gathered while others wait.
#[test]
fn a_socket_that_takes_a_few_bytes_at_a_time_changes_nothing() {
    for (seed, rooms) in [(11, 1), (12, 2)] {
        let mut trial = Trial::new(seed, rooms, Settings::default());
        trial.happen();
        let line = trial.begin();
        for _ in 0..10 {
            let room = trial.random.below(150);
            trial.house.allow(line, room);
            trial.happen();
        }
        trial.house.allow(line, usize::MAX);
        let body = trial.house.body(line);
        trial.house.hang_up(line);
        trial.cut_everywhere(&body);
    }
}

/// What a slow stream has not begun to read is dropped, and what it has begun is ended, before the last event.
#[test]
fn a_stream_that_is_too_slow_goes_on_exactly() {
    for seed in 20..32 {
        let mut settings = Settings::default();
        settings.limits.queue = 1_000;
        let mut trial = Trial::new(seed, 1 + (seed as usize) % 3, settings);
        let line = trial.begin();
        trial.happen();
        let taken = trial.random.below(400);
        trial.house.allow(line, taken);
        for _ in 0..16 {
            trial.happen();
        }
        trial.house.allow(line, usize::MAX);
        assert!(trial.house.is_finished(line));
        let body = trial.house.body(line);
        let read = Reader::read(&body);
        let last = read.events.last().expect("a stream says why it ends");
        assert_eq!((&*last.name, &last.json["code"]), ("close", &4100.into()));
        for cut in body.len().saturating_sub(300)..=body.len() {
            trial.resume_after(&body[..cut]);
        }
    }
}

#[test]
fn what_is_gone_is_told() {
    let room = RoomSettings { history: 2, ..RoomSettings::default() };
    let settings = Settings { rooms: vec![RoomRule { pattern: "*".into(), room }], ..Settings::default() };
    let mut house = House::new(2, settings);
    let target = "/sse?room=a&room=b";
    let first = house.glance(0, target, "");
    for room in ["a", "a", "a", "b"] {
        house.publish(0, room, r#"{"data":1}"#);
    }
    let second = house.glance(0, target, &first.last_event_id);
    assert_eq!(second.joined("a").expect("it is joined")["recovered"], false);
    assert_eq!(second.joined("b").expect("it is joined")["recovered"], true);
    assert_eq!((second.offsets("a"), second.offsets("b")), (vec![2, 3], vec![1]));
    // Another list of rooms, and rubbish, say nothing of these: the newest are given, and the loss is told.
    let id = &*second.last_event_id;
    for (target, id) in [("/sse?room=b&room=a", id), ("/sse/a", id), (target, "x"), (target, "-,-")] {
        let other = house.glance(1, target, id);
        assert_eq!(other.joined("a").expect("it is joined")["recovered"], false, "{target} {id}");
        assert_eq!(other.offsets("a"), [2, 3]);
    }
}

/// A gap is told with no id of its own: a client that is cut off before the next message still gets what it missed.
#[test]
fn a_gap_is_told_and_can_still_be_filled() {
    let room = RoomSettings { slow: Slow::Skip, ..RoomSettings::default() };
    let mut settings =
        Settings { rooms: vec![RoomRule { pattern: "*".into(), room }], ..Settings::default() };
    settings.limits.queue = 1_000;
    for target in ["/sse/a", "/sse?room=a&room=b"] {
        let mut house = House::new(2, settings.clone());
        let line = house.stream(0, target, "");
        house.allow(line, 0);
        for _ in 0..20 {
            house.publish(1, "a", r#"{"data":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#);
        }
        house.allow(line, usize::MAX);
        let body = house.body(line);
        house.hang_up(line);
        let before = Reader::read(&body);
        let told = before.offsets("a").len() as u64;
        let gap = before.events.last().expect("a gap is told");
        let (name, from, to) = (&*gap.name, gap.text("from"), gap.text("to"));
        assert_eq!(name, "gap");
        assert!(from.ends_with(&format!(":{}", told + 1)) && to.ends_with(":20"), "{target} {told} {gap:?}");
        let after = house.glance(1, target, &before.last_event_id);
        assert_eq!(after.joined("a").expect("it is joined")["recovered"], true);
        assert_eq!(after.offsets("a"), (told + 1..=20).collect::<Vec<_>>());
    }
}
