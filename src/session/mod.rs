//! A session: everything that is kept of one connection but its socket. An idle one owns no memory beyond this struct.

pub mod by_user;
pub mod conduct;
pub mod exchange;
pub mod facts;
pub mod gap;
pub mod idle;
pub mod stream;
pub mod typed;

use std::net::IpAddr;

use arcstr::ArcStr;

use crate::auth::identity::Identity;
use crate::broker::seats::Seats;
use crate::dialect::Dialect;
use crate::message::{Transport, Wire};
use crate::out_queue::OutQueue;
use crate::time::Tick;
use crate::ws::connection::Connection;
use conduct::Conduct;
use exchange::Exchange;
use facts::{Fact, Facts};
use gap::Gap;
use idle::Idle;
use stream::Stream;

/// One connection, from accept to its end.
#[derive(Debug)]
pub struct Session {
    /// Tells sessions that had the same key apart.
    pub generation: u32,
    /// What the connection is doing.
    pub phase: Phase,
    /// What it speaks once it is a WebSocket or a stream.
    pub dialect: Dialect,
    /// Unsent bytes; `None` while the socket takes everything.
    pub queue: Option<Box<OutQueue>>,
    /// Input that has to wait; `None` while input is handled as it comes.
    pub tail: Option<Box<Tail>>,
    /// Messages that it missed and has not been told of yet; only in rooms that skip.
    #[allow(clippy::box_collection, reason = "a pointer costs every session a word, and a `Vec` three")]
    pub gaps: Option<Box<Vec<Gap>>>,
    /// The rooms that it has joined.
    pub seats: Seats,
    /// Its user, if it has one.
    pub identity: Option<Identity>,
    /// Its address, rates and recent refusals; `None` while nothing of that is needed.
    pub conduct: Option<Box<Conduct>>,
    /// When it last sent something, or when it was last pinged.
    pub heard: Tick,
    /// The mark of its client's address, see [`crate::addresses::Addresses::mark`].
    pub site: u32,
    /// When it last made work for other shards.
    pub wanted: Tick,
    /// Its socket took less than it was offered.
    pub blocked: bool,
    /// It is on the shard's list of sessions to write.
    pub touched: bool,
    /// Its reading is paused, and the shard must resume it.
    pub held: bool,
    /// Nothing more is read until the answer to a request has come: history, a join with history, a token, or the way into a
    /// raw room. One flag is enough for all, because there is never more than one of these: while it is set no other request
    /// is carried out, and answers to joins that were asked before and do not set it leave it alone.
    pub awaiting: bool,
    /// A ping went out, and nothing has come since.
    pub pinged: bool,
    /// Further facts.
    pub facts: Facts,
    /// It fell too far behind and is about to be closed.
    pub slow: bool,
}

/// What a connection is doing.
#[derive(Debug)]
pub enum Phase {
    /// Speaking HTTP.
    Http(Box<Exchange>),
    /// An open WebSocket.
    Open(Connection),
    /// An answer that does not end: a stream of Server-Sent Events.
    Stream(Box<Stream>),
    /// A WebSocket on which a close frame was sent and not yet received. Boxed, so that all phases are two words.
    Closing(Box<Connection>),
    /// Nothing more is queued. The queue is written and input is read and dropped, so that no reset destroys the last bytes.
    /// Its place can be given to others.
    Lingering(Option<Box<Idle>>),
    /// Over; freed at the end of the turn.
    Over,
}

/// Input that has to wait.
#[derive(Debug, Default)]
pub struct Tail {
    /// A request that was taken from its frame already.
    pub request: Option<Box<str>>,
    /// Bytes behind it, as they came.
    pub bytes: Vec<u8>,
    /// How many of those are taken already.
    pub taken: usize,
}

impl Tail {
    /// Bytes of memory that it holds.
    pub fn held(&self) -> usize {
        size_of::<Self>() + self.request.as_ref().map_or(0, |request| request.len()) + self.bytes.capacity()
    }
}

impl Phase {
    /// A WebSocket on which a close frame was sent.
    pub fn closing(connection: Connection) -> Self {
        Self::Closing(Box::new(connection))
    }
}

impl Session {
    /// A connection that was just accepted.
    pub fn new(generation: u32, exchange: Exchange, now: Tick) -> Self {
        Self {
            generation,
            phase: Phase::Http(Box::new(exchange)),
            dialect: Dialect::OF_STREAMS,
            queue: None,
            tail: None,
            gaps: None,
            seats: Seats::default(),
            identity: None,
            conduct: None,
            heard: now,
            site: 0,
            wanted: Tick::ZERO,
            blocked: false,
            touched: false,
            held: false,
            awaiting: false,
            pinged: false,
            facts: Facts::default(),
            slow: false,
        }
    }

    /// Its user's id, if it has one.
    pub fn user(&self) -> Option<&ArcStr> {
        self.identity.as_ref().map(|identity| &identity.user)
    }

    /// The wire on which it reads the room of audience `number`.
    pub fn wire(&self, number: u32) -> Wire {
        self.dialect.over(match &self.phase {
            Phase::Stream(stream) => stream.transport(number),
            _ => Transport::Frames,
        })
    }

    /// The wire on which it is told what is for it alone.
    pub fn own_wire(&self) -> Wire {
        self.dialect.over(if self.is_stream() { Transport::Events } else { Transport::Frames })
    }

    /// The client's address, where a proxy told it or addresses are limited.
    pub fn client(&self) -> Option<IpAddr> {
        self.conduct.as_ref()?.client
    }

    /// Whether it is an open WebSocket or a stream: it can be in rooms and be told things.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_) | Phase::Stream(_))
    }

    /// The reading half of the WebSocket that it is, also while that is being closed.
    pub fn connection(&mut self) -> Option<&mut Connection> {
        match &mut self.phase {
            Phase::Open(connection) => Some(connection),
            Phase::Closing(connection) => Some(connection),
            _ => None,
        }
    }

    /// The stream that it is.
    pub fn stream(&mut self) -> Option<&mut Stream> {
        match &mut self.phase {
            Phase::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// Whether it is a stream.
    pub fn is_stream(&self) -> bool {
        matches!(self.phase, Phase::Stream(_))
    }

    /// Its idle time, if it is idle.
    pub fn idle(&self) -> Option<&Idle> {
        match &self.phase {
            Phase::Http(exchange) => exchange.idle.as_ref(),
            Phase::Lingering(idle) => idle.as_deref(),
            Phase::Open(_) | Phase::Stream(_) | Phase::Closing(_) | Phase::Over => None,
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Cost of the queued bytes that it asked for itself.
    pub fn asked(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.asked())
    }

    /// Cost of the queued bytes that others sent.
    pub fn others(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.others())
    }

    /// Bytes of memory that it holds of what its peer sent and that is not carried out: heads, bodies and messages that have
    /// not come whole, and what waits behind something else.
    pub fn input(&self) -> usize {
        let unread = self.tail.as_ref().map_or(0, |tail| tail.held());
        let unfinished = match &self.phase {
            Phase::Http(exchange) => exchange.held(),
            Phase::Open(connection) => connection.held(),
            Phase::Closing(connection) => connection.held(),
            Phase::Stream(stream) => stream.held(),
            Phase::Lingering(_) | Phase::Over => 0,
        };
        unread + unfinished
    }

    /// Whether it is a WebSocket that everybody knows and that holds nothing of what its peer sent: seen at a glance, since it
    /// is asked behind every read.
    pub fn is_bare(&self) -> bool {
        let whole = matches!(&self.phase, Phase::Open(connection) if connection.held() == 0);
        whole && self.tail.is_none() && !self.awaiting && !self.facts.has(Fact::Newcomer)
    }

    /// Whether input of it waits for nothing but its turn.
    pub fn waits_its_turn(&self) -> bool {
        self.tail.is_some() && self.facts.has(Fact::InLine)
    }

    /// Whether an HTTP request is waiting for what the server does.
    pub fn is_calling(&self) -> bool {
        matches!(&self.phase, Phase::Http(exchange) if exchange.is_calling())
    }

    /// The gap that is open in `room`.
    pub fn gap(&mut self, room: u32) -> Option<&mut Gap> {
        self.gaps.as_mut()?.iter_mut().find(|gap| gap.room == room)
    }
}
