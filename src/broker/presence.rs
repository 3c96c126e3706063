//! Who is in a room: people, each counted once however many connections they have.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A named user and how many of the room's members are theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The user's id.
    pub user: Arc<str>,
    /// Their connections in the room.
    pub connections: u32,
}

/// The people in one room.
#[derive(Debug, Default)]
pub struct Presence {
    named: BTreeMap<Arc<str>, u32>,
    guests: u32,
}

impl Presence {
    /// A connection of `user`, or of a guest, came in.
    pub fn enter(&mut self, user: Option<&Arc<str>>) {
        match user {
            Some(user) => *self.named.entry(user.clone()).or_default() += 1,
            None => self.guests += 1,
        }
    }

    /// A connection of `user`, or of a guest, that had come in went out.
    pub fn exit(&mut self, user: Option<&Arc<str>>) {
        let Some(user) = user else {
            self.guests -= 1;
            return;
        };
        if let Some(connections) = self.named.get_mut(user) {
            *connections -= 1;
            if *connections == 0 {
                self.named.remove(user);
            }
        }
    }

    /// How many people there are: each named user once, and each guest.
    pub fn count(&self) -> u32 {
        self.named.len() as u32 + self.guests
    }

    /// The named users in byte order, unless there are more than `limit` people.
    pub fn people(&self, limit: u32) -> Option<Vec<Person>> {
        let person = |(user, &connections): (&Arc<str>, &u32)| Person { user: user.clone(), connections };
        (self.count() <= limit).then(|| self.named.iter().map(person).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_counted_once() {
        let (ann, bob) = (Arc::from("ann"), Arc::from("bob"));
        let mut presence = Presence::default();
        for user in [Some(&bob), Some(&ann), Some(&bob), None] {
            presence.enter(user);
        }
        assert_eq!(presence.count(), 3);
        let people = presence.people(3).unwrap();
        assert_eq!(people[0], Person { user: ann, connections: 1 });
        assert_eq!(people[1], Person { user: bob.clone(), connections: 2 });
        assert_eq!(presence.people(2), None);
        for user in [Some(&bob), None, Some(&bob)] {
            presence.exit(user);
        }
        assert_eq!(presence.count(), 1);
    }
}
