//! The contents of messages: the sender, the number, the time, and filling that shows every changed byte.
//!
//! The text is ASCII of a fixed length, which fits text frames, JSON strings and event streams:
//! `PPPPPPPP-SSSSSSSSSSSS-TTTTTTTTTTTTTTTT-` in hexadecimal, then filling that differs from message to message.

use crate::clock::Nanos;

/// The shortest payload: the stamp alone.
pub(crate) const STAMP: usize = 39;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";

/// The data in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) publisher: u32,
    /// Counted by its publisher from zero, without gaps.
    pub(crate) sequence: u64,
    /// When it was sent, or should have been sent in an open loop.
    pub(crate) sent: Nanos,
}

/// Makes and checks payloads of one size.
#[derive(Clone, Debug)]
pub(crate) struct Payloads {
    size: usize,
    /// The alphabet, repeated: the filling of any message is a slice of it.
    filling: Vec<u8>,
}

impl Payloads {
    /// Payloads of `size` bytes, at least [`STAMP`].
    pub(crate) fn new(size: usize) -> Payloads {
        let size = size.max(STAMP);
        let filling = ALPHABET.iter().copied().cycle().take(size + ALPHABET.len()).collect();
        Payloads { size, filling }
    }

    /// Replaces `out` with the payload of `stamp`.
    pub(crate) fn write(&self, stamp: Stamp, out: &mut Vec<u8>) {
        out.clear();
        hexadecimal(u64::from(stamp.publisher), 8, out);
        hexadecimal(stamp.sequence, 12, out);
        hexadecimal(stamp.sent, 16, out);
        out.extend_from_slice(self.filling(stamp));
    }

    /// The stamp of a payload.
    ///
    /// # Errors
    ///
    /// The payload is not, byte for byte, what was written.
    pub(crate) fn check(&self, payload: &[u8]) -> Result<Stamp, String> {
        self.read(payload).ok_or_else(|| {
            let start = String::from_utf8_lossy(&payload[..payload.len().min(80)]);
            format!("a payload of {} bytes is not what was sent: {start:?}", payload.len())
        })
    }

    /// The stamp of a payload, when every byte of it is as it was written.
    fn read(&self, payload: &[u8]) -> Option<Stamp> {
        let (publisher, rest) = number(payload, 8)?;
        let (sequence, rest) = number(rest, 12)?;
        let (sent, rest) = number(rest, 16)?;
        let stamp = Stamp { publisher: publisher as u32, sequence, sent };
        (rest == self.filling(stamp)).then_some(stamp)
    }

    fn filling(&self, stamp: Stamp) -> &[u8] {
        let start = (stamp.sequence + u64::from(stamp.publisher)) as usize % ALPHABET.len();
        &self.filling[start..start + self.size - STAMP]
    }
}

fn hexadecimal(value: u64, digits: u32, out: &mut Vec<u8>) {
    for place in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(value >> (4 * place)) as usize & 15]);
    }
    out.push(b'-');
}

fn number(input: &[u8], digits: usize) -> Option<(u64, &[u8])> {
    let (number, rest) = input.split_at_checked(digits)?;
    let rest = rest.strip_prefix(b"-")?;
    let mut value = 0;
    for byte in number {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        value = value << 4 | u64::from(digit);
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Stamp = Stamp { publisher: 3, sequence: 0xab, sent: 0x1234 };

    #[test]
    fn the_bytes() {
        let mut out = Vec::new();
        Payloads::new(45).write(ONE, &mut out);
        assert_eq!(out, b"00000003-0000000000ab-0000000000001234-uvwxyz");
        assert_eq!(Payloads::new(45).read(&out), Some(ONE));
    }

    #[test]
    fn every_changed_byte_shows() {
        let payloads = Payloads::new(128);
        let mut out = Vec::new();
        payloads.write(ONE, &mut out);
        assert_eq!((out.len(), payloads.read(&out)), (128, Some(ONE)));
        for at in 0..out.len() {
            let mut wrong = out.clone();
            wrong[at] = b'!';
            assert_eq!(payloads.read(&wrong), None, "byte {at}");
        }
        assert_eq!(payloads.read(&out[..127]), None);
        out.push(b'A');
        assert_eq!(payloads.read(&out), None);
    }

    #[test]
    fn another_message_has_another_filling() {
        let payloads = Payloads::new(128);
        let (mut one, mut two) = (Vec::new(), Vec::new());
        payloads.write(ONE, &mut one);
        payloads.write(Stamp { sequence: 0xac, ..ONE }, &mut two);
        two[..STAMP].copy_from_slice(&one[..STAMP]);
        assert_eq!(payloads.read(&two), None);
    }
}
