//! The command line, and the process around the server.

pub(crate) mod banner;
pub(crate) mod console;
pub(crate) mod descriptors;
pub(crate) mod logging;
pub(crate) mod reload;
pub(crate) mod signals;
pub(crate) mod token;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, Parser, Subcommand};
use switchboard::program::config::{Config, Flag, Input};
use token::Wish;

/// What the program was asked to do.
pub(crate) struct Invocation {
    /// The command; `None` serves.
    pub(crate) command: Option<Command>,
    pub(crate) input: Input,
}

/// A push relay beside your HTTP app: rooms over WebSocket and Server-Sent Events.
///
/// Clients join rooms over WebSocket or Server-Sent Events; your app, in any language, posts messages to rooms
/// over plain HTTP. Without a command the server runs until SIGTERM or Ctrl-C.
#[derive(Parser)]
#[command(name = "switchboard", version, after_help = MORE, after_long_help = LONG, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check the configuration, print every error in it, and exit: 0 if there is none, else 2.
    Check,
    /// Print a token for a client, signed with the configuration's auth.secret.
    Token(Wish),
    /// Print a new random key, for auth.secret or api.key.
    Key,
}

#[derive(Args)]
#[command(next_help_heading = "Options of the server, for every command")]
struct Options {
    /// The configuration, a TOML file. [default: no file, all defaults]
    #[arg(short, long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// An address to listen on; may be repeated. A port alone means 127.0.0.1, localhost:PORT means 127.0.0.1 and [::1]. With
    /// port 0 the system chooses. [default: 127.0.0.1:8000]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Vec<String>,
    /// Event loops to run, each on its own thread; 0 means one per core. [default: 0]
    #[arg(long, global = true, value_name = "NUMBER", allow_hyphen_values = true)]
    shards: Option<String>,
    /// How long a stop may take. Connections are closed one after another during the first 80 % of it. [default: 8s]
    #[arg(long, global = true, value_name = "DURATION", allow_hyphen_values = true)]
    drain: Option<String>,
    /// Serve the console at /, and /echo, which sends every message back: auto, true or false. Auto means only on loopback
    /// without keys (open mode). [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    console: Option<String>,
    /// Listen on addresses that are not loopback although no key is set.
    #[arg(long, global = true)]
    insecure: bool,
    /// The lowest level to log: off, error, warn, info, debug or trace. [default: info]
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<String>,
    /// The format of log lines on standard error: text or json. [default: text]
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
}

const MORE: &str = "Try --help for examples, the environment and the exit status.";

const LONG: &str = "\
Examples:
  switchboard
      Serve on http://127.0.0.1:8000, open to this machine.
  curl -d '{\"data\":\"hello\"}' http://127.0.0.1:8000/api/rooms/lobby/messages
      Send to everybody in the room \"lobby\".
  switchboard --config switchboard.toml --listen 127.0.0.1:9000 --listen '[::1]:9000'
      Flags override the environment, and the environment overrides the file.
  switchboard check --config switchboard.toml
      Print every error in a configuration, as file:line.
  SWITCHBOARD_AUTH__SECRET=$(switchboard key) SWITCHBOARD_API__KEY=$(switchboard key) switchboard
      Serve clients that have a token, and an app that has the key.
  switchboard token --config switchboard.toml --user alice --room 'chat:*' --ttl 1h
      Print a token with which alice may join and publish in every room whose name begins with \"chat:\".
  switchboard token --config switchboard.toml --user bob --join 'news:*' --publish news:talk
      Print a token with which bob may join all rooms of news and publish in one of them.

Environment:
  Every key of the file is a variable too: SWITCHBOARD_ and the key in capitals, with a
  double underscore for the dot.
      SWITCHBOARD_CONFIG=/etc/switchboard.toml
      SWITCHBOARD_LISTEN='[\"127.0.0.1:8000\", \"[::1]:8000\"]'
      SWITCHBOARD_LIMITS__MESSAGE=128KiB
  Every flag is a variable too: SWITCHBOARD_LOG=debug, SWITCHBOARD_INSECURE=1.

Configuration:
  switchboard.example.toml in the source tree lists every key with its default and its reason.

Signals:
  SIGTERM or SIGINT drains and exits; a second signal exits at once.
  SIGHUP reloads the key files; the server also reloads them when they change. Everything
  else needs a restart; the log says what has changed in the configuration since the start.

Exit status:
  0 after a normal stop, 1 when the server failed, 2 when it could not start.";

/// Reads the command line. After a mistake, or after help was printed, it returns the exit status.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, ExitCode> {
    let cli = Cli::try_parse_from(arguments).map_err(|error| {
        if error.use_stderr() {
            return console::refuse_named(one_line(&error));
        }
        // Printing fails only when nobody reads any more.
        let _ = error.print();
        ExitCode::SUCCESS
    })?;
    let variables = std::env::vars_os().collect();
    let input = Input { file: cli.options.config.clone(), variables, flags: cli.options.given() };
    Ok(Invocation { command: cli.command, input })
}

impl Options {
    /// The flags that were given. The configuration checks them like any other source.
    fn given(self) -> Vec<Flag> {
        let one = |key, value: Option<String>| value.map(|value| Flag { key, values: vec![value] });
        let listen = (!self.listen.is_empty()).then_some(Flag { key: "listen", values: self.listen });
        let flags = [
            listen,
            one("shards", self.shards),
            one("drain", self.drain),
            one("console", self.console),
            one("insecure", self.insecure.then(|| "true".to_owned())),
            one("log", self.log),
            one("log_format", self.log_format),
        ];
        flags.into_iter().flatten().collect()
    }
}

/// An error of clap, on one line.
fn one_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    // Clap lists missing arguments on lines of their own, up to an empty one.
    let first: Vec<_> = rendered.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let first = first.join(" ");
    let what = first.strip_prefix("error: ").unwrap_or(&first);
    let suggested =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let suggestion = suggested.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    });
    match suggestion {
        Some(text) => format!("{what}; did you mean {text}?"),
        None => format!("{what}; see switchboard --help"),
    }
}

/// The line that `check` prints when nothing is wrong.
pub(crate) fn summary(input: &Input, config: &Config) -> String {
    let settings = &config.settings;
    let file = input.config_file().ok().flatten();
    let file = file.map_or_else(|| "no file".to_owned(), |path| path.display().to_string());
    let listen: Vec<_> = settings.listen.iter().map(ToString::to_string).collect();
    let shards = match settings.shards {
        0 => "one shard per core".to_owned(),
        1 => "1 shard".to_owned(),
        many => format!("{many} shards"),
    };
    let patterns = match settings.rooms.len() {
        1 => "1 room pattern".to_owned(),
        many => format!("{many} room patterns"),
    };
    format!("ok: {file}; listens on {}; {shards}; {patterns}", listen.join(" and "))
}
