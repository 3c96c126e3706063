//! The HTTP side of a session: one request at a time, and the answers that it waits for.

use std::net::IpAddr;

use crate::api::call::{Call, Pending};
use crate::http::{Envelope, Head, Reader, Response};
use crate::proxy;
use crate::session::idle::Idle;

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
    /// Where the connection comes from: its socket's peer, or whom a proxy's header speaks for.
    pub peer: IpAddr,
    /// The origin of the request's page, if the page may read the answer.
    pub origin: Option<Box<str>>,
    /// As long as it could be closed without anybody missing an answer.
    pub idle: Option<Idle>,
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
    /// A proxy's header comes before the first request.
    Proxied(proxy::Reader),
    /// Its head is not complete, or has not begun.
    Head,
    /// Its head is complete, and its token not checked yet.
    Check(Box<Head>),
    /// Its body is not complete; what it will lead to is decided.
    Body(Envelope, Result<Call, Response>),
    /// It is being carried out.
    Call(Envelope, Pending),
}

impl Exchange {
    /// A connection from `peer` from which nothing has come; `proxied` if it begins with a header of the PROXY protocol.
    pub fn new(peer: IpAddr, proxied: bool) -> Self {
        let stage = if proxied { Stage::Proxied(proxy::Reader::default()) } else { Stage::Head };
        Self {
            reader: Reader::new(),
            stage,
            timer: Timer::Head,
            kept_alive: false,
            peer,
            origin: None,
            idle: None,
        }
    }

    /// Bytes of memory that it holds of what its client sent, and of the answers to that.
    pub fn held(&self) -> usize {
        let stage = match &self.stage {
            Stage::Proxied(reader) => reader.held(),
            Stage::Check(head) => head.held(),
            Stage::Call(_, pending) => pending.held(),
            Stage::Head | Stage::Body(..) => 0,
        };
        stage + self.reader.held() + self.origin.as_ref().map_or(0, |origin| origin.len())
    }

    /// Whether a part of a request has come, and not the whole.
    pub fn is_reading(&self) -> bool {
        match self.stage {
            Stage::Body(..) => true,
            Stage::Head => !self.reader.is_idle(),
            Stage::Proxied(ref header) => header.held() > 0,
            Stage::Call(..) | Stage::Check(_) => false,
        }
    }

    /// Whether a request waits for what the server does.
    pub fn is_calling(&self) -> bool {
        matches!(self.stage, Stage::Call(..) | Stage::Check(_))
    }
}
