//! The HTTP side of a session: one request at a time, and the answers that it waits for.

use crate::api::call::{Call, Pending};
use crate::api::route::Route;
use crate::http::{Envelope, Head, Reader, Response};
use crate::time::Tick;

/// One HTTP connection's requests, one after another.
#[derive(Debug)]
pub struct Exchange {
    /// Reads requests.
    pub reader: Reader,
    /// How far the request is.
    pub stage: Stage,
    /// Whether a request has been answered on this connection.
    pub kept_alive: bool,
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

impl Exchange {
    /// A connection from which nothing has come.
    pub fn new(_now: Tick) -> Self {
        Self { reader: Reader::new(), stage: Stage::Head, kept_alive: false }
    }

    /// Whether a call waits for its answer.
    pub fn is_calling(&self) -> bool {
        matches!(self.stage, Stage::Call(..))
    }
}

/// What a complete head leads to.
#[derive(Debug)]
pub enum Decision {
    /// The connection becomes a WebSocket.
    Upgrade(Route),
    /// A call, once its body is there.
    Call(Call),
}
