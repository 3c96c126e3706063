//! The command line, and what surrounds a server in its process.

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
use switchboard::config::{Config, Flag, Input};
use token::Wish;

/// What the program was asked to do.
pub(crate) struct Invocation {
    /// What to do other than serve.
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
    /// Read the configuration, say everything that is wrong with it, and exit: 0 if nothing is, else 2.
    Check,
    /// Print a token for a client, signed with the configuration's auth.secret, and nothing else.
    Token(Wish),
    /// Print a new random key, for auth.secret or api.key, and nothing else.
    Key,
}

#[derive(Args)]
#[command(next_help_heading = "Options of the server, which every command reads")]
struct Options {
    /// The configuration, a TOML file. [default: none, only defaults]
    #[arg(short, long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// An address to listen on; may be repeated. A port alone is on 127.0.0.1, localhost:PORT on 127.0.0.1 and [::1]. Port 0
    /// lets the system choose. [default: 127.0.0.1:8000]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Vec<String>,
    /// Event loops to run, each on a thread of its own; 0 means one a core. [default: 0]
    #[arg(long, global = true, value_name = "NUMBER", allow_hyphen_values = true)]
    shards: Option<String>,
    /// How long a stop may take: connections are closed spread over the first 80 % of it. [default: 8s]
    #[arg(long, global = true, value_name = "DURATION", allow_hyphen_values = true)]
    drain: Option<String>,
    /// Serve the console at / and /echo, which gives every message back: auto, true or false. Auto means in open mode, that is on loopback
    /// without keys. [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    console: Option<String>,
    /// Listen on addresses that are not loopback although no key keeps strangers out.
    #[arg(long, global = true)]
    insecure: bool,
    /// The least important lines to log: off, error, warn, info, debug or trace. [default: info]
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<String>,
    /// How log lines look on standard error: text or json. [default: text]
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
      Flags win over the environment, the environment wins over the file.
  switchboard check --config switchboard.toml
      Say what is wrong with a configuration, as file:line.
  SWITCHBOARD_AUTH__SECRET=$(switchboard key) SWITCHBOARD_API__KEY=$(switchboard key) switchboard
      Serve those who have a token, and an app that has the key.
  switchboard token --config switchboard.toml --user alice --room 'chat:*' --ttl 1h
      A token that lets alice into every room whose name begins with \"chat:\".
  switchboard token --config switchboard.toml --user bob --join 'news:*' --publish news:talk
      A token that lets bob read all news and write in one room of them.

Environment:
  Every key of the file is a variable too: SWITCHBOARD_ and the key in capitals, with a
  double underscore for the dot.
      SWITCHBOARD_CONFIG=/etc/switchboard.toml
      SWITCHBOARD_LISTEN='[\"127.0.0.1:8000\", \"[::1]:8000\"]'
      SWITCHBOARD_LIMITS__MESSAGE=128KiB
  The flags are as well: SWITCHBOARD_LOG=debug, SWITCHBOARD_INSECURE=1.

Configuration:
  switchboard.example.toml in the source tree lists every key with its default and its reason.

Signals:
  SIGTERM or SIGINT drains and exits; a second one exits at once.
  SIGHUP reads the files again that hold keys, as happens by itself when they change. All
  else takes a restart; the log says what has changed in the configuration since the start.

Exit status:
  0 after a stop that was asked for, 1 when the server failed, 2 when it could not start.";

/// Reads the command line. When there is nothing to do, because of a mistake or because help was printed, the answer is
/// the status to exit with.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, ExitCode> {
    let cli = Cli::try_parse_from(arguments).map_err(|error| {
        if error.use_stderr() {
            return console::refuse_named(one_line(&error));
        }
        // Printing fails when nobody reads; whoever asked for help has then gone away.
        let _ = error.print();
        ExitCode::SUCCESS
    })?;
    let variables = std::env::vars_os().collect();
    let input = Input { file: cli.options.config.clone(), variables, flags: cli.options.given() };
    Ok(Invocation { command: cli.command, input })
}

impl Options {
    /// The flags that were given, for the configuration to judge like any other source.
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

/// What clap would say on several lines.
fn one_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    // What is missing is on lines of its own, up to an empty one.
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
        0 => "one shard a core".to_owned(),
        1 => "1 shard".to_owned(),
        many => format!("{many} shards"),
    };
    let patterns = match settings.rooms.len() {
        1 => "1 room pattern".to_owned(),
        many => format!("{many} room patterns"),
    };
    format!("ok: {file}; listens on {}; {shards}; {patterns}", listen.join(" and "))
}
