//! The frames that a server sends: unmasked, whole, with the shortest length that fits (RFC 6455 sections 5.1
//! and 5.2).

use std::ops::Deref;

use tungstenite::protocol::frame::FrameHeader;

pub use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

pub use super::mask::unmask;

/// The longest payload of a control frame, in bytes (RFC 6455 section 5.5).
pub(super) const CONTROL_MAX: usize = 125;

/// The longest header of an unmasked frame, in bytes.
const HEADER_MAX: usize = 10;

/// Space that is made for a frame of unknown length. Most replies fit, so writing them does not grow the buffer again and
/// again.
const REPLY: usize = 128;

/// The header of one whole unmasked frame: 2, 4 or 10 bytes, read by dereferencing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    bytes: [u8; HEADER_MAX],
    len: u8,
}

impl Deref for Header {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// The header of a whole frame with a payload of `len` bytes. A control frame's `len` is at most 125.
pub fn header(op: OpCode, len: usize) -> Header {
    debug_assert!(matches!(op, OpCode::Data(_)) || len <= CONTROL_MAX, "{op} of {len} bytes");
    let mut bytes = [0; HEADER_MAX];
    let mut rest = &mut bytes[..];
    let header = FrameHeader { opcode: op, ..FrameHeader::default() };
    header.format(len as u64, &mut rest).expect("there is space for the longest header");
    let len = (HEADER_MAX - rest.len()) as u8;
    Header { bytes, len }
}

/// Appends one whole frame to `out`.
pub fn encode(op: OpCode, payload: &[u8], out: &mut Vec<u8>) {
    let header = header(op, payload.len());
    out.reserve(header.len() + payload.len());
    out.extend_from_slice(&header);
    out.extend_from_slice(payload);
}

/// Appends one whole frame whose payload `write` appends, and returns what `write` returns.
///
/// The payload is written after space for the longest header. A payload above 64 KiB stays there; a shorter one moves 6
/// or 8 bytes towards the front.
///
/// # Panics
///
/// If `write` makes `out` shorter: it may only append.
pub fn encode_with<R>(op: OpCode, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    let start = out.len();
    out.reserve(REPLY);
    out.extend_from_slice(&[0; HEADER_MAX]);
    let payload = out.len();
    let result = write(out);
    let end = out.len();
    assert!(payload <= end, "a frame's payload is only appended to");
    let header = header(op, end - payload);
    if header.len() < HEADER_MAX {
        out.copy_within(payload..end, start + header.len());
        out.truncate(end - (HEADER_MAX - header.len()));
    }
    out[start..start + header.len()].copy_from_slice(&header);
    result
}

/// Appends a close frame; `reason` is cut between characters to the 123 bytes that fit (RFC 6455 section
/// 5.5.1).
///
/// Code 1005 means "no code" and must not be sent (RFC 6455 section 7.4.1), so it gives an empty close frame.
pub fn close(code: u16, reason: &str, out: &mut Vec<u8>) {
    let op = OpCode::Control(Control::Close);
    if CloseCode::from(code) == CloseCode::Status {
        return encode(op, &[], out);
    }
    let reason = cut(reason, CONTROL_MAX - 2);
    out.extend_from_slice(&header(op, 2 + reason.len()));
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(reason.as_bytes());
}

/// The longest prefix of `text` that has at most `max` bytes and splits no character.
fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: OpCode = OpCode::Data(Data::Text);
    const BINARY: OpCode = OpCode::Data(Data::Binary);
    const PING: OpCode = OpCode::Control(Control::Ping);
    const PONG: OpCode = OpCode::Control(Control::Pong);

    /// RFC 6455 section 5.2: "the minimal number of bytes MUST be used to encode the length".
    #[test]
    fn headers_use_the_shortest_length() {
        assert_eq!(*header(TEXT, 0), [0x81, 0]);
        assert_eq!(*header(PING, 125), [0x89, 125]);
        assert_eq!(*header(BINARY, 126), [0x82, 126, 0, 126]);
        assert_eq!(*header(TEXT, 0xffff), [0x81, 126, 0xff, 0xff]);
        assert_eq!(*header(BINARY, 0x1_0000), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    /// RFC 6455 section 5.7.
    #[test]
    fn encodes_the_examples_of_the_rfc() {
        let mut out = b"before".to_vec();
        encode(TEXT, b"Hello", &mut out);
        encode(PONG, b"Hello", &mut out);
        assert_eq!(out, b"before\x81\x05Hello\x8a\x05Hello");
    }

    #[test]
    fn a_written_payload_gives_the_same_frame_at_every_header_size() {
        for len in [0, 1, 125, 126, 0xffff, 0x1_0000, 0x1_0001] {
            let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let mut expected = b"before".to_vec();
            encode(BINARY, &payload, &mut expected);
            let mut out = b"before".to_vec();
            let told = encode_with(BINARY, &mut out, |out| {
                out.extend_from_slice(&payload);
                payload.len()
            });
            assert_eq!(told, len);
            assert!(out == expected, "{len} bytes");
        }
    }

    #[test]
    fn a_close_has_its_code_and_reason() {
        let mut out = Vec::new();
        close(1001, "bye", &mut out);
        assert_eq!(out, b"\x88\x05\x03\xe9bye");
    }

    /// RFC 6455 section 7.4.1: 1005 is never on the wire.
    #[test]
    fn a_close_without_a_code_is_empty() {
        let mut out = Vec::new();
        close(1005, "unseen", &mut out);
        assert_eq!(out, b"\x88\x00");
    }

    /// RFC 6455 section 5.5: a control frame has at most 125 bytes; section 5.5.1: the reason is UTF-8.
    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let mut out = Vec::new();
        close(1000, &"é".repeat(100), &mut out);
        assert_eq!(out[..4], [0x88, 124, 0x03, 0xe8]);
        assert_eq!(&out[4..], "é".repeat(61).as_bytes());
        out.clear();
        close(1000, &"x".repeat(123), &mut out);
        assert_eq!(out.len(), 2 + 125);
    }
}
