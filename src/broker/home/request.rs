//! What is asked of a home, and what of that waits.

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
