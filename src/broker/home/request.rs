//! Requests to a home, and those that wait.

use std::collections::VecDeque;
use std::sync::Arc;

use arcstr::ArcStr;

use crate::broker::keys::Mark;
use crate::broker::place::Tag;
use crate::broker::post::{Caller, Join, Page, Span};
use crate::error::Fault;
use crate::id::ShardId;
use crate::message::Draft;
use crate::position::Position;
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

/// Requests that are not answered yet, in order. The first of them are under way: the engine has been asked.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: VecDeque<Waiting>,
    /// How many are under way.
    begun: usize,
    bytes: usize,
}

impl Requests {
    /// Puts a request behind all others.
    pub(super) fn push(&mut self, request: Waiting) {
        self.bytes += request.bytes;
        self.waiting.push_back(request);
    }

    /// Puts a request that is under way before all others.
    pub(super) fn put_first(&mut self, request: Waiting) {
        self.bytes += request.bytes;
        self.begun += 1;
        self.waiting.push_front(request);
    }

    /// Takes the first.
    pub(super) fn take(&mut self) -> Option<Waiting> {
        let first = self.waiting.pop_front()?;
        self.begun = self.begun.saturating_sub(1);
        self.bytes -= first.bytes;
        Some(first)
    }

    /// How many are under way.
    pub(super) fn begun(&self) -> usize {
        self.begun
    }

    /// The first that is not under way.
    pub(super) fn next(&mut self) -> Option<&mut Waiting> {
        self.waiting.get_mut(self.begun)
    }

    /// That one is under way now.
    pub(super) fn begin(&mut self) {
        self.begun += 1;
    }

    /// Those under way, in order.
    pub(super) fn under_way(&mut self) -> impl Iterator<Item = &mut Waiting> {
        self.waiting.iter_mut().take(self.begun)
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

/// What became of a publish: its position, if it has one.
pub(super) type Outcome = Result<Option<Position>, Fault>;

#[derive(Debug)]
pub(super) enum What {
    Request(Request),
    /// A join or a look that waits until the home has caught up with the engine.
    CatchingUp(Request),
    /// A publish whose draft the engine has, and its idempotency key.
    Committing(Caller, Option<Arc<Mark>>),
    /// A publish that the engine has carried out, but whose message has not come here.
    Stored(Caller, Option<Position>),
    /// A publish that has its outcome and waits for its turn.
    Done(Caller, Outcome),
}

impl What {
    /// Whether it is a publish that is under way.
    pub(super) fn is_publish(&self) -> bool {
        matches!(self, Self::Committing(..) | Self::Stored(..) | Self::Done(..))
    }
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
