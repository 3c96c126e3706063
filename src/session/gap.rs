//! What a member of a room that skips has missed: messages, which it can ask for, and presence news, of which it gets the
//! outcome.

use std::collections::BTreeMap;

use arcstr::ArcStr;

use crate::broker::lane::Part;
use crate::broker::post::Notice;
use crate::position::Position;

/// What a member of one room has missed and has not been told of yet.
#[derive(Debug)]
pub struct Gap {
    /// The number of the room's audience.
    pub room: u32,
    /// The first and the last message that it missed; `None` while only news was skipped.
    pub missed: Option<(Position, Position)>,
    news: News,
}

/// The outcome of skipped news. A user who came and went again, or the other way round, is as before and not in it: so it
/// holds no more than those who were here and those who are.
#[derive(Debug, Default)]
struct News {
    /// Who came (true) or went, and how many people there were by then.
    people: BTreeMap<ArcStr, (bool, u32)>,
    /// Who is typing (true), or has stopped.
    typing: BTreeMap<ArcStr, bool>,
    /// How many people there are.
    count: Option<u32>,
    /// They are too many to be named.
    by_number: bool,
}

impl Gap {
    /// A gap in the room of this audience, of which nothing is missed yet.
    pub fn new(room: u32) -> Self {
        Self { room, missed: None, news: News::default() }
    }

    /// The member is not sent `part`.
    pub fn widen(&mut self, part: &Part) {
        if let Some((first, last)) = part.positions {
            self.missed = Some((self.missed.map_or(first, |(from, _)| from), last));
        }
        part.news.iter().for_each(|notice| self.news.add(notice));
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.missed.is_none() && self.news.count.is_none() && self.news.typing.is_empty()
    }

    /// Bytes that its news take.
    pub fn cost(&self) -> usize {
        /// What one entry takes beside the name, which others share.
        const ENTRY: usize = 64;
        let names = self.news.people.keys().chain(self.news.typing.keys());
        names.map(|user| ENTRY + user.len()).sum()
    }

    /// The news for the member after its gap, in order.
    pub fn news(self) -> impl Iterator<Item = Notice> {
        let News { people, typing, count, by_number } = self.news;
        let told = move |came, user, then: u32| {
            // Where people are named, what is told last says how many there are now.
            let count = count.filter(|_| !by_number).unwrap_or(then);
            if came { Notice::UserJoined { user, count } } else { Notice::UserLeft { user, count } }
        };
        let (came, went): (Vec<_>, Vec<_>) = people.into_iter().partition(|(_, (came, _))| *came);
        let (begun, ended): (Vec<_>, Vec<_>) = typing.into_iter().partition(|(_, active)| *active);
        let people = went.into_iter().chain(came).map(move |(user, (came, then))| told(came, user, then));
        let number = count.filter(|_| by_number).map(Notice::Count);
        let writing = |(user, active)| Notice::Typing { user, active };
        ended.into_iter().map(writing).chain(people).chain(number).chain(begun.into_iter().map(writing))
    }
}

impl News {
    fn add(&mut self, notice: &Notice) {
        match notice {
            Notice::UserJoined { user, count } => self.person(user, true, *count),
            Notice::UserLeft { user, count } => self.person(user, false, *count),
            Notice::Typing { user, active } => {
                if self.typing.insert(user.clone(), *active) == Some(!active) {
                    self.typing.remove(user);
                }
            }
            Notice::Count(count) => (self.count, self.by_number) = (Some(*count), true),
        }
    }

    fn person(&mut self, user: &ArcStr, came: bool, count: u32) {
        (self.count, self.by_number) = (Some(count), false);
        if self.people.insert(user.clone(), (came, count)).is_some_and(|(before, _)| before != came) {
            self.people.remove(user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(user: &str, count: u32) -> Notice {
        Notice::UserJoined { user: user.into(), count }
    }

    fn left(user: &str, count: u32) -> Notice {
        Notice::UserLeft { user: user.into(), count }
    }

    fn typing(user: &str, active: bool) -> Notice {
        Notice::Typing { user: user.into(), active }
    }

    fn told(news: &[Notice]) -> Vec<Notice> {
        let mut gap = Gap::new(0);
        news.iter().for_each(|notice| gap.widen(&Part { news: [notice.clone()].into(), ..Part::default() }));
        gap.news().collect()
    }

    #[test]
    fn the_outcome_is_told() {
        assert_eq!(told(&[joined("ann", 3), left("bob", 2)]), [left("bob", 2), joined("ann", 2)]);
        assert_eq!(told(&[joined("ann", 3), joined("eve", 4), left("ann", 3)]), [joined("eve", 3)]);
        assert_eq!(told(&[left("bob", 1), joined("bob", 2)]), []);
        assert_eq!(told(&[typing("bob", false), left("bob", 1)]), [typing("bob", false), left("bob", 1)]);
        assert_eq!(
            told(&[typing("bob", true), typing("bob", false), typing("bob", true)]),
            [typing("bob", true)]
        );
    }

    #[test]
    fn where_people_become_too_many_their_number_is_told_last() {
        let news = [left("bob", 1), joined("ann", 2), Notice::Count(3), Notice::Count(9)];
        assert_eq!(told(&news), [left("bob", 1), joined("ann", 2), Notice::Count(9)]);
        assert_eq!(told(&[Notice::Count(3), left("bob", 2)]), [left("bob", 2)]);
    }

    #[test]
    fn comings_and_goings_take_no_room() {
        let mut gap = Gap::new(0);
        for round in 0..1_000 {
            let user = format!("user {round}");
            let news = [joined(&user, 2), typing(&user, true), typing(&user, false), left(&user, 1)];
            gap.widen(&Part { news: news.into(), ..Part::default() });
        }
        assert_eq!(gap.cost(), 0);
        gap.widen(&Part { news: [left("bob", 1)].into(), ..Part::default() });
        assert_eq!(gap.cost(), 67);
    }
}
