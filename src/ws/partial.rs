//! What a connection keeps of incomplete frames and messages.

use super::frame::{CONTROL_MAX, Data, OpCode};
use super::incoming::Incoming;
use super::text::Text;
use super::violation::Violation;

/// Empty fragments that a message may have before its last. They carry nothing and count for no limit on bytes, so
/// without a bound a message of them could go on for ever.
const EMPTY_FRAGMENTS_MAX: u16 = 1_000;

/// What has come of an unfinished frame, an unfinished message, or both.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// The beginning of a frame's header.
    header: Stub<{ Incoming::HEADER_MAX }>,
    /// The frame whose payload is coming in.
    frame: Option<Incoming>,
    /// The payload of a control frame.
    control: Stub<CONTROL_MAX>,
    /// The payloads of a message's frames.
    message: Option<Message>,
}

/// What a frame's payload completed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing: the frame is not complete.
    Frame,
    /// A fragment: the message is not complete.
    Fragment,
    /// A control frame. [`Partial::control`] has its payload.
    Control(OpCode),
    /// A message. [`Partial::message`] has it.
    Message,
}

impl Partial {
    /// Reads a frame's header from what was kept and the front of `input`, and returns how much of `input` it took.
    ///
    /// `None` if the header is not complete; all of `input` is then kept.
    pub(super) fn header(&mut self, input: &[u8]) -> Result<Option<(Incoming, usize)>, Violation> {
        let kept = self.header.len();
        self.header.extend(input);
        let parsed = Incoming::parse(self.header.bytes())?;
        if parsed.is_some() {
            self.header.clear();
        }
        Ok(parsed.map(|(frame, size)| (frame, size - kept)))
    }

    /// The frame whose payload is coming in.
    pub(super) fn take_frame(&mut self) -> Option<Incoming> {
        self.frame.take()
    }

    /// Keeps `payload`, the bytes of `frame` that have just come.
    pub(super) fn keep(&mut self, frame: Incoming, payload: &[u8]) -> Result<Progress, Violation> {
        match frame.opcode {
            OpCode::Control(_) => self.control.extend(payload),
            OpCode::Data(data) => self.message.get_or_insert_with(|| Message::new(data)).push(payload)?,
        }
        if frame.left() > 0 {
            self.frame = Some(frame);
            return Ok(Progress::Frame);
        }
        match (frame.opcode, &mut self.message) {
            (OpCode::Data(_), Some(message)) => message.end_frame(&frame),
            (opcode, _) => Ok(Progress::Control(opcode)),
        }
    }

    /// The payload of the last control frame.
    pub(super) fn control(&self) -> &[u8] {
        self.control.bytes()
    }

    /// The message that is coming in, or has just come.
    pub(super) fn message(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// Drops what was complete, and returns whether nothing is left.
    pub(super) fn release(&mut self) -> bool {
        self.message.take_if(|message| message.complete);
        if self.frame.is_none() {
            self.control.clear();
        }
        self.frame.is_none() && self.message.is_none() && self.header.len() == 0
    }
}

/// The part of a message that has come.
#[derive(Debug)]
pub(super) struct Message {
    body: Body,
    empty_fragments: u16,
    complete: bool,
}

/// A message's payload. It grows with the bytes that have come, never by a declared length.
#[derive(Debug)]
pub(super) enum Body {
    Text(Text),
    Binary(Vec<u8>),
}

impl Message {
    fn new(data: Data) -> Self {
        let body = match data {
            Data::Text => Body::Text(Text::default()),
            _ => Body::Binary(Vec::new()),
        };
        Self { body, empty_fragments: 0, complete: false }
    }

    fn push(&mut self, payload: &[u8]) -> Result<(), Violation> {
        match &mut self.body {
            Body::Text(text) => text.push(payload),
            Body::Binary(bytes) => {
                bytes.extend_from_slice(payload);
                Ok(())
            }
        }
    }

    /// Notes that all of `frame` has come.
    fn end_frame(&mut self, frame: &Incoming) -> Result<Progress, Violation> {
        if frame.fin {
            self.complete = true;
            return self.check_end().map(|()| Progress::Message);
        }
        if frame.len == 0 {
            self.empty_fragments += 1;
        }
        if self.empty_fragments > EMPTY_FRAGMENTS_MAX {
            return Err(Violation::EMPTY_FRAGMENTS);
        }
        Ok(Progress::Fragment)
    }

    /// RFC 6455 section 5.6: the whole message is UTF-8, so its last character must be complete.
    fn check_end(&self) -> Result<(), Violation> {
        match &self.body {
            Body::Text(text) if text.finished().is_none() => Err(Violation::NOT_UTF8),
            Body::Text(_) | Body::Binary(_) => Ok(()),
        }
    }

    pub(super) fn body(&self) -> &Body {
        &self.body
    }

    /// Bytes that have come.
    pub(super) fn len(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.len(),
            Body::Binary(bytes) => bytes.len(),
        }
    }

    /// Bytes of memory that it takes.
    pub(super) fn capacity(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.capacity(),
            Body::Binary(bytes) => bytes.capacity(),
        }
    }
}

/// At most `N` bytes, in place; `N` is below 256.
#[derive(Debug)]
struct Stub<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

impl<const N: usize> Stub<N> {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Appends as much of `more` as fits.
    fn extend(&mut self, more: &[u8]) {
        let len = self.len();
        let taken = more.len().min(N - len);
        self.bytes[len..len + taken].copy_from_slice(&more[..taken]);
        self.len = (len + taken) as u8;
    }

    fn clear(&mut self) {
        self.len = 0;
    }
}

impl<const N: usize> Default for Stub<N> {
    fn default() -> Self {
        Self { bytes: [0; N], len: 0 }
    }
}
