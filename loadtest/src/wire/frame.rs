//! WebSocket frames as a client writes and reads them (RFC 6455 section 5).

use std::io::Cursor;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::{Heard, WireError};

/// More than any scenario asks for: a larger length means a broken server, not a big message.
const MESSAGE_LIMIT: u64 = 64 * 1024 * 1024;

/// Appends one whole masked frame to `out`. Clients mask everything (section 5.3).
pub(crate) fn encode(opcode: OpCode, payload: &[u8], mask: [u8; 4], out: &mut Vec<u8>) {
    let header = FrameHeader { is_final: true, opcode, mask: Some(mask), ..FrameHeader::default() };
    header.format(payload.len() as u64, out).expect("a write to a vector does not fail");
    let start = out.len();
    out.extend_from_slice(payload);
    // Four bytes at a time, the mask as one number (section 5.3): the compiler turns this into vector code.
    let word = u32::from_ne_bytes(mask);
    let mut chunks = out[start..].chunks_exact_mut(4);
    for chunk in &mut chunks {
        let masked = u32::from_ne_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]) ^ word;
        chunk.copy_from_slice(&masked.to_ne_bytes());
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(mask) {
        *byte ^= key;
    }
}

/// Reads the frames of one connection and joins fragments to messages.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The kind of the unfinished message, and the part of it that has come.
    partial: Option<(Data, Vec<u8>)>,
    /// The last complete message that came in fragments.
    whole: Vec<u8>,
}

impl Frames {
    /// The first item in `input`, and how many bytes it took. `None` while the frame is not complete.
    pub(crate) fn step<'a>(
        &'a mut self,
        input: &'a [u8],
    ) -> Result<Option<(usize, Option<Heard<'a>>)>, WireError> {
        let mut cursor = Cursor::new(input);
        let parsed = FrameHeader::parse(&mut cursor).map_err(|_| WireError::Frame("reserved opcode"))?;
        let Some((header, length)) = parsed else {
            return Ok(None);
        };
        if length > MESSAGE_LIMIT {
            return Err(WireError::TooBig(length));
        }
        check(&header, length)?;
        let start = cursor.position() as usize;
        let end = start + length as usize;
        let Some(payload) = input.get(start..end) else {
            return Ok(None);
        };
        let heard = match header.opcode {
            OpCode::Data(data) => self.data(data, header.is_final, payload)?,
            OpCode::Control(Control::Ping) => Some(Heard::Ping(payload)),
            OpCode::Control(Control::Close) => Some(close(payload)?),
            OpCode::Control(_) => None,
        };
        Ok(Some((end, heard)))
    }

    fn data<'a>(
        &'a mut self,
        data: Data,
        is_final: bool,
        payload: &'a [u8],
    ) -> Result<Option<Heard<'a>>, WireError> {
        match (data, self.partial.take(), is_final) {
            (Data::Continue, None, _) => Err(WireError::Frame("a continuation of nothing")),
            (Data::Continue, Some((kind, mut bytes)), is_final) => {
                bytes.extend_from_slice(payload);
                if !is_final {
                    self.partial = Some((kind, bytes));
                    return Ok(None);
                }
                self.whole = bytes;
                Ok(Some(message(kind, &self.whole)))
            }
            (_, Some(_), _) => Err(WireError::Frame("a message inside another")),
            (kind, None, true) => Ok(Some(message(kind, payload))),
            (kind, None, false) => {
                self.partial = Some((kind, payload.to_vec()));
                Ok(None)
            }
        }
    }
}

fn message(kind: Data, payload: &[u8]) -> Heard<'_> {
    Heard::Message { text: kind == Data::Text, payload }
}

fn check(header: &FrameHeader, length: u64) -> Result<(), WireError> {
    if header.mask.is_some() {
        return Err(WireError::Frame("a server does not mask"));
    }
    if header.rsv1 || header.rsv2 || header.rsv3 {
        return Err(WireError::Frame("a reserved bit is set"));
    }
    if matches!(header.opcode, OpCode::Control(_)) && (length > 125 || !header.is_final) {
        return Err(WireError::Frame("a control frame is long or in fragments"));
    }
    Ok(())
}

fn close(payload: &[u8]) -> Result<Heard<'_>, WireError> {
    match payload.split_first_chunk::<2>() {
        None if payload.is_empty() => Ok(Heard::Close { code: 1005, reason: "" }),
        None => Err(WireError::Frame("a close of one byte")),
        Some((code, reason)) => Ok(Heard::Close {
            code: u16::from_be_bytes(*code),
            reason: std::str::from_utf8(reason).map_err(|_| WireError::Utf8)?,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<String>, WireError> {
        let mut frames = Frames::default();
        let (mut at, mut heard) = (0, Vec::new());
        while let Some((used, said)) = frames.step(&bytes[at..])? {
            at += used;
            heard.extend(said.map(|said| format!("{said:?}")));
        }
        Ok(heard)
    }

    #[test]
    fn the_masked_hello_of_rfc_6455_section_5_7() {
        let mut out = Vec::new();
        encode(OpCode::Data(Data::Text), b"Hello", [0x37, 0xfa, 0x21, 0x3d], &mut out);
        assert_eq!(out, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn fragments_with_a_ping_between_are_one_message() {
        let bytes = b"\x01\x03Hel\x89\x01p\x80\x02lo\x82\x01\xff\x88\x02\x03\xe8";
        let heard = all(bytes).expect("good frames");
        let hello = Heard::Message { text: true, payload: b"Hello" };
        let last = Heard::Message { text: false, payload: b"\xff" };
        let close = Heard::Close { code: 1000, reason: "" };
        assert_eq!(heard, [Heard::Ping(b"p"), hello, last, close].map(|said| format!("{said:?}")));
    }

    #[test]
    fn a_frame_cut_anywhere_is_not_heard_before_its_end() {
        let mut frame = vec![0x82, 126, 0, 200];
        frame.extend([9; 200]);
        for end in 0..frame.len() {
            assert_eq!(Frames::default().step(&frame[..end]), Ok(None), "cut at {end}");
        }
        assert_eq!(
            Frames::default().step(&frame),
            Ok(Some((204, Some(Heard::Message { text: false, payload: &[9; 200] }))))
        );
    }

    #[test]
    fn what_no_server_may_send() {
        let wrong: [(&[u8], &str); 7] = [
            (b"\x81\x81\0\0\0\0a", "a server does not mask"),
            (b"\xc1\x01a", "a reserved bit is set"),
            (b"\x80\x01a", "a continuation of nothing"),
            (b"\x01\x01a\x81\x01b", "a message inside another"),
            (b"\x89\x7e\0\x7e", "a control frame is long or in fragments"),
            (b"\x09\x00", "a control frame is long or in fragments"),
            (b"\x88\x01a", "a close of one byte"),
        ];
        for (bytes, why) in wrong {
            assert_eq!(all(bytes), Err(WireError::Frame(why)));
        }
    }

    #[test]
    fn a_length_over_the_limit_allocates_nothing() {
        let bytes = [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(all(&bytes), Err(WireError::TooBig(1 << 63)));
    }
}
