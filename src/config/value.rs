//! Values with the place where they were written, before their keys interpret them.

use std::collections::BTreeSet;
use std::fmt;

use toml::de::{DeTable, DeValue};

use super::problem::Source;
use crate::visible;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) source: Source,
    pub(super) value: Value,
}

/// Values are equal wherever they were written.
impl PartialEq for Located {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// From a variable or a flag: text if the key takes text, else TOML.
    Bare(String),
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Located>),
    Table(Table),
    /// A number, date or time that no key accepts, as it was written.
    Other(String),
}

/// A table's entries in the order of their names; no name comes twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table(Vec<(String, Located)>);

/// How many characters of a value a message repeats at most.
const SHOWN: usize = 60;

impl Located {
    pub(super) fn new(source: Source, value: Value) -> Self {
        Self { source, value }
    }

    /// Whether it is an empty variable or flag.
    pub(super) fn is_blank(&self) -> bool {
        matches!(&self.value, Value::Bare(text) if text.trim().is_empty())
    }

    /// The text of a value, for a key that takes text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Bare(text) | Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value for a key that takes something other than text. A bare value is read as TOML, or as text if it is not TOML.
    pub(super) fn typed(&self) -> Value {
        match &self.value {
            Value::Bare(text) => self.parse(text).unwrap_or_else(|| Value::Text(text.clone())),
            value => value.clone(),
        }
    }

    fn parse(&self, text: &str) -> Option<Value> {
        let document = format!("value = {text}");
        let parsed = DeTable::parse(&document).ok()?;
        let mut entries = Table::from_toml(parsed.get_ref(), &|_| self.source.clone()).0;
        // More than one entry means that the text contained a second key.
        if entries.len() == 1 { entries.pop().map(|(_, found)| found.value) } else { None }
    }
}

impl Table {
    /// A table with one entry.
    pub(super) fn of(name: String, value: Located) -> Self {
        Self(vec![(name, value)])
    }

    /// Copies a parsed document. `place` turns a byte position into a source.
    ///
    /// An entry's place is the line of its key, on which its value begins too. A table's place is its header.
    pub(super) fn from_toml(table: &DeTable<'_>, place: &dyn Fn(usize) -> Source) -> Self {
        let entry = |(name, value): (&toml::Spanned<toml::de::DeString<'_>>, &toml::Spanned<DeValue<'_>>)| {
            let source = place(name.span().start);
            (name.get_ref().to_string(), Located::new(source, Value::from_toml(value.get_ref(), place)))
        };
        Self(table.iter().map(entry).collect())
    }

    /// Whether there is an entry called `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// Removes and returns the entry called `name`.
    pub(super) fn take(&mut self, name: &str) -> Option<Located> {
        let index = self.0.iter().position(|(own, _)| own == name)?;
        Some(self.0.remove(index).1)
    }

    /// The dotted paths of entries that differ in `other`, each beginning with `path`.
    pub(super) fn differences(&self, other: &Self, path: &str) -> Vec<String> {
        let names: BTreeSet<&String> = self.0.iter().chain(&other.0).map(|(name, _)| name).collect();
        let mut all = Vec::new();
        let none = Self::default();
        for name in names {
            let below = format!("{path}{name}");
            let (one, two) = match (self.get(name), other.get(name)) {
                (one, two) if one == two => continue,
                (Some(Value::Table(one)), Some(Value::Table(two))) => (one, two),
                (Some(Value::Table(one)), None) => (one, &none),
                (None, Some(Value::Table(two))) => (&none, two),
                _ => {
                    all.push(below);
                    continue;
                }
            };
            all.extend(one.differences(two, &format!("{below}.")));
        }
        all
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, found)| &found.value)
    }

    /// The entries that no key took.
    pub(super) fn into_entries(self) -> Vec<(String, Located)> {
        self.0
    }
}

impl Value {
    fn from_toml(value: &DeValue<'_>, place: &dyn Fn(usize) -> Source) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
                .map_or_else(|_| Self::Other(integer.to_string()), Self::Integer),
            DeValue::Boolean(boolean) => Self::Boolean(*boolean),
            DeValue::Float(float) => Self::Other(float.to_string()),
            DeValue::Datetime(datetime) => Self::Other(datetime.to_string()),
            DeValue::Array(array) => Self::List(
                array
                    .iter()
                    .map(|item| {
                        Located::new(place(item.span().start), Self::from_toml(item.get_ref(), place))
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Self::Table(Table::from_toml(table, place)),
        }
    }
}

/// For messages: short, and without control characters.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bare(text) | Self::Text(text) if text.chars().count() > SHOWN => {
                write!(f, "{:?}…", text.chars().take(SHOWN).collect::<String>())
            }
            Self::Bare(text) | Self::Text(text) => write!(f, "{text:?}"),
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Boolean(boolean) => write!(f, "{boolean}"),
            Self::List(_) => f.write_str("a list"),
            Self::Table(_) => f.write_str("a table"),
            Self::Other(text) => f.write_str(&visible::line(text)),
        }
    }
}
