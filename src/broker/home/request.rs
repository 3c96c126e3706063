//! Requests to a home, and those that wait.

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
    /// A session wants to join.
    Join(Box<Join>),
    /// A member on this shard, a connection of this user, leaves. The caller is told when it has left.
    Leave(Caller, ShardId, Option<ArcStr>),
    /// Publish a message.
    Publish(Caller, Draft),
    /// Which messages are kept?
    Look(Caller, Span),
    /// Who is there?
    Members(Caller, Page),
    /// This user is typing, or has stopped.
    Typing(ArcStr, bool),
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) what: What,
    /// When it is answered with `unavailable`.
    pub(super) until: Tick,
    /// The tag of its ask to the engine.
    pub(super) tag: Option<Tag>,
    /// The bytes that it holds, here or in the engine.
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

    /// Puts the first one back.
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

    /// Whether one more fits without a new allocation.
    pub(super) fn has_place(&self) -> bool {
        self.waiting.capacity() > 0
    }

    /// The bytes that they hold together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[derive(Debug)]
pub(super) enum What {
    Request(Request),
    /// A publish whose draft the engine has, and its idempotency key.
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
