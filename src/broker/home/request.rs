//! What is asked of a home, and what of that waits.

use std::collections::VecDeque;

use arcstr::ArcStr;

use crate::broker::keys::Mark;
use crate::broker::place::Tag;
use crate::broker::post::{Caller, Join, Page, Span};
use crate::id::ShardId;
use crate::message::Draft;
use crate::time::Tick;

/// A request to a room.
#[derive(Debug)]
pub enum Request {
    /// A session wants in.
    Join(Box<Join>),
    /// A member on this shard, a connection of this user, is out. Whoever asked for that is told when it is so.
    Leave(Caller, ShardId, Option<ArcStr>),
    /// Something to say.
    Publish(Caller, Draft),
    /// What was said?
    Look(Caller, Span),
    /// Who is there?
    Members(Caller, Page),
    /// This user is writing, or is not any more.
    Typing(ArcStr, bool),
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) what: What,
    /// When it is answered with `unavailable`.
    pub(super) until: Tick,
    /// The engine was asked, under this tag.
    pub(super) tag: Option<Tag>,
    /// What it holds, in bytes, here or, once the engine was asked, there.
    pub(super) bytes: usize,
}

/// Requests that are not answered yet, in order.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

impl Requests {
    /// Puts a request behind all others.
    pub(super) fn push(&mut self, request: Waiting) {
        self.bytes += request.bytes;
        self.waiting.push_back(request);
    }

    /// Puts the first back that was taken.
    pub(super) fn put_back(&mut self, request: Waiting) {
        self.bytes += request.bytes;
        self.waiting.push_front(request);
    }

    /// Takes the first.
    pub(super) fn take(&mut self) -> Option<Waiting> {
        let first = self.waiting.pop_front()?;
        self.bytes -= first.bytes;
        Some(first)
    }

    /// Takes all.
    pub(super) fn take_all(&mut self) -> VecDeque<Waiting> {
        std::mem::take(self).waiting
    }

    pub(super) fn first(&self) -> Option<&Waiting> {
        self.waiting.front()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether one can be put in without memory for it.
    pub(super) fn has_place(&self) -> bool {
        self.waiting.capacity() > 0
    }

    /// What they hold together, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[derive(Debug)]
pub(super) enum What {
    Request(Request),
    /// A publish whose draft the engine has, and the key that it came under.
    Committing(Caller, Option<Box<Mark>>),
}

impl Request {
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Join(join) => join.span,
            Self::Look(_, span) => *span,
            Self::Leave(..) | Self::Publish(..) | Self::Members(..) | Self::Typing(..) => Span::Nothing,
        }
    }
}
