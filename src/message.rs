//! Messages of rooms. Each is made once and shared by all who get it.

use arcstr::ArcStr;
use bytes::Bytes;

use crate::id::SessionId;
use crate::position::Position;
use crate::room_key::RoomKey;

/// The ways in which a member can read a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Native WebSocket frames.
    Native,
    /// Raw WebSocket frames.
    Raw,
    /// Whole Server-Sent Events, each with its own position.
    Sse,
    /// Server-Sent Events without their end, which every stream writes for itself.
    SseParts,
}

impl Wire {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Native, Self::Raw, Self::Sse, Self::SseParts];
}

/// The sender and receiver of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// From a client or the app to a room.
    #[default]
    Message,
    /// From a user to another user.
    Direct,
    /// From the app to a user.
    Notification,
}

/// A published message before its room gives it a position.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its sender and receiver.
    pub kind: Kind,
    /// The user that sends it; `None` for guests and the app.
    pub from: Option<ArcStr>,
    /// The kind of message, in the publisher's own word.
    pub event: Option<Box<str>>,
    /// Its data: JSON as it was written, or on the raw wire the whole frame.
    pub data: Bytes,
    /// Whether it gets a position and is kept in history, or goes only to present members.
    pub store: bool,
    /// A connection that does not get it.
    pub exclude: Option<SessionId>,
    /// The idempotency key: messages with the same key are published once.
    pub key: Option<Box<str>>,
}

impl Draft {
    /// A message of the app or a guest to all present members.
    pub fn new(kind: Kind, data: Bytes) -> Self {
        Self { kind, from: None, event: None, data, store: false, exclude: None, key: None }
    }
}

/// One message of one room. It never changes, and is already the frame that members read.
#[derive(Debug)]
pub struct Message {
    /// Its room.
    pub room: RoomKey,
    /// Its position; `None` if it is not stored.
    pub position: Option<Position>,
    /// A connection that does not get it.
    pub exclude: Option<SessionId>,
    frame: Bytes,
    payload: u32,
    /// When its room received it, in microseconds as in [`crate::time::Now::us`], cut to 32 bits.
    pub taken_us: u32,
}

impl Message {
    /// A message whose `frame` begins with `header` bytes that are not yet its payload.
    pub fn new(
        room: RoomKey,
        position: Option<Position>,
        exclude: Option<SessionId>,
        frame: Bytes,
        header: usize,
    ) -> Self {
        debug_assert!(header <= frame.len());
        Self { room, position, exclude, frame, payload: header as u32, taken_us: 0 }
    }

    /// Its frame on the wire of its own space.
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The frame's payload: in the native space the message's JSON.
    pub fn payload(&self) -> &[u8] {
        &self.frame[self.payload as usize..]
    }

    /// Bytes of memory that this message costs.
    pub fn cost(&self) -> usize {
        size_of::<Self>() + self.frame.len()
    }
}
