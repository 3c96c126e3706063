//! What clients ask, as values: each dialect reads its own words into them.

use std::borrow::Cow;

use crate::broker::post::{Page, Span};
use crate::error::Fault;

/// One request, borrowed from the message that it came in.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The client's own mark, given back in the answer as it was written.
    pub id: Option<&'a str>,
    /// What it asks.
    pub what: What<'a>,
}

/// A token as a client sent it. It does not show itself.
#[derive(PartialEq, Eq)]
pub struct Token<'a>(pub Cow<'a, str>);

impl Token<'_> {
    /// The token itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// To be known as whom a token says.
    Auth {
        /// The token.
        token: Token<'a>,
    },
    /// To be told what happens in a room.
    Join {
        /// The room.
        room: Cow<'a, str>,
        /// What to tell of what has happened.
        span: Span,
    },
    /// Not to be told any more.
    Leave {
        /// The room.
        room: Cow<'a, str>,
    },
    /// To say something in a room.
    Publish {
        /// The room.
        room: Cow<'a, str>,
        /// The publisher's word for what kind of message it is.
        event: Option<Box<str>>,
        /// What to say, as it was written.
        data: &'a str,
        /// Whether the sender gets it, too.
        echo: bool,
        /// Whether it gets a place in the order.
        store: bool,
        /// The mark under which it is said once.
        key: Option<Box<str>>,
    },
    /// To say something to a user.
    Direct {
        /// The user.
        to: Cow<'a, str>,
        /// The sender's word for what kind of message it is.
        event: Option<Box<str>>,
        /// What to say, as it was written.
        data: &'a str,
        /// The mark under which it is said once.
        key: Option<Box<str>>,
    },
    /// To let a room know that somebody is writing, or is not any more.
    Typing {
        /// The room.
        room: Cow<'a, str>,
        /// Whether they are.
        active: bool,
    },
    /// What was said in a room.
    History {
        /// The room.
        room: Cow<'a, str>,
        /// Which part of it.
        span: Span,
    },
    /// Who is in a room.
    Members {
        /// The room.
        room: Cow<'a, str>,
        /// Which part of them.
        page: Page,
    },
    /// Whether the server is there.
    Ping,
}

impl What<'_> {
    /// The room that this is about.
    pub fn room(&self) -> Option<&str> {
        match self {
            Self::Join { room, .. }
            | Self::Leave { room }
            | Self::Publish { room, .. }
            | Self::Typing { room, .. }
            | Self::History { room, .. }
            | Self::Members { room, .. } => Some(room),
            Self::Auth { .. } | Self::Direct { .. } | Self::Ping => None,
        }
    }
}

/// Why a request was refused, and whose it was if that much could be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused<'a> {
    /// What is wrong.
    pub fault: Fault,
    /// The request's `id`.
    pub id: Option<&'a str>,
}
