//! The interface to the engine, which gives messages their positions.
//!
//! A home asks, and acts only on answers. In one room [`Tell::Committed`] should come in order and without gaps; if there must
//! be a gap, [`Tell::Lost`] comes first. A home notices what comes twice or out of turn. An engine may answer within the same
//! call, late, or never.

use std::sync::Arc;

use super::keys::Mark;
use crate::error::Fault;
use crate::message::{Draft, Message};
use crate::position::Position;
use crate::room_key::RoomKey;

/// Identifies an answer within one room.
pub type Tag = u32;

/// What a home asks of the engine.
#[derive(Debug)]
pub enum Ask {
    /// Open this room. The answer is `Opened`.
    Open(RoomKey),
    /// The room is forgotten.
    Close(RoomKey),
    /// Give this message a position. The answer is `Committed`, `Stored` or `Failed`. Many may be under way; they are to be
    /// carried out in this order.
    Publish {
        /// The room to publish in.
        room: RoomKey,
        /// What to publish.
        draft: Draft,
        /// Its idempotency key. This home does not know of an earlier publish with it; the engine may.
        mark: Option<Arc<Mark>>,
        /// Comes back with the answer.
        tag: Tag,
    },
    /// Read messages that the home does not keep: older ones, or some that it missed. The answer is `Page` or `Failed`.
    Read {
        /// The room to read.
        room: RoomKey,
        /// Read what comes after this.
        since: Position,
        /// At most so many messages.
        limit: usize,
        /// Comes back with the answer.
        tag: Tag,
    },
}

/// What the engine tells a home.
#[derive(Debug)]
pub enum Tell {
    /// The room can be used. It comes again, with another epoch, if the engine lost the room's order.
    Opened {
        /// The room.
        room: RoomKey,
        /// The newest position.
        position: Position,
        /// Its newest messages, in order, up to `position`.
        tail: Vec<Arc<Message>>,
        /// The oldest offset that `Read` can still give.
        first: u64,
    },
    /// A message has its position.
    Committed {
        /// The message, which names room and position.
        message: Arc<Message>,
        /// The tag of the publish that it answers, if it was this home's.
        tag: Option<Tag>,
    },
    /// A publish has its outcome. Its `Committed` may have come already, or be still to come.
    Stored {
        /// The room.
        room: RoomKey,
        /// The tag of the publish.
        tag: Tag,
        /// The message's position; `None` if it is not stored.
        position: Option<Position>,
        /// It was published before, under its key, and is not committed again.
        known: bool,
    },
    /// These messages of the room, both positions included, are lost.
    Lost {
        /// The room.
        room: RoomKey,
        /// The first that is lost.
        from: Position,
        /// The last that is lost.
        to: Position,
    },
    /// What `Read` found: consecutive messages from just after its `since`, fewer if there are none or if they are gone, and
    /// none if `since` is of another epoch.
    Page {
        /// The room.
        room: RoomKey,
        /// The tag of the read.
        tag: Tag,
        /// The room's newest position.
        end: Position,
        /// The messages in order.
        messages: Vec<Arc<Message>>,
    },
    /// The engine could not do it, as far as it knows.
    Failed {
        /// The room.
        room: RoomKey,
        /// The tag of what failed; `None` for `Open`.
        tag: Option<Tag>,
        /// Why.
        why: Why,
    },
}

/// Why an engine could not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The engine cannot be reached. It is not known whether it has done it.
    Unavailable,
    /// The answer did not come in time. It has been done already, or will never be.
    Timeout,
    /// The message is larger than the engine takes.
    TooLarge,
    /// The room has another epoch by now. A publish was not carried out.
    Moved,
}

impl Why {
    /// What the client or the app is told.
    pub fn fault(self) -> Fault {
        match self {
            Self::Unavailable | Self::Timeout | Self::Moved => Fault::Unavailable,
            Self::TooLarge => Fault::BadRequest("this message is larger than the server can store"),
        }
    }
}

impl Tell {
    /// The room that this is about.
    pub fn room(&self) -> &RoomKey {
        match self {
            Self::Committed { message, .. } => &message.room,
            Self::Opened { room, .. }
            | Self::Stored { room, .. }
            | Self::Lost { room, .. }
            | Self::Page { room, .. }
            | Self::Failed { room, .. } => room,
        }
    }
}
