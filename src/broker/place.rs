//! The seam to the engine, which gives messages their places in the order.
//!
//! A home asks and is told; it acts on what it is told alone. For one room [`Tell::Committed`] is gapless and in order;
//! where it cannot be, [`Tell::Lost`] comes first. An engine may tell within the same call, late, or never.

use std::sync::Arc;

use crate::message::{Draft, Message};
use crate::position::Position;
use crate::room_key::RoomKey;

/// Tells the answers of one room apart.
pub type Tag = u32;

/// What a home asks of the engine.
#[derive(Debug)]
pub enum Ask {
    /// Begin with this room: answered by `Opened`.
    Open(RoomKey),
    /// The room is forgotten.
    Close(RoomKey),
    /// Give this a place: answered by `Committed` or `Failed`.
    Publish {
        /// The room to publish in.
        room: RoomKey,
        /// What to publish.
        draft: Draft,
        /// Comes back with the answer.
        tag: Tag,
    },
    /// Messages that are older than what the home keeps: answered by `Page` or `Failed`.
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
    /// The room can be used. Told again, with another epoch, if the engine lost the room's order.
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
    /// A message has its place.
    Committed {
        /// The message, which names room and position.
        message: Arc<Message>,
        /// The tag of the publish that it answers, if it was this home's.
        tag: Option<Tag>,
    },
    /// Messages of the room, both positions included, will never be told.
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
        /// The tag of what failed; none for `Open`.
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
