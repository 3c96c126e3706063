//! A frame that a client sends: its header, checked byte by byte, and how much of its payload has come.

use super::frame::{CONTROL_MAX, Control, Data, OpCode, unmask};
use super::violation::Violation;

/// FIN, the top bit of a frame's first byte.
const FIN: u8 = 0x80;
/// RSV1 to RSV3, for extensions. None is negotiated (RFC 6455 section 5.2).
const RESERVED_BITS: u8 = 0x70;
/// The top bit of a frame's second byte.
const MASKED: u8 = 0x80;
/// The lengths that mean "in the next two bytes" and "in the next eight bytes" (RFC 6455 section 5.2).
const IN_TWO_BYTES: u8 = 126;
const IN_EIGHT_BYTES: u8 = 127;

/// A frame that is coming in.
#[derive(Debug)]
pub(super) struct Incoming {
    /// Whether it is the last of its message.
    pub(super) fin: bool,
    /// Its opcode, never a reserved one.
    pub(super) opcode: OpCode,
    /// Bytes of its payload, as declared. A length that does not fit a `usize` is over any limit, and is its maximum.
    pub(super) len: usize,
    key: [u8; 4],
    taken: usize,
}

impl Incoming {
    /// The longest header of a masked frame, in bytes.
    pub(super) const HEADER_MAX: usize = 14;

    /// The frame whose header is at the front of `bytes`, and the header's size; `None` if more bytes are needed.
    ///
    /// Each byte is checked as soon as it is there, in the order of the wire, so that a peer gets the same answer however
    /// its bytes were cut.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let Some((&first, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let opcode = opcode(first)?;
        let Some((&second, rest)) = rest.split_first() else {
            return Ok(None);
        };
        // RFC 6455 section 5.1: a server MUST close the connection upon a frame that is not masked.
        if second & MASKED == 0 {
            return Err(Violation::UNMASKED);
        }
        let short = second & !MASKED;
        // RFC 6455 section 5.5: all control frames MUST have a payload length of 125 bytes or less.
        if matches!(opcode, OpCode::Control(_)) && usize::from(short) > CONTROL_MAX {
            return Err(Violation::CONTROL_TOO_LONG);
        }
        let Some((len, rest)) = length(short, rest)? else {
            return Ok(None);
        };
        let Some((&key, rest)) = rest.split_first_chunk() else {
            return Ok(None);
        };
        let frame = Self {
            fin: first & FIN != 0,
            opcode,
            len: usize::try_from(len).unwrap_or(usize::MAX),
            key,
            taken: 0,
        };
        Ok(Some((frame, bytes.len() - rest.len())))
    }

    /// Whether it is a message, or a control frame, without any other frame.
    pub(super) fn stands_alone(&self) -> bool {
        self.fin && self.opcode != OpCode::Data(Data::Continue)
    }

    /// Bytes of the payload that are still to come.
    pub(super) fn left(&self) -> usize {
        self.len - self.taken
    }

    /// Takes the payload's next bytes from the front of `input`, as far as they are there, and unmasks them.
    pub(super) fn take<'a>(&mut self, input: &'a mut [u8]) -> &'a [u8] {
        let here = self.left().min(input.len());
        let payload = &mut input[..here];
        unmask(payload, self.key, self.taken);
        self.taken += here;
        payload
    }
}

/// The opcode in a frame's first byte.
fn opcode(first: u8) -> Result<OpCode, Violation> {
    if first & RESERVED_BITS != 0 {
        return Err(Violation::RESERVED_BIT);
    }
    let opcode = OpCode::from(first & 0x0f);
    match opcode {
        OpCode::Data(Data::Reserved(_)) | OpCode::Control(Control::Reserved(_)) => {
            Err(Violation::RESERVED_OPCODE)
        }
        // RFC 6455 section 5.5: control frames MUST NOT be fragmented.
        OpCode::Control(_) if first & FIN == 0 => Err(Violation::CONTROL_FRAGMENTED),
        OpCode::Data(_) | OpCode::Control(_) => Ok(opcode),
    }
}

/// The payload's length, which is `short` or in the bytes that follow it, and what comes after; `None` if more bytes are
/// needed.
///
/// RFC 6455 section 5.2: the fewest bytes that hold it, and the top bit of eight is 0.
fn length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Violation> {
    let (len, rest, least) = match short {
        IN_TWO_BYTES => match rest.split_first_chunk() {
            Some((&bytes, rest)) => (u64::from(u16::from_be_bytes(bytes)), rest, 126),
            None => return Ok(None),
        },
        IN_EIGHT_BYTES => match rest.split_first_chunk() {
            Some((&bytes, rest)) => (u64::from_be_bytes(bytes), rest, 0x1_0000),
            None => return Ok(None),
        },
        _ => (u64::from(short), rest, 0),
    };
    if len > i64::MAX as u64 {
        return Err(Violation::LENGTH_TOP_BIT);
    }
    if len < least {
        return Err(Violation::LENGTH_NOT_MINIMAL);
    }
    Ok(Some((len, rest)))
}
