//! How to use a room server: how to join a room, how to publish in it, and what its messages look like.

use crate::net::Net;
use crate::wire::request::Opening;

pub(crate) mod native;
pub(crate) mod nats;
pub(crate) mod raw;
pub(crate) mod socketio;

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    /// This connection is now in its room.
    Joined,
    /// The payload of a message to the room.
    Message(&'a [u8]),
    /// Nothing that a room's members need to know.
    Nothing,
}

/// A server's dialect. One value serves all connections of a run.
pub(crate) trait Dialect {
    /// The request that opens a connection for `room`.
    fn opening(&self, room: &str) -> Opening;

    /// Connection `n` is open: joins the room if the opening did not. Returns whether it has joined with that.
    fn greet(&mut self, net: &mut Net, n: usize, room: &str) -> bool;

    /// Publishes `payload`, which is plain ASCII without quotes, into `room` from connection `n`.
    fn publish(&mut self, net: &mut Net, n: usize, room: &str, payload: &[u8]);

    /// What a received message says.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the message.
    fn read<'a>(&'a mut self, message: &'a [u8]) -> Result<Said<'a>, String>;
}

/// Fills the `{room}` of a path template, percent-encoding nothing: the load test's rooms have plain names.
pub(crate) fn fill(template: &str, room: &str) -> String {
    template.replace("{room}", room)
}
