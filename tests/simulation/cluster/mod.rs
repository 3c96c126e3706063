//! Two homes on one log: what a room's members on two nodes see is one order, whatever the way between a node and the log
//! does.
//!
//! ```text
//!   client ◀─▶ node (a real Shard) ◀─▶ line ─┐
//!   client ◀─▶ node (a real Shard) ◀─▶ line ─┴─ log
//! ```

mod client;
mod log;
mod weather;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::truth::Verdict;
use weather::Plant;
use world::World;

/// What happens in one of fifty schedules at least.
const EVENTS: [&str; 15] = [
    "another epoch",
    "cut",
    "doubled",
    "epoch",
    "failed late",
    "gap",
    "known",
    "late",
    "late reply",
    "lost",
    "message",
    "no reply",
    "not recovered",
    "recovered",
    "reply first",
];

fn run(seed: u64, plant: Plant) -> Verdict<BTreeMap<&'static str, usize>> {
    let mut world = World::new(seed, plant);
    catch_unwind(AssertUnwindSafe(|| world.run())).unwrap_or_else(|_| Err("a shard panicked".into()))?;
    let log = world.log.lock().map_err(|_| "a shard panicked")?;
    Ok(log.tally.clone())
}

#[test]
fn two_homes_on_one_log_keep_one_order_and_lose_nothing_in_silence() {
    let number = |name: &str, otherwise| {
        std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
    };
    let (first, seeds) = (number("SIM_FROM", 0u64), number("SIM_SEEDS", 1_000));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let part = move |core: usize| {
        let mut all = BTreeMap::<&str, usize>::new();
        for seed in (first..first + seeds).skip(core).step_by(cores) {
            let tally = run(seed, Plant::Nothing).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            tally.into_iter().for_each(|(what, n)| *all.entry(what).or_default() += n);
        }
        all
    };
    let parts: Vec<_> = (0..cores).map(|core| std::thread::spawn(move || part(core))).collect();
    let mut all = BTreeMap::<&str, usize>::new();
    for part in parts {
        let tally = part.join().expect("a schedule failed; its seed is above");
        tally.into_iter().for_each(|(what, n)| *all.entry(what).or_default() += n);
    }
    println!("{seeds} schedules: {all:?}");
    for what in EVENTS {
        let often = all.get(what).is_some_and(|&n| n as u64 > seeds / 50);
        assert!(seeds < 1_000 || often, "{what} hardly happened");
    }
}

#[test]
fn every_fault_of_the_line_that_no_home_can_mend_is_found() {
    for plant in weather::ALL {
        assert!((0..1_000).any(|seed| run(seed, plant).is_err()), "{plant:?} is never found");
    }
}
