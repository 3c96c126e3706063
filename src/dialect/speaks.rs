//! What a dialect is: what it says of itself, how it reads what clients send, and how it writes what they are told.

use bytes::Bytes;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use super::request::{Refused, Request};
use super::told::Told;
use crate::error::{Close, Fault};
use crate::id::SessionId;
use crate::message::{Draft, Kind};
use crate::room_key::Space;
use crate::ws::frame;

/// What a dialect says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// The first segment of the path at which its clients open WebSockets.
    pub path: &'static str,
    /// Which rooms a client can name there.
    pub rooms: Rooms,
    /// The subprotocols that it answers to.
    pub subprotocols: &'static [&'static str],
    /// The space that its rooms are in.
    pub space: Space,
    /// Clients make requests, and are told what becomes of them. Where they are not, a client that is refused is closed or not
    /// read for a while, and cannot send a token after its handshake.
    pub replies: bool,
    /// Clients get announcements to everybody.
    pub announcements: bool,
    /// Clients with a user get what is sent to the user without asking for it.
    pub inbox: bool,
    /// Each message comes back and goes nowhere else. Offered with the console.
    pub echoes: bool,
}

/// Which rooms the path of a WebSocket names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rooms {
    /// None.
    None,
    /// Exactly one, which is the second segment.
    One,
    /// The second segment, or any number in the query.
    Any,
}

/// A whole message of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Of text.
    Text(&'a str),
    /// Of bytes.
    Binary(&'a [u8]),
}

impl<'a> Payload<'a> {
    /// The opcode of its frame.
    pub fn opcode(self) -> OpCode {
        OpCode::Data(match self {
            Self::Text(_) => Data::Text,
            Self::Binary(_) => Data::Binary,
        })
    }

    /// What it holds.
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// A message to the others in a room, which get this frame as it is.
    pub fn draft(self, exclude: Option<SessionId>) -> Draft {
        let header = frame::header(self.opcode(), self.bytes().len());
        let mut data = Vec::with_capacity(header.len() + self.bytes().len());
        data.extend_from_slice(&header);
        data.extend_from_slice(self.bytes());
        Draft { exclude, ..Draft::new(Kind::Message, Bytes::from(data)) }
    }
}

/// What a client means by a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// It asks something: [`Speaks::read`] says what.
    Request(&'a str),
    /// The others in its room are to get this very frame.
    Message,
    /// The message is to come back.
    Echo,
    /// The dialect has no such messages.
    Foreign(Close),
}

/// A dialect. It turns bytes into values and values into bytes, and decides nothing.
pub trait Speaks {
    /// What it says of itself.
    const MANNERS: Manners;

    /// What a client means by a message.
    fn hear(payload: Payload<'_>) -> Said<'_>;

    /// What a request asks.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    fn read(text: &str) -> Result<Request<'_>, Refused<'_>> {
        let _ = text;
        Err(Refused { fault: Fault::UnknownType, id: None })
    }

    /// Appends the text in which a client is told something; nothing where the dialect has no words for it.
    fn write(told: &Told<'_>, out: &mut Vec<u8>);

    /// The same as a whole frame; no bytes where the dialect has no words. A dialect may have one ready.
    fn frame(told: &Told<'_>) -> Bytes {
        let mut frame = Vec::new();
        framed(&mut frame, |out| Self::write(told, out));
        frame.into()
    }
}

/// Appends the text frame of what `write` appends, or nothing if that is nothing.
pub fn framed(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    let silent = frame::encode_with(OpCode::Data(Data::Text), out, |out| {
        let before = out.len();
        write(out);
        out.len() == before
    });
    if silent {
        out.truncate(start);
    }
}
