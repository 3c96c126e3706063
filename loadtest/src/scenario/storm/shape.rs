//! What a storm is like, and why it breaks out.

use crate::clock::Nanos;

/// What the storm is like.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) members: usize,
    pub(crate) rooms: usize,
    /// Messages a second into each room, all the while.
    pub(crate) rate: f64,
    /// From the beginning to the drop.
    pub(crate) after: Nanos,
    pub(crate) cause: Cause,
    pub(crate) size: usize,
    /// The path of the native dialect, without a room.
    pub(crate) path: String,
}

/// Why all have to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// They drop their connections; the publishers stay.
    Drop,
    /// The server is killed and started again: everybody loses the connection, and the server its rooms.
    Kill,
}
