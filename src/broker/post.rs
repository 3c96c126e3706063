//! Posts: the messages between shards. Posts from one shard to another keep their order; nothing else is promised.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use arcstr::ArcStr;
use bytes::Bytes;

use super::history::Excerpt;
use super::permit::Pattern;
use super::presence::Person;
use super::question::Question;
use crate::error::Fault;
use crate::id::{SessionId, ShardId};
use crate::ledger::Tally;
use crate::message::{Draft, Message, Wire};
use crate::position::Position;
use crate::room_key::RoomKey;

/// Who gets the answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Nobody asked for one.
    Nobody,
    /// A session that sent a request of the native dialect.
    Session(SessionId, Ticket),
    /// A call of the HTTP API on this connection. The number is the index of its answer.
    Call(SessionId, u32),
    /// The program around the server. This shard passes the answer on.
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

/// Where the reply to a session's request goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticket<Id = Box<str>> {
    /// The request's `id`, JSON as it was written.
    pub id: Option<Id>,
    /// The HTTP call that gets the reply; `None`: the session's own connection.
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

    /// Whether the request had no `id` and came by no call, so that it gets no plain acknowledgement.
    pub fn is_blank(&self) -> bool {
        self.id.is_none() && self.slot.is_none()
    }
}

impl Ticket<&str> {
    /// An owned copy, to keep until the reply comes.
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
    /// At most this many of the newest messages.
    Newest(usize),
    /// At most this many of the first messages after a position. If it is out of reach or (`None`) not valid, the newest
    /// messages.
    After(Option<Position>, usize),
    /// All messages after a position. If it is out of reach or not valid, at most this many of the newest.
    Since(Option<Position>, usize),
}

/// The state of a room, for a session that joins and for callers that ask.
#[derive(Debug)]
pub struct Standing {
    /// Its newest position.
    pub position: Position,
    /// Messages, if some were asked for; all up to `position`.
    pub excerpt: Excerpt,
    /// How many people are in it.
    pub count: u32,
    /// The named users, unless there are too many to list.
    pub people: Option<Vec<Person>>,
    /// How many connections are in it.
    pub connections: u32,
}

/// A session's request to join a room.
#[derive(Debug)]
pub struct Join {
    /// The session.
    pub session: SessionId,
    /// The mark of its client's address.
    pub site: u32,
    /// Its user.
    pub user: Option<ArcStr>,
    /// Where the reply goes.
    pub ticket: Ticket,
    /// The messages that it wants with the answer.
    pub span: Span,
    /// It is in the room already, and wants only the answer.
    pub again: bool,
}

/// What a session has to say to a user.
#[derive(Debug)]
pub struct Direct {
    /// The session.
    pub session: SessionId,
    /// The mark of its client's address.
    pub site: u32,
    /// Where the reply goes.
    pub ticket: Ticket,
    /// What it says.
    pub draft: Draft,
}

/// A message from one shard to another.
#[derive(Debug)]
pub enum Post {
    /// To home: a session wants to join.
    Join(RoomKey, Box<Join>),
    /// To home: a member on shard `2`, a connection of user `3`, has left, or wants to leave and is told when it has.
    Leave(RoomKey, Caller, ShardId, Option<ArcStr>),
    /// To a user's home: a session has something to say to the user, whose inbox is made if there is none.
    Direct(RoomKey, Box<Direct>),
    /// To home: publish a message.
    Publish(RoomKey, Caller, Draft),
    /// To home: what is the state of the room, and which messages are kept?
    Look(RoomKey, Caller, Span),
    /// From home: the answer to a join.
    Joined(RoomKey, Box<Join>, Result<Box<Standing>, Fault>),
    /// From home: the answer to a leave. All messages for the member come before it.
    Left(RoomKey, Caller),
    /// From home: a message for the members on this shard.
    Deliver(Arc<Message>),
    /// To home: who is there?
    Members(RoomKey, Caller, Page),
    /// From home: the people in the room; `None` if there is no such room.
    Rostered(RoomKey, Caller, Result<Option<Box<Roster>>, Fault>),
    /// From home: news about the people in the room.
    Notice(RoomKey, Notice),
    /// From home: the members on this shard missed these messages, both included.
    Gap(RoomKey, Position, Position),
    /// To home: this user is typing, or has stopped.
    Typing(RoomKey, ArcStr, bool),
    /// From home: the answer to a publish.
    Published(RoomKey, Caller, Result<Receipt, Fault>),
    /// From home: the answer to a look; `None` if there is no such room.
    Looked(RoomKey, Caller, Result<Option<Box<Standing>>, Fault>),
    /// To the shard of a stream: requests for it from the call of session `1`, and their user.
    Requests(SessionId, SessionId, Option<ArcStr>, Vec<Box<str>>),
    /// To the shard of a call: none of its requests is carried out, because of a fault, or (`None`) because there is no such
    /// stream.
    Unheard(SessionId, Option<Fault>),
    /// To the shard of a call: the reply to one of its requests, as JSON; `None` if it has no reply.
    Replied(Slot, Option<Vec<u8>>),
    /// To every shard: list rooms at home there.
    List(Caller, Arc<Listing>),
    /// The answer of one shard, in byte order.
    Listed(Caller, Vec<Line>),
    /// To a user's home: a connection wants to be admitted, and whether it gets messages to the user.
    Came(ArcStr, SessionId, bool),
    /// To a user's home: an admitted connection is gone, and whether it got messages to the user.
    Went(ArcStr, SessionId, bool),
    /// To a user's home: a connection on this shard begins or stops to get messages to the user.
    Hears(RoomKey, ShardId, bool),
    /// From a user's home: whether this connection is admitted.
    Entered(SessionId, bool),
    /// From a user's home: close this connection for a newer one.
    Evict(SessionId),
    /// To another shard: close an idle connection, because the server, or the client at this address, needs a place.
    MakePlace(Option<IpAddr>),
    /// To every shard: where is this user, and which rooms are on this page?
    Seek(ArcStr, Caller, Arc<Page>),
    /// The answer of one shard: how many connections the user has there, and the page of the rooms that those are in.
    Found(Caller, u32, Vec<RoomKey>),
    /// To every shard: close this user's connections, and why.
    Disconnect(ArcStr, ArcStr, Caller),
    /// To every shard: take this user out of a room.
    Remove(RoomKey, ArcStr, Caller),
    /// To every shard: tell everybody.
    Announce(Arc<Announcement>, Caller),
    /// The answer of one shard: how many connections got the message or were affected.
    Counted(Caller, u32),
}

/// The result of a publish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The message's position; `None` if it is not stored.
    pub position: Option<Position>,
    /// How many connections of a user got it.
    pub connections: u32,
}

/// An announcement to everybody.
#[derive(Debug)]
pub struct Announcement {
    /// The app's word for what kind of message it is.
    pub event: Option<Box<str>>,
    /// What it says: JSON as it was written.
    pub data: Bytes,
    /// When it was said, in milliseconds since 1970.
    pub wall_ms: u64,
    /// The form for each wire that somebody reads. All shards share the bytes.
    forms: Mutex<Vec<(Wire, Bytes)>>,
}

impl Announcement {
    /// An announcement that nobody has been told yet.
    pub fn new(event: Option<Box<str>>, data: Bytes, wall_ms: u64) -> Self {
        Self { event, data, wall_ms, forms: Mutex::default() }
    }

    /// Bytes of memory that it holds, beside its forms.
    pub fn cost(&self) -> usize {
        self.data.len() + self.event.as_ref().map_or(0, |event| event.len())
    }

    /// Its form for `wire`. The first caller has `make` make it, and counts it; it counts as long as anybody holds it.
    pub fn form(&self, wire: Wire, tally: &Tally, make: impl FnOnce() -> Bytes) -> Bytes {
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, form)) = forms.iter().find(|(made, _)| *made == wire) {
            return form.clone();
        }
        let form = tally.count(make());
        forms.push((wire, form.clone()));
        form
    }
}

/// Presence and typing news for the members of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A user has joined.
    UserJoined {
        /// The user.
        user: ArcStr,
        /// How many people there are now.
        count: u32,
    },
    /// A user has left.
    UserLeft {
        /// The user.
        user: ArcStr,
        /// How many people there are now.
        count: u32,
    },
    /// A user is typing, or has stopped.
    Typing {
        /// The user.
        user: ArcStr,
        /// Whether they are.
        active: bool,
    },
    /// The number of people, where they are too many to be named.
    Count(u32),
}

/// A part of a list in byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The page has what is greater than this.
    pub after: Box<str>,
    /// The most entries.
    pub limit: usize,
}

/// Who is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// How many people there are.
    pub count: u32,
    /// One page of the named users; `None` where the room does not list them.
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
    /// One of these patterns matches them. `None`: all rooms.
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
