//! Room patterns: which are well formed, and which can ever match.

use super::problem::Source;
use super::section::Section;
use super::value::Located;
use crate::settings::RoomRule;

/// The most bytes a room's name may have, and so the most that a pattern can ask for.
const LONGEST_NAME: usize = 200;

/// A pattern: the characters of room names and `*`; `$` only in front, where it begins the server's own names.
pub(super) fn pattern(found: &Located) -> Result<String, String> {
    let text =
        found.text().ok_or_else(|| format!("{} is not a pattern; write it like \"chat:*\"", found.value))?;
    if text.is_empty() {
        return Err("a pattern may not be empty; \"*\" stands for every room".to_owned());
    }
    if let Some(wrong) = text.strip_prefix('$').unwrap_or(text).chars().find(|c| !in_alphabet(*c)) {
        let advice = "room names are made of A-Z a-z 0-9 _ - = @ , . ; : / and * stands for any run of them";
        return Err(format!("{} may not contain {wrong:?}; {advice}", found.value));
    }
    if text.chars().filter(|c| *c != '*').count() > LONGEST_NAME {
        return Err(format!("the pattern can never match: room names have at most {LONGEST_NAME} bytes"));
    }
    Ok(text.to_owned())
}

fn in_alphabet(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-=@,.;:/*".contains(c)
}

/// The rules without those that can never be reached, because an earlier one matches every room that they do; these
/// are reported.
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
/// That is so when `wide` matches `narrow` itself read as a name, with each `*` in it a character that only another `*`
/// can stand for: whatever is put in its place, the same `*` of `wide` takes it.
fn covers(wide: &str, narrow: &str) -> bool {
    let server_only = narrow.starts_with('$') && wide.starts_with('*');
    !server_only && matches(wide.as_bytes(), narrow.as_bytes())
}

/// Matches in time proportional to the product of the lengths: only the last `*` met is ever tried again.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at_pattern, mut at_name) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(at_name) {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                at_pattern += 1;
                retry = Some((at_pattern, at_name));
            }
            Some(own) if own == byte => {
                at_pattern += 1;
                at_name += 1;
            }
            _ => {
                let Some((after_star, taken)) = retry else {
                    return false;
                };
                retry = Some((after_star, taken + 1));
                at_pattern = after_star;
                at_name = taken + 1;
            }
        }
    }
    pattern.get(at_pattern..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
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
            // The server's own names are beyond a `*` in front.
            ("*", "$stats"),
            ("*s", "$*s"),
        ] {
            assert!(!covers(wide, narrow), "{wide} does not cover {narrow}");
        }
        assert!(covers("$*", "$stats"));
    }
}
