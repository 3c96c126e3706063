//! The TOML file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

use super::problem::{Problem, Source};
use super::value::Table;

/// The most bytes a configuration may have. A real one has a few thousand; this stops a path like `/dev/zero`.
const MOST_BYTES: u64 = 1024 * 1024;

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<Table, Problem> {
    let name: Arc<str> = path.to_string_lossy().into();
    let bytes = load(path).map_err(|error| whole(&name, unreadable(&error)))?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = "is larger than 1MiB; give the path of a Switchboard configuration".to_owned();
        return Err(whole(&name, message));
    }
    parse(&name, &bytes)
}

/// Reads at most one byte more than is allowed, which shows whether the file is too large.
fn load(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "check the path given by --config or SWITCHBOARD_CONFIG",
        io::ErrorKind::PermissionDenied => "let the user who runs switchboard read it",
        io::ErrorKind::IsADirectory => "give the path of a file",
        _ => "check the file",
    };
    format!("cannot be read ({error}); {advice}")
}

fn whole(path: &Arc<str>, message: String) -> Problem {
    Problem { source: Source::File { path: path.clone(), line: None }, key: None, message }
}

/// Parses the text of a file. `path` is for error messages only.
pub(super) fn parse(path: &Arc<str>, bytes: &[u8]) -> Result<Table, Problem> {
    let lines = Lines::new(bytes);
    let place = |position: usize| Source::File { path: path.clone(), line: Some(lines.of(position)) };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = "is not UTF-8; save the file as UTF-8 text".to_owned();
        Problem { source: place(error.valid_up_to()), key: None, message }
    })?;
    let document = DeTable::parse(text).map_err(|error| {
        let position = error.span().map_or(0, |span| span.start);
        let reason = error.message().trim().replace('\n', ", ");
        Problem { source: place(position), key: None, message: format!("is not TOML: {reason}") }
    })?;
    Ok(Table::from_toml(document.get_ref(), &place))
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(bytes: &[u8]) -> Self {
        let after_breaks = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after_breaks).collect())
    }

    /// The line, from 1, that the byte at `position` is in.
    fn of(&self, position: usize) -> usize {
        self.0.partition_point(|start| *start <= position)
    }
}
