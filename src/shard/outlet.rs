//! Where a shard's bytes go.

use std::io::IoSlice;

/// The sockets of a shard's sessions, or what stands for them in a test.
pub trait Outlet {
    /// Offers bytes to the socket of session `key`.
    fn write(&mut self, key: u32, slices: &[IoSlice<'_>]) -> Taken;

    /// Nothing more will be written to the socket of session `key`: half-closes it.
    fn finish(&mut self, key: u32);

    /// Whether this turn's time for writing is used up. Asked between writes.
    fn is_spent(&mut self) -> bool;
}

/// What a socket did with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It took so many. If those are not all, it will say when it takes more.
    Some(usize),
    /// It is broken.
    Broken,
}
