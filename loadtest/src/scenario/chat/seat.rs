//! One user in one room.

use std::collections::VecDeque;

use crate::dialect::native::Frame;

/// A user's place in a room, from the request to join until it has left.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) room: usize,
    pub(crate) state: State,
    /// The offset of the last message, or of the position at which it joined.
    offset: Option<u64>,
    /// Sequences of the user's own messages whose copy has not come.
    pub(crate) own: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Joining,
    Joined,
    Leaving,
    Left,
}

impl Seat {
    pub(crate) fn new(room: usize) -> Seat {
        Seat { room, state: State::Joining, offset: None, own: VecDeque::new() }
    }

    /// The answer to the join. Messages follow without a gap from its position on.
    pub(crate) fn joined(&mut self, frame: &Frame<'_>) -> Result<(), String> {
        if self.state != State::Joining {
            return Err(format!("joined where the seat is {:?}", self.state));
        }
        self.offset = Some(frame.offset().ok_or("joined without a position")?);
        self.state = State::Joined;
        Ok(())
    }

    /// The answer to the leave. The user's own messages were sent before it, so their copies have come.
    pub(crate) fn left(&mut self) -> Result<(), String> {
        if self.state != State::Leaving {
            return Err(format!("left where the seat is {:?}", self.state));
        }
        if !self.own.is_empty() {
            return Err(format!("left before {} of one's own messages came", self.own.len()));
        }
        self.state = State::Left;
        Ok(())
    }

    /// A message; `own` is its sequence if this user sent it.
    pub(crate) fn see(&mut self, frame: &Frame<'_>, own: Option<u64>) -> Result<(), String> {
        if self.state == State::Joining {
            return Err("a message before joined".to_owned());
        }
        let offset = frame.offset();
        if offset.is_none() || offset != self.offset.map(|offset| offset + 1) {
            return Err(format!("position {:?} behind offset {:?}", frame.position, self.offset));
        }
        self.offset = offset;
        match own {
            Some(own) if self.own.pop_front() != Some(own) => {
                Err(format!("one's own message {own} out of order"))
            }
            _ => Ok(()),
        }
    }

    /// How much is still to come.
    pub(crate) fn missing(&self) -> usize {
        self.own.len() + usize::from(matches!(self.state, State::Joining | State::Leaving))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: &str, offset: u64) -> String {
        format!(r#"{{"type":"{kind}","room":"chat-1","position":"e:{offset}"}}"#)
    }

    fn seat() -> Seat {
        let mut seat = Seat::new(1);
        let joined = frame("joined", 4);
        seat.joined(&Frame::read(joined.as_bytes()).expect("good")).expect("joining");
        seat
    }

    fn see(seat: &mut Seat, offset: u64, own: Option<u64>) -> Result<(), String> {
        seat.see(&Frame::read(frame("message", offset).as_bytes()).expect("good"), own)
    }

    #[test]
    fn messages_follow_the_position_without_a_gap() {
        let mut seat = seat();
        assert_eq!(see(&mut seat, 5, None), Ok(()));
        assert!(see(&mut seat, 7, None).is_err());
        assert!(see(&mut seat, 5, None).is_err());
    }

    #[test]
    fn own_copies_come_in_order_and_before_left() {
        let mut seat = seat();
        seat.own.extend([8, 9]);
        assert_eq!(see(&mut seat, 5, Some(8)), Ok(()));
        seat.state = State::Leaving;
        assert!(seat.left().is_err_and(|why| why.contains("before 1")));
        assert_eq!(see(&mut seat, 6, Some(9)), Ok(()));
        assert_eq!(seat.left(), Ok(()));
        assert!(seat.left().is_err());
    }

    #[test]
    fn nothing_comes_before_joined() {
        assert!(see(&mut Seat::new(1), 1, None).is_err());
    }
}
