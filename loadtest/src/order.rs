//! What the members of a room have seen: one order for all, nothing missing, nothing twice.

use std::collections::VecDeque;

use crate::payload::Stamp;

/// The messages of a room in the order in which its members see them, as far as some have not seen them yet.
#[derive(Debug)]
pub(crate) struct RoomLog {
    /// The place of `entries[0]` among all messages of the room.
    base: u64,
    entries: VecDeque<Entry>,
    /// The sequence that each publisher's next new message has.
    next: Vec<u64>,
    /// How many members see each message.
    audience: u32,
}

#[derive(Debug)]
struct Entry {
    publisher: u32,
    sequence: u64,
    /// Members that have not seen it.
    left: u32,
}

/// What a sighting says of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Others have yet to see it.
    BySome,
    /// This was its last member.
    ByAll,
}

impl RoomLog {
    /// The log of a room with so many publishers, each of whose messages `audience` members see.
    pub(crate) fn new(publishers: usize, audience: u32) -> RoomLog {
        RoomLog { base: 0, entries: VecDeque::new(), next: vec![0; publishers], audience }
    }

    /// A member at `place` sees a message of the room's publisher number `publisher`. `own` is the number of the
    /// member itself where it publishes and does not see its own.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the order.
    pub(crate) fn see(
        &mut self,
        place: &mut u64,
        own: Option<u32>,
        publisher: u32,
        stamp: Stamp,
    ) -> Result<Seen, String> {
        self.skip_own(place, own);
        let at = (*place - self.base) as usize;
        if at == self.entries.len() {
            self.append(publisher, stamp)?;
        }
        let entry = &mut self.entries[at];
        if (entry.publisher, entry.sequence) != (publisher, stamp.sequence) {
            return Err(self.complain(at, publisher, stamp));
        }
        entry.left -= 1;
        *place += 1;
        if entry.left > 0 {
            return Ok(Seen::BySome);
        }
        // Members pass the log in order, so what everybody has seen is at its front.
        while self.entries.front().is_some_and(|entry| entry.left == 0) {
            self.entries.pop_front();
            self.base += 1;
        }
        Ok(Seen::ByAll)
    }

    /// Moves a member past what it sent itself and does not see.
    fn skip_own(&self, place: &mut u64, own: Option<u32>) {
        let Some(own) = own else { return };
        // What is gone was seen by everybody who sees it: the rest was this member's own.
        *place = (*place).max(self.base);
        let from = (*place - self.base) as usize;
        let skipped = self.entries.range(from..).take_while(|entry| entry.publisher == own).count();
        *place += skipped as u64;
    }

    fn append(&mut self, publisher: u32, stamp: Stamp) -> Result<(), String> {
        let Some(next) = self.next.get_mut(publisher as usize) else {
            return Err(format!("a message of publisher {publisher}, whom this room has not"));
        };
        if stamp.sequence != *next {
            let what = if stamp.sequence < *next { "came twice or late" } else { "came after a gap" };
            return Err(format!("publisher {publisher}: {} where {next} was due: it {what}", stamp.sequence));
        }
        *next += 1;
        self.entries.push_back(Entry { publisher, sequence: stamp.sequence, left: self.audience });
        Ok(())
    }

    fn complain(&self, at: usize, publisher: u32, stamp: Stamp) -> String {
        let found = self
            .entries
            .iter()
            .position(|entry| (entry.publisher, entry.sequence) == (publisher, stamp.sequence));
        let what = match found {
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
        let (mut a, mut b) = (0, 0);
        assert_eq!(log.see(&mut a, None, 1, stamp(0)), Ok(Seen::BySome));
        assert_eq!(log.see(&mut a, None, 0, stamp(0)), Ok(Seen::BySome));
        assert_eq!(log.see(&mut b, None, 1, stamp(0)), Ok(Seen::ByAll));
        assert_eq!(log.entries.len(), 1);
        assert_eq!(log.see(&mut b, None, 0, stamp(0)), Ok(Seen::ByAll));
        assert_eq!((log.entries.len(), a, b), (0, 2, 2));
    }

    #[test]
    fn another_order_a_gap_and_a_double_are_found() {
        let mut log = RoomLog::new(2, 2);
        let (mut a, mut b, mut c) = (0, 0, 0);
        for sequence in 0..3 {
            log.see(&mut a, None, 0, stamp(sequence)).expect("in order");
        }
        assert!(log.see(&mut b, None, 0, stamp(1)).is_err_and(|why| why.contains("a gap")));
        assert!(log.see(&mut a, None, 0, stamp(2)).is_err_and(|why| why.contains("twice")));
        assert!(log.see(&mut a, None, 0, stamp(4)).is_err_and(|why| why.contains("gap")));
        log.see(&mut c, None, 0, stamp(0)).expect("in order");
        assert!(log.see(&mut c, None, 0, stamp(0)).is_err_and(|why| why.contains("a double")));
        assert!(log.see(&mut a, None, 2, stamp(0)).is_err_and(|why| why.contains("whom this room has not")));
    }

    #[test]
    fn a_publisher_without_echo_passes_its_own() {
        let mut log = RoomLog::new(2, 1);
        let (mut a, mut b) = (0, 0);
        assert_eq!(log.see(&mut b, Some(1), 0, stamp(0)), Ok(Seen::ByAll));
        assert_eq!(log.see(&mut b, Some(1), 0, stamp(1)), Ok(Seen::ByAll));
        assert_eq!(log.see(&mut a, Some(0), 1, stamp(0)), Ok(Seen::ByAll));
        assert_eq!(log.see(&mut b, Some(1), 0, stamp(2)), Ok(Seen::ByAll));
        assert_eq!(log.see(&mut a, Some(0), 1, stamp(1)), Ok(Seen::ByAll));
        assert_eq!(log.entries.len(), 0);
    }
}
