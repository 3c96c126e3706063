//! Pieces of JSON that several writers need.

use std::fmt::{self, Display};
use std::io::Write;

use serde::Serialize;

use crate::broker::presence::Person;
use crate::time::rfc3339;

/// A JSON string.
pub struct Quoted<'a>(pub &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Serialising to a string cannot fail.
        f.write_str(&serde_json::to_string(self.0).map_err(|_| fmt::Error)?)
    }
}

/// A value as a JSON string; for values in which nothing needs an escape.
pub struct InQuotes<T>(pub T);

impl<T: Display> Display for InQuotes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        self.0.fmt(f)?;
        f.write_str("\"")
    }
}

/// A value, or `null`.
pub struct OrNull<T>(pub Option<T>);

impl<T: Display> Display for OrNull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("null"),
        }
    }
}

/// People as a JSON array, or `null` when they are too many.
pub struct People<'a>(pub Option<&'a [Person]>);

impl Display for People<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[derive(Serialize)]
        struct Line<'a> {
            user: &'a str,
            connections: u32,
        }
        let line = |person: &'_ Person| -> String {
            let line = Line { user: &person.user, connections: person.connections };
            serde_json::to_string(&line).unwrap_or_default()
        };
        match self.0 {
            None => f.write_str("null"),
            Some(people) => write!(f, "[{}]", people.iter().map(line).collect::<Vec<_>>().join(",")),
        }
    }
}

/// The beginning of an event: its `type`, and its `event` if it has one.
pub fn begin(kind: &str, event: Option<&str>, out: &mut Vec<u8>) {
    // Writing to a buffer cannot fail.
    drop(write!(out, r#"{{"type":"{kind}""#));
    if let Some(event) = event {
        drop(write!(out, r#","event":"{event}""#));
    }
}

/// The end of an event: when it was said, and what.
pub fn end(wall_ms: u64, data: &[u8], out: &mut Vec<u8>) {
    drop(write!(out, r#","time":"{}","data":"#, rfc3339(wall_ms)));
    out.extend_from_slice(data);
    out.push(b'}');
}
