//! The client's side of the wire, without sockets: bytes go in, and what was received comes out.
//!
//! Every decoder takes the bytes that are there and returns how many of them it has used. So the same bytes give the same
//! result wherever they are cut.

use thiserror::Error;

pub(crate) mod decoder;
pub(crate) mod frame;
pub(crate) mod nats;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod stream;

/// What a server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// The upgrade was accepted, or the event stream has begun.
    Opened,
    /// A whole WebSocket message.
    Message {
        /// Text rather than binary.
        text: bool,
        payload: &'a [u8],
    },
    /// A ping, to be answered with the same payload (RFC 6455 section 5.5.2).
    Ping(&'a [u8]),
    /// A close frame; without a code it has 1005 (section 7.1.5).
    Close { code: u16, reason: &'a str },
    /// A whole HTTP response.
    Response { status: u16, body: &'a [u8] },
    /// One event of an event stream.
    Event { name: &'a str, id: &'a str, data: &'a str },
}

/// What a server may not send. Each fails the run.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum WireError {
    #[error("not HTTP: {0}")]
    Head(httparse::Error),
    #[error("the response head is longer than {0} bytes")]
    LongHead(usize),
    #[error("refused with status {0}")]
    Refused(u16),
    #[error("the answer to the upgrade is wrong: {0}")]
    Upgrade(&'static str),
    #[error("a frame breaks RFC 6455: {0}")]
    Frame(&'static str),
    #[error("a message of {0} bytes is more than this client takes")]
    TooBig(u64),
    #[error("a body breaks RFC 9112: {0}")]
    Body(&'static str),
    #[error("text is not UTF-8")]
    Utf8,
}
