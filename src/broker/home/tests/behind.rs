//! What comes twice, out of turn or not at all.

use super::*;

/// A home with a member on shard 1, whose newest message is the second.
fn bench() -> Bench {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.join(1, 9, Span::Nothing);
    bench.commit(1..=2);
    bench
}

#[test]
fn a_double_is_dropped() {
    let mut bench = bench();
    bench.committed(at(2), None);
    bench.committed(at(1), None);
    bench.posted(&[]);
    bench.publish(1);
    bench.committed(at(3), Some(1));
    bench.committed(at(3), Some(1));
    bench.posted(&["1: deliver 3", "0: published 1 3"]);
    bench.asked(&["publish #1"]);
}

#[test]
fn what_was_skipped_is_read_and_comes_first() {
    let mut bench = bench();
    bench.committed(at(5), None);
    bench.committed(at(6), None);
    bench.posted(&[]);
    bench.asked(&["read 2+1000 #1"]);
    bench.caught_up(1, at(5), 3..=5);
    bench.posted(&["1: deliver 3", "1: deliver 4", "1: deliver 5", "1: deliver 6"]);
    bench.committed(at(7), None);
    bench.posted(&["1: deliver 7"]);
    bench.asked(&[]);
}

#[test]
fn what_comes_late_after_all_is_not_given_twice() {
    let mut bench = bench();
    bench.committed(at(4), None);
    bench.committed(at(3), None);
    bench.posted(&["1: deliver 3", "1: deliver 4"]);
    bench.caught_up(1, at(4), 3..=4);
    bench.posted(&[]);
    assert!(bench.home.behind.is_none());
}

#[test]
fn what_is_gone_is_a_gap_before_what_follows() {
    let mut bench = bench();
    bench.committed(at(6), None);
    bench.caught_up(1, at(6), 5..=6);
    bench.posted(&["1: gap 00000007:3 00000007:4", "1: deliver 5", "1: deliver 6"]);
    bench.committed(at(9), None);
    bench.caught_up(2, at(9), []);
    bench.posted(&["1: gap 00000007:7 00000007:9"]);
}

#[test]
fn an_engine_that_cannot_tell_is_asked_again() {
    let mut bench = bench();
    bench.committed(at(4), None);
    bench.failed(Some(1));
    bench.asks.clear();
    bench.wait(Duration::from_secs(1));
    bench.asked(&["read 2+1000 #2"]);
    // It never answers.
    bench.wait(PATIENCE);
    bench.asked(&["read 2+1000 #3"]);
    bench.caught_up(2, at(4), 3..=4);
    bench.posted(&[]);
    bench.caught_up(3, at(4), 3..=4);
    bench.posted(&["1: deliver 3", "1: deliver 4"]);
}

#[test]
fn a_reply_before_its_message_waits_for_it() {
    let mut bench = bench();
    bench.publish(1);
    bench.stored(1, Some(at(3)), false);
    bench.posted(&[]);
    bench.committed(at(3), Some(1));
    bench.posted(&["1: deliver 3", "0: published 1 3"]);
    // The message is lost: it is read.
    bench.publish(2);
    bench.asks.clear();
    bench.caught_up(2, at(3), []);
    bench.stored(3, Some(at(4)), false);
    bench.asked(&["read 3+1000 #4"]);
    bench.caught_up(4, at(4), 4..=4);
    bench.posted(&["1: deliver 4", "0: published 2 4"]);
    // A reply behind its message says nothing new.
    bench.stored(3, Some(at(4)), false);
    bench.posted(&[]);
}

#[test]
fn a_later_end_of_the_same_epoch_is_passed_on_or_told_as_a_gap() {
    let mut bench = bench();
    let tail = |bench: &Bench, offsets: std::ops::RangeInclusive<u64>| {
        offsets.map(|offset| bench.message(at(offset))).collect()
    };
    let open = |bench: &mut Bench, end, tail| {
        bench.tell(Tell::Opened { room: bench.key.clone(), position: at(end), tail, first: 1 });
    };
    let messages = tail(&bench, 2..=4);
    open(&mut bench, 4, messages);
    bench.posted(&["1: deliver 3", "1: deliver 4"]);
    let messages = tail(&bench, 7..=8);
    open(&mut bench, 8, messages);
    bench.posted(&[]);
    bench.asked(&["read 4+1000 #1"]);
    bench.caught_up(1, at(8), 7..=8);
    bench.posted(&["1: gap 00000007:5 00000007:6", "1: deliver 7", "1: deliver 8"]);
    // An end that is known already changes nothing.
    open(&mut bench, 8, Vec::new());
    bench.look(1, Span::Newest(2));
    bench.posted(&["0: looked 1 8 newest[7 8]"]);
}

#[test]
fn who_comes_from_a_home_that_was_ahead_recovers() {
    let mut bench = bench();
    bench.look(1, Span::After(Some(at(4)), 9));
    bench.posted(&[]);
    bench.asked(&["read 2+1000 #1"]);
    bench.caught_up(1, at(5), 3..=5);
    bench.posted(&["1: deliver 3", "1: deliver 4", "1: deliver 5", "0: looked 1 5 all[5]"]);
    // Nobody was so far.
    bench.look(2, Span::After(Some(at(u64::MAX)), 9));
    bench.caught_up(2, at(5), []);
    bench.posted(&["0: looked 2 5 newest[1 2 3 4 5]"]);
}

#[test]
fn an_epoch_that_only_others_know_of_is_opened() {
    let mut bench = bench();
    let other = |offset| Position { epoch: 8, offset };
    bench.committed(other(2), None);
    bench.asked(&["read 2+1000 #1"]);
    bench.caught_up(1, other(2), []);
    bench.asked(&["open"]);
    bench.opened(other(1), 1);
    bench.posted(&["1: gap 00000008:1 00000008:1", "1: deliver 2"]);
    // A late push of the old epoch is nobody's.
    bench.committed(at(3), None);
    bench.caught_up(2, other(2), []);
    bench.posted(&[]);
}

#[test]
fn what_is_held_is_bounded_and_read_when_the_rest_is_passed_on() {
    let mut bench = bench();
    for offset in 4..=1_010 {
        bench.committed(at(offset), None);
    }
    assert!(bench.home.holds().waiting > 0);
    bench.caught_up(1, at(1_002), 3..=1_002);
    bench.asks.clear();
    bench.caught_up(2, at(1_010), 1_004..=1_010);
    let delivered: Vec<_> = bench.posts.drain(..).map(|(_, post)| line(post)).collect();
    let whole: Vec<_> = (3..=1_010).map(|offset| format!("deliver {offset}")).collect();
    assert_eq!(delivered, whole);
    assert_eq!((bench.home.holds().waiting, bench.home.behind.is_none()), (0, true));
}

#[test]
fn pushes_before_the_room_is_open_are_not_lost() {
    let mut bench = Bench::new(RoomSettings::default());
    bench.join(1, 9, Span::Newest(9));
    bench.committed(at(5), None);
    bench.committed(at(6), None);
    bench.opened(at(5), 1);
    bench.posted(&["1: joined 9 6 newest[6]"]);
}

#[test]
fn a_read_of_an_epoch_that_is_over_says_nothing_of_the_next() {
    let mut bench = bench();
    let other = |offset| Position { epoch: 8, offset };
    bench.committed(at(4), None);
    bench.asked(&["read 2+1000 #1"]);
    bench.opened(other(1), 1);
    bench.posted(&["1: gap 00000008:1 00000008:1"]);
    bench.caught_up(1, other(2), []);
    bench.committed(other(2), None);
    bench.posted(&["1: deliver 2"]);
}
