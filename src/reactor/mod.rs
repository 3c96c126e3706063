//! The only place with sockets and clocks: one thread that waits, reads, lets its shard decide, and writes.
//!
//! ```text
//!   wait ─▶ gather ─▶ decide ─▶ hand ─▶ flush ─▶ reap ─┐
//!     ▲                                                │
//!     └────────────────────────────────────────────────┘
//! ```

mod budget;
mod clock;
mod gates;
mod inbox;
mod listener;
mod options;
mod process;
mod socket;
mod turn;

pub use clock::wall;
pub use inbox::{Inbox, Letter};
pub use listener::{BindError, Bound, bind};
pub use turn::Reactor;
