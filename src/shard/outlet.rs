//! Where a shard's bytes go.

use std::io::IoSlice;

/// The sockets of a shard's sessions, or their replacement in a test.
pub trait Outlet {
    /// Offers bytes to the socket of session `key`.
    fn write(&mut self, key: u32, slices: &[IoSlice<'_>]) -> Taken;

    /// Half-closes the socket of session `key`: nothing more will be written to it.
    fn finish(&mut self, key: u32);

    /// Whether this turn's time for writing is used up. Called between writes.
    fn is_spent(&mut self) -> bool;
}

/// What a socket did with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It took this many. If that is not all, it becomes writable again later.
    Some(usize),
    /// It is broken.
    Broken,
}
