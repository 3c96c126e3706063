//! The HTTP side of a session: one request at a time, and the answers that it waits for.

use crate::api::call::{Call, Pending};
use crate::http::{Envelope, Head, Reader, Response};

/// One HTTP connection's requests, one after another.
#[derive(Debug)]
pub struct Exchange {
    /// Reads requests.
    pub reader: Reader,
    /// How far the request is.
    pub stage: Stage,
    /// What its deadline is for.
    pub timer: Timer,
    /// Whether a request has been answered on this connection.
    pub kept_alive: bool,
}

/// What an exchange has a deadline for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// A whole head, from accept or from its first byte.
    Head,
    /// A whole body.
    Body,
    /// The next request.
    Idle,
    /// Nothing: the server has the word.
    Off,
}

/// How far a request is.
#[derive(Debug)]
pub enum Stage {
    /// Its head is not complete, or has not begun.
    Head,
    /// Its body is not complete; what it will lead to is decided.
    Body(Box<Head>, Result<Call, Response>),
    /// It is being carried out.
    Call(Envelope, Pending),
}

impl Default for Exchange {
    /// A connection from which nothing has come.
    fn default() -> Self {
        Self { reader: Reader::new(), stage: Stage::Head, timer: Timer::Head, kept_alive: false }
    }
}

impl Exchange {
    /// Whether a call waits for its answer.
    pub fn is_calling(&self) -> bool {
        matches!(self.stage, Stage::Call(..))
    }
}
