//! Reads layer after layer, and collects mistakes.

use std::collections::BTreeMap;

use super::Config;
use super::keys;
use super::problem::{Problem, Problems, Source};
use super::section::Section;
use super::value::Table;

/// A key is suggested from this likeness on (0 to 1).
const ALIKE: f64 = 0.65;
/// The likeness of keys that share only their last name: `message` written outside `[limits]`.
const SAME_NAME: f64 = 0.9;

/// The results of reading the layers: mistakes, and which source set which key.
#[derive(Default)]
pub(super) struct Reader {
    problems: Vec<Problem>,
    origins: BTreeMap<String, Source>,
    /// Every key and every table, as dotted paths.
    known: Vec<String>,
    /// Whether the reader visits every key, present or not, to learn their names.
    learning: bool,
}

impl Reader {
    /// A reader that has read nothing yet.
    pub(super) fn new() -> Self {
        let mut learner = Self { learning: true, ..Self::default() };
        learner.read(Table::default(), &mut Config::default());
        Self { known: learner.known, ..Self::default() }
    }

    /// Reads one layer onto `config`.
    pub(super) fn read(&mut self, layer: Table, config: &mut Config) {
        Section::visit(self, String::new(), layer, |section| keys::root(section, config));
    }

    /// The configuration, or everything that is wrong with it.
    pub(super) fn finish(self, config: Config) -> Result<Config, Problems> {
        Problems::new(self.problems).map_or(Ok(config), Err)
    }

    /// Every known key and table, as dotted paths.
    #[cfg(test)]
    pub(super) fn known(&self) -> &[String] {
        &self.known
    }

    /// The source that set `key`; `None` if it has its default.
    pub(super) fn origin(&self, key: &str) -> Option<&Source> {
        self.origins.get(key)
    }

    /// Reports a mistake in `key` at `source`.
    pub(super) fn report(&mut self, source: Source, key: &str, message: String) {
        self.problems.push(Problem { source, key: Some(key.to_owned()), message });
    }

    /// Adds mistakes that were found elsewhere.
    pub(super) fn report_all(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.problems.extend(problems);
    }

    /// Notes that `source` set `key`.
    pub(super) fn set_by(&mut self, key: &str, source: Source) {
        self.origins.insert(key.to_owned(), source);
    }

    /// Whether every table is to be visited, present or not.
    pub(super) fn is_learning(&self) -> bool {
        self.learning
    }

    /// Notes that there is a key, while learning.
    pub(super) fn learn(&mut self, path: String) {
        if self.learning {
            self.known.push(path);
        }
    }

    /// Reports a key that does not exist.
    pub(super) fn refuse(&mut self, source: Source, path: &str) {
        let spelled = |known: &str| {
            if source.names(path) { source.spell(known) } else { known.to_owned() }
        };
        let message = match self.closest(&source, path) {
            Some(known) => format!("unknown key; did you mean {}?", spelled(known)),
            None => "unknown key".to_owned(),
        };
        let shown = path.escape_debug().to_string();
        // The variable's name already names the key. A second spelling would confuse.
        let key = (!source.names(path)).then_some(shown);
        self.problems.push(Problem { source, key, message });
    }

    /// The known key or variable that is most like `path`. `SWITCHBOARD_CONFIG` is not a key, but can be suggested too.
    fn closest(&self, source: &Source, path: &str) -> Option<&str> {
        let also = matches!(source, Source::Variable { .. }).then_some("config");
        self.known
            .iter()
            .map(String::as_str)
            .chain(also)
            .map(|known| (likeness(known, path), known))
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, known)| known)
    }
}

/// How alike two dotted paths are, from 0 to 1. Within one table only the last names count.
fn likeness(known: &str, path: &str) -> f64 {
    let ((known_table, known_name), (table, name)) = (split(known), split(path));
    if known == table {
        // A table is no suggestion for a key that is in it.
        0.0
    } else if known_table == table {
        strsim::normalized_damerau_levenshtein(known_name, name)
    } else if known_name == name {
        SAME_NAME
    } else {
        strsim::normalized_damerau_levenshtein(known, path)
    }
}

/// The table and the name in it.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}
