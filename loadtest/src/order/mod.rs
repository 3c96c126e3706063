//! What the members of a room have seen. Nothing may be missing or come twice, and the order must be as the server
//! promises.

use serde::Deserialize;

use crate::payload::Stamp;

mod publisher;
mod room;

use publisher::PublisherLog;
use room::RoomLog;

/// The order that a server promises.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    /// All members see all messages of a room in one order.
    #[default]
    Room,
    /// The messages of each publisher are in order, those of different publishers in any order.
    Publisher,
}

/// What is known about a message after a member has seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Other members have not seen it yet.
    BySome,
    /// This was its last member.
    ByAll,
}

/// The log of one room.
#[derive(Debug)]
pub(crate) enum Log {
    Room(RoomLog),
    Publisher(PublisherLog),
}

impl Log {
    /// The log of a room with so many publishers, each of whose messages all `members` see.
    pub(crate) fn new(order: Order, publishers: usize, members: usize) -> Log {
        match order {
            Order::Room => Log::Room(RoomLog::new(publishers, members)),
            Order::Publisher => Log::Publisher(PublisherLog::new(publishers, members)),
        }
    }

    /// A member sees a message of the room's publisher of that number.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the order.
    pub(crate) fn see(&mut self, member: usize, publisher: usize, stamp: Stamp) -> Result<Seen, String> {
        match self {
            Log::Room(log) => log.see(member, publisher, stamp),
            Log::Publisher(log) => log.see(member, publisher, stamp),
        }
    }
}

/// The error for a message that is not the next one of its publisher.
fn not_next(publisher: usize, found: u64, due: u64) -> String {
    let what = if found < due { "came twice or late" } else { "came after a gap" };
    format!("publisher {publisher}: message {found} where {due} was due: it {what}")
}
