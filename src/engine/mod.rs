//! What gives messages their places in the order: [`local::Local`] within this process, and for tests a twin of it that
//! answers late, fails and forgets, so that every state which an engine across a network will need exists and is tested.

pub mod delayed;
pub mod local;

use std::collections::VecDeque;

use crate::broker::place::{Ask, Tell};
use crate::time::Now;

/// The engine of one shard, for the rooms that are at home there.
pub enum Engine {
    /// Tells within the same call.
    Local(local::Local),
    /// Tells later, or never.
    Delayed(Box<delayed::Delayed>),
}

impl Engine {
    /// Takes a home's ask. What can be told at once goes to `tells`.
    pub fn ask(&mut self, ask: Ask, now: Now, tells: &mut VecDeque<Tell>) {
        match self {
            Self::Local(local) => local.ask(ask, now, tells),
            Self::Delayed(delayed) => delayed.ask(ask, now),
        }
    }

    /// Tells what has become ready meanwhile.
    pub fn poll(&mut self, now: Now, tells: &mut VecDeque<Tell>) {
        match self {
            Self::Local(_) => {}
            Self::Delayed(delayed) => delayed.poll(now, tells),
        }
    }
}
