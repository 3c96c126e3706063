//! Calls of the HTTP API, and the answers that they gather before they can be answered themselves.

use crate::auth::api_key::Scope;
use std::sync::Arc;

use crate::broker::post::{Line, Listing, Page, Roster, Span, Standing};
use crate::error::Fault;
use crate::position::Position;

/// What is called, before its body is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Is the server alive?
    Health,
    /// Say something in a room.
    Publish(String),
    /// Say several things in several rooms, as far as they are ones that the key is for.
    Batch(Scope),
    /// Which rooms are there?
    Rooms(Listing),
    /// How does a room stand?
    Room(String),
    /// What was said in a room?
    History(String, Span),
    /// Who is in a room?
    Members(String, Page),
    /// Requests on behalf of a stream.
    Requests {
        /// The name of its connection.
        stream: String,
        /// Whose token came with them.
        user: Option<Arc<str>>,
    },
}

impl Call {
    /// Whether it means something without a body.
    pub fn takes_body(&self) -> bool {
        matches!(self, Self::Publish(_) | Self::Batch(_) | Self::Requests { .. })
    }
}

/// What became of a publish.
pub type Published = Result<Option<Position>, Fault>;

/// A call under way.
#[derive(Debug)]
pub struct Pending {
    /// Answers that are still to come.
    pub left: usize,
    /// What has come.
    pub gathered: Gathered,
}

/// The answers that have come, by the call that waits for them.
#[derive(Debug)]
pub enum Gathered {
    /// One publish.
    Publish(Option<Published>),
    /// Publishes in the order asked for.
    Batch(Vec<Option<Published>>),
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
        Self { left, gathered }
    }

    /// Takes the answer to the publish that was number `index`.
    pub fn published(&mut self, index: usize, result: Published) {
        let slot = match &mut self.gathered {
            Gathered::Publish(slot) => Some(slot),
            Gathered::Batch(slots) => slots.get_mut(index),
            _ => None,
        };
        if let Some(slot @ None) = slot {
            *slot = Some(result);
            self.left -= 1;
        }
    }

    /// Takes the reply to request number `index`.
    pub fn replied(&mut self, index: usize, reply: Option<Vec<u8>>) {
        if let Gathered::Replies(_, slots) = &mut self.gathered
            && let Some(slot @ None) = slots.get_mut(index)
        {
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
