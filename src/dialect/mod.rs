//! The tongues that clients speak. A dialect turns text into requests and answers into text; it decides nothing.

pub mod forms;
pub mod native;
pub mod raw;
pub mod sse;

use crate::message::{Draft, Message};
use crate::position::Position;
use crate::room_key::{RoomKey, Space};

/// What a WebSocket session speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// JSON requests and events.
    Native,
    /// Whatever the room's members say to each other; a sender may ask for its own messages, too.
    Raw {
        /// Whether the sender gets its own messages.
        echo: bool,
    },
    /// Each message comes back.
    Echo,
}

/// The message that `draft` becomes: the frame that its space's members read.
pub fn compose(room: RoomKey, position: Option<Position>, draft: Draft, wall_ms: u64) -> Message {
    match room.space() {
        Space::Native | Space::User | Space::Beside => native::event::message(room, position, draft, wall_ms),
        Space::Raw => Message::new(room, None, draft.exclude, draft.data, 0),
    }
}
