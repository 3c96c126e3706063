//! Messages: what a room passes on, made once and shared by everybody who gets it.

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

/// Who said something, and to whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Somebody, or the app, to a room.
    #[default]
    Message,
    /// One user to another.
    Direct,
    /// The app to one user.
    Notification,
}

/// What a publisher said, before the room gave it a place.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who says it, and to whom.
    pub kind: Kind,
    /// The user that says it; none for guests and the app.
    pub from: Option<ArcStr>,
    /// The publisher's own word for what kind of message it is.
    pub event: Option<Box<str>>,
    /// What it says: JSON as it was written, or on the raw wire the whole frame.
    pub data: Bytes,
    /// Whether it gets a place in the order and in history, or goes only to who is there now.
    pub store: bool,
    /// A connection that does not get it.
    pub exclude: Option<SessionId>,
    /// The publisher's own mark for it: under one mark it is said once, however often it is sent.
    pub key: Option<Box<str>>,
}

impl Draft {
    /// What the app or a guest says to everybody who is there now.
    pub fn new(kind: Kind, data: Bytes) -> Self {
        Self { kind, from: None, event: None, data, store: false, exclude: None, key: None }
    }
}

/// One message of one room, for ever as it is: already the frame that its members read.
#[derive(Debug)]
pub struct Message {
    /// The room that it was said in.
    pub room: RoomKey,
    /// Its place in the order; none if it was not to be stored.
    pub position: Option<Position>,
    /// A connection that does not get it.
    pub exclude: Option<SessionId>,
    frame: Bytes,
    payload: u32,
    /// When its room took it, in microseconds as in [`crate::time::Now::us`], as far as 32 bits go.
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

    /// The frame that carries it on its own space's wire.
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The frame's payload: in the native space the message's JSON.
    pub fn payload(&self) -> &[u8] {
        &self.frame[self.payload as usize..]
    }

    /// Bytes that keeping this message costs.
    pub fn cost(&self) -> usize {
        size_of::<Self>() + self.frame.len()
    }
}
