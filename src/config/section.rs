//! Walks one table of a layer key by key.

use super::problem::Source;
use super::reader::Reader;
use super::value::{Located, Table, Value};

/// An empty variable is rarely intended: often another variable that it is made from is missing.
const EMPTY: &str = "is empty; give it a value, or leave it out";

/// One table of a layer while its keys are read. Entries that remain at the end are unknown keys.
pub(super) struct Section<'r> {
    reader: &'r mut Reader,
    path: String,
    table: Table,
}

impl<'r> Section<'r> {
    /// Reads all of `table`, found at the dotted `path` (empty for the outermost), with `read`.
    pub(super) fn visit(
        reader: &'r mut Reader,
        path: String,
        table: Table,
        read: impl FnOnce(&mut Section<'_>),
    ) {
        let mut section = Self { reader, path, table };
        read(&mut section);
        section.refuse_rest();
    }

    /// Reads `key` into `slot` if it is there. A mistake is reported and leaves `slot` unchanged.
    pub(super) fn set<T>(
        &mut self,
        key: &'static str,
        slot: &mut T,
        read: impl FnOnce(&Located) -> Result<T, String>,
    ) {
        let Some(found) = self.take(key) else { return };
        let path = self.path_of(key);
        if found.is_blank() {
            return self.reader.report(found.source, &path, EMPTY.to_owned());
        }
        match read(&found) {
            Ok(value) => {
                *slot = value;
                self.reader.set_by(&path, found.source);
            }
            Err(message) => self.reader.report(found.source, &path, message),
        }
    }

    /// Like [`set`](Self::set), for keys that only a flag or a variable may set, not a file.
    pub(super) fn set_at_start<T>(
        &mut self,
        key: &'static str,
        slot: &mut T,
        read: impl FnOnce(&Located) -> Result<T, String>,
    ) {
        let flag = Source::Flag { key };
        self.set(key, slot, |found| match &found.source {
            Source::File { .. } => {
                let variable = super::environment::variable(key);
                Err(format!("unknown key; this is set by {flag} or {variable} only"))
            }
            _ => read(found),
        });
    }

    /// Reads one value, or a list of at least one, into `slot`.
    pub(super) fn set_list<T>(
        &mut self,
        key: &'static str,
        slot: &mut Vec<T>,
        read: impl Fn(&Located) -> Result<T, String>,
    ) {
        let Some(found) = self.take(key) else { return };
        let path = self.path_of(key);
        if found.is_blank() {
            return self.reader.report(found.source, &path, EMPTY.to_owned());
        }
        let items = match found.typed() {
            Value::List(items) => items,
            _ => vec![found.clone()],
        };
        if items.is_empty() {
            return self.reader.report(
                found.source,
                &path,
                "the list is empty; give at least one".to_owned(),
            );
        }
        *slot = Vec::new();
        for item in items {
            match read(&item) {
                Ok(value) => slot.push(value),
                Err(message) => self.reader.report(item.source, &path, message),
            }
        }
        self.reader.set_by(&path, found.source);
    }

    /// Reads the table `key` if it is there.
    pub(super) fn table(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'_>)) {
        match self.take(key) {
            Some(found) => {
                self.descend(key, found, read);
            }
            None if self.reader.is_learning() => {
                Section::visit(self.reader, self.path_of(key), Table::default(), read)
            }
            None => {}
        }
    }

    /// Reads each table in the list `key` with `read`, and returns the results with their places; `None` if there is no such
    /// list. `read` gets the place of its table too.
    pub(super) fn tables<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&mut Section<'_>, Source) -> Option<T>,
    ) -> Option<Vec<(Source, T)>> {
        let Some(found) = self.take(key) else {
            if self.reader.is_learning() {
                Section::visit(self.reader, self.path_of(key), Table::default(), |section| {
                    read(section, Source::Flag { key });
                });
            }
            return None;
        };
        let path = self.path_of(key);
        let Value::List(items) = found.typed() else {
            // The message does not repeat the value, which may hold a secret.
            let message = format!("is not a list of tables; begin each with [[{path}]]");
            self.reader.report(found.source, &path, message);
            return None;
        };
        self.reader.set_by(&path, found.source);
        let mut all = Vec::new();
        for item in items {
            let source = item.source.clone();
            let mut made = None;
            self.descend(key, item, |section| made = read(section, source.clone()));
            all.extend(made.map(|made| (source, made)));
        }
        Some(all)
    }

    /// Whether `key` is there and has not been read yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.has(key)
    }

    /// Reports a mistake in `key` at `source`.
    pub(super) fn report(&mut self, source: Source, key: &str, message: String) {
        let path = self.path_of(key);
        self.reader.report(source, &path, message);
    }

    fn descend(&mut self, key: &'static str, found: Located, read: impl FnOnce(&mut Section<'_>)) {
        match found.typed() {
            Value::Table(table) => Section::visit(self.reader, self.path_of(key), table, read),
            _ => {
                let path = self.path_of(key);
                self.reader.report(found.source, &path, format!("is not a table; write [{path}]"));
            }
        }
    }

    fn take(&mut self, key: &str) -> Option<Located> {
        let path = self.path_of(key);
        self.reader.learn(path);
        self.table.take(key)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn refuse_rest(mut self) {
        for (name, found) in std::mem::take(&mut self.table).into_entries() {
            let path = self.path_of(&name);
            let source = found.source.clone();
            let path = if matches!(source, Source::Variable { .. }) { whole_path(path, found) } else { path };
            self.reader.refuse(source, &path);
        }
    }
}

/// `path` with the rest of a variable's name: one variable sets one key, at any depth.
fn whole_path(mut path: String, mut found: Located) -> String {
    while let Value::Table(table) = found.value {
        let Some((name, inner)) = table.into_entries().pop() else {
            break;
        };
        path = format!("{path}.{name}");
        found = inner;
    }
    path
}
