//! One connection of a script, read piece by piece in its current protocol.

use crate::harness::wire::{Wire, closing, frame_header, masked};

/// The payload of a barrier's ping: its pong says that everything before it has been read.
const BARRIER: &[u8] = b"golden";

const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// How the bytes of a connection are cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Http,
    WebSocket,
    Stream,
}

/// A piece of the server's output.
pub(crate) enum Piece {
    /// An HTTP response. One of text is shown line by line however long it is.
    Response { bytes: Vec<u8>, is_text: bool },
    /// A frame's header and payload.
    Frame { header: Vec<u8>, payload: Vec<u8> },
    /// An event of a stream with its empty line.
    Event(Vec<u8>),
    /// The end of the connection, and what came before it that is none of the above.
    End(Vec<u8>),
}

impl Piece {
    /// Whether it only shows that the server is there.
    pub(crate) fn is_beat(&self) -> bool {
        match self {
            Self::Frame { header, payload } => header[0] == PING && payload.is_empty(),
            Self::Event(bytes) => bytes.starts_with(b":"),
            Self::Response { .. } | Self::End(_) => false,
        }
    }
}

/// One connection.
pub(crate) struct Peer {
    pub(crate) wire: Wire,
    pub(crate) form: Form,
    /// What is sent with the next bytes.
    pub(crate) unsent: Vec<u8>,
    /// It does not read at the moment.
    pub(crate) is_deaf: bool,
    /// The server has said that this was the last.
    pub(crate) is_closing: bool,
    /// The next response has no body.
    pub(crate) asks_for_head: bool,
}

impl Peer {
    pub(crate) fn new(wire: Wire) -> Self {
        Self {
            wire,
            form: Form::Http,
            unsent: Vec::new(),
            is_deaf: false,
            is_closing: false,
            asks_for_head: false,
        }
    }

    /// Asks for a pong after everything that the server has for this connection.
    pub(crate) fn barrier(&mut self) {
        self.wire.offer(masked(PING, BARRIER));
    }

    /// The next piece; `None` if it answers [`barrier`](Self::barrier). A heartbeat is answered and not shown, unless the
    /// script is about heartbeats: their number depends on the machine.
    pub(crate) fn piece(&mut self, with_beats: bool) -> Option<Piece> {
        loop {
            let piece = self.any_piece();
            if with_beats || !piece.as_ref().is_some_and(Piece::is_beat) {
                return piece;
            }
            if self.form == Form::WebSocket {
                self.wire.offer(masked(PONG, b""));
            }
        }
    }

    fn any_piece(&mut self) -> Option<Piece> {
        if self.is_closing {
            return Some(Piece::End(self.wire.rest()));
        }
        let piece = match self.form {
            Form::Http => self.response(),
            Form::WebSocket => self.frame(),
            Form::Stream => self.wire.bytes(|come| ends(come, b"\n\n")).map(Piece::Event),
        };
        match piece.unwrap_or_else(|| Piece::End(self.wire.rest())) {
            Piece::Frame { header, payload } if header[0] == PONG && payload == BARRIER => None,
            piece => Some(piece),
        }
    }

    fn response(&mut self) -> Option<Piece> {
        let mut bytes = self.wire.bytes(|come| ends(come, b"\r\n\r\n"))?;
        let head = String::from_utf8_lossy(&bytes).to_lowercase();
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let (media, length) = (field("content-type").unwrap_or_default(), field("content-length"));
        let status = head.get(9..12).unwrap_or_default();
        self.is_closing = field("connection").is_some_and(|value| value.contains("close"));
        let has_body = !std::mem::take(&mut self.asks_for_head);
        if status == "101" {
            self.form = Form::WebSocket;
        } else if media == "text/event-stream" && has_body {
            (self.form, self.is_closing) = (Form::Stream, false);
        } else if let Some(length) = length.and_then(|length| length.parse().ok()).filter(|_| has_body) {
            bytes.extend(self.wire.bytes(|come| (come.len() >= length).then_some(length))?);
        }
        Some(Piece::Response { is_text: media.starts_with("text/plain"), bytes })
    }

    fn frame(&mut self) -> Option<Piece> {
        let size = |come: &[u8]| frame_header(come);
        let whole = |come: &[u8]| size(come).filter(|(header, len)| come.len() >= header + len);
        let frame = self.wire.bytes(|come| whole(come).map(|(header, len)| header + len))?;
        let (header, _) = size(&frame)?;
        let (header, payload) = frame.split_at(header);
        if header[0] == CLOSE {
            // Whoever has a close frame answers it, and then the server ends the connection.
            let code = payload.split_first_chunk().map_or(1000, |(code, _)| u16::from_be_bytes(*code));
            self.wire.offer(masked(CLOSE, &closing(code, "")));
            self.is_closing = true;
        }
        Some(Piece::Frame { header: header.into(), payload: payload.into() })
    }
}

fn ends(come: &[u8], end: &[u8]) -> Option<usize> {
    come.windows(end.len()).position(|window| window == end).map(|at| at + end.len())
}
