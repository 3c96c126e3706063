//! The engine gives messages their positions. [`local::Local`] works within this process. A twin for tests answers late,
//! fails and forgets, so that the states that a remote engine needs are tested.

pub mod delayed;
pub mod local;

use std::collections::VecDeque;

use crate::broker::place::{Ask, Tell};
use crate::time::Now;

/// The engine of one shard, for the rooms that are at home there.
pub enum Engine {
    /// Answers within the same call.
    Local(local::Local),
    /// Answers later, or never.
    Delayed(Box<delayed::Delayed>),
}

impl Engine {
    /// Takes a home's ask. Answers that are ready at once go to `tells`.
    pub fn ask(&mut self, ask: Ask, now: Now, tells: &mut VecDeque<Tell>) {
        match self {
            Self::Local(local) => local.ask(ask, now, tells),
            Self::Delayed(delayed) => delayed.ask(ask, now),
        }
    }

    /// Adds the answers that have become ready.
    pub fn poll(&mut self, now: Now, tells: &mut VecDeque<Tell>) {
        match self {
            Self::Local(_) => {}
            Self::Delayed(delayed) => delayed.poll(now, tells),
        }
    }
}
