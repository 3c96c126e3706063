//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::process::Pin;
use crate::run::Plan;
use crate::work::Work;

/// Puts a push server under load and checks every byte that comes back.
///
/// Each scenario opens its connections, warms up, measures, and waits for what is still under way. A message that is
/// lost, changed, out of order or comes twice ends the run with status 1. So does a broken promise of the server: the
/// summary lists each promise as "holds" or "DOES NOT HOLD", or as "not judged" with fewer than 1,000 connections.
///
/// By default the server is built from this checkout and started on a free port. Run this in the top folder of the
/// checkout. `--target` names another server of `loadtest/targets.toml`, or the address of one that is running.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version, max_term_width = 110, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) options: Options,
}

const EXAMPLES: &str = "Examples:
  loadtest fanout --members 1000 --pin
  loadtest echo --connections 5000 --duration 10 --report /tmp/echo
  loadtest idle --connections 10000 --target 127.0.0.1:8000 --pid 4711
  loadtest compare --pin --shape room-1000 --runs 7
  loadtest compare --pin --write docs/performance.md
  loadtest shards --write docs/performance.md
  loadtest churn --connections 10000 --duration 600
  loadtest drain --connections 10000
  loadtest slow --members 9500 --slow 500 --rate 5";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the same work against several servers in turn and print the ratios.
    Compare(Compare),
    /// Run the same work on one shard and on several in turn: how much more do several deliver, and what limits it?
    Shards(Shards),
    #[command(flatten)]
    Work(Work),
}

/// Options of every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Options {
    /// The server: a name in loadtest/targets.toml, which is then started, or the ADDRESS:PORT of a running Switchboard.
    #[arg(long, global = true, value_name = "NAME|ADDRESS:PORT", default_value = "switchboard")]
    pub(crate) target: String,
    /// The process id of a running server, to read its CPU time and memory.
    #[arg(long, global = true)]
    pub(crate) pid: Option<u32>,
    /// A file of further targets, in the form of loadtest/targets.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) targets_file: Option<String>,
    /// Do not build the targets first.
    #[arg(long, global = true)]
    pub(crate) no_build: bool,
    /// Put the server on one core and the load on another; 0 and 1 if no cores are given.
    #[arg(long, global = true, value_name = "SERVER,LOAD", num_args = 0..=1, default_missing_value = "0,1", value_parser = parse_pin)]
    pub(crate) pin: Option<Pin>,
    /// Seconds of work before measuring. Connect, churn and drain do not warm up.
    #[arg(long, global = true, value_name = "SECONDS", default_value = "1", value_parser = parse_seconds)]
    pub(crate) warm_up: Duration,
    /// Seconds to measure. Connect ends when all connections are open; storm, kill, drain and slow take the time that
    /// they need.
    #[arg(long, global = true, value_name = "SECONDS", default_value = "5", value_parser = parse_seconds)]
    pub(crate) duration: Duration,
    /// Connections to open per second; 0 for as fast as the server answers.
    #[arg(long, global = true, value_name = "N", default_value_t = 0.0)]
    pub(crate) connect_rate: f64,
    /// Handshakes under way at once while opening.
    #[arg(long, global = true, value_name = "N", default_value_t = 256)]
    pub(crate) connecting: usize,
    /// Loopback addresses that the connections come from in turn (127.0.0.1, 127.0.0.2 and so on). By default one for
    /// every 28,000 connections, because an address has no more ports.
    #[arg(long, global = true, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=60_000))]
    pub(crate) sources: Option<usize>,
    /// The seed for all random numbers.
    #[arg(long, global = true, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print the outcome as JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Write an HTML page with plots into this directory. It needs no other file.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Compare {
    /// Only these shapes; by default all of them.
    #[arg(long = "shape", value_name = "SHAPE,...", value_delimiter = ',')]
    pub(crate) shapes: Vec<String>,
    /// Only these targets; by default all that are installed.
    #[arg(long, value_name = "TARGET,...", value_delimiter = ',')]
    pub(crate) targets: Vec<String>,
    /// Runs of each target and shape. The targets take turns.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) runs: usize,
    /// Write the tables into this file, between their markers.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// List the shapes and exit.
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Shards {
    /// Numbers of shards. The others are compared with the first.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "1,2")]
    pub(crate) counts: Vec<usize>,
    /// Shapes of `compare` to run.
    #[arg(
        long = "shape",
        value_name = "SHAPE,...",
        value_delimiter = ',',
        default_value = "room-1000,rooms-100,publishers-50,echo-100"
    )]
    pub(crate) shapes: Vec<String>,
    /// Runs of each number and shape. The numbers take turns.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) runs: usize,
    /// Write the table into this file, between its markers.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
}

impl Options {
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            warm_up: self.warm_up,
            duration: self.duration,
            connect_rate: self.connect_rate,
            connecting: self.connecting.max(1),
            seed: self.seed,
            sources: self.sources,
        }
    }
}

/// Seconds as `1.5` or `1.5s`.
pub(crate) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.strip_suffix('s').unwrap_or(text).parse().map_err(|_| "not a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn parse_pin(text: &str) -> Result<Pin, String> {
    let cores = text.split_once(',').ok_or("two cores, as in 0,1")?;
    let core = |text: &str| text.trim().parse().map_err(|_| format!("{text} is no core"));
    Ok(Pin { server: core(cores.0)?, load: core(cores.1)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_may_follow_the_command() {
        let cli = Cli::parse_from(["loadtest", "echo", "--connections", "7", "--pin", "--duration", "0.5"]);
        let Command::Work(Work::Echo(work)) = cli.command else { panic!("{:?}", cli.command) };
        assert_eq!((work.connections, cli.options.duration), (7, Duration::from_millis(500)));
        assert_eq!(cli.options.pin.map(|pin| (pin.server, pin.load)), Some((0, 1)));
    }

    #[test]
    fn bad_cores_and_seconds() {
        assert!(parse_pin("1").is_err() && parse_pin("a,b").is_err());
        assert!(parse_seconds("-1").is_err() && parse_seconds("x").is_err());
        assert_eq!(parse_seconds("2s"), Ok(Duration::from_secs(2)));
    }
}
