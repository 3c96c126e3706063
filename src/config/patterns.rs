//! Room patterns: which are valid, and which can ever match.

use super::problem::Source;
use super::section::Section;
use super::value::Located;
use crate::broker::permit::Pattern;
use crate::settings::{RoomRule, check_pattern};

/// A pattern that can match a room.
pub(super) fn pattern(found: &Located) -> Result<String, String> {
    let text =
        found.text().ok_or_else(|| format!("{} is not a pattern; write it like \"chat:*\"", found.value))?;
    check_pattern(text).map(|()| text.to_owned())
}

/// Removes and reports rules that can never apply, because an earlier rule matches every room that they match.
pub(super) fn reachable(section: &mut Section<'_>, found: Vec<(Source, RoomRule)>) -> Vec<RoomRule> {
    let mut rules: Vec<RoomRule> = Vec::with_capacity(found.len());
    for (source, rule) in found {
        match rules.iter().find(|earlier| covers(&earlier.pattern, &rule.pattern)) {
            Some(earlier) => section.report(source, "rooms", unreachable(&rule.pattern, &earlier.pattern)),
            None => rules.push(rule),
        }
    }
    rules
}

fn unreachable(pattern: &str, earlier: &str) -> String {
    if pattern == earlier {
        format!("\"{pattern}\" is here twice; the first match wins, so remove one")
    } else {
        format!(
            "\"{pattern}\" can never match: \"{earlier}\" comes first and matches all of it; put it before that one"
        )
    }
}

/// Whether every name that `narrow` matches is matched by `wide`.
///
/// To check this, `narrow` is read as a name in which each `*` is a character that only a `*` can match. If `wide` matches
/// that name, the same `*` of `wide` also matches whatever replaces the `*` of `narrow`.
fn covers(wide: &str, narrow: &str) -> bool {
    Pattern::new(wide).matches(narrow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_what_it_matches_whole() {
        for (wide, narrow) in [
            ("*", "*"),
            ("*", "chat:*"),
            ("chat:*", "chat:a*b"),
            ("a*c", "ab*bc"),
            ("**", "*"),
            ("*", "**"),
            ("a*", "a"),
        ] {
            assert!(covers(wide, narrow), "{wide} covers {narrow}");
        }
    }

    #[test]
    fn does_not_cover_what_it_matches_in_part() {
        for (wide, narrow) in [
            ("chat:*", "*"),
            ("chat:*", "chat*"),
            ("a*b", "a*"),
            ("chat:lobby", "chat:*"),
            ("*a*", "*"),
            ("a*a", "a"),
            // A `*` in front does not match the server's own names.
            ("*", "$stats"),
            ("*s", "$*s"),
        ] {
            assert!(!covers(wide, narrow), "{wide} does not cover {narrow}");
        }
        assert!(covers("$*", "$stats"));
    }
}
