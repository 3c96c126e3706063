//! The environment: `SWITCHBOARD_LIMITS__MESSAGE` sets `limits.message`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::problem::{Problem, Source};
use super::value::{Located, Table, Value};

/// What the names of all variables begin with.
const PREFIX: &str = "SWITCHBOARD_";
/// Names the configuration file; not a key.
const CONFIG: &str = "SWITCHBOARD_CONFIG";

/// The variable that sets `key`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// The file that `SWITCHBOARD_CONFIG` names.
pub(super) fn config_file(variables: &[(OsString, OsString)]) -> Result<Option<PathBuf>, Problem> {
    match variables.iter().find(|(name, _)| name == CONFIG) {
        Some((_, path)) if path.is_empty() => Err(problem(CONFIG, "is empty; give a path or unset it")),
        Some((_, path)) => Ok(Some(path.into())),
        None => Ok(None),
    }
}

/// A layer for each variable that sets a key, and the problems of other variables. Layers are in the order of their names, so
/// a table's own variable comes before those of its keys.
pub(super) fn read(variables: &[(OsString, OsString)]) -> (Vec<Table>, Vec<Problem>) {
    let mut own: Vec<_> = variables.iter().filter_map(|(name, value)| Some((ours(name)?, value))).collect();
    own.sort();
    let mut layers = Vec::new();
    let mut problems = Vec::new();
    for (name, _) in variables {
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) && name.to_uppercase().starts_with(PREFIX) {
            problems
                .push(problem(&name, &format!("is not read; write it in capitals: {}", name.to_uppercase())));
        }
    }
    for (name, value) in own {
        match value.to_str() {
            Some(text) if injected(&name, text) => {}
            Some(text) => layers.push(layer(&name, text)),
            None => problems.push(problem(&name, "is not UTF-8")),
        }
    }
    (layers, problems)
}

/// The name, if it is one of this program's and sets a key.
fn ours(name: &OsStr) -> Option<String> {
    let name = name.to_string_lossy();
    (name.starts_with(PREFIX) && name != CONFIG).then(|| name.into_owned())
}

/// Whether Kubernetes (or a Docker link) set this variable for a service called "switchboard" or "switchboard-…". Nobody
/// wrote these, so they are not mistakes.
fn injected(name: &str, value: &str) -> bool {
    let address = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let of_service = name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT");
    let named_port = name.contains("_SERVICE_PORT_");
    let of_port = name.rsplit_once("_PORT_").is_some_and(|(_, rest)| {
        rest.split_once('_').is_some_and(|(port, rest)| {
            port.parse::<u16>().is_ok() && ["TCP", "UDP", "SCTP"].iter().any(|kind| rest.starts_with(kind))
        })
    });
    of_service || named_port || of_port || (name.ends_with("_PORT") && address)
}

fn layer(name: &str, text: &str) -> Table {
    let source = Source::Variable { name: name.into() };
    let key = name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase();
    let mut names = key.rsplit("__").map(str::to_owned);
    let last = names.next().unwrap_or_default();
    let innermost = Table::of(last, Located::new(source.clone(), Value::Bare(text.to_owned())));
    names.fold(innermost, |table, name| Table::of(name, Located::new(source.clone(), Value::Table(table))))
}

fn problem(name: &str, message: &str) -> Problem {
    Problem { source: Source::Variable { name: name.into() }, key: None, message: message.to_owned() }
}
