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
