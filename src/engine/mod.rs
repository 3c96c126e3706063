//! The engine gives messages their positions. [`local::Local`] works within this process. One across a network is a
//! [`Remote`].

pub mod local;

use std::collections::VecDeque;
use std::task::Waker;

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

    /// When it wants to be polled next, in milliseconds of [`Now::loop_ms`], though nobody asks it anything.
    fn wakes_at(&self) -> Option<u64>;

    /// Keeps `waker`, which makes a sleeping loop poll it: for an engine that has answers from a thread of its own.
    fn wake_by(&mut self, waker: Waker);
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
    /// When it wants to be polled next, in milliseconds of [`Now::loop_ms`].
    pub fn wakes_at(&self) -> Option<u64> {
        match self {
            Self::Local(_) => None,
            Self::Remote(remote) => remote.wakes_at(),
        }
    }

    /// Gives it what makes a sleeping loop poll it.
    pub fn wake_by(&mut self, waker: Waker) {
        if let Self::Remote(remote) = self {
            remote.wake_by(waker);
        }
    }
}
