//! Schedules by the thousand, and the faults that they find.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::plant::{self, Plant};
use super::random::Random;
use super::truth::Verdict;
use super::world::World;

/// What happens in one of two hundred schedules at least.
const EVENTS: [&str; 33] = [
    "announcement",
    "answer",
    "called again",
    "cut",
    "disconnected",
    "drained",
    "epoch lost",
    "expired",
    "forbidden",
    "gap",
    "inbox resumed",
    "joined",
    "jump",
    "kicked",
    "letter",
    "message",
    "narrowed",
    "news",
    "not joined",
    "not recovered",
    "on behalf",
    "one too many",
    "raw message",
    "recovered",
    "replaced",
    "room full",
    "slow",
    "stream refused",
    "streamed letter",
    "streamed message",
    "tried again",
    "typing",
    "unavailable",
];

type Tally = BTreeMap<&'static str, usize>;

/// Runs the schedule that `seed` chooses; says what happened how often.
fn run(seed: u64, plant: Plant) -> Verdict<Tally> {
    let mut world = World::new(Random::seeded(seed), plant);
    // Faults show in debug assertions of the shard, too.
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run().and_then(|()| world.finish())));
    let verdict = outcome.unwrap_or_else(|_| Err("a shard panicked".into()));
    match verdict {
        Ok(()) => Ok(world.truth.tally),
        Err(error) => Err(format!("{error}\nSIM_FROM={seed} SIM_SEEDS=1 runs it alone: {:?}", world.plan)),
    }
}

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

/// Runs `seeds` on all cores until one fails; says what happened in all of them.
fn run_all(first: usize, seeds: usize, plant: Plant) -> Result<Tally, (usize, String)> {
    let next = AtomicUsize::new(first);
    let outcome: Mutex<Result<Tally, (usize, String)>> = Mutex::new(Ok(Tally::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + seeds {
                return;
            }
            let verdict = run(seed as u64, plant);
            let mut outcome = outcome.lock().unwrap();
            match (&mut *outcome, verdict) {
                (Ok(all), Ok(tally)) => {
                    tally.into_iter().for_each(|(what, n)| *all.entry(what).or_default() += n)
                }
                (Ok(_), Err(error)) => *outcome = Err((seed, error)),
                (Err(_), _) => return,
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    outcome.into_inner().unwrap()
}

#[test]
fn every_schedule_keeps_order_and_loses_nothing() {
    let (first, seeds) = (number("SIM_FROM", 0), number("SIM_SEEDS", 3000));
    match run_all(first, seeds, Plant::Nothing) {
        Err((seed, error)) => panic!("seed {seed}: {error}"),
        Ok(tally) => {
            println!("{seeds} schedules: {tally:?}");
            // A schedule in which nothing happens proves nothing.
            for what in EVENTS {
                let often = tally.get(what).is_some_and(|&n| n > seeds / 200);
                assert!(seeds < 1000 || often, "{what} hardly happened");
            }
        }
    }
}

/// Each planted fault fails some of 1,000 schedules. With `SIM_RATES` set all of them are run, and how many failed is
/// printed.
#[test]
fn every_planted_fault_is_found() {
    let count = std::env::var_os("SIM_RATES").is_some();
    for plant in plant::ALL {
        let fails = |seed: &u64| run(*seed, plant).is_err();
        let failed = if count {
            (0..1000).filter(fails).count()
        } else {
            usize::from((0..1000).any(|seed| fails(&seed)))
        };
        if count {
            println!("{plant:?}: {:.1} %", failed as f64 / 10.0);
        }
        assert!(failed > 0, "{plant:?} is never found");
    }
}
