//! The same work on several servers in turn.

use anyhow::{Result, bail};
use indicatif::HumanDuration;

use crate::cli::{Compare, Options};
use crate::outcome::Outcome;
use crate::target::{self, Target};
use crate::work::Work;

pub(crate) mod shapes;
pub(crate) mod shards;
pub(crate) mod table;

use shapes::Shape;
use table::Table;

/// The outcomes of one shape, run by run.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) shape: Shape,
    pub(crate) targets: Vec<Target>,
    /// For each target its runs, and why one failed.
    pub(crate) outcomes: Vec<Vec<Outcome>>,
    pub(crate) failures: Vec<String>,
}

/// Runs every shape that was asked for and prints its table.
pub(crate) fn compare(arguments: &Compare, options: &Options) -> Result<Vec<Compared>> {
    let shapes = shapes::chosen(&arguments.shapes)?;
    let targets = chosen_targets(arguments, options)?;
    if !options.no_build {
        targets.iter().try_for_each(Target::build)?;
    }
    let mut compared = Vec::new();
    let count = shapes.len();
    for (at, shape) in shapes.into_iter().enumerate() {
        let able: Vec<Target> = targets
            .iter()
            .filter(|target| shape.work.scenario(target, options.seed).is_ok())
            .cloned()
            .collect();
        let plan = options.plan();
        let run = |work: &Work, target: &Target| work.against(target, &plan, options.pin);
        eprintln!("{}", announcement(&shape, [at + 1, count], able.len() * arguments.runs, options));
        let done = in_turn(shape, able, arguments.runs, run);
        // With --json standard output is for the program that reads it.
        if options.json {
            eprintln!("{}", Table::of(&done));
        } else {
            println!("{}", Table::of(&done));
        }
        compared.push(done);
    }
    Ok(compared)
}

fn chosen_targets(arguments: &Compare, options: &Options) -> Result<Vec<Target>> {
    let all = target::all(options.targets_file.as_deref())?;
    let mut chosen = Vec::new();
    if arguments.targets.is_empty() {
        chosen = all;
    } else {
        for name in &arguments.targets {
            chosen.push(target::find(&all, name)?);
        }
    }
    chosen.retain(|target| {
        let there = target.is_there();
        if !there {
            eprintln!("{} is left out: its package is not there (loadtest/packages/README.md)", target.name);
        }
        there
    });
    if chosen.is_empty() {
        bail!("no target is left to compare");
    }
    Ok(chosen)
}

/// Says what will be run, and how long it takes at least.
fn announcement(shape: &Shape, [at, of]: [usize; 2], runs: usize, options: &Options) -> String {
    let one = options.warm_up.saturating_add(options.duration);
    let least = HumanDuration(one.saturating_mul(u32::try_from(runs).unwrap_or(u32::MAX)));
    format!("{at} of {of}, {}: {runs} runs, {least} or more", shape.title)
}

/// All runs of one shape. The targets take turns, so that other work on the machine affects all of them.
fn in_turn(
    shape: Shape,
    targets: Vec<Target>,
    runs: usize,
    run: impl Fn(&Work, &Target) -> Result<Outcome>,
) -> Compared {
    let mut outcomes = vec![Vec::new(); targets.len()];
    let mut failures = Vec::new();
    for _ in 0..runs {
        for (target, outcomes) in targets.iter().zip(&mut outcomes) {
            match run(&shape.work, target) {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => failures.push(format!("{error:#}")),
            }
        }
    }
    Compared { shape, targets, outcomes, failures }
}
