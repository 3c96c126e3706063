//! How slow the members are, and how long it takes a server to notice.

use crate::clock::{Nanos, SECOND};

/// How slow they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Members that stop reading.
    pub(crate) slow: usize,
    /// Bytes of a payload, and messages a second.
    pub(crate) size: usize,
    pub(crate) rate: f64,
    /// How long all read.
    pub(crate) after: Nanos,
    /// How long a connection may make no progress before the server cuts it off.
    pub(crate) stall: Nanos,
}

/// What the two kernels may hold then, in bytes, before anything waits in the server.
const KERNELS: f64 = 524_288.0;

/// How long a closed connection may take to hear of it.
const CLOSE: Nanos = 5 * SECOND;

impl Shape {
    /// How long it may take until the slow ones are cut off: those that looked early take twice as long.
    pub(super) fn patience(&self) -> Nanos {
        let filling = KERNELS / (self.rate * self.size as f64);
        2 * self.stall + (filling * SECOND as f64) as Nanos + CLOSE
    }
}
