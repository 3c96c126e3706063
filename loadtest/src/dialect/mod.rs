//! How one speaks to a room server: joining a room, publishing into it, and what a message of it looks like.

use crate::net::Net;
use crate::wire::request::Opening;

pub(crate) mod native;
pub(crate) mod nats;
pub(crate) mod raw;
pub(crate) mod socketio;

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    /// This connection is in its room now.
    Joined,
    /// The payload of a message to the room.
    Message(&'a [u8]),
    /// Nothing that a room's members need to know.
    Nothing,
}

/// A server's tongue. One value serves all connections of a run.
pub(crate) trait Dialect {
    /// The request that opens a connection which is to be in `room`.
    fn opening(&self, room: &str) -> Opening;

    /// Connection `n` is open: asks for the room where the opening did not. True when it is joined with that.
    fn greet(&mut self, net: &mut Net, n: usize, room: &str) -> bool;

    /// Publishes `payload`, which is plain ASCII without quotes, into `room` from connection `n`.
    fn publish(&mut self, net: &mut Net, n: usize, room: &str, payload: &[u8]);

    /// What a message that came says.
    ///
    /// # Errors
    ///
    /// A sentence on what should not have been said.
    fn read<'a>(&'a mut self, message: &'a [u8]) -> Result<Said<'a>, String>;
}

/// Fills the `{room}` of a path template, percent-encoding nothing: the load test's rooms have plain names.
pub(crate) fn fill(template: &str, room: &str) -> String {
    template.replace("{room}", room)
}
