//! The results of messages that a call sends.

use std::fmt::Write;

use crate::broker::post::Receipt;
use crate::dialect::native::json::{InQuotes, OrNull};
use crate::error::Fault;

/// Capacity for the JSON of a result, in bytes. Most results fit.
const ROOM: usize = 64;

/// The result of a message, or of one shard's part of it.
pub type Outcome = Result<Receipt, Fault>;

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// The members of a room.
    Room,
    /// The connections of a user.
    User,
    /// Everybody.
    All,
}

/// A message under way, as its call sees it.
#[derive(Debug)]
pub struct Sent {
    to: To,
    /// Answers that are still to come.
    left: usize,
    outcome: Outcome,
}

impl Sent {
    /// A message that waits for `left` answers.
    pub fn new(to: To, left: usize) -> Self {
        Self { to, left, outcome: Ok(Receipt::default()) }
    }

    /// Takes an answer. Returns whether one was expected.
    pub fn take(&mut self, outcome: Outcome) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.outcome = match (self.outcome, outcome) {
            (Ok(before), Ok(receipt)) => Ok(Receipt {
                position: receipt.position,
                connections: before.connections + receipt.connections,
            }),
            (Err(fault), _) | (_, Err(fault)) => Err(fault),
        };
        true
    }

    /// Its result as JSON, once every answer has come.
    ///
    /// # Errors
    ///
    /// Why it was not sent.
    pub fn result(&self) -> Result<String, Fault> {
        let Receipt { position, connections } = self.outcome?;
        let position = OrNull(position.map(InQuotes));
        let mut json = String::with_capacity(ROOM);
        // Writing to a string cannot fail.
        let _ = match self.to {
            To::Room => write!(json, r#"{{"position":{position}}}"#),
            To::User => write!(json, r#"{{"connections":{connections},"position":{position}}}"#),
            To::All => write!(json, r#"{{"connections":{connections}}}"#),
        };
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::Position;

    #[test]
    fn an_answer_says_what_its_message_was_for() {
        let receipt = Receipt { position: Some(Position { epoch: 1, offset: 2 }), connections: 3 };
        let answer = |to| {
            let mut sent = Sent::new(to, 1);
            assert!(sent.take(Ok(receipt)) && !sent.take(Ok(receipt)));
            sent.result().unwrap()
        };
        assert_eq!(answer(To::Room), r#"{"position":"00000001:2"}"#);
        assert_eq!(answer(To::User), r#"{"connections":3,"position":"00000001:2"}"#);
        assert_eq!(answer(To::All), r#"{"connections":3}"#);
    }

    #[test]
    fn shards_are_added_up_and_a_fault_stays() {
        let receipt = |connections| Ok(Receipt { position: None, connections });
        let mut sent = Sent::new(To::All, 3);
        assert!(sent.take(receipt(2)) && sent.take(receipt(5)));
        assert_eq!(sent.result(), Ok(r#"{"connections":7}"#.to_owned()));
        assert!(sent.take(Err(Fault::Unavailable)));
        assert_eq!(sent.result().err(), Some(Fault::Unavailable));
    }
}
