//! Puts a push server under load, checks every byte that comes back, and compares it with its peers.
//!
//! It shares no code with the server's broker: it expects what the contract says. There is one thread, one `mio` loop
//! ([`net`]), a [`scenario`] that decides what is sent and checks what comes, and a [`run`] that measures.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;

mod cli;
mod clock;
mod compare;
mod dialect;
mod limits;
mod machine;
mod meter;
mod net;
mod order;
mod outcome;
mod payload;
mod process;
mod progress;
mod report;
mod run;
mod scenario;
mod stats;
mod subject;
mod target;
mod wire;
mod work;

use cli::{Cli, Command, Compare, Options, Shards};
use compare::Compared;
use outcome::Outcome;
use work::Work;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match command(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(cli: &Cli) -> Result<()> {
    match &cli.command {
        Command::Compare(arguments) if arguments.list => {
            for shape in compare::shapes::all() {
                println!("{:16} {}", shape.name, shape.title);
            }
            Ok(())
        }
        Command::Compare(arguments) => compare_all(arguments, &cli.options),
        Command::Shards(arguments) => compare_shards(arguments, &cli.options),
        Command::Work(work) => run_one(work, &cli.options),
    }
}

fn compare_all(arguments: &Compare, options: &Options) -> Result<()> {
    let compared = compare::compare(arguments, options)?;
    if options.json {
        let outcomes: Vec<_> = compared.iter().flat_map(|one| one.outcomes.iter().flatten()).collect();
        println!("{}", serde_json::to_string_pretty(&outcomes)?);
    }
    if let Some(directory) = &options.report {
        report::page::write_comparison(directory, &compared)?;
    }
    if let Some(file) = &arguments.write {
        report::markdown::write(file, &compared, arguments.shapes.is_empty())?;
    }
    none_failed(compared.iter())
}

fn compare_shards(arguments: &Shards, options: &Options) -> Result<()> {
    let scaled = compare::shards::compare(arguments, options)?;
    if options.json {
        let outcomes: Vec<_> = scaled.iter().flat_map(|one| one.outcomes.iter().flatten()).collect();
        println!("{}", serde_json::to_string_pretty(&outcomes)?);
    }
    if let Some(directory) = &options.report {
        report::page::write_shards(directory, &scaled)?;
    }
    if let Some(file) = &arguments.write {
        report::markdown::write_shards(file, &scaled)?;
    }
    none_failed(scaled.iter())
}

fn none_failed<'a>(compared: impl Iterator<Item = &'a Compared>) -> Result<()> {
    let failures = compared.map(|one| one.failures.len()).sum::<usize>();
    ensure!(failures == 0, "{failures} runs failed");
    Ok(())
}

fn run_one(work: &Work, options: &Options) -> Result<()> {
    let outcome = one(work, options)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&outcome)?);
    } else {
        print!("{}", report::summary::Summary(&outcome));
    }
    if let Some(directory) = &options.report {
        report::page::write_run(directory, &outcome)?;
    }
    let broken = outcome.findings.iter().filter(|finding| finding.holds == Some(false)).count();
    ensure!(broken == 0, "{broken} of what was to hold did not");
    Ok(())
}

/// One scenario against one server.
fn one(work: &Work, options: &Options) -> Result<Outcome> {
    let targets = target::all(options.targets_file.as_deref())?;
    let Ok(address) = options.target.parse() else {
        let target = target::find(&targets, &options.target)?;
        if !options.no_build {
            target.build()?;
        }
        return work.against(&target, &options.plan(), options.pin);
    };
    if let Some(pin) = options.pin {
        process::pin_self(pin.load)?;
    }
    work.at(address, &target::find(&targets, "switchboard")?, &options.plan(), options.pid)
}
