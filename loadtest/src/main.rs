//! Puts a push server under load, checks every byte that comes back, and compares it with its peers.
//!
//! It shares no code with the server's broker: what it expects is what the contract says. One thread, one `mio`
//! loop ([`net`]), a [`scenario`] that says what is sent and checks what comes, a [`run`] that measures.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
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
mod target;
mod wire;
mod work;

use cli::{Cli, Command, Compare, Options};
use outcome::Outcome;
use process::Watch;
use progress::Progress;
use run::Run;
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
    let failures = compared.iter().map(|one| one.failures.len()).sum::<usize>();
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
        return compare::run_once(work, &target, &options.plan(), options.pin);
    };
    limits::make_room(work.connections())?;
    if let Some(pin) = options.pin {
        process::pin_self(pin.load)?;
    }
    let mut scenario = work.scenario(&target::find(&targets, "switchboard")?, options.seed)?;
    let progress = Progress::new(work.name());
    let watch = options.pid.map(Watch::on);
    let plan = options.plan();
    let run = Run::new(&plan, address, scenario.as_mut(), watch, &progress)?;
    run.go(&options.target, work.name()).context(options.target.clone())
}
