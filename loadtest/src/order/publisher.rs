//! Each publisher's messages in order, for servers that promise no more.

use std::collections::VecDeque;

use super::{Seen, not_next};
use crate::payload::Stamp;

/// What each member has seen of each publisher.
#[derive(Debug)]
pub(crate) struct PublisherLog {
    members: usize,
    /// The sequence that is due, by publisher and member.
    due: Vec<u64>,
    /// For each publisher: the sequence of the first message that a member has not seen, and how many members have not
    /// seen it and each later one.
    left: Vec<(u64, VecDeque<usize>)>,
}

impl PublisherLog {
    pub(super) fn new(publishers: usize, members: usize) -> PublisherLog {
        PublisherLog {
            members,
            due: vec![0; publishers * members],
            left: vec![(0, VecDeque::new()); publishers],
        }
    }

    pub(super) fn see(&mut self, member: usize, publisher: usize, stamp: Stamp) -> Result<Seen, String> {
        let Some((first, left)) = self.left.get_mut(publisher) else {
            return Err(format!("a message of publisher {publisher}, whom this room has not"));
        };
        let due = &mut self.due[publisher * self.members + member];
        if stamp.sequence != *due {
            return Err(not_next(publisher, stamp.sequence, *due));
        }
        *due += 1;
        // No member is more than one message ahead of what any member has seen before.
        let at = (stamp.sequence - *first) as usize;
        if at == left.len() {
            left.push_back(self.members);
        }
        left[at] -= 1;
        if left[at] > 0 {
            return Ok(Seen::BySome);
        }
        // Members see a publisher's messages in order, so the message that everybody has seen is the first.
        left.pop_front();
        *first += 1;
        Ok(Seen::ByAll)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(sequence: u64) -> Stamp {
        Stamp { publisher: 0, sequence, sent: 0 }
    }

    #[test]
    fn members_may_see_publishers_in_different_orders() {
        let mut log = PublisherLog::new(2, 2);
        assert_eq!(log.see(0, 0, stamp(0)), Ok(Seen::BySome));
        assert_eq!(log.see(0, 1, stamp(0)), Ok(Seen::BySome));
        assert_eq!(log.see(0, 0, stamp(1)), Ok(Seen::BySome));
        assert_eq!(log.see(1, 1, stamp(0)), Ok(Seen::ByAll));
        assert_eq!(log.see(1, 0, stamp(0)), Ok(Seen::ByAll));
        assert_eq!(log.see(1, 0, stamp(1)), Ok(Seen::ByAll));
    }

    #[test]
    fn a_gap_a_double_and_a_stranger_are_found() {
        let mut log = PublisherLog::new(1, 2);
        assert_eq!(log.see(0, 0, stamp(0)), Ok(Seen::BySome));
        assert!(log.see(0, 0, stamp(0)).is_err_and(|why| why.contains("twice")));
        assert!(log.see(0, 0, stamp(2)).is_err_and(|why| why.contains("gap")));
        assert!(log.see(0, 1, stamp(0)).is_err_and(|why| why.contains("whom this room has not")));
    }
}
