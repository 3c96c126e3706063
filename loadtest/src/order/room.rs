//! One order for all members of a room.

use std::collections::VecDeque;

use super::{Seen, not_next};
use crate::payload::Stamp;

/// The messages of a room that some member has not seen yet, in the order in which members see them.
#[derive(Debug)]
pub(crate) struct RoomLog {
    /// The place of `entries[0]` among all messages of the room.
    base: u64,
    entries: VecDeque<Entry>,
    /// The sequence of each publisher's next new message.
    next: Vec<u64>,
    /// How many messages each member has seen.
    places: Vec<u64>,
}

#[derive(Debug)]
struct Entry {
    publisher: usize,
    sequence: u64,
    /// Members that have not seen it.
    left: usize,
}

impl RoomLog {
    pub(super) fn new(publishers: usize, members: usize) -> RoomLog {
        RoomLog { base: 0, entries: VecDeque::new(), next: vec![0; publishers], places: vec![0; members] }
    }

    /// The first member that sees a message decides what all others must see at its place.
    pub(super) fn see(&mut self, member: usize, publisher: usize, stamp: Stamp) -> Result<Seen, String> {
        let at = (self.places[member] - self.base) as usize;
        if at == self.entries.len() {
            self.append(publisher, stamp)?;
        }
        let entry = &mut self.entries[at];
        if (entry.publisher, entry.sequence) != (publisher, stamp.sequence) {
            return Err(self.complain(at, publisher, stamp));
        }
        entry.left -= 1;
        self.places[member] += 1;
        if entry.left > 0 {
            return Ok(Seen::BySome);
        }
        // Members see the log in order, so the message that everybody has seen is its first.
        self.entries.pop_front();
        self.base += 1;
        Ok(Seen::ByAll)
    }

    fn append(&mut self, publisher: usize, stamp: Stamp) -> Result<(), String> {
        let Some(next) = self.next.get_mut(publisher) else {
            return Err(format!("a message of publisher {publisher}, whom this room has not"));
        };
        if stamp.sequence != *next {
            return Err(not_next(publisher, stamp.sequence, *next));
        }
        *next += 1;
        self.entries.push_back(Entry { publisher, sequence: stamp.sequence, left: self.places.len() });
        Ok(())
    }

    fn complain(&self, at: usize, publisher: usize, stamp: Stamp) -> String {
        let is_it = |entry: &Entry| (entry.publisher, entry.sequence) == (publisher, stamp.sequence);
        let what = match self.entries.iter().position(is_it) {
            Some(found) if found > at => "a gap, or another order than other members see",
            _ => "a double, or another order than other members see",
        };
        let due = &self.entries[at];
        format!(
            "publisher {publisher}'s message {} where publisher {}'s {} was due: {what}",
            stamp.sequence, due.publisher, due.sequence
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(sequence: u64) -> Stamp {
        Stamp { publisher: 0, sequence, sent: 0 }
    }

    #[test]
    fn two_members_see_two_publishers_in_one_order() {
        let mut log = RoomLog::new(2, 2);
        assert_eq!(log.see(0, 1, stamp(0)), Ok(Seen::BySome));
        assert_eq!(log.see(0, 0, stamp(0)), Ok(Seen::BySome));
        assert_eq!(log.see(1, 1, stamp(0)), Ok(Seen::ByAll));
        assert_eq!(log.entries.len(), 1);
        assert_eq!(log.see(1, 0, stamp(0)), Ok(Seen::ByAll));
        assert_eq!((log.entries.len(), log.places), (0, vec![2, 2]));
    }

    #[test]
    fn another_order_a_gap_and_a_double_are_found() {
        let mut log = RoomLog::new(2, 3);
        for sequence in 0..3 {
            log.see(0, 0, stamp(sequence)).expect("in order");
        }
        assert!(log.see(1, 0, stamp(1)).is_err_and(|why| why.contains("a gap")));
        assert!(log.see(1, 1, stamp(0)).is_err_and(|why| why.contains("another order")));
        assert!(log.see(0, 0, stamp(2)).is_err_and(|why| why.contains("twice")));
        assert!(log.see(0, 0, stamp(4)).is_err_and(|why| why.contains("gap")));
        log.see(2, 0, stamp(0)).expect("in order");
        assert!(log.see(2, 0, stamp(0)).is_err_and(|why| why.contains("a double")));
        assert!(log.see(0, 2, stamp(0)).is_err_and(|why| why.contains("whom this room has not")));
    }
}
