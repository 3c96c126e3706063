//! What clients are told, as values: a shard says what it has decided, and the client's dialect has the words for it.

use super::kept::Kept;
use crate::broker::post::{Notice, Roster, Standing};
use crate::error::{Close, Fault};
use crate::id::ConnectionName;
use crate::message::Message;
use crate::position::Position;
use crate::room_key::RoomKey;

/// Something that a client is told. Where there is an `id`, it is the mark that the client gave its request, as its dialect
/// read it.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// The connection is open.
    Welcome {
        /// What peers call it.
        connection: ConnectionName,
        /// Its user, if it has one.
        user: Option<&'a str>,
        /// Seconds between two pings.
        ping_interval_s: u64,
        /// The longest message that it may send, in bytes.
        max_message_bytes: usize,
    },
    /// The client is known.
    Known {
        /// The mark of its request.
        id: Option<&'a str>,
        /// Its user.
        user: &'a str,
        /// When its token ends, in milliseconds since 1970.
        expires_ms: Option<u64>,
    },
    /// The client is a member of a room.
    Joined {
        /// The mark of its request.
        id: Option<&'a str>,
        /// The room.
        room: &'a RoomKey,
        /// The state of the room, and the messages that the client asked for.
        standing: &'a Standing,
    },
    /// The client is not a member of a room any more.
    Left {
        /// The mark of its request.
        id: Option<&'a str>,
        /// What the client calls the room.
        room: &'a str,
        /// Why, if the client did not ask for it.
        reason: Option<&'a str>,
    },
    /// A message is published.
    Published {
        /// The mark of its request.
        id: &'a str,
        /// The room.
        room: &'a RoomKey,
        /// The message's position; `None` if it is not stored.
        position: Option<Position>,
    },
    /// A message to a user is published.
    Delivered {
        /// The mark of its request.
        id: Option<&'a str>,
        /// The user.
        to: &'a str,
        /// How many connections of the user get it.
        connections: u32,
    },
    /// What was said in a room.
    History {
        /// The mark of its request.
        id: Option<&'a str>,
        /// The room.
        room: &'a RoomKey,
        /// The state of the room, and the messages.
        standing: &'a Standing,
    },
    /// Who is in a room.
    Members {
        /// The mark of its request.
        id: Option<&'a str>,
        /// The room.
        room: &'a RoomKey,
        /// The people.
        roster: &'a Roster,
    },
    /// The server is there.
    Pong {
        /// The mark of its request.
        id: Option<&'a str>,
        /// The time, in milliseconds since 1970.
        wall_ms: u64,
    },
    /// A request was refused.
    Error {
        /// The mark of its request.
        id: Option<&'a str>,
        /// What the client calls the room that it was about.
        room: Option<&'a str>,
        /// Why.
        fault: Fault,
    },
    /// A stream ends; a WebSocket has a frame for that.
    Close(&'a Close),
    /// News of the people in a room.
    Notice {
        /// What the client calls the room.
        room: &'a str,
        /// The news.
        notice: &'a Notice,
    },
    /// Messages of a room were not sent to this client.
    Gap {
        /// What the client calls the room.
        room: &'a str,
        /// The position of the first.
        from: Position,
        /// The position of the last.
        to: Position,
    },
    /// What the app says to everybody.
    Announcement {
        /// The app's word for what kind of message it is.
        event: Option<&'a str>,
        /// What it says: JSON as it was written.
        data: &'a [u8],
        /// When it was said, in milliseconds since 1970.
        wall_ms: u64,
    },
    /// A message in a room.
    Message(&'a Message),
}

impl<'a> Told<'a> {
    /// The name of the event that it is: the publisher's own word for a message, if there is one.
    pub fn name(&self) -> &'a str {
        match *self {
            Self::Message(message) => {
                let kept = Kept(message);
                kept.event().unwrap_or(kept.kind().word())
            }
            Self::Announcement { event, .. } => event.unwrap_or("announcement"),
            Self::Notice { notice, .. } => match notice {
                Notice::UserJoined { .. } => "user_joined",
                Notice::UserLeft { .. } => "user_left",
                Notice::Typing { .. } => "typing",
                Notice::Count(_) => "count",
            },
            Self::Welcome { .. } => "welcome",
            Self::Known { .. } => "auth_ok",
            Self::Joined { .. } => "joined",
            Self::Left { .. } => "left",
            Self::Published { .. } => "published",
            Self::Delivered { .. } => "delivered",
            Self::History { .. } => "history",
            Self::Members { .. } => "members",
            Self::Pong { .. } => "pong",
            Self::Error { .. } => "error",
            Self::Close(_) => "close",
            Self::Gap { .. } => "gap",
        }
    }
}
