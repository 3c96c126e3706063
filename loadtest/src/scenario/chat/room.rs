//! What all members of a chat room must agree on: which message is at which position.

use std::collections::VecDeque;

use crate::dialect::native::Frame;
use crate::payload::Stamp;

/// So many of the latest messages are remembered: more than any member is behind.
const KEPT: usize = 10_000;

/// The latest messages of a room, by offset.
#[derive(Debug, Default)]
pub(crate) struct Room {
    epoch: String,
    /// The offset of `latest[0]`.
    first: u64,
    latest: VecDeque<(u32, u64)>,
}

impl Room {
    /// A member sees a message at its position. The first that sees it decides what all others must see there.
    pub(crate) fn see(&mut self, frame: &Frame<'_>, stamp: Stamp) -> Result<(), String> {
        let (epoch, _) =
            frame.position.and_then(|position| position.rsplit_once(':')).ok_or("no position")?;
        let offset = frame.offset().ok_or("no offset in a position")?;
        if epoch != self.epoch {
            *self = Room { epoch: epoch.to_owned(), first: offset, latest: VecDeque::new() };
        }
        let seen = (stamp.publisher, stamp.sequence);
        let Some(at) = offset.checked_sub(self.first) else {
            return Ok(());
        };
        match self.latest.get(at as usize) {
            Some(known) if *known != seen => {
                return Err(format!("{seen:?} at {:?}, where another member saw {known:?}", frame.position));
            }
            Some(_) => {}
            None => self.append(offset, seen),
        }
        Ok(())
    }

    fn append(&mut self, offset: u64, seen: (u32, u64)) {
        if offset != self.first + self.latest.len() as u64 {
            // No member was there to see the messages between.
            self.latest.clear();
            self.first = offset;
        }
        self.latest.push_back(seen);
        if self.latest.len() > KEPT {
            self.latest.pop_front();
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(room: &mut Room, position: &str, publisher: u32, sequence: u64) -> Result<(), String> {
        let text = format!(r#"{{"type":"message","position":"{position}"}}"#);
        room.see(&Frame::read(text.as_bytes()).expect("good"), Stamp { publisher, sequence, sent: 0 })
    }

    #[test]
    fn all_must_see_the_same_at_a_position() {
        let mut room = Room::default();
        assert_eq!(see(&mut room, "e:5", 1, 0), Ok(()));
        assert_eq!(see(&mut room, "e:6", 2, 0), Ok(()));
        assert_eq!(see(&mut room, "e:5", 1, 0), Ok(()));
        assert!(see(&mut room, "e:6", 1, 1).is_err());
        assert_eq!(see(&mut room, "f:1", 9, 9), Ok(()));
        assert_eq!(see(&mut room, "f:7", 9, 10), Ok(()));
        assert!(see(&mut room, "f:7", 9, 11).is_err());
    }
}
