//! What a session asks of one room takes effect in the order asked, wherever the room is at home.

use super::*;

/// Two shards, and a session on the first.
struct Pair {
    shards: [Bench; 2],
    key: u32,
}

impl Pair {
    fn new(settings: Settings, target: &str) -> Self {
        let common = common(2, settings);
        let mut shards = [0, 1].map(|me| Bench::new(me, &common, Engine::Local(Local::default())));
        let key = shards[0].connect(target);
        let mut pair = Self { shards, key };
        pair.rest();
        pair
    }

    /// A room that is at home on the other shard.
    fn room(&self, number: usize) -> String {
        let keys = &self.shards[0].shard.common.room_keys;
        let names = (0..).map(|number| format!("a{number}"));
        names.filter(|name| keys.key(Space::Native, name).home(2) == 1).nth(number).unwrap()
    }

    fn ask(&mut self, text: &str) {
        self.shards[0].frame(self.key, 0x81, text.as_bytes());
    }

    /// Hands what was posted, one way.
    fn hand(&mut self, from: usize) {
        let to = 1 - from;
        let posts = std::mem::take(self.shards[from].shard.outgoing(to as ShardId));
        self.shards[to].shard.take_all(posts);
    }

    fn rest(&mut self) {
        for _ in 0..20 {
            self.hand(0);
            self.hand(1);
            self.shards.iter_mut().for_each(|bench| bench.turn(0));
        }
    }

    /// The types of what the session heard from here on.
    fn heard(&mut self) -> Vec<String> {
        self.rest();
        let text = self.shards[0].text(self.key);
        self.shards[0].sink.written.clear();
        let kinds = text.split(r#"{"type":""#).skip(1).filter_map(|rest| rest.split('"').next());
        kinds.map(str::to_owned).collect()
    }

    /// Members that homes count, of all rooms.
    fn counted(&self) -> u32 {
        self.shards.iter().flat_map(|bench| bench.shard.counted()).flat_map(|(_, members)| members).sum()
    }
}

#[test]
fn a_leave_comes_behind_what_was_published_before() {
    let mut pair = Pair::new(Settings::default(), "/ws?user=ann");
    let room = pair.room(0);
    pair.heard();
    for (request, more) in
        [("join", ""), ("publish", r#","data":1"#), ("leave", ""), ("publish", r#","data":2"#), ("join", "")]
    {
        pair.ask(&format!(r#"{{"type":"{request}","room":"{room}","id":1{more}}}"#));
    }
    assert_eq!(pair.heard(), ["joined", "message", "published", "left", "error", "joined"]);
    assert_eq!(pair.counted(), 1);
}

#[test]
fn whoever_leaves_is_not_told_of_it_as_others_are() {
    let mut pair = Pair::new(Settings::default(), "/ws?user=ann");
    let room = pair.room(0);
    let other = pair.shards[0].connect(&format!("/ws/{room}?user=bob"));
    pair.ask(&format!(r#"{{"type":"join","room":"{room}"}}"#));
    pair.heard();
    pair.ask(&format!(r#"{{"type":"leave","room":"{room}","id":1}}"#));
    pair.rest();
    assert!(pair.shards[0].text(other).contains("user_left"));
    assert_eq!(pair.heard(), ["left"]);
}

#[test]
fn home_hears_once_of_whoever_leaves_and_is_taken_out_or_ends() {
    for ends in [false, true] {
        let mut pair = Pair::new(Settings::default(), "/ws?user=ann");
        let room = pair.room(0);
        pair.ask(&format!(r#"{{"type":"join","room":"{room}"}}"#));
        pair.heard();
        pair.ask(&format!(r#"{{"type":"leave","room":"{room}","id":1}}"#));
        if ends {
            pair.shards[0].shard.fail(pair.key);
        } else {
            let key = pair.shards[0].shard.common.room_keys.key(Space::Native, &room);
            pair.shards[0].shard.take_all([Post::Remove(key, "ann".into(), Caller::Nobody)]);
            pair.ask(&format!(r#"{{"type":"join","room":"{room}"}}"#));
        }
        assert_eq!(pair.heard(), if ends { vec![] } else { vec!["left", "left", "joined"] });
        assert_eq!(pair.counted(), u32::from(!ends));
    }
}

#[test]
fn whoever_leaves_one_room_can_be_in_another() {
    let limits = Limits { rooms_per_connection: 1, ..Limits::default() };
    let mut pair = Pair::new(Settings { limits, ..Settings::default() }, "/ws");
    let rooms = [pair.room(0), pair.room(1)];
    pair.ask(&format!(r#"{{"type":"join","room":"{}"}}"#, rooms[0]));
    pair.heard();
    pair.ask(&format!(r#"{{"type":"leave","room":"{}"}}"#, rooms[0]));
    pair.ask(&format!(r#"{{"type":"join","room":"{}"}}"#, rooms[1]));
    pair.ask(&format!(r#"{{"type":"join","room":"{}"}}"#, rooms[0]));
    let mut heard = pair.heard();
    heard.sort();
    assert_eq!(heard, ["error", "joined"]);
    assert_eq!(pair.counted(), 1);
}
