//! The same work on one shard and on several: how much more do several deliver, and what limits it?
//!
//! The server has all cores. The load runs at the lowest priority, so that it gets only what the server does not use.

use std::fmt;
use std::thread;

use anyhow::{Result, ensure};

use super::shapes;
use super::{Compared, announcement, in_turn};
use crate::cli::{Options, Shards};
use crate::outcome::Outcome;
use crate::stats::Spread;
use crate::target::{self, Target};
use crate::work::Work;

/// Runs every shape with each number of shards and prints the result. The targets of a [`Compared`] are the numbers of
/// shards.
pub(crate) fn compare(arguments: &Shards, options: &Options) -> Result<Vec<Compared>> {
    ensure!(!arguments.counts.contains(&0), "a server has a shard at least");
    let target = target::find(&target::all(options.targets_file.as_deref())?, &options.target)?;
    if !options.no_build {
        target.build()?;
    }
    let targets = arguments.counts.iter().map(|shards| target.with_shards(*shards));
    let targets = targets.collect::<Result<Vec<Target>>>()?;
    let plan = options.plan();
    let run = |work: &Work, target: &Target| work.against_all_cores(target, &plan);
    let mut scaled = Vec::new();
    let shapes = shapes::chosen(&arguments.shapes)?;
    let count = shapes.len();
    for (at, shape) in shapes.into_iter().enumerate() {
        eprintln!("{}", announcement(&shape, [at + 1, count], targets.len() * arguments.runs, options));
        let done = in_turn(shape, targets.clone(), arguments.runs, run);
        if options.json {
            eprintln!("{}", Scaling::of(&done));
        } else {
            println!("{}", Scaling::of(&done));
        }
        scaled.push(done);
    }
    Ok(scaled)
}

/// The figures of one shape with each number of shards.
#[derive(Debug)]
pub(crate) struct Scaling {
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
}

/// One number of shards. All figures except `rate` are medians.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Deliveries per second.
    pub(crate) rate: Option<Spread>,
    /// Its median as a multiple of the first row's.
    pub(crate) more: Option<f64>,
    /// Microseconds of server CPU for each delivery.
    pub(crate) cost: Option<f64>,
    /// Cores that the server and the load used.
    pub(crate) server: Option<f64>,
    pub(crate) load: Option<f64>,
}

impl Scaling {
    pub(crate) fn of(compared: &Compared) -> Scaling {
        let pairs = compared.targets.iter().zip(&compared.outcomes);
        let mut rows: Vec<Row> = pairs.map(|(target, runs)| row(target, runs)).collect();
        let first = rows.first().and_then(|row| row.rate);
        for row in &mut rows {
            row.more = row.rate.zip(first).and_then(|(rate, first)| rate.ratio_to(&first));
        }
        Scaling { title: compared.shape.title, rows, notes: compared.failures.clone() }
    }

    /// What limits the deliveries of the last row.
    pub(crate) fn bound(&self) -> Option<String> {
        let last = self.rows.last()?;
        Some(format!("{}: {}", last.name, bound(last.server?, last.load?, cores())))
    }
}

fn row(target: &Target, runs: &[Outcome]) -> Row {
    let median = |of: &dyn Fn(&Outcome) -> Option<f64>| {
        Spread::of(&runs.iter().filter_map(of).collect::<Vec<_>>()).map(|spread| spread.median)
    };
    Row {
        name: target.name.clone(),
        rate: Spread::of(&runs.iter().map(Outcome::rate).collect::<Vec<_>>()),
        more: None,
        cost: median(&Outcome::cpu_per_delivery),
        server: median(&|run| Some(run.server_cpu? / run.seconds.max(1e-9))),
        load: median(&|run| Some(run.load_cpu / run.seconds.max(1e-9))),
    }
}

fn cores() -> f64 {
    thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
}

/// The sentence that says which cores are used up. The load test is one thread, so it uses at most one core.
fn bound(server: f64, load: f64, cores: f64) -> String {
    let used = format!("server {server:.2} and load {load:.2} of {cores:.0} cores");
    if server + load > 0.92 * cores {
        format!("the machine bounds it, {used}: what the load test takes to read is not left for the server")
    } else if load > 0.92 {
        format!("the load test's one thread bounds it, {used}")
    } else {
        format!(
            "nobody's CPU time bounds it, {used}: it is the waiting of one for the other in a closed loop"
        )
    }
}

impl fmt::Display for Scaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}", self.title)?;
        let [name, rate, low, high] = ["server", "msg/s", "low", "high"];
        let [more, cost, server, load] = ["times", "µs/msg", "its cores", "load's"];
        writeln!(
            f,
            "  {name:12} {rate:>10} {low:>10} {high:>10} {more:>7} {cost:>8} {server:>10} {load:>8}"
        )?;
        for row in &self.rows {
            let number = |value: Option<f64>, digits: usize| {
                value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
            };
            writeln!(
                f,
                "  {:12} {:>10} {:>10} {:>10} {:>7} {:>8} {:>10} {:>8}",
                row.name,
                number(row.rate.map(|rate| rate.median), 0),
                number(row.rate.map(|rate| rate.low), 0),
                number(row.rate.map(|rate| rate.high), 0),
                number(row.more, 2),
                number(row.cost, 3),
                number(row.server, 2),
                number(row.load, 2),
            )?;
        }
        for note in self.bound().iter().chain(&self.notes) {
            writeln!(f, "  {note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::tests::outcome;

    #[test]
    fn two_shards_beside_one() {
        let targets = target::all(None).expect("known");
        let own = target::find(&targets, "switchboard").expect("known");
        let compared = Compared {
            shape: shapes::all().remove(0),
            targets: vec![own.with_shards(1).expect("told"), own.with_shards(2).expect("told")],
            outcomes: vec![vec![outcome(1_000, 0.004)], vec![outcome(1_500, 0.006)]],
            failures: Vec::new(),
        };
        let scaling = Scaling::of(&compared);
        let more: Vec<_> = scaling.rows.iter().map(|row| row.more).collect();
        assert_eq!(more, [Some(1.0), Some(1.5)]);
        assert!(scaling.to_string().contains("2 shards"), "{scaling}");
    }

    #[test]
    fn what_bounds_it() {
        assert!(bound(1.2, 0.75, 2.0).starts_with("the machine"));
        assert!(bound(0.5, 0.95, 4.0).starts_with("the load test's one thread"));
        assert!(bound(0.5, 0.5, 2.0).starts_with("nobody's"));
    }
}
