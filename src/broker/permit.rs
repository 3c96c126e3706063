//! Which rooms are like what, and who may do what there: the one place that decides.

use std::sync::Arc;

use crate::room_key::Space;
use crate::settings::{RoomRule, RoomSettings, Slow};

/// A room name in which `*` stands for any run of characters.
///
/// A `*` at the start does not match `$`, so that a pattern for everything does not reach the server's own rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// The pattern that `text` writes.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether `name` is one of the names that this stands for.
    pub fn matches(&self, name: &str) -> bool {
        if name.starts_with('$') && !self.0.starts_with('$') {
            return false;
        }
        let Some((head, rest)) = self.0.split_once('*') else { return *self.0 == *name };
        let Some(mut name) = name.strip_prefix(head) else { return false };
        // Taking the first place for each middle piece is enough: whatever a later place leaves, an earlier one does too.
        let Some((middle, tail)) = rest.rsplit_once('*') else { return name.ends_with(rest) };
        for piece in middle.split('*') {
            let Some(at) = name.find(piece) else { return false };
            name = &name[at + piece.len()..];
        }
        name.ends_with(tail)
    }
}

/// What rooms are like, by name.
#[derive(Clone, Debug)]
pub struct Rules {
    by_pattern: Vec<(Pattern, Kinds)>,
    otherwise: Kinds,
}

/// The settings of a room of either space.
#[derive(Clone, Debug)]
struct Kinds {
    native: Arc<RoomSettings>,
    raw: Arc<RoomSettings>,
}

impl Kinds {
    fn new(native: &RoomSettings) -> Self {
        // A raw wire has no words for positions, people or gaps.
        let raw = RoomSettings { history: 0, presence: false, slow: Slow::Disconnect, ..native.clone() };
        Self { native: Arc::new(native.clone()), raw: Arc::new(raw) }
    }
}

impl Rules {
    /// The rules of a configuration: the first pattern that matches decides.
    pub fn new(rules: &[RoomRule]) -> Self {
        let by_pattern = rules.iter().map(|rule| (Pattern::new(&rule.pattern), Kinds::new(&rule.room)));
        Self { by_pattern: by_pattern.collect(), otherwise: Kinds::new(&RoomSettings::default()) }
    }

    /// What the room called `name` is like.
    pub fn settings(&self, space: Space, name: &str) -> &Arc<RoomSettings> {
        let found = self.by_pattern.iter().find(|(pattern, _)| pattern.matches(name));
        let kinds = found.map_or(&self.otherwise, |(_, kinds)| kinds);
        match space {
            Space::Native => &kinds.native,
            Space::Raw => &kinds.raw,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let cases = [
            ("chat:1", "chat:1", true),
            ("chat:1", "chat:12", false),
            ("chat:*", "chat:", true),
            ("chat:*", "chats", false),
            ("*:log", "a:b:log", true),
            ("*:log", "log", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "acb", false),
            ("a*bc*c", "abc", false),
            ("ab*ba", "aba", false),
            ("**", "x", true),
            ("*", "", true),
            ("*", "$stats", false),
            ("$*", "$stats", true),
            ("a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ];
        for (pattern, name, matches) in cases {
            assert_eq!(Pattern::new(pattern).matches(name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn the_first_match_decides() {
        let rule = |pattern: &str, history| RoomRule {
            pattern: pattern.into(),
            room: RoomSettings { history, ..Default::default() },
        };
        let rules = Rules::new(&[rule("chat:vip*", 1), rule("chat:*", 2)]);
        let history = |name| rules.settings(Space::Native, name).history;
        assert_eq!((history("chat:vip1"), history("chat:x"), history("other")), (1, 2, 100));
        assert_eq!(rules.settings(Space::Raw, "chat:x").history, 0);
    }
}
