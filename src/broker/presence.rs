//! The people in a room, each counted once however many connections they have.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use arcstr::ArcStr;

use crate::time::Tick;

/// The least time between two reports of the number of people.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// The cost of an entry in a list of people, in bytes: its part of a tree node that is two thirds full. The name is shared
/// with the session.
const PERSON: usize = 32;

/// A named user, and how many of the room's members are the user's connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The user's id.
    pub user: ArcStr,
    /// Their connections in the room.
    pub connections: u32,
}

/// The effect of a new connection on presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// Its user was there already, or has come back within the grace period.
    Again,
    /// One more guest.
    Guest,
    /// One more user.
    New,
}

/// The effect of a connection that left on presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    /// Its user has other connections here.
    Others,
    /// One guest less.
    Guest,
    /// It was its user's last. [`Presence::gone`] reports when the user is gone.
    Last,
}

/// The people in one room.
#[derive(Debug, Default)]
pub struct Presence {
    named: BTreeMap<ArcStr, Here>,
    guests: u32,
    /// Users without a connection, and when they are gone, soonest first. Each has one entry, which is removed when the user
    /// comes back, so repeated coming and going costs no more.
    leaving: BTreeSet<(Tick, ArcStr)>,
    owes_count: bool,
    next_count: Tick,
}

#[derive(Debug)]
struct Here {
    connections: u32,
    /// With no connection left: when the user is gone.
    until: Tick,
}

impl Presence {
    /// A connection of `user`, or of a guest, has joined.
    pub fn enter(&mut self, user: Option<&ArcStr>) -> Came {
        let Some(user) = user else {
            self.guests += 1;
            return Came::Guest;
        };
        let Some(here) = self.named.get_mut(user) else {
            self.named.insert(user.clone(), Here { connections: 1, until: Tick::NEVER });
            return Came::New;
        };
        here.connections += 1;
        if here.until != Tick::NEVER {
            self.leaving.remove(&(here.until, user.clone()));
            here.until = Tick::NEVER;
        }
        Came::Again
    }

    /// A connection of `user`, or of a guest, has left. If it was a user's last, the user counts until `until`.
    pub fn exit(&mut self, user: Option<&ArcStr>, until: Tick) -> Went {
        let Some(user) = user else {
            debug_assert!(self.guests > 0, "a guest leaves who is not here");
            self.guests = self.guests.saturating_sub(1);
            return Went::Guest;
        };
        let Some(here) = self.named.get_mut(user) else { return Went::Others };
        debug_assert!(here.connections > 0, "a connection leaves that is not here");
        // A user with none is leaving already, and has one entry for it.
        let was = here.connections;
        here.connections = was.saturating_sub(1);
        if was != 1 {
            return Went::Others;
        }
        here.until = until;
        self.leaving.insert((until, user.clone()));
        Went::Last
    }

    /// A user whose time is over. Each is returned once.
    pub fn gone(&mut self, now: Tick) -> Option<ArcStr> {
        self.leaving.first().filter(|(until, _)| *until <= now)?;
        let (_, user) = self.leaving.pop_first()?;
        self.named.remove(&user);
        Some(user)
    }

    /// The number of people must be reported.
    pub fn owe(&mut self) {
        self.owes_count = true;
    }

    /// The number of people, if it must be reported and was not within the last second.
    pub fn owed(&mut self, now: Tick) -> Option<u32> {
        if !self.owes_count || now < self.next_count {
            return None;
        }
        self.owes_count = false;
        self.next_count = now.after(COUNT_EVERY);
        Some(self.count())
    }

    /// When [`Presence::gone`] or [`Presence::owed`] has a result.
    pub fn deadline(&self) -> Tick {
        let gone = self.leaving.first().map_or(Tick::NEVER, |(until, _)| *until);
        if self.owes_count { gone.min(self.next_count) } else { gone }
    }

    /// How many people there are: each named user once, and each guest.
    pub fn count(&self) -> u32 {
        self.named.len() as u32 + self.guests
    }

    /// Their cost in bytes: an entry each, and another for a user who may still come back.
    pub fn bytes(&self) -> usize {
        self.named.len() * PERSON + self.leaving.len() * PERSON
    }

    /// The named users in byte order, unless there are more than `limit` people.
    pub fn people(&self, limit: u32) -> Option<Vec<Person>> {
        (self.count() <= limit).then(|| self.named.iter().map(person).collect())
    }

    /// The first `limit` named users whose ids are greater than `after`, and whether there are more.
    pub fn page(&self, after: &str, limit: usize) -> (Vec<Person>, bool) {
        let mut rest = self.named.range::<str, _>((Bound::Excluded(after), Bound::Unbounded)).map(person);
        let people = rest.by_ref().take(limit).collect();
        (people, rest.next().is_some())
    }
}

fn person((user, here): (&ArcStr, &Here)) -> Person {
    Person { user: user.clone(), connections: here.connections }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_counted_once() {
        let (ann, bob) = (ArcStr::from("ann"), ArcStr::from("bob"));
        let mut presence = Presence::default();
        let came: Vec<_> = [Some(&bob), Some(&ann), Some(&bob), None].map(|user| presence.enter(user)).into();
        assert_eq!(came, [Came::New, Came::New, Came::Again, Came::Guest]);
        assert_eq!(presence.count(), 3);
        let people = presence.people(3).unwrap();
        assert_eq!(people[0], Person { user: ann.clone(), connections: 1 });
        assert_eq!(people[1], Person { user: bob.clone(), connections: 2 });
        assert_eq!(presence.people(2), None);
        let went: Vec<_> = [Some(&bob), None, Some(&bob)].map(|user| presence.exit(user, Tick(1))).into();
        assert_eq!(went, [Went::Others, Went::Guest, Went::Last]);
        assert_eq!(presence.gone(Tick(0)), None);
        assert_eq!(presence.gone(Tick(1)), Some(bob));
        assert_eq!(presence.count(), 1);
        assert_eq!(presence.page("", 1), (vec![Person { user: ann, connections: 1 }], false));
        assert_eq!(presence.page("ann", 1), (vec![], false));
    }

    #[test]
    fn who_comes_back_in_time_never_left() {
        let ann = ArcStr::from("ann");
        let mut presence = Presence::default();
        presence.enter(Some(&ann));
        presence.exit(Some(&ann), Tick(10));
        assert_eq!(presence.enter(Some(&ann)), Came::Again);
        assert_eq!(presence.gone(Tick(10)), None);
        presence.exit(Some(&ann), Tick(20));
        assert_eq!(presence.enter(Some(&ann)), Came::Again);
        presence.exit(Some(&ann), Tick(30));
        assert_eq!(presence.gone(Tick(29)), None);
        assert_eq!((presence.deadline(), presence.gone(Tick(30))), (Tick(30), Some(ann)));
        assert_eq!(presence.deadline(), Tick::NEVER);
    }

    #[test]
    fn whoever_comes_and_goes_costs_what_one_who_goes_does() {
        let (ann, bob) = (ArcStr::from("ann"), ArcStr::from("bob"));
        let mut presence = Presence::default();
        let mut flap = |user, until| {
            presence.enter(Some(user));
            presence.exit(Some(user), Tick(until));
            presence.leaving.len()
        };
        assert!((0..1000).all(|until| flap(&ann, 5000 + until) == 1));
        assert_eq!((flap(&bob, 5500), flap(&ann, 6000)), (2, 2));
        assert_eq!(presence.gone(Tick(5999)), Some(bob));
        assert_eq!([presence.gone(Tick(5999)), presence.gone(Tick(6000))], [None, Some(ann)]);
        assert_eq!(presence.bytes(), 0);
    }

    #[test]
    fn numbers_are_told_once_a_second() {
        let mut presence = Presence::default();
        presence.enter(None);
        presence.owe();
        assert_eq!(presence.owed(Tick(5)), Some(1));
        presence.enter(None);
        presence.owe();
        assert_eq!((presence.owed(Tick(9)), presence.deadline()), (None, Tick(10)));
        assert_eq!(presence.owed(Tick(10)), Some(2));
        assert_eq!(presence.owed(Tick(99)), None);
    }
}
