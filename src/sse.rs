//! Server-Sent Events (WHATWG HTML section 9.2): a name and a text, which some dialect made, as a block of lines.
//!
//! ```text
//!   event: note.new                        the name
//!   data: {"type":"message","room":"a",    one line, or as many as the text has
//!   data:  "data":1}
//!   id: 0000beef:7,0000cafe:12             where to go on in each of the stream's rooms, or none if nothing has moved
//!                                          the empty line: from here on the event counts
//! ```
//!
//! A client that is cut off forgets the event that it was reading, and with it the `id`, which stands last so that no
//! reader of lines can get ahead of itself either.

use std::fmt::{self, Display};
use std::io::Write;

use bytes::Bytes;

use crate::position::Position;

/// The media type of a stream.
pub const CONTENT_TYPE: &str = "text/event-stream";

/// What keeps a silent stream alive: a comment, which clients skip.
pub const COMMENT: &[u8] = b":\n\n";

/// Appends an event that does not change where the client goes on.
pub fn event(name: &str, text: &[u8], out: &mut Vec<u8>) {
    lines(name, text, out);
    out.push(b'\n');
}

/// Appends an event behind which the client goes on at `id`.
pub fn event_at(name: &str, text: &[u8], id: impl Display, out: &mut Vec<u8>) {
    lines(name, text, out);
    end_at(id, out);
}

/// Appends the end of an event of which only the lines before its `id` have been written.
pub fn end_at(id: impl Display, out: &mut Vec<u8>) {
    // Writing to a buffer cannot fail.
    drop(write!(out, "id: {id}\n\n"));
}

/// Appends how long the client is to wait before it connects again. It counts at once, and belongs to the event behind it
/// only in that no empty line comes between.
pub fn retry(ms: u64, out: &mut Vec<u8>) {
    drop(writeln!(out, "retry: {ms}"));
}

/// Appends the lines of an event up to its `id`. `name` has no line breaks.
///
/// A CR or LF in the text begins another `data` line: whatever stands behind it cannot become a field. The client joins the
/// lines with LF, so JSON, which can have them only as whitespace between its tokens, stays what it was.
fn lines(name: &str, text: &[u8], out: &mut Vec<u8>) {
    for part in [b"event: ", name.as_bytes(), b"\n"] {
        out.extend_from_slice(part);
    }
    let mut rest = text;
    loop {
        let end = memchr::memchr2(b'\r', b'\n', rest);
        for part in [b"data: ", &rest[..end.unwrap_or(rest.len())], b"\n"] {
            out.extend_from_slice(part);
        }
        let Some(end) = end else { return };
        rest = rest[end..].strip_prefix(b"\r\n").unwrap_or(&rest[end + 1..]);
    }
}

/// One message's event, made once for everybody on a shard.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Bytes,
    body: usize,
}

impl Block {
    /// The event of this name and text, in a room where it has this position; no bytes if there is no text.
    pub fn new(name: &str, text: &[u8], position: Option<Position>) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        let mut bytes = Vec::with_capacity(text.len() + 96);
        lines(name, text, &mut bytes);
        let body = bytes.len();
        match position {
            Some(position) => end_at(position, &mut bytes),
            None => bytes.push(b'\n'),
        }
        // What has no position ends the same way on every stream.
        let body = if position.is_some() { body } else { bytes.len() };
        Self { bytes: bytes.into(), body }
    }

    /// The whole event, for streams of this room alone.
    pub fn whole(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The event without its end if that has an `id`, for streams of several rooms.
    pub fn part(&self) -> Bytes {
        self.bytes.slice(..self.body)
    }
}

/// What a client says of a room's messages when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It has been told nothing of the room yet.
    Start,
    /// Something that this server cannot have told it for this room.
    Unknown,
    /// It has everything up to here.
    At(Position),
}

impl Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => Ok(()),
            Self::Unknown => f.write_str("-"),
            Self::At(position) => position.fmt(f),
        }
    }
}

impl From<&str> for Since {
    fn from(text: &str) -> Self {
        match text {
            "" => Self::Start,
            text => text.parse().map_or(Self::Unknown, Self::At),
        }
    }
}

/// Reads the `id` of a stream of so many rooms. That of another list of rooms says nothing of any of them.
pub fn read_id(id: Option<&str>, rooms: usize) -> Vec<Since> {
    let Some(id) = id.filter(|id| !id.is_empty()) else { return vec![Since::Start; rooms] };
    if id.split(',').take(rooms + 1).count() != rooms {
        return vec![Since::Unknown; rooms];
    }
    id.split(',').map(Since::from).collect()
}

/// The `id` of a stream that has come so far in its rooms.
pub struct Id<I>(pub I);

impl<I: Iterator<Item = Since> + Clone> Display for Id<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, since) in self.0.clone().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            since.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Position = Position { epoch: 0xbeef, offset: 7 };

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_has_its_name_its_text_and_where_to_go_on() {
        assert_eq!(written(|out| event("pong", b"{}", out)), "event: pong\ndata: {}\n\n");
        assert_eq!(
            written(|out| event_at("a.b", b"{}", AT, out)),
            "event: a.b\ndata: {}\nid: 0000beef:7\n\n"
        );
    }

    #[test]
    fn line_breaks_in_the_text_inject_nothing() {
        let text = b"[1,\n\nid: 9\r\nevent: x\r\r: y\n2]";
        assert_eq!(
            written(|out| event("message", text, out)),
            "event: message\ndata: [1,\ndata: \ndata: id: 9\ndata: event: x\ndata: \ndata: : y\ndata: 2]\n\n"
        );
    }

    #[test]
    fn a_part_is_the_event_without_its_id() {
        let block = Block::new("message", b"{}", Some(AT));
        assert_eq!(&block.part()[..], b"event: message\ndata: {}\n");
        assert_eq!(&block.whole()[block.part().len()..], b"id: 0000beef:7\n\n");
        let block = Block::new("message", b"{}", None);
        assert_eq!(block.part(), block.whole());
        assert!(block.whole().ends_with(b"}\n\n"));
        assert!(Block::new("message", b"", Some(AT)).whole().is_empty());
    }

    #[test]
    fn an_id_reads_back() {
        let sinces =
            [Since::At(AT), Since::Start, Since::Unknown, Since::At(Position { epoch: 1, offset: 0 })];
        let id = Id(sinces.iter().copied()).to_string();
        assert_eq!(id, "0000beef:7,,-,00000001:0");
        assert_eq!(read_id(Some(&id), 4), sinces);
    }

    #[test]
    fn an_id_of_another_list_says_nothing() {
        use Since::{At, Start, Unknown};
        assert_eq!(read_id(None, 2), [Start, Start]);
        assert_eq!(read_id(Some(""), 2), [Start, Start]);
        assert_eq!(read_id(Some("0000beef:7"), 2), [Unknown, Unknown]);
        assert_eq!(read_id(Some("0000beef:7,,"), 2), [Unknown, Unknown]);
        assert_eq!(read_id(Some("0000beef:7"), 1), [At(AT)]);
        assert_eq!(read_id(Some("0000beef:7,rubbish"), 2), [At(AT), Unknown]);
        assert_eq!(read_id(Some(&",".repeat(100_000)), 64), [Unknown; 64]);
    }
}
