//! What random schedules found about users: their inboxes, and what is done to them or on their behalf.

use super::*;

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
        let engine = Engine::Delayed(Box::new(Delayed::new(seed, odds)));
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
    let engine = Engine::Delayed(Box::new(Delayed::new(1, odds)));
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
