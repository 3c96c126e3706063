use super::*;
use crate::room_key::{RoomKeys, Space};

const PLENTY: usize = 64 << 20;

fn at(offset: u64) -> Option<Position> {
    Some(Position { epoch: 1, offset })
}

fn rooms() -> (RoomKey, RoomKey) {
    let rooms = RoomKeys::default();
    (rooms.key(Space::Native, "a"), rooms.key(Space::Native, "b"))
}

fn mark(owner: &Owner, key: impl ToString) -> Mark {
    Mark { owner: owner.clone(), key: key.to_string().into() }
}

fn guest(key: u32) -> Owner {
    Owner::Guest(SessionId { shard: 0, key, generation: 1 })
}

#[test]
fn a_key_counts_in_its_room_for_its_time() {
    let (a, b) = rooms();
    let mut keys = Keys::new(PLENTY);
    keys.remember(&a, mark(&Owner::App, "k"), at(1), Tick(0));
    keys.remember(&a, mark(&Owner::App, "none"), None, Tick(0));
    let last = Tick(Tick(0).after(KEPT).0 - 1);
    let answer = |keys: &Keys, room, key, now| keys.answer(room, &mark(&Owner::App, key), now);
    assert_eq!(answer(&keys, &a, "k", last), Some(at(1)));
    assert_eq!(answer(&keys, &a, "none", last), Some(None));
    assert_eq!((answer(&keys, &b, "k", last), answer(&keys, &a, "l", last)), (None, None));
    assert_eq!(answer(&keys, &a, "k", Tick(last.0 + 1)), None);
    assert_eq!(keys.deadline(), Some(Tick(last.0 + 1)));
    keys.expire(Tick(last.0 + 1));
    assert_eq!((keys.bytes(), keys.deadline(), keys.entries.capacity()), (0, None, 0));
}

#[test]
fn everybody_has_a_space_of_their_own() {
    let (a, _) = rooms();
    let mut keys = Keys::new(PLENTY);
    let owners = [Owner::App, Owner::User("ann".into()), Owner::User("bob".into()), guest(1), guest(2)];
    for (owner, offset) in owners.iter().zip(1..) {
        assert_eq!(keys.answer(&a, &mark(owner, "k"), Tick(0)), None);
        keys.remember(&a, mark(owner, "k"), at(offset), Tick(0));
    }
    for (owner, offset) in owners.iter().zip(1..) {
        assert_eq!(keys.answer(&a, &mark(owner, "k"), Tick(0)), Some(at(offset)));
    }
}

#[test]
fn whose_a_key_is_says_who_brings_it() {
    let (session, ann) = (SessionId { shard: 0, key: 1, generation: 1 }, ArcStr::from("ann"));
    let client = Caller::Session(session, Default::default());
    assert_eq!(Owner::of(&client, Some(&ann)), Owner::User(ann.clone()));
    assert_eq!(Owner::of(&client, None), guest(1));
    assert_eq!(Owner::of(&Caller::Call(session, 0), Some(&ann)), Owner::App);
}

#[test]
fn nobody_is_pushed_out_by_who_has_more() {
    let (a, _) = rooms();
    let one = COST + 5;
    let mut keys = Keys::new(2 * (3 * OWNER_COST + 3 + 30 * one));
    let (app, ann) = (Owner::App, Owner::User("ann".into()));
    for key in 10_000..10_003 {
        keys.remember(&a, mark(&app, key), at(key), Tick(0));
        keys.remember(&a, mark(&ann, key), at(key), Tick(0));
    }
    for key in 10_000..11_000 {
        keys.remember(&a, mark(&guest(1), key), at(key), Tick(1));
        keys.remember(&a, mark(&guest(2), key), at(key), Tick(2));
    }
    for key in 10_000..10_003 {
        assert_eq!(keys.answer(&a, &mark(&app, key), Tick(9)), Some(at(key)));
        assert_eq!(keys.answer(&a, &mark(&ann, key), Tick(9)), Some(at(key)));
    }
    let left = |n| {
        let mut all = 10_000..11_000;
        all.find(|key| keys.answer(&a, &mark(&guest(n), key), Tick(9)).is_some())
    };
    assert_eq!([left(1), left(2)], [Some(10_987), Some(10_986)], "the newest are left, of both as many");
}

#[test]
fn of_those_who_have_one_each_the_oldest_goes() {
    let (a, _) = rooms();
    let mut keys = Keys::new(2 * 3 * (OWNER_COST + COST + 1));
    for n in 1..=4 {
        keys.remember(&a, mark(&guest(n), "k"), None, Tick(n));
    }
    let known = [1, 2, 3, 4].map(|n| keys.answer(&a, &mark(&guest(n), "k"), Tick(9)).is_some());
    assert_eq!(known, [false, true, true, true]);
}

#[test]
fn the_app_has_half_and_a_client_a_thousand() {
    let (a, _) = rooms();
    let mut keys = Keys::new(2 << 20);
    for key in 10_000..30_000 {
        keys.remember(&a, mark(&Owner::App, key), None, Tick(key));
        keys.remember(&a, mark(&guest(1), key), None, Tick(key));
        assert!(keys.bytes.0 <= 1 << 20 && keys.bytes.1 <= 1 << 20);
    }
    let count = |owner: &Owner| keys.owners[keys.numbers[owner] as usize].entries.len();
    assert_eq!((count(&Owner::App), count(&guest(1))), ((1 << 20) / (COST + 5) - 2, MAX_OWN));
    assert_eq!(keys.answer(&a, &mark(&Owner::App, 29_999), Tick(30_000)), Some(None));
    // All of them go, in parts, and nothing is left.
    while keys.deadline().is_some() {
        let before = keys.entries.len();
        keys.expire(Tick(99_999));
        assert!(before - keys.entries.len() <= SLICE);
    }
    assert_eq!((keys.bytes(), keys.owners.len(), keys.numbers.len()), (0, 0, 0));
    assert!(keys.greedy.is_empty() && keys.oldest.is_empty() && keys.index.is_empty());
}
