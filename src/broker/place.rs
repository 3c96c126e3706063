//! The interface to the engine, which gives messages their positions.
//!
//! A home asks, and acts only on answers. In one room [`Tell::Committed`] comes in order and without gaps; if there must be a
//! gap, [`Tell::Lost`] comes first. An engine may answer within the same call, late, or never.

use std::sync::Arc;

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
    /// Give this message a position. The answer is `Committed` or `Failed`.
    Publish {
        /// The room to publish in.
        room: RoomKey,
        /// What to publish.
        draft: Draft,
        /// Comes back with the answer.
        tag: Tag,
    },
    /// Read messages older than those that the home keeps. The answer is `Page` or `Failed`.
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
    /// These messages of the room, both positions included, are lost.
    Lost {
        /// The room.
        room: RoomKey,
        /// The first that is lost.
        from: Position,
        /// The last that is lost.
        to: Position,
    },
    /// What `Read` found: consecutive messages from just after its `since`, fewer if there are none or if they are gone.
    Page {
        /// The room.
        room: RoomKey,
        /// The tag of the read.
        tag: Tag,
        /// The messages in order.
        messages: Vec<Arc<Message>>,
    },
    /// The engine could not do it, as far as it knows.
    Failed {
        /// The room.
        room: RoomKey,
        /// The tag of what failed; `None` for `Open`.
        tag: Option<Tag>,
    },
}

impl Tell {
    /// The room that this is about.
    pub fn room(&self) -> &RoomKey {
        match self {
            Self::Committed { message, .. } => &message.room,
            Self::Opened { room, .. }
            | Self::Lost { room, .. }
            | Self::Page { room, .. }
            | Self::Failed { room, .. } => room,
        }
    }
}
