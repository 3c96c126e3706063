//! The engine gives messages their positions. [`local::Local`] works within this process. One across a network is a
//! [`Remote`].

pub mod local;

use std::collections::VecDeque;

use crate::broker::place::{Ask, Tell};
use crate::time::Now;

/// The engine of one shard, for the rooms that are at home there.
pub enum Engine {
    /// Answers within the same call.
    Local(local::Local),
    /// Answers later, or never.
    #[cfg_attr(
        not(feature = "internals"),
        expect(dead_code, reason = "the program has none yet, only its tests")
    )]
    Remote(Box<dyn Remote>),
}

/// An engine that answers later, or never.
pub trait Remote: Send {
    /// Takes a home's ask. Answers that are ready at once go to `tells`.
    fn ask(&mut self, ask: Ask, now: Now, tells: &mut VecDeque<Tell>);

    /// Adds the answers that have become ready.
    fn poll(&mut self, now: Now, tells: &mut VecDeque<Tell>);
}

impl Engine {
    /// Takes a home's ask. Answers that are ready at once go to `tells`.
    pub fn ask(&mut self, ask: Ask, now: Now, tells: &mut VecDeque<Tell>) {
        match self {
            Self::Local(local) => local.ask(ask, now, tells),
            Self::Remote(remote) => remote.ask(ask, now, tells),
        }
    }

    /// Adds the answers that have become ready.
    pub fn poll(&mut self, now: Now, tells: &mut VecDeque<Tell>) {
        match self {
            Self::Local(_) => {}
            Self::Remote(remote) => remote.poll(now, tells),
        }
    }
}
