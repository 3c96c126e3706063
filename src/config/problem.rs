//! A mistake in the configuration, and its place.

use std::fmt;
use std::sync::Arc;

use super::environment;
use crate::visible;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file. `line` counts from 1; without it the whole file is meant.
    File {
        /// The path as it was given.
        path: Arc<str>,
        /// The line, from 1.
        line: Option<usize>,
    },
    /// An environment variable, by its whole name.
    Variable {
        /// The name, `SWITCHBOARD_` included.
        name: Arc<str>,
    },
    /// A flag, by the key it sets.
    Flag {
        /// The key: `log_format` for `--log-format`.
        key: &'static str,
    },
}

impl Source {
    /// How `key` is written in this source.
    pub(super) fn spell(&self, key: &str) -> String {
        match self {
            Self::File { .. } => key.to_owned(),
            Self::Variable { .. } => environment::variable(key),
            Self::Flag { .. } => flag(key),
        }
    }

    /// Whether naming this source already names `key`.
    pub(super) fn names(&self, key: &str) -> bool {
        match self {
            Self::File { .. } => false,
            Self::Variable { name } => name.eq_ignore_ascii_case(&environment::variable(key)),
            Self::Flag { key: own } => *own == key,
        }
    }

    /// The order in which problems are shown: by layer, and within a file by line.
    fn rank(&self) -> (u8, usize) {
        match self {
            Self::File { line, .. } => (0, line.unwrap_or(0)),
            Self::Variable { .. } => (1, 0),
            Self::Flag { .. } => (2, 0),
        }
    }
}

fn flag(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", visible::line(path)),
            Self::File { path, line: None } => f.write_str(&visible::line(path)),
            Self::Variable { name } => write!(f, "environment {}", visible::line(name)),
            Self::Flag { key } => f.write_str(&flag(key)),
        }
    }
}

/// One mistake. Its text is one line that begins with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its place.
    pub source: Source,
    /// The key, as a dotted path, if there is one.
    pub key: Option<String>,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) if !self.source.names(key) => write!(f, "{}: {key}: {}", self.source, self.message),
            _ => write!(f, "{}: {}", self.source, self.message),
        }
    }
}

/// All mistakes of a configuration, one per line. There is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts `problems` into the order in which they are shown; `None` if there are none.
    pub(super) fn new(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by_key(|problem| problem.source.rank());
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// The mistakes: those in the file by line, then the environment's, then the flags'.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
