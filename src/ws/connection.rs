//! What a client sends, cut anywhere: bytes in, events out (RFC 6455 sections 5 to 7).
//!
//! A frame that is complete in the input becomes an event that borrows the input. Incomplete ones move to a `Partial`,
//! which exists only while something is unfinished: an idle connection takes the 16 bytes of [`Connection`].

#[cfg(test)]
mod tests;

use std::ops::Range;

use super::frame::{Control, Data, OpCode};
use super::incoming::Incoming;
use super::partial::{Body, Message, Partial, Progress};

pub use super::violation::Violation;

/// The reading half of one WebSocket connection.
#[derive(Debug, Default)]
pub struct Connection {
    partial: Option<Box<Partial>>,
    /// A close or a violation has come; all later bytes are ignored.
    ended: bool,
}

/// Bounds on what one client can make a [`Connection`] hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one message, all its fragments together. A longer message is refused when its length is declared.
    pub message: usize,
}

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole text message.
    Text(&'a str),
    /// A whole binary message.
    Binary(&'a [u8]),
    /// A ping, which needs a pong with the same payload (RFC 6455 section 5.5.2).
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// A close with its code and reason, if it has them; nothing comes after it.
    Close(Option<(u16, &'a str)>),
}

/// The result of one call of [`Connection::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Bytes taken from the front of the input.
    pub used: usize,
    /// The event that they completed. Without an event, all of the input was used, or a fragment ended and its message
    /// goes on.
    pub event: Option<Event<'a>>,
}

/// An event, by the place of its payload.
enum Found {
    /// A whole frame in the input.
    Frame(OpCode, Range<usize>),
    /// A control frame that came in pieces.
    Control(OpCode),
    /// A message that came in pieces.
    Message,
}

impl Connection {
    /// Takes bytes from the front of `input`, up to the end of the first event or fragment in them, and unmasks them in
    /// place. So the caller can stop between any two frames.
    ///
    /// Call it with the rest of the input until nothing is left and there is no event. That last call, even with no
    /// bytes, also frees the memory of a message that came in pieces; so does [`release`](Self::release).
    ///
    /// After a close or a violation, all bytes are used up and ignored.
    ///
    /// # Errors
    ///
    /// The [`Violation`] to close with, as soon as a byte shows it. Events before it have all been given.
    pub fn read<'a>(&'a mut self, input: &'a mut [u8], limits: &Limits) -> Result<Step<'a>, Violation> {
        self.release();
        if self.ended {
            return Ok(Step { used: input.len(), event: None });
        }
        let (used, found) = self.advance(input, limits).inspect_err(|_| self.end())?;
        let partial = self.partial.as_deref();
        let event = match found {
            None => Ok(None),
            Some(Found::Frame(opcode, payload)) => event(opcode, &input[payload]).map(Some),
            Some(Found::Control(opcode)) => event(opcode, partial.map_or(&[], Partial::control)).map(Some),
            Some(Found::Message) => Ok(partial.and_then(Partial::message).and_then(message)),
        };
        self.ended = matches!(event, Err(_) | Ok(Some(Event::Close(_))));
        Ok(Step { used, event: event? })
    }

    /// Bytes of memory held for a message that comes in pieces, or has just come.
    pub fn buffered(&self) -> usize {
        self.message().map_or(0, Message::capacity)
    }

    /// Bytes of memory that it holds beyond its own, for what is incomplete.
    pub fn held(&self) -> usize {
        if self.partial.is_none() { 0 } else { size_of::<Partial>() + self.buffered() }
    }

    /// Frees what the last event had borrowed.
    pub fn release(&mut self) {
        if let Some(partial) = &mut self.partial
            && (partial.release() || self.ended)
        {
            self.partial = None;
        }
    }

    fn end(&mut self) {
        self.partial = None;
        self.ended = true;
    }

    /// Reads `input` to the end of its first frame, and returns how many bytes that took.
    fn advance(&mut self, input: &mut [u8], limits: &Limits) -> Result<(usize, Option<Found>), Violation> {
        let mut used = 0;
        let under_way = self.partial.as_mut().and_then(|partial| partial.take_frame());
        let mut frame = match under_way {
            Some(frame) => frame,
            None => {
                let Some((mut frame, header)) = self.header(input)? else {
                    return Ok((input.len(), None));
                };
                used = header;
                self.admit(&frame, limits)?;
                if frame.stands_alone() && frame.len <= input.len() - used {
                    let payload = used..used + frame.take(&mut input[used..]).len();
                    return Ok((payload.end, Some(Found::Frame(frame.opcode, payload))));
                }
                frame
            }
        };
        let payload = frame.take(&mut input[used..]);
        used += payload.len();
        let found = match self.partial.get_or_insert_default().keep(frame, payload)? {
            Progress::Frame | Progress::Fragment => None,
            Progress::Control(opcode) => Some(Found::Control(opcode)),
            Progress::Message => Some(Found::Message),
        };
        Ok((used, found))
    }

    /// The next frame, if its header is complete, and how much of `input` the header took.
    fn header(&mut self, input: &[u8]) -> Result<Option<(Incoming, usize)>, Violation> {
        if let Some(partial) = &mut self.partial {
            return partial.header(input);
        }
        match Incoming::parse(input)? {
            None if !input.is_empty() => self.partial.insert(Box::default()).header(input),
            parsed => Ok(parsed),
        }
    }

    /// Checks a frame by its header and the frames before it.
    fn admit(&self, frame: &Incoming, limits: &Limits) -> Result<(), Violation> {
        let OpCode::Data(data) = frame.opcode else {
            return Ok(());
        };
        // RFC 6455 section 5.4: a message's first frame says what it is, its others continue it, and no other
        // comes between.
        match (data, self.message()) {
            (Data::Continue, None) => return Err(Violation::NOTHING_TO_CONTINUE),
            (Data::Text | Data::Binary, Some(_)) => return Err(Violation::MESSAGE_UNFINISHED),
            _ => {}
        }
        let held = self.message().map_or(0, Message::len);
        if frame.len > limits.message.saturating_sub(held) {
            return Err(Violation::TOO_BIG);
        }
        Ok(())
    }

    fn message(&self) -> Option<&Message> {
        self.partial.as_deref().and_then(Partial::message)
    }
}

/// The event of a message that came in pieces.
fn message(message: &Message) -> Option<Event<'_>> {
    match message.body() {
        Body::Text(text) => text.finished().map(Event::Text),
        Body::Binary(bytes) => Some(Event::Binary(bytes)),
    }
}

/// The event of a whole frame.
fn event(opcode: OpCode, payload: &[u8]) -> Result<Event<'_>, Violation> {
    match opcode {
        OpCode::Data(Data::Text) => utf8(payload).map(Event::Text),
        OpCode::Data(_) => Ok(Event::Binary(payload)),
        OpCode::Control(Control::Ping) => Ok(Event::Ping(payload)),
        OpCode::Control(Control::Pong) => Ok(Event::Pong(payload)),
        OpCode::Control(_) => close(payload).map(Event::Close),
    }
}

/// A close frame's code and reason (RFC 6455 section 5.5.1): both, the code alone, or nothing.
fn close(payload: &[u8]) -> Result<Option<(u16, &str)>, Violation> {
    if payload.is_empty() {
        return Ok(None);
    }
    let Some((&code, reason)) = payload.split_first_chunk() else {
        return Err(Violation::BAD_CLOSE);
    };
    let code = u16::from_be_bytes(code);
    if !may_be_sent(code) {
        return Err(Violation::BAD_CLOSE_CODE);
    }
    Ok(Some((code, utf8(reason)?)))
}

/// Whether a close frame may carry `code`: what RFC 6455 section 7.4.1 and the registry of section 11.7
/// define, less the codes that are never on the wire (1004, 1005, 1006, 1015), and the ranges of section
/// 7.4.2 for libraries and applications.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

fn utf8(bytes: &[u8]) -> Result<&str, Violation> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| Violation::NOT_UTF8)
}
