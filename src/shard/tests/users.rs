//! What random schedules found about users: their inboxes, and what is done to them or on their behalf.

use super::*;
use crate::dialect::speaks::Payload;
use crate::error::Close;

/// Two shards whose posts come when a test says so.
struct Two([Bench; 2]);

impl Two {
    fn new(settings: Settings) -> Self {
        let common = common(2, settings);
        Self([0, 1].map(|me| Bench::new(me, &common, Engine::Local(Local::default()))))
    }

    /// A name in `space` that is at home on `shard`.
    fn name(&self, space: Space, shard: usize) -> String {
        let keys = &self.0[0].shard.common.room_keys;
        let mut names = (0..).map(|number| format!("a{number}"));
        names.find(|name| keys.key(space, name).home(2) == shard).unwrap()
    }

    /// Both shards take what the other has posted, and write.
    fn exchange(&mut self) {
        let posts = [0, 1].map(|from| std::mem::take(self.0[from].shard.outgoing(1 - from as ShardId)));
        for (bench, posts) in self.0.iter_mut().rev().zip(posts) {
            bench.shard.take_all(posts);
        }
        self.0.iter_mut().for_each(|bench| bench.turn(0));
    }

    /// What shard 0 has posted so far comes, and behind it what somebody says in a raw room.
    fn say_raw(&mut self, room: &str) {
        let posts = std::mem::take(self.0[0].shard.outgoing(1));
        self.0[1].shard.take_all(posts);
        let room = self.0[0].shard.common.room_keys.key(Space::Raw, room);
        let draft = Payload::Text("hello").draft(None);
        let home = room.home(2);
        self.0[home].shard.take_all([Post::Publish(room, Caller::Nobody, draft)]);
    }
}

#[test]
fn whoever_is_told_of_its_handshake_hears_its_raw_room() {
    for (user_home, room_home) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let mut two = Two::new(Settings::default());
        let (user, room) = (two.name(Space::User, user_home), two.name(Space::Raw, room_home));
        let key = two.0[0].connect(&format!("/raw/{room}?user={user}"));
        two.0[0].turn(0);
        while !two.0[0].text(key).contains("101 Switching Protocols") {
            two.exchange();
        }
        two.say_raw(&room);
        (0..3).for_each(|_| two.exchange());
        let seen = two.0[0].text(key);
        assert!(seen.ends_with("hello"), "user at {user_home}, room at {room_home}: {seen}");
    }
}

/// More connections of a user than are handed a letter one by one are gathered. One that comes late is among them from its
/// welcome on: it gets once what its user's home had after it was let in, and nothing of what came before.
#[test]
fn whoever_comes_late_hears_every_letter_behind_its_welcome_once() {
    let mut two = Two::new(Settings::default());
    let user = two.name(Space::User, 1);
    let inbox = two.0[0].shard.common.room_keys.key(Space::User, &user);
    let send = |two: &mut Two, data: &'static str| {
        let draft = Draft { store: true, ..Draft::new(Kind::Notification, data.into()) };
        two.0[1].shard.take_all([Post::Publish(inbox.clone(), Caller::Nobody, draft)]);
    };
    let early: Vec<u32> = (0..40).map(|_| two.0[0].connect(&format!("/ws?user={user}"))).collect();
    (0..2).for_each(|_| two.exchange());
    send(&mut two, "\"gathers\"");
    two.exchange();
    let late = two.0[0].connect(&format!("/ws?user={user}"));
    send(&mut two, "\"before\"");
    // The home answers, and has another letter before anybody has heard of the answer.
    two.exchange();
    send(&mut two, "\"between\"");
    two.exchange();
    send(&mut two, "\"behind\"");
    two.exchange();
    let letters = |key| {
        let told = two.0[0].text(key);
        let behind = told.split_once(r#""type":"welcome""#).expect("a welcome").1.to_owned();
        ["gathers", "before", "between", "behind"].map(|data| behind.matches(data).count())
    };
    assert_eq!(letters(late), [0, 0, 1, 1]);
    assert!(early.iter().all(|&key| letters(key) == [1; 4]));
}

#[test]
fn nothing_is_written_to_whoever_waits_for_its_users_home() {
    for target in ["/ws?", "/raw/a?"] {
        let mut two = Two::new(Settings::default());
        let user = two.name(Space::User, 1);
        let key = two.0[0].connect(&format!("{target}user={user}"));
        two.0[0].turn(0);
        assert_eq!(two.0[0].text(key), "");
        assert!(!two.0[0].shard.work.touched.contains(&key), "it costs no turns");
        two.exchange();
        two.exchange();
        assert!(two.0[0].text(key).starts_with("HTTP/1.1 101 "), "{}", two.0[0].text(key));
    }
}

#[test]
fn a_refusal_of_the_users_home_comes_behind_the_handshake() {
    let limits = Limits { connections_per_user: 1, ..Limits::default() };
    let mut two = Two::new(Settings { limits, ..Settings::default() });
    let user = two.name(Space::User, 1);
    let keys = [(); 2].map(|()| two.0[0].connect(&format!("/raw/a?user={user}")));
    (0..3).for_each(|_| two.exchange());
    let [first, second] = keys.map(|key| two.0[0].text(key));
    assert!(first.ends_with("\r\n\r\n"), "{first}");
    let (head, close) = second.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{second}");
    assert!(close.contains(&*Close::MAX_CONNECTIONS.reason), "{second}");
}

#[test]
fn whoever_is_closed_while_it_waits_for_its_users_home_gets_handshake_and_close() {
    let mut two = Two::new(Settings::default());
    let user = two.name(Space::User, 1);
    let key = two.0[0].connect(&format!("/raw/a?user={user}"));
    two.0[0].turn(0);
    two.0[0].shard.close(key, Close::REPLACED);
    two.0[0].turn(0);
    let seen = two.0[0].text(key);
    assert!(seen.starts_with("HTTP/1.1 101 ") && seen.ends_with(&*Close::REPLACED.reason), "{seen}");
}

#[test]
fn whoever_is_taken_out_while_joining_once_more_comes_back() {
    let common = common(2, Settings::default());
    let mut names = (0..).map(|number| common.room_keys.key(Space::Native, &format!("a{number}")));
    let room = names.find(|key| key.home(2) == 1).unwrap();
    let [mut here, mut home] = [0, 1].map(|me| Bench::new(me, &common, Engine::Local(Local::default())));
    let key = here.connect(&format!("/ws/{}?user=ann", room.name()));
    let exchange = |here: &mut Bench, home: &mut Bench| {
        home.shard.take_all(std::mem::take(here.shard.outgoing(1)));
        here.shard.take_all(std::mem::take(home.shard.outgoing(0)));
    };
    for _ in 0..3 {
        exchange(&mut here, &mut home);
    }
    assert_eq!(here.shard.seated().count(), 1);
    here.frame(key, 0x81, format!(r#"{{"type":"join","room":"{}"}}"#, room.name()).as_bytes());
    here.shard.take_all([Post::Remove(room.clone(), "ann".into(), Caller::Nobody)]);
    for _ in 0..2 {
        exchange(&mut here, &mut home);
    }
    here.turn(0);
    let seen = here.text(key);
    assert!(seen.rfind(r#""type":"joined""#) > seen.rfind(r#""type":"left""#), "{seen}");
    assert_eq!(here.shard.seated().map(|(_, members)| members).collect::<Vec<_>>(), [1]);
    assert_eq!(home.shard.counted().find(|(name, _)| **name == room).unwrap().1, [1, 0]);
}

#[test]
fn what_came_early_stays_known_whatever_else_is_joined() {
    let mut bench = Bench::alone();
    let key = bench.connect("/ws?user=ann");
    let inbox = bench.shard.common.room_keys.key(Space::User, "ann");
    let letter = |data: &'static str| {
        let (data, kind) = (data.into(), Kind::Notification);
        let draft = Draft { kind, from: None, event: None, data, store: true, exclude: None, key: None };
        Post::Publish(inbox.clone(), Caller::Nobody, draft)
    };
    bench.shard.take_all([letter("1")]);
    bench.frame(key, 0x81, br#"{"type":"join","room":"a"}"#);
    bench.frame(key, 0x81, br#"{"type":"join","room":"$me","history":9}"#);
    bench.turn(0);
    assert_eq!(bench.text(key).matches(r#""data":1}"#).count(), 1);
}

#[test]
fn what_came_early_of_a_later_epoch_is_not_given_again() {
    for seed in 1..20 {
        let odds = Odds { lose_epoch: 300, ..Odds::default() };
        let engine = Delayed::engine(seed, odds);
        let mut bench = Bench::new(0, &common(1, Settings::default()), engine);
        let key = bench.connect("/ws?user=ann");
        let inbox = bench.shard.common.room_keys.key(Space::User, "ann");
        for data in 0..8 {
            let (data, kind) = (format!("\"{data}\"").into(), Kind::Notification);
            let draft = Draft { kind, from: None, event: None, data, store: true, exclude: None, key: None };
            bench.shard.take_all([Post::Publish(inbox.clone(), Caller::Nobody, draft)]);
            bench.turn(250);
        }
        bench.frame(key, 0x81, br#"{"type":"join","room":"$me","history":9}"#);
        bench.turn(250);
        bench.turn(250);
        let told = bench.text(key);
        assert!(told.contains(r#""type":"joined""#), "{told}");
        assert!((0..8).all(|data| told.matches(&format!(r#""data":"{data}"}}"#)).count() <= 1), "{told}");
    }
}

#[test]
fn what_waited_for_a_stream_that_ended_is_refused_by_its_id() {
    let odds = Odds { silent: 1_000, ..Odds::default() };
    let engine = Delayed::engine(1, odds);
    let mut bench = Bench::new(0, &common(1, Settings::default()), engine);
    let [stream, call] = [(); 2].map(|()| bench.shard.accept(IpAddr::from([127, 0, 0, 1])));
    bench.shard.receive(stream, &mut b"GET /sse/a HTTP/1.1\r\nHost: a\r\n\r\n".to_vec());
    bench.turn(0);
    let told = bench.text(stream);
    let name = told.split(r#""connection":""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let body = r#"{"type":"publish","room":"a","data":1,"id":7}"#;
    let length = body.len();
    let request = format!("POST /sse/{name} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}");
    bench.shard.receive(call, &mut request.into_bytes());
    bench.shard.hang_up(stream);
    bench.turn(0);
    let answer = bench.text(call);
    assert!(answer.contains(r#"{"type":"error","id":7,"code":"unavailable""#), "{answer}");
}
