//! What is older than the home keeps, and what becomes of it while the engine reads.

use super::*;

/// A home that keeps the newest four of ten, before an engine that keeps all.
fn bench() -> Bench {
    let mut bench = Bench::open(RoomSettings { history: 4, ..Default::default() }, 0, 1);
    bench.commit(1..=10);
    bench
}

fn after(offset: u64) -> Span {
    Span::After(Some(at(offset)), usize::MAX)
}

fn positions(offsets: impl Iterator<Item = u64>) -> impl Iterator<Item = Position> {
    offsets.map(at)
}

#[test]
fn the_engine_is_asked_for_what_is_missing_and_nothing_else() {
    let mut bench = bench();
    for (id, span) in
        [Span::Nothing, Span::Newest(9), after(6), after(10), Span::After(None, 9)].into_iter().enumerate()
    {
        bench.look(id as u32, span);
    }
    bench.look(8, Span::After(Some(at(3)), 0));
    bench.asked(&[]);
    bench.look(9, after(2));
    bench.asked(&["read 2+4 #1"]);
    bench.join(1, 9, after(5));
    bench.asked(&[]);
    bench.posts.clear();
    bench.page(1, positions(3..=6));
    bench.posted(&["0: looked 9 10 all[3 4 5 6 7 8 9 10]"]);
    bench.asked(&["read 5+1 #2"]);
    bench.page(2, positions(6..=6));
    bench.posted(&["1: joined 9 10 all[6 7 8 9 10]"]);
}

#[test]
fn nobody_can_read_what_the_engine_has_forgotten() {
    let mut bench = Bench::open(RoomSettings { history: 4, ..Default::default() }, 5, 4);
    bench.commit(6..=10);
    bench.look(1, after(2));
    bench.posted(&["0: looked 1 10 newest[7 8 9 10]"]);
    bench.look(2, after(3));
    bench.asked(&["read 3+3 #1"]);
}

#[test]
fn a_short_or_empty_page_is_not_everything() {
    for page in [3..6, 4..7, 1..1] {
        let mut bench = bench();
        bench.look(1, after(2));
        bench.page(1, positions(page));
        bench.posted(&["0: looked 1 10 newest[7 8 9 10]"]);
    }
}

#[test]
fn a_limit_within_what_is_missing() {
    let mut bench = bench();
    for (id, limit) in [(1, 2), (2, 4), (3, 5)] {
        bench.look(id, Span::After(Some(at(2)), limit));
    }
    bench.asked(&["read 2+2 #1"]);
    bench.page(1, positions(3..=4));
    bench.page(2, positions(3..=6));
    bench.page(3, positions(3..=6));
    let answers =
        ["0: looked 1 10 all[3 4]+", "0: looked 2 10 all[3 4 5 6]+", "0: looked 3 10 all[3 4 5 6 7]+"];
    bench.posted(&answers);
}

#[test]
fn messages_that_go_while_the_engine_reads_are_not_skipped_in_silence() {
    let mut bench = bench();
    bench.look(1, after(2));
    bench.committed(at(11), None);
    bench.posted(&[]);
    bench.page(1, positions(3..=6));
    bench.posted(&["0: looked 1 11 newest[8 9 10 11]"]);
    bench.look(2, after(2));
    bench.committed(at(12), None);
    bench.page(2, positions(3..=8));
    bench.posted(&["0: looked 2 12 all[3 4 5 6 7 8 9 10 11 12]"]);
}

#[test]
fn a_page_of_another_epoch_recovers_nothing() {
    let mut bench = bench();
    let other = |offset| Position { epoch: 8, offset };
    bench.look(1, after(2));
    bench.opened(other(0), 1);
    for offset in 1..=6 {
        bench.committed(other(offset), None);
    }
    bench.posts.clear();
    bench.page(1, (3..=6).map(other));
    bench.posted(&["0: looked 1 6 newest[3 4 5 6]"]);
}

#[test]
fn a_read_that_fails_or_never_ends_is_unavailable() {
    let mut bench = bench();
    bench.look(1, after(2));
    bench.look(2, after(8));
    bench.failed(Some(1));
    bench.posted(&["0: looked 1 unavailable", "0: looked 2 10 all[9 10]"]);
    bench.join(1, 9, after(2));
    bench.wait(PATIENCE);
    bench.posted(&["1: joined 9 unavailable"]);
    bench.page(2, positions(3..=6));
    bench.posted(&[]);
    assert_eq!(bench.home.connections(), 0);
}
