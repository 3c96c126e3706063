//! A shutdown of many connections, on a virtual clock.

use super::*;

const SESSIONS: usize = 10_000;

/// When each client comes back, in milliseconds from the beginning of the drain, and what it was told.
fn returns(bench: &mut Bench, length: Duration) -> Vec<u64> {
    bench.shard.drain(length);
    let mut returns = Vec::new();
    for _ in 0..length.as_millis() / 250 {
        bench.turn(250);
        while bench.shard.has_work() {
            bench.turn(0);
        }
        let passed = bench.now.loop_ms - 1_000;
        for (_, bytes) in bench.sink.written.drain() {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((_, told)) = text.split_once("retry in ") else { continue };
            let wait: u64 = told.split(' ').next().unwrap().parse().unwrap();
            assert!(passed <= 8_250, "four fifths are for the closes, the rest for what they bring about");
            assert!((10_000..=20_000 - passed).contains(&(passed + wait)), "{passed} + {wait}");
            returns.push(passed + wait);
        }
    }
    returns
}

/// The most that come back in any window of 100 ms.
fn crowd(mut returns: Vec<u64>) -> usize {
    returns.sort_unstable();
    let within = |(index, first): (usize, &u64)| returns[index..].partition_point(|at| *at < first + 100);
    returns.iter().enumerate().map(within).max().unwrap_or(0)
}

#[test]
fn clients_do_not_come_back_together() {
    let mut bench = Bench::alone();
    for _ in 0..SESSIONS {
        bench.connect("/ws");
    }
    bench.turn(0);
    bench.sink.written.clear();
    let returns = returns(&mut bench, Duration::from_secs(10));
    assert_eq!(returns.len(), SESSIONS, "everybody is told");
    let crowd = crowd(returns);
    assert!(crowd <= SESSIONS * 3 / 100, "{crowd} of {SESSIONS} within 100 ms");
}

/// The judge above would find a stampede.
#[test]
fn a_crowd_is_seen() {
    assert_eq!(crowd(vec![0, 99, 100, 150, 199, 200, 500]), 3);
    assert_eq!(crowd((0..10_000).collect()), 100);
}

/// The numbers of sessions wrap: whoever came before is sent away, and whoever comes then is found, answered and told apart.
#[test]
fn sessions_are_told_apart_where_their_numbers_wrap() {
    let mut bench = Bench::alone();
    bench.shard.generation = u32::MAX - 20;
    let early: Vec<u32> = (0..20).map(|_| bench.connect("/ws")).collect();
    bench.shard.drain(Duration::from_secs(2));
    let late: Vec<u32> = (0..3).map(|_| bench.shard.accept(IpAddr::from([127, 0, 0, 1]))).collect();
    assert!(bench.shard.generation < 3);
    for &key in early.iter().chain(&late) {
        let id = bench.shard.id(key);
        assert!(bench.shard.find(id).is_some());
        assert!(bench.shard.find(SessionId { generation: id.generation.wrapping_sub(1), ..id }).is_none());
    }
    bench.turn(1_900);
    bench.turn(0);
    assert!(early.iter().all(|&key| bench.text(key).contains("retry in")));
    assert!(late.iter().all(|&key| bench.shard.sessions.contains(key as usize)), "they have yet to ask");
}
