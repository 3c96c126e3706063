//! Telling of typing has no reply that could hold up the next, so it is bounded where it comes in.

use super::*;

/// A member named ann of a room whose home is another shard, and that room.
fn far_away(common: &Arc<Common>) -> (Bench, u32, RoomKey) {
    let mut names = (0..).map(|number| common.room_keys.key(Space::Native, &format!("a{number}")));
    let room = names.find(|key| key.home(2) == 1).unwrap();
    let [mut here, mut home] = [0, 1].map(|me| Bench::new(me, common, Engine::Local(Local::default())));
    let key = here.connect(&format!("/ws/{}?user=ann", room.name()));
    for _ in 0..3 {
        home.shard.take_all(std::mem::take(here.shard.outgoing(1)));
        here.shard.take_all(std::mem::take(home.shard.outgoing(0)));
    }
    assert_eq!(here.shard.seated().count(), 1);
    (here, key, room)
}

fn says(bench: &mut Bench, key: u32, room: &RoomKey, active: bool) {
    let text = format!(r#"{{"type":"typing","room":"{}","active":{active}}}"#, room.name());
    bench.frame(key, 0x81, text.as_bytes());
}

#[test]
fn the_same_word_again_goes_nowhere() {
    let (mut here, key, room) = far_away(&common(2, Settings::default()));
    for _ in 0..1_000 {
        says(&mut here, key, &room, true);
    }
    assert_eq!(here.shard.outgoing(1).len(), 1);
    here.turn(250);
    says(&mut here, key, &room, true);
    assert_eq!(here.shard.outgoing(1).len(), 2, "a quarter of a second later it begins the silence anew");
    for _ in 0..1_000 {
        says(&mut here, key, &room, false);
    }
    assert_eq!(here.shard.outgoing(1).len(), 3);
}

#[test]
fn who_publishes_may_begin_again_at_once() {
    let (mut here, key, room) = far_away(&common(2, Settings::default()));
    says(&mut here, key, &room, true);
    let text = format!(r#"{{"type":"publish","room":"{}","data":1}}"#, room.name());
    here.frame(key, 0x81, text.as_bytes());
    says(&mut here, key, &room, true);
    let posts = here.shard.outgoing(1);
    assert!(matches!(posts[..], [Post::Typing(..), Post::Publish(..), Post::Typing(..)]), "{posts:?}");
}

#[test]
fn who_goes_back_and_forth_is_refused_and_then_closed() {
    let (mut here, key, room) = far_away(&common(2, Settings::default()));
    for turn in 0..1_000 {
        says(&mut here, key, &room, turn % 2 == 0);
    }
    here.turn(0);
    let told = here.shard.outgoing(1).iter().filter(|post| matches!(post, Post::Typing(..))).count();
    assert_eq!(told, 40);
    assert!(here.text(key).contains(r#""code":"rate_limited""#));
    assert!(here.text(key).contains("too many refusals"));
}

#[test]
fn nobody_who_asks_much_is_read_while_others_have_too_much() {
    let common = common(2, Settings::default());
    let (mut here, key, room) = far_away(&common);
    here.turn(10_000);
    common.pressure.set_inbox(1, 0, usize::MAX / 2);
    here.turn(250);
    assert!(here.shard.wants_read(key), "who is still is heard");
    says(&mut here, key, &room, true);
    here.turn(250);
    assert!(!here.shard.wants_read(key));
    common.pressure.set_inbox(1, 0, 0);
    here.turn(250);
    assert!(here.shard.wants_read(key));
}
