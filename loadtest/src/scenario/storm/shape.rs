//! What a storm is like, and its cause.

use crate::clock::{Nanos, SECOND};

/// What the storm is like.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) members: usize,
    pub(crate) rooms: usize,
    /// Messages per second into each room, all the time.
    pub(crate) rate: f64,
    /// The time from the beginning to the disconnect.
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

/// How often a member may try to come back, on average.
pub(super) const RETRIES: usize = 10;

/// How long a killed server may take until all are served again.
pub(super) const SERVED: f64 = 5.0;

/// How long it may take until all are back.
pub(super) const PATIENCE: Nanos = 30 * SECOND;

/// How long it goes on after all are back.
pub(super) const AFTERWARDS: Nanos = SECOND;
