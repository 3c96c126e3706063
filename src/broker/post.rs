//! What shards write to each other. Between two shards posts keep their order; nothing else is promised.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use arcstr::ArcStr;
use bytes::Bytes;

use super::history::Excerpt;
use super::permit::Pattern;
use super::presence::Person;
use super::question::Question;
use crate::error::Fault;
use crate::id::{SessionId, ShardId};
use crate::ledger::Tally;
use crate::message::{Draft, Message};
use crate::position::Position;
use crate::room_key::RoomKey;

/// Who gets the answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Nobody asked for one.
    Nobody,
    /// A session, by a request of the native dialect.
    Session(SessionId, Ticket),
    /// A call of the HTTP API on this connection: the answer goes to this place among its answers.
    Call(SessionId, u32),
    /// The program around the server: this shard passes the answer on.
    Program(Question, ShardId),
}

impl Caller {
    /// The shard that takes the answer.
    pub fn shard(&self) -> Option<ShardId> {
        match self {
            Self::Nobody => None,
            Self::Session(session, _) | Self::Call(session, _) => Some(session.shard),
            Self::Program(_, shard) => Some(*shard),
        }
    }
}

/// What the reply to a session's request needs to find back to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticket<Id = Box<str>> {
    /// The request's `id`, JSON as it was written.
    pub id: Option<Id>,
    /// Where the reply goes; none: to the session's own connection.
    pub slot: Option<Slot>,
}

/// A place among the answers of an HTTP call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The connection of the call.
    pub call: SessionId,
    /// Which of its answers, from 0.
    pub index: u32,
}

impl Ticket {
    /// The same, borrowed.
    pub fn get(&self) -> Ticket<&str> {
        Ticket { id: self.id.as_deref(), slot: self.slot }
    }

    /// Whether nobody waits for a reply that brings no news.
    pub fn is_blank(&self) -> bool {
        self.id.is_none() && self.slot.is_none()
    }
}

impl Ticket<&str> {
    /// The same, to be kept until the reply is there.
    pub fn keep(self) -> Ticket {
        Ticket { id: self.id.map(Into::into), slot: self.slot }
    }
}

/// The part of a room's history that a request is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// None of it.
    #[default]
    Nothing,
    /// The newest messages, at most so many.
    Newest(usize),
    /// The first messages after a position, at most so many; the newest, where that is out of reach or (none) was no
    /// position at all.
    After(Option<Position>, usize),
    /// All messages after a position; the newest, at most so many, where that is out of reach or was no position at all.
    Since(Option<Position>, usize),
}

/// Where a room stands, as it is told to who joins it or asks.
#[derive(Debug)]
pub struct Standing {
    /// Its newest position.
    pub position: Position,
    /// Messages, if some were asked for; all up to `position`.
    pub excerpt: Excerpt,
    /// How many people are in it.
    pub count: u32,
    /// Who they are, unless they are too many to list.
    pub people: Option<Vec<Person>>,
    /// How many connections are in it.
    pub connections: u32,
}

/// A session wants to be in a room.
#[derive(Debug)]
pub struct Join {
    /// Who.
    pub session: SessionId,
    /// The mark of its client's address.
    pub site: u32,
    /// Its user.
    pub user: Option<ArcStr>,
    /// What the reply needs.
    pub ticket: Ticket,
    /// The messages that it wants with the answer.
    pub span: Span,
    /// It is in the room already and wants only the answer.
    pub again: bool,
}

/// One shard's word to another.
#[derive(Debug)]
pub enum Post {
    /// To home: a session wants in.
    Join(RoomKey, Box<Join>),
    /// To home: a member on shard `2`, a connection of user `3`, is out, or wants to be and is told when it is.
    Leave(RoomKey, Caller, ShardId, Option<ArcStr>),
    /// To home: something to say.
    Publish(RoomKey, Caller, Draft),
    /// To home: where does the room stand, and what was said?
    Look(RoomKey, Caller, Span),
    /// From home: the answer to a join.
    Joined(RoomKey, Box<Join>, Result<Box<Standing>, Fault>),
    /// From home: the answer to a leave. All that the room has said to the member is before it.
    Left(RoomKey, Caller),
    /// From home: a message for the members on this shard.
    Deliver(Arc<Message>),
    /// To home: who is there?
    Members(RoomKey, Caller, Page),
    /// From home: who is there; none if there is no such room.
    Rostered(RoomKey, Caller, Result<Option<Box<Roster>>, Fault>),
    /// From home: something about the people in it.
    Notice(RoomKey, Notice),
    /// From home: the members on this shard missed these messages, both included.
    Gap(RoomKey, Position, Position),
    /// To home: this user is writing, or is not any more.
    Typing(RoomKey, ArcStr, bool),
    /// From home: the answer to a publish.
    Published(RoomKey, Caller, Result<Receipt, Fault>),
    /// From home: the answer to a look; none if there is no such room.
    Looked(RoomKey, Caller, Result<Option<Box<Standing>>, Fault>),
    /// To the shard of a stream: requests on its behalf, which the call of session `1` brought, and whose they are.
    Requests(SessionId, SessionId, Option<ArcStr>, Vec<Box<str>>),
    /// To the shard of a call: none of its requests is carried out, because of a fault, or because there is no stream.
    Unheard(SessionId, Option<Fault>),
    /// To the shard of a call: the reply to one of the requests that it brought, which is JSON; none if there is none.
    Replied(Slot, Option<Vec<u8>>),
    /// To every shard: the rooms at home there whose names begin so and come after, at most so many.
    List(Caller, Arc<Listing>),
    /// The answer of one shard, in byte order.
    Listed(Caller, Vec<Line>),
    /// To a user's home: a connection wants to come; whether it gets what is sent to the user.
    Came(ArcStr, SessionId, bool),
    /// To a user's home: a connection that had come is gone; whether it got what is sent to the user.
    Went(ArcStr, SessionId, bool),
    /// To a user's home: a connection on this shard gets what is sent to the user from now on, or does not any more.
    Hears(RoomKey, ShardId, bool),
    /// From a user's home: whether this connection may come.
    Entered(SessionId, bool),
    /// From a user's home: this connection makes room for a newer one.
    Evict(SessionId),
    /// To another shard: places are short, or those of the client at this address are; somebody idle is to go.
    MakePlace(Option<IpAddr>),
    /// To every shard: where is this user?
    Seek(ArcStr, Caller),
    /// The answer of one shard: how many connections the user has there, and the rooms that those are in.
    Found(Caller, u32, Vec<RoomKey>),
    /// To every shard: close this user's connections, and why.
    Disconnect(ArcStr, ArcStr, Caller),
    /// To every shard: take this user out of a room.
    Remove(RoomKey, ArcStr, Caller),
    /// To every shard: tell everybody.
    Announce(Arc<Announcement>, Caller),
    /// The answer of one shard: so many connections did or got what was asked.
    Counted(Caller, u32),
}

/// What a publisher is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The message's place; none if it was not to be stored.
    pub position: Option<Position>,
    /// The connections that an inbox handed it to.
    pub connections: u32,
}

/// What the app says to everybody, as each wire reads it.
#[derive(Debug)]
pub struct Announcement {
    /// The WebSocket frame.
    pub frame: Bytes,
    /// The Server-Sent Event.
    pub event: Bytes,
    /// Both, counted by the first shard that tells it, since all of them share the bytes.
    pub counted: OnceLock<[Bytes; 2]>,
}

impl Announcement {
    /// The WebSocket frame and the Server-Sent Event, counted once by whoever asks first, as long as anybody holds them.
    pub fn counted(&self, tally: &Tally) -> &[Bytes; 2] {
        self.counted.get_or_init(|| [&self.frame, &self.event].map(|bytes| tally.count(bytes.clone())))
    }
}

/// What the members of a room are told of each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A user is there who was not.
    UserJoined {
        /// The user.
        user: ArcStr,
        /// How many people there are now.
        count: u32,
    },
    /// A user who was there is not any more.
    UserLeft {
        /// The user.
        user: ArcStr,
        /// How many people there are now.
        count: u32,
    },
    /// A user is writing, or is not any more.
    Typing {
        /// The user.
        user: ArcStr,
        /// Whether they are.
        active: bool,
    },
    /// There are so many people; they are too many to be told of one by one.
    Count(u32),
}

/// A part of a list in byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What is greater than this.
    pub after: Box<str>,
    /// At most so much.
    pub limit: usize,
}

/// Who is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// How many people there are.
    pub count: u32,
    /// One page of the named ones; none where the room does not tell.
    pub people: Option<Vec<Person>>,
    /// The last of them, if there are more.
    pub after: Option<ArcStr>,
}

/// Which rooms are to be listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Their names begin with this.
    pub prefix: String,
    /// Their names are greater than this.
    pub after: String,
    /// At most so many.
    pub limit: usize,
    /// They are meant by one of these; none: all are.
    pub rooms: Option<Arc<[Pattern]>>,
}

/// A room in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub name: RoomKey,
    /// How many people are in it.
    pub count: u32,
    /// How many connections are in it.
    pub connections: u32,
    /// Its newest position.
    pub position: Position,
}
