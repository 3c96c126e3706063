//! Order, whatever the engine does.

use super::*;

const UNAVAILABLE: [&str; 2] = ["0: published 2 unavailable", "0: published 3 unavailable"];

#[test]
fn every_shard_with_members_has_the_message_before_the_publisher_has_the_answer() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    for shard in [0, 2] {
        bench.join(shard, 9, Span::Nothing);
    }
    bench.posts.clear();
    bench.publish(1);
    bench.posted(&[]);
    bench.asked(&["publish #1"]);
    bench.committed(at(1), Some(1));
    bench.posted(&["0: deliver 1", "2: deliver 1", "0: published 1 1"]);
}

#[test]
fn what_comes_behind_a_publish_waits_for_it() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.publish(1);
    bench.join(1, 9, Span::Newest(9));
    bench.publish(2);
    bench.look(3, Span::Newest(1));
    bench.leave(1);
    bench.asked(&["publish #1"]);
    bench.posted(&[]);
    bench.committed(at(1), Some(1));
    bench.posted(&["0: published 1 1", "1: joined 9 1 newest[1]"]);
    bench.asked(&["publish #2"]);
    bench.committed(at(2), Some(2));
    bench.posted(&["1: deliver 2", "0: published 2 2", "0: looked 3 2 newest[2]"]);
    assert_eq!(bench.home.members(), [0, 0, 0]);
}

#[test]
fn all_wait_until_the_room_is_open() {
    let mut bench = Bench::new(RoomSettings::default());
    bench.join(1, 9, Span::Nothing);
    bench.publish(1);
    bench.asked(&["open"]);
    bench.posted(&[]);
    bench.opened(at(5), 6);
    bench.posted(&["1: joined 9 5 newest[]"]);
    bench.asked(&["publish #1"]);
}

#[test]
fn an_open_that_fails_refuses_all_who_wait_and_the_next_tries_again() {
    let mut bench = Bench::new(RoomSettings::default());
    bench.join(1, 9, Span::Nothing);
    bench.publish(2);
    bench.look(3, Span::Nothing);
    bench.failed(None);
    bench.posted(&["1: joined 9 unavailable", "0: published 2 unavailable", "0: looked 3 unavailable"]);
    assert_eq!(bench.home.members(), [0, 0, 0]);
    bench.asks.clear();
    bench.join(1, 8, Span::Nothing);
    bench.asked(&["open"]);
    bench.opened(at(0), 1);
    bench.posted(&["1: joined 8 0 newest[]"]);
}

#[test]
fn a_publish_that_fails_lets_the_next_go_on() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.publish(2);
    bench.publish(3);
    bench.failed(Some(1));
    bench.failed(Some(2));
    bench.posted(&UNAVAILABLE);
    bench.asked(&["publish #1", "publish #2"]);
}

#[test]
fn a_message_that_was_stored_although_its_publish_failed_reaches_the_members() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.join(0, 9, Span::Nothing);
    bench.posts.clear();
    bench.publish(2);
    bench.failed(Some(1));
    bench.posted(&["0: published 2 unavailable"]);
    bench.publish(3);
    bench.committed(at(1), Some(1));
    bench.posted(&["0: deliver 1"]);
    bench.committed(at(2), Some(2));
    bench.posted(&["0: deliver 2", "0: published 3 2"]);
}

#[test]
fn patience_ends_in_turn_and_a_late_answer_is_dropped() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.publish(2);
    bench.wait(Duration::from_secs(1));
    bench.publish(3);
    assert_eq!(bench.home.deadline(), Tick(100).after(PATIENCE));
    bench.wait(PATIENCE - Duration::from_secs(1));
    bench.posted(&UNAVAILABLE[..1]);
    bench.asked(&["publish #1", "publish #2"]);
    bench.failed(Some(1));
    bench.page(1, []);
    bench.posted(&[]);
    bench.wait(Duration::from_secs(1));
    bench.posted(&UNAVAILABLE[1..]);
    bench.committed(at(1), Some(2));
    bench.posted(&[]);
    assert_eq!(bench.home.deadline(), bench.now.after(RoomSettings::default().ttl));
}

#[test]
fn an_open_without_an_answer_is_asked_for_again() {
    let mut bench = Bench::new(RoomSettings::default());
    bench.publish(2);
    bench.now = bench.now.after(Duration::from_secs(1));
    bench.publish(3);
    bench.wait(PATIENCE - Duration::from_secs(1));
    bench.posted(&UNAVAILABLE[..1]);
    bench.asked(&["open", "open"]);
    bench.opened(at(0), 1);
    bench.opened(at(0), 1);
    bench.asked(&["publish #1"]);
}

#[test]
fn a_full_queue_refuses_all_but_leaves() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.join(1, 9, Span::Nothing);
    for id in 0..MAX_WAITING as u32 {
        bench.publish(id);
    }
    bench.posts.clear();
    bench.publish(2);
    bench.look(3, Span::Nothing);
    bench.join(1, 8, Span::Nothing);
    bench.leave(1);
    bench.posted(&["0: published 2 unavailable", "0: looked 3 unavailable", "1: joined 8 unavailable"]);
    for tag in 1..=MAX_WAITING as Tag {
        bench.failed(Some(tag));
    }
    assert_eq!(bench.home.members(), [0, 0, 0]);
}

#[test]
fn another_epoch_is_a_gap_for_who_is_there() {
    let mut bench = Bench::open(RoomSettings::default(), 3, 1);
    bench.join(2, 9, Span::Nothing);
    bench.commit(4..=5);
    bench.opened(at(5), 1);
    bench.posted(&[]);
    bench.opened(Position { epoch: 8, offset: 2 }, 1);
    bench.posted(&["2: gap 00000008:1 00000008:2"]);
    bench.look(1, Span::After(Some(at(4)), 9));
    bench.asked(&["read 2+1000 #1"]);
    bench.caught_up(1, Position { epoch: 8, offset: 2 }, []);
    bench.posted(&["0: looked 1 2 newest[]"]);
}

#[test]
fn lost_messages_are_a_gap_and_out_of_reach() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.join(1, 9, Span::Nothing);
    bench.commit(1..=2);
    bench.tell(Tell::Lost { room: bench.key.clone(), from: at(3), to: at(6) });
    bench.posted(&["1: gap 00000007:3 00000007:6"]);
    bench.committed(at(7), None);
    bench.posted(&["1: deliver 7"]);
    bench.look(1, Span::After(Some(at(2)), 9));
    bench.look(2, Span::After(Some(at(6)), 9));
    bench.posted(&["0: looked 1 7 newest[7]", "0: looked 2 7 all[7]"]);
    bench.asked(&[]);
}

#[test]
fn a_key_is_published_once_and_answered_twice() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.publish_keyed(1, Some("k"));
    bench.publish_keyed(2, Some("k"));
    bench.asked(&["publish #1"]);
    bench.committed(at(1), Some(1));
    bench.posted(&["0: published 1 1", "0: published 2 1"]);
    bench.asked(&[]);
    bench.publish_keyed(3, Some("other"));
    bench.asked(&["publish #2"]);
    bench.failed(Some(2));
    bench.publish_keyed(4, Some("other"));
    bench.asked(&["publish #3"]);
}

#[test]
fn a_raw_room_has_no_word_for_a_gap() {
    let mut bench = Bench::new(RoomSettings::default());
    bench.key = RoomKeys::default().key(Space::Raw, "a");
    bench.home = Home::new(bench.key.clone(), Arc::default(), 3, 0, bench.now);
    bench.join(1, 9, Span::Nothing);
    bench.opened(at(0), 1);
    bench.posts.clear();
    bench.opened(Position { epoch: 8, offset: 0 }, 1);
    bench.posted(&[]);
}

#[test]
fn answers_find_their_requests_where_tags_wrap() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.home.next_tag = u32::MAX - 1;
    bench.publish(1);
    bench.publish(2);
    bench.asked(&["publish #4294967295", "publish #0"]);
    bench.committed(at(1), Some(u32::MAX));
    bench.posted(&["0: published 1 1"]);
    bench.committed(at(2), Some(0));
    bench.posted(&["0: published 2 2"]);
}
