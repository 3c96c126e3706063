//! Reads the configuration into [`Settings`]: a TOML file, then the environment, then flags.
//!
//! ```text
//! file ─────────┐
//! environment ──┼─▶ Table ──▶ keys: every key, its kind and bounds ──▶ Settings ──▶ checks
//! flags ────────┘   (values that know where they were written)
//! ```
//!
//! Each layer is read onto the result of the one before. So a later layer overrides single keys, and a mistake is reported
//! even if a later layer overrides it. [`read`] returns all mistakes, each with its place.
//!
//! A new key is one line in `keys`. Spelling suggestions and the name of its variable follow from that.

mod access;
mod checks;
pub mod credentials;
mod environment;
mod file;
mod keys;
mod kinds;
mod listen;
pub mod memory;
mod patterns;
mod problem;
mod reader;
mod section;
mod value;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracing::level_filters::LevelFilter;

use crate::settings::Settings;
pub use problem::{Problem, Problems, Source};
use reader::Reader;
use value::{Located, Table, Value};

/// The whole configuration of the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What the server does.
    pub settings: Settings,
    /// What the process writes to its log.
    pub log: Log,
}

/// What the process writes to its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// The lowest level that is written.
    pub level: LevelFilter,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        let log = Log { level: LevelFilter::INFO, format: LogFormat::Text };
        Self { settings: Settings::default(), log }
    }
}

/// Where to read from, in rising order of precedence.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The file named by `--config`. Without it `SWITCHBOARD_CONFIG` may name one.
    pub file: Option<PathBuf>,
    /// The process's environment. Names that do not begin with `SWITCHBOARD_` are ignored.
    pub variables: Vec<(OsString, OsString)>,
    /// The flags that were given.
    pub flags: Vec<Flag>,
}

/// A flag that was given on the command line, its values as they were written.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The key that the flag sets: `log_format` for `--log-format`.
    pub key: &'static str,
    /// One value, or several for a flag that was repeated.
    pub values: Vec<String>,
}

impl Input {
    /// The configuration file that this input names, if any.
    ///
    /// # Errors
    ///
    /// If `SWITCHBOARD_CONFIG` is used and is empty.
    pub fn config_file(&self) -> Result<Option<PathBuf>, Problem> {
        match &self.file {
            Some(path) => Ok(Some(path.clone())),
            None => environment::config_file(&self.variables),
        }
    }
}

/// Reads all of `input` and checks the whole.
///
/// # Errors
///
/// Every mistake found in any layer, in the order file, environment, flags.
pub fn read(input: &Input) -> Result<Config, Problems> {
    let mut config = Config::default();
    let mut reader = Reader::new();
    for layer in layers(input, &mut reader) {
        reader.read(layer, &mut config);
    }
    checks::check(&config, &mut reader);
    reader.finish(config)
}

/// The content of a configuration file, to compare with its content at another time.
#[derive(Clone, Debug)]
pub struct Written(Table);

impl Written {
    /// The keys that differ in `other`, as dotted paths: `limits.message`.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        self.0.differences(&other.0, "")
    }
}

/// Reads the file at `path` without checking what it means.
///
/// # Errors
///
/// If it cannot be read, or is not TOML.
pub fn written(path: &Path) -> Result<Written, Problem> {
    file::read(path).map(Written)
}

/// The layers in rising order. A layer that cannot be read is reported to `reader` and left out.
fn layers(input: &Input, reader: &mut Reader) -> Vec<Table> {
    let mut layers = Vec::new();
    match input.config_file() {
        Ok(Some(path)) => match file::read(&path) {
            Ok(table) => layers.push(table),
            Err(problem) => reader.report_all([problem]),
        },
        Ok(None) => {}
        Err(problem) => reader.report_all([problem]),
    }
    let (variables, problems) = environment::read(&input.variables);
    reader.report_all(problems);
    layers.extend(variables);
    layers.extend(input.flags.iter().map(flag_layer));
    layers
}

fn flag_layer(flag: &Flag) -> Table {
    let source = Source::Flag { key: flag.key };
    let mut values = flag.values.iter().map(|text| Located::new(source.clone(), Value::Bare(text.clone())));
    let value = match (values.next(), values.next()) {
        (Some(only), None) => only,
        (first, second) => {
            let all = first.into_iter().chain(second).chain(values).collect();
            Located::new(source.clone(), Value::List(all))
        }
    };
    Table::of(flag.key.to_owned(), value)
}

#[cfg(test)]
mod tests;
