//! Calls of the HTTP API, and the answers that they gather before they can be answered themselves.

use arcstr::ArcStr;

use super::sent::{Outcome, Sent};
use crate::auth::api_key::Scope;
use crate::broker::post::{Line, Listing, Page, Receipt, Roster, Span, Standing};
use crate::error::Fault;
use crate::room_key::RoomKey;

/// What is called, before its body is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Is the server alive?
    Health,
    /// Does the server take new clients?
    Ready,
    /// What does it do, and how does it stand?
    Stats,
    /// The same, for Prometheus.
    Metrics,
    /// Which calls are there?
    Description,
    /// Say something in a room.
    Publish(String),
    /// Say something to a user.
    Notify(ArcStr),
    /// Say something to everybody.
    Broadcast,
    /// Say several things, as far as the key is for them.
    Batch(Scope),
    /// Which rooms are there?
    Rooms(Listing),
    /// How does a room stand?
    Room(String),
    /// What was said in a room?
    History(String, Span),
    /// Who is in a room?
    Members(String, Page),
    /// Take a user out of a room.
    Remove(String, ArcStr),
    /// Where is a user?
    User(ArcStr),
    /// Close a user's connections; the reason, if the query says one.
    Disconnect(ArcStr, Option<Box<str>>),
    /// Requests on behalf of a stream.
    Requests {
        /// The name of its connection.
        stream: String,
        /// Whose token came with them.
        user: Option<ArcStr>,
    },
}

impl Call {
    /// Whether it looks at its body at all.
    pub fn reads_body(&self) -> bool {
        self.takes_body() || matches!(self, Self::Disconnect(..))
    }

    /// Whether it means something only with a body.
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
    /// What has come.
    pub gathered: Gathered,
    /// What of that is a call's own, in bytes.
    held: usize,
}

/// The answers that have come, by the call that waits for them.
#[derive(Debug)]
pub enum Gathered {
    /// One message.
    Sent(Sent),
    /// Messages in the order asked for.
    Batch(Vec<Sent>),
    /// How many connections a user has, and the rooms that they are in.
    Found(u32, Vec<RoomKey>),
    /// How many connections something was done to.
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
    /// No request was carried out, because of a fault, or (none) because there is no such stream.
    Unheard(Option<Fault>),
}

/// The reply to a request: JSON, or nothing where a request has no reply; none if it has not come.
pub type Reply = Option<Option<Vec<u8>>>;

/// Who is in a room; none if there is none.
pub type Rostered = Option<Result<Option<Box<Roster>>, Fault>>;

/// How a room stands; none if there is none.
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

    /// Bytes of memory that it holds: answers that have come, and places for those that have not.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Takes what became of message number `index`, or of a part of it.
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

    /// Takes that message number `index` is not sent, whatever was to come for it.
    pub fn refused(&mut self, index: usize, fault: Fault) {
        if let Gathered::Batch(all) = &mut self.gathered
            && let Some(sent) = all.get_mut(index)
        {
            while sent.take(Err(fault)) {
                self.left -= 1;
            }
        }
    }

    /// Takes one shard's count of the connections that got a message, or that something was done to.
    pub fn counted(&mut self, index: usize, connections: u32) {
        if let Gathered::Counted(all) = &mut self.gathered {
            *all += connections;
            self.left -= 1;
        } else {
            self.sent(index, Ok(Receipt { position: None, connections }));
        }
    }

    /// Takes where a user is on one shard.
    pub fn found(&mut self, connections: u32, rooms: Vec<RoomKey>) {
        if let Gathered::Found(all, everywhere) = &mut self.gathered {
            *all += connections;
            self.held += size_of_val(&rooms[..]);
            everywhere.extend(rooms);
            self.left -= 1;
        }
    }

    /// Takes the reply to request number `index`.
    pub fn replied(&mut self, index: usize, reply: Option<Vec<u8>>) {
        if let Gathered::Replies(_, slots) = &mut self.gathered
            && let Some(slot @ None) = slots.get_mut(index)
        {
            self.held += reply.as_ref().map_or(0, Vec::len);
            *slot = Some(reply);
            self.left -= 1;
        }
    }

    /// Takes that none of its requests is carried out.
    pub fn unheard(&mut self, fault: Option<Fault>) {
        *self = Self::new(0, Gathered::Unheard(fault));
    }

    /// Takes the rooms of one shard.
    pub fn listed(&mut self, lines: Vec<Line>) {
        if let Gathered::Rooms(_, all) = &mut self.gathered {
            self.held += size_of_val(&lines[..]);
            all.extend(lines);
            self.left -= 1;
        }
    }

    /// Takes who is in a room.
    pub fn rostered(&mut self, result: Result<Option<Box<Roster>>, Fault>) {
        if let Gathered::Members(slot @ None) = &mut self.gathered {
            *slot = Some(result);
            self.left -= 1;
        }
    }

    /// Takes how a room stands.
    pub fn looked(&mut self, result: Result<Option<Box<Standing>>, Fault>) {
        if let Gathered::Room(_, slot @ None) | Gathered::History(slot @ None) = &mut self.gathered {
            *slot = Some(result);
            self.left -= 1;
        }
    }
}
