//! Calls of the HTTP API, and the answers that they gather before they can be answered themselves.

use arcstr::ArcStr;

use super::sent::{Outcome, Sent};
use crate::auth::api_key::Scope;
use crate::broker::post::{Line, Listing, Page, Receipt, Roster, Span, Standing};
use crate::error::Fault;
use crate::room_key::RoomKey;

/// What a request calls, before its body is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Is the server alive?
    Health,
    /// Does the server take new clients?
    Ready,
    /// What are its live figures?
    Stats,
    /// The same, for Prometheus.
    Metrics,
    /// Which calls are there?
    Description,
    /// Publish a message in a room.
    Publish(String),
    /// Send a message to a user.
    Notify(ArcStr),
    /// Send a message to everybody.
    Broadcast,
    /// Send several messages, those that the key's scope allows.
    Batch(Scope),
    /// Which rooms are there?
    Rooms(Listing),
    /// What is the state of a room?
    Room(String),
    /// Which messages has a room kept?
    History(String, Span),
    /// Who is in a room?
    Members(String, Page),
    /// Take a user out of a room.
    Remove(String, ArcStr),
    /// Where is a user, and which rooms are on this page?
    User(ArcStr, Page),
    /// Close a user's connections, with the reason from the query if there is one.
    Disconnect(ArcStr, Option<Box<str>>),
    /// Requests for a stream.
    Requests {
        /// The name of its connection.
        stream: String,
        /// The user of the token that came with them.
        user: Option<ArcStr>,
    },
}

impl Call {
    /// Whether it reads a body at all.
    pub fn reads_body(&self) -> bool {
        self.takes_body() || matches!(self, Self::Disconnect(..))
    }

    /// Whether it needs a body.
    pub fn takes_body(&self) -> bool {
        matches!(
            self,
            Self::Publish(_) | Self::Notify(_) | Self::Broadcast | Self::Batch(_) | Self::Requests { .. }
        )
    }
}

/// A call under way.
#[derive(Debug)]
pub struct Pending {
    /// Answers that are still to come.
    pub left: usize,
    /// The answers that have come.
    pub gathered: Gathered,
    /// How much of that only this call holds, in bytes.
    held: usize,
}

/// The answers that have come, by the call that waits for them.
#[derive(Debug)]
pub enum Gathered {
    /// One message.
    Sent(Sent),
    /// Messages in the order asked for.
    Batch(Vec<Sent>),
    /// How many connections a user has, and of the rooms that they are in this page.
    Found(Page, u32, Vec<RoomKey>),
    /// How many connections were affected.
    Counted(u32),
    /// Rooms of every shard so far.
    Rooms(Listing, Vec<Line>),
    /// One room, by name.
    Room(String, Looked),
    /// One room's messages.
    History(Looked),
    /// One room's people.
    Members(Rostered),
    /// Replies to the requests of a stream, in the order of the requests; whether it was one request alone.
    Replies(bool, Vec<Reply>),
    /// No request was carried out: because of a fault, or (`None`) because there is no such stream.
    Unheard(Option<Fault>),
}

/// The reply to a request: `None` until it has come, then JSON, or `None` where a request has no reply.
pub type Reply = Option<Option<Vec<u8>>>;

/// Who is in a room; `None` until the answer has come.
pub type Rostered = Option<Result<Option<Box<Roster>>, Fault>>;

/// The state of a room; `None` until the answer has come.
pub type Looked = Option<Result<Option<Box<Standing>>, Fault>>;

impl Pending {
    /// A call that waits for `left` answers.
    pub fn new(left: usize, gathered: Gathered) -> Self {
        let held = match &gathered {
            Gathered::Batch(all) => size_of_val(&all[..]),
            Gathered::Replies(_, all) => size_of_val(&all[..]),
            _ => 0,
        };
        Self { left, gathered, held }
    }

    /// Bytes of memory that it holds: answers that have come, and space for those that have not.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Records the result of message number `index`, or of a part of it.
    pub fn sent(&mut self, index: usize, outcome: Outcome) {
        let sent = match &mut self.gathered {
            Gathered::Sent(sent) => Some(sent),
            Gathered::Batch(all) => all.get_mut(index),
            _ => None,
        };
        if sent.is_some_and(|sent| sent.take(outcome)) {
            self.left -= 1;
        }
    }

    /// Records that message number `index` is not sent. Later answers for it are ignored.
    pub fn refused(&mut self, index: usize, fault: Fault) {
        if let Gathered::Batch(all) = &mut self.gathered
            && let Some(sent) = all.get_mut(index)
        {
            while sent.take(Err(fault)) {
                self.left -= 1;
            }
        }
    }

    /// Records how many connections on one shard got a message, or were affected.
    pub fn counted(&mut self, index: usize, connections: u32) {
        if let Gathered::Counted(all) = &mut self.gathered {
            *all += connections;
            self.left -= 1;
        } else {
            self.sent(index, Ok(Receipt { position: None, connections }));
        }
    }

    /// Records a user's connections and rooms on one shard.
    pub fn found(&mut self, connections: u32, rooms: Vec<RoomKey>) {
        if let Gathered::Found(_, all, everywhere) = &mut self.gathered {
            *all += connections;
            self.held += size_of_val(&rooms[..]);
            everywhere.extend(rooms);
            self.left -= 1;
        }
    }

    /// Records the reply to request number `index`.
    pub fn replied(&mut self, index: usize, reply: Option<Vec<u8>>) {
        if let Gathered::Replies(_, slots) = &mut self.gathered
            && let Some(slot @ None) = slots.get_mut(index)
        {
            self.held += reply.as_ref().map_or(0, Vec::len);
            *slot = Some(reply);
            self.left -= 1;
        }
    }

    /// Records that none of its requests is carried out.
    pub fn unheard(&mut self, fault: Option<Fault>) {
        *self = Self::new(0, Gathered::Unheard(fault));
    }

    /// Records the rooms of one shard.
    pub fn listed(&mut self, lines: Vec<Line>) {
        if let Gathered::Rooms(_, all) = &mut self.gathered {
            self.held += size_of_val(&lines[..]);
            all.extend(lines);
            self.left -= 1;
        }
    }

    /// Records who is in a room.
    pub fn rostered(&mut self, result: Result<Option<Box<Roster>>, Fault>) {
        if let Gathered::Members(slot @ None) = &mut self.gathered {
            *slot = Some(result);
            self.left -= 1;
        }
    }

    /// Records the state of a room.
    pub fn looked(&mut self, result: Result<Option<Box<Standing>>, Fault>) {
        if let Gathered::Room(_, slot @ None) | Gathered::History(slot @ None) = &mut self.gathered {
            *slot = Some(result);
            self.left -= 1;
        }
    }
}
