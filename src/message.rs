//! Messages of rooms. Each is made once and shared by all who get it.

use arcstr::ArcStr;
use bytes::Bytes;

use crate::id::SessionId;
use crate::position::Position;
use crate::room_key::RoomKey;

/// How what a member reads travels to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Frames of a WebSocket.
    Frames,
    /// Whole Server-Sent Events, each with its own position.
    Events,
    /// Server-Sent Events without their end, which every stream writes for itself.
    Parts,
}

/// A way in which a member can read a room: what is said to it, and how that travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The number of the dialect.
    pub dialect: u8,
    /// How its texts travel.
    pub transport: Transport,
}

/// The sender and receiver of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// From a client or the app to a room.
    #[default]
    Message = 0,
    /// From a user to another user.
    Direct = 1,
    /// From the app to a user.
    Notification = 2,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Direct => "direct",
            Self::Notification => "notification",
        }
    }
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

/// One message of one room. It never changes, and is kept as the frame that most members read.
#[derive(Debug)]
pub struct Message {
    /// Its room.
    pub room: RoomKey,
    /// Its position; `None` if it is not stored.
    pub position: Option<Position>,
    /// A connection that does not get it.
    pub exclude: Option<SessionId>,
    frame: Bytes,
    /// The length of the frame's header in the upper four bits, and the kind in the lower: history has a message for each
    /// of these bytes.
    head: u8,
    event: u8,
    data: u16,
    /// When its room received it, in microseconds as in `Now::us`, cut to 32 bits.
    pub taken_us: u32,
}

/// Where the parts of a message lie in its payload, as far as nothing else says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Its sender and receiver.
    pub kind: Kind,
    /// The length of its event; 0 if it has none.
    pub event: u8,
    /// Where its data begins.
    pub data: u16,
}

impl Message {
    /// A message whose `frame` begins with `header` bytes, at most 15, that are not yet its payload.
    pub fn new(
        room: RoomKey,
        position: Option<Position>,
        exclude: Option<SessionId>,
        frame: Bytes,
        header: usize,
    ) -> Self {
        debug_assert!(header <= frame.len().min(15));
        Self { room, position, exclude, frame, head: (header as u8) << 4, event: 0, data: 0, taken_us: 0 }
    }

    /// The same message, whose parts lie there.
    pub fn with(self, Parts { kind, event, data }: Parts) -> Self {
        Self { head: (self.head & 0xf0) | kind as u8, event, data, ..self }
    }

    /// Where its parts lie.
    pub fn parts(&self) -> Parts {
        let kind = match self.head & 0xf {
            1 => Kind::Direct,
            2 => Kind::Notification,
            _ => Kind::Message,
        };
        Parts { kind, event: self.event, data: self.data }
    }

    /// Its frame on the wire of its own space.
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The frame's payload.
    pub fn payload(&self) -> &[u8] {
        &self.frame[usize::from(self.head >> 4)..]
    }

    /// Bytes of memory that this message costs.
    pub fn cost(&self) -> usize {
        size_of::<Self>() + self.frame.len()
    }
}
