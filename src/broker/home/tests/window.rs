//! Many publishes under way at once.

use super::*;

#[test]
fn many_are_under_way_and_answered_in_order() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    for id in 1..=3 {
        bench.publish(id);
    }
    bench.asked(&["publish #1", "publish #2", "publish #3"]);
    bench.committed(at(1), Some(2));
    bench.failed(Some(3));
    bench.posted(&[]);
    bench.committed(at(2), Some(1));
    bench.posted(&["0: published 1 2", "0: published 2 1", "0: published 3 unavailable"]);
    assert!(bench.home.waiting.is_empty());
}

#[test]
fn a_window_is_bounded_and_moves_on() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    let all = WINDOW as u32 + 1;
    for id in 1..=all {
        bench.publish(id);
    }
    assert_eq!(bench.asks.len(), WINDOW);
    bench.asks.clear();
    bench.committed(at(1), Some(1));
    bench.asked(&[&format!("publish #{all}")]);
    assert!(bench.home.holds().waiting > 0);
    for tag in 2..=all {
        bench.committed(at(tag.into()), Some(tag));
    }
    assert_eq!((bench.posts.len(), bench.home.holds().waiting), (all as usize, 0));
}

#[test]
fn what_is_no_publish_waits_for_all_before_it_and_holds_all_behind_it() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.publish(1);
    bench.publish(2);
    bench.look(3, Span::Newest(9));
    bench.publish(4);
    bench.asked(&["publish #1", "publish #2"]);
    bench.committed(at(1), Some(1));
    bench.committed(at(2), Some(2));
    bench.posted(&["0: published 1 1", "0: published 2 2", "0: looked 3 2 newest[1 2]"]);
    bench.asked(&["publish #3"]);
}

#[test]
fn a_time_out_is_answered_in_its_turn() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.publish(1);
    bench.wait(Duration::from_secs(1));
    bench.publish(2);
    bench.committed(at(1), Some(2));
    bench.posted(&[]);
    bench.wait(PATIENCE - Duration::from_secs(1));
    bench.posted(&["0: published 1 unavailable", "0: published 2 1"]);
    bench.committed(at(2), Some(1));
    bench.posted(&[]);
}

#[test]
fn every_reason_of_failure_has_its_answer() {
    let reasons = [
        (Why::Unavailable, "unavailable"),
        (Why::Timeout, "unavailable"),
        (Why::TooLarge, "bad_request"),
        (Why::Moved, "unavailable"),
    ];
    for (why, code) in reasons {
        let mut bench = Bench::open(RoomSettings::default(), 0, 1);
        bench.publish(1);
        bench.tell(Tell::Failed { room: bench.key.clone(), tag: Some(1), why });
        bench.posted(&[&format!("0: published 1 {code}")]);
    }
    // Of an epoch that is over nothing older can be read.
    let mut bench = Bench::open(RoomSettings { history: 1, ..Default::default() }, 0, 1);
    bench.commit(1..=3);
    bench.look(1, Span::After(Some(at(0)), 9));
    bench.tell(Tell::Failed { room: bench.key.clone(), tag: Some(1), why: Why::Moved });
    bench.posted(&["0: looked 1 3 newest[3]"]);
}

#[test]
fn a_retry_waits_for_the_outcome_of_the_first() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.publish_keyed(1, Some("k"));
    bench.publish_keyed(2, Some("other"));
    bench.publish_keyed(3, Some("k"));
    bench.publish(4);
    bench.asked(&["publish #1", "publish #2"]);
    bench.committed(at(1), Some(1));
    bench.asked(&["publish #3"]);
    bench.committed(at(2), Some(2));
    bench.posted(&["0: published 1 1", "0: published 2 2", "0: published 3 1"]);
    bench.committed(at(3), Some(3));
    bench.posted(&["0: published 4 3"]);
    // If the first failed, the retry is published.
    bench.publish_keyed(5, Some("new"));
    bench.publish_keyed(6, Some("new"));
    bench.asked(&["publish #4"]);
    bench.failed(Some(4));
    bench.asked(&["publish #5"]);
    bench.committed(at(4), Some(5));
    bench.posted(&["0: published 5 unavailable", "0: published 6 4"]);
}

#[test]
fn a_key_that_only_the_engine_knows_is_answered_with_its_first_position() {
    let mut bench = Bench::open(RoomSettings::default(), 7, 1);
    bench.publish_keyed(1, Some("k"));
    bench.stored(1, Some(at(3)), true);
    bench.posted(&["0: published 1 3"]);
    bench.publish_keyed(2, Some("k"));
    bench.asked(&["publish #1"]);
    bench.posted(&["0: published 2 3"]);
    bench.publish_keyed(3, Some("unstored"));
    bench.stored(2, None, true);
    bench.posted(&["0: published 3 -"]);
}
