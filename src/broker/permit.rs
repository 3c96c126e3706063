//! The settings of rooms, and who may do what in them. This is the one place that decides.

use std::sync::Arc;
use std::time::Duration;

use crate::room_key::{STATS, Space};
use crate::settings::{Inbox, RoomRule, RoomSettings, Slow};

/// A room name in which `*` stands for any characters, or none.
///
/// A `*` at the start does not match `$`, so that a pattern for everything does not reach the server's own rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether the pattern matches `name`.
    pub fn matches(&self, name: &str) -> bool {
        if name.starts_with('$') && !self.0.starts_with('$') {
            return false;
        }
        let Some((head, rest)) = self.0.split_once('*') else { return *self.0 == *name };
        let Some(mut name) = name.strip_prefix(head) else { return false };
        // The first match of each middle piece is enough: a later match leaves less for the rest.
        let Some((middle, tail)) = rest.rsplit_once('*') else { return name.ends_with(rest) };
        for piece in middle.split('*') {
            let Some(at) = name.find(piece) else { return false };
            name = &name[at + piece.len()..];
        }
        name.ends_with(tail)
    }
}

/// The rooms in a token, to join and to publish in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permits {
    join: Box<[Pattern]>,
    /// `None`: the same as for joining.
    publish: Option<Box<[Pattern]>>,
}

impl Permits {
    /// Rooms that may be joined and published in.
    pub fn both(patterns: &[String]) -> Self {
        Self { join: all(patterns), publish: None }
    }

    /// Rooms that may be joined, and rooms that may be published in.
    pub fn each(join: &[String], publish: &[String]) -> Self {
        Self { join: all(join), publish: Some(all(publish)) }
    }

    fn may_join(&self, name: &str) -> bool {
        is_any(&self.join, name)
    }

    fn may_publish(&self, name: &str) -> bool {
        is_any(self.publish.as_ref().unwrap_or(&self.join), name)
    }
}

/// The patterns that `texts` write.
pub fn all(texts: &[String]) -> Box<[Pattern]> {
    texts.iter().map(|text| Pattern::new(text)).collect()
}

/// Whether one of `patterns` matches `name`.
pub fn is_any(patterns: &[Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(name))
}

/// The rights of a client, as far as they matter for rooms.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Whether it has a name.
    pub named: bool,
    /// The rooms in its token, if the token has `rooms`.
    pub permits: Option<&'a Permits>,
    /// Whether the server is open: nobody has to authenticate.
    pub open: bool,
}

/// The settings of `$stats`, whatever is configured. It has no history, because old figures are useless, and no presence,
/// because its members need not know of each other.
fn stats() -> RoomSettings {
    RoomSettings {
        history: 0,
        ttl: Duration::ZERO,
        presence: false,
        client_publish: false,
        typing: false,
        slow: Slow::Skip,
        ..RoomSettings::default()
    }
}

/// The settings of rooms, by name.
#[derive(Clone, Debug)]
pub struct Rules {
    by_pattern: Vec<(Pattern, Kinds)>,
    otherwise: Kinds,
    stats: Arc<RoomSettings>,
    inbox: Arc<RoomSettings>,
}

/// The settings of a room of either space.
#[derive(Clone, Debug)]
struct Kinds {
    native: Arc<RoomSettings>,
    raw: Arc<RoomSettings>,
}

impl Kinds {
    fn new(native: &RoomSettings) -> Self {
        // The raw wire has no positions, presence or gaps.
        let raw = RoomSettings { history: 0, presence: false, slow: Slow::Disconnect, ..native.clone() };
        Self { native: Arc::new(native.clone()), raw: Arc::new(raw) }
    }
}

impl Rules {
    /// The rules of a configuration: the first pattern that matches decides.
    pub fn new(rules: &[RoomRule], inbox: &Inbox) -> Self {
        let by_pattern = rules.iter().map(|rule| (Pattern::new(&rule.pattern), Kinds::new(&rule.room)));
        let kept = RoomSettings {
            history: inbox.history,
            ttl: inbox.ttl,
            presence: false,
            typing: false,
            ..RoomSettings::default()
        };
        Self {
            by_pattern: by_pattern.collect(),
            otherwise: Kinds::new(&RoomSettings::default()),
            inbox: Arc::new(kept),
            stats: Arc::new(stats()),
        }
    }

    /// The settings of the room called `name`.
    pub fn settings(&self, space: Space, name: &str) -> &Arc<RoomSettings> {
        match (space, name) {
            (Space::User | Space::Beside, _) => return &self.inbox,
            (Space::Native, STATS) => return &self.stats,
            _ => {}
        }
        let found = self.by_pattern.iter().find(|(pattern, _)| pattern.matches(name));
        let kinds = found.map_or(&self.otherwise, |(_, kinds)| kinds);
        match space {
            Space::Raw => &kinds.raw,
            _ => &kinds.native,
        }
    }

    /// Whether `asker` may be a member of the room called `name`.
    pub fn may_join(&self, space: Space, name: &str, asker: Asker<'_>) -> bool {
        match name {
            // Every user has an inbox, and nobody can name another's.
            "$me" => asker.named,
            STATS if asker.open => true,
            _ if name.starts_with('$') => asker.permits.is_some_and(|permits| permits.may_join(name)),
            _ => {
                let settings = self.settings(space, name);
                let named = asker.permits.map_or(!settings.private, |permits| permits.may_join(name));
                named && (asker.named || settings.anonymous)
            }
        }
    }
}

/// Whether `asker`, a member, may publish in the room called `name` with these `settings`.
///
/// Settings and token must both allow it: a token does not open a room that is for the app only.
pub fn may_publish(settings: &RoomSettings, name: &str, asker: Asker<'_>) -> bool {
    let named = asker.permits.map_or(!settings.private, |permits| permits.may_publish(name));
    named && settings.client_publish && !name.starts_with('$')
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
        let rules = Rules::new(&[rule("chat:vip*", 1), rule("chat:*", 2)], &Inbox::default());
        let history = |name| rules.settings(Space::Native, name).history;
        assert_eq!((history("chat:vip1"), history("chat:x"), history("other")), (1, 2, 100));
        assert_eq!(rules.settings(Space::Raw, "chat:x").history, 0);
    }

    #[test]
    fn who_may_do_what() {
        let room = |pattern: &str, room| RoomRule { pattern: pattern.into(), room };
        let rules = Rules::new(
            &[
                room("private:*", RoomSettings { private: true, ..Default::default() }),
                room("news:*", RoomSettings { client_publish: false, ..Default::default() }),
                room("members:*", RoomSettings { anonymous: false, ..Default::default() }),
            ],
            &Inbox::default(),
        );
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (everything, nothing) = (Permits::both(&texts(&["*"])), Permits::both(&[]));
        let server = Permits::both(&texts(&["$*"]));
        let reads = Permits::each(&texts(&["*"]), &texts(&["x", "private:1"]));
        let guest = Asker { named: false, permits: None, open: false };
        let user = Asker { named: true, ..guest };
        let open = Asker { open: true, ..guest };
        let token = |permits| Asker { permits: Some(permits), ..user };
        // Each may (join, publish).
        let cases = [
            (guest, "x", (true, true)),
            (guest, "members:1", (false, true)),
            (guest, "private:1", (false, false)),
            (guest, "$me", (false, false)),
            (guest, "$stats", (false, false)),
            (open, "$stats", (true, false)),
            (open, "$other", (false, false)),
            (open, "private:1", (false, false)),
            (open, "members:1", (false, true)),
            (user, "members:1", (true, true)),
            (user, "private:1", (false, false)),
            (user, "news:1", (true, false)),
            (user, "$me", (true, false)),
            (user, "$stats", (false, false)),
            (token(&everything), "x", (true, true)),
            (token(&everything), "private:1", (true, true)),
            (token(&everything), "news:1", (true, false)),
            (token(&everything), "$stats", (false, false)),
            (token(&server), "$stats", (true, false)),
            (token(&server), "x", (false, false)),
            (token(&nothing), "x", (false, false)),
            (token(&nothing), "$me", (true, false)),
            (token(&reads), "x", (true, true)),
            (token(&reads), "y", (true, false)),
            (token(&reads), "private:1", (true, true)),
            (token(&reads), "private:2", (true, false)),
        ];
        for (asker, name, expected) in cases {
            for space in [Space::Native, Space::Raw] {
                let may = (
                    rules.may_join(space, name, asker),
                    may_publish(rules.settings(space, name), name, asker),
                );
                assert_eq!(may, expected, "{name} {asker:?}");
            }
        }
    }
}
