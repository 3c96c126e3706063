//! The chunked transfer coding (RFC 9112 section 7.1).

use crate::http::body::Content;
use crate::http::refusal::Refusal;
use crate::http::request::Limits;
use crate::http::syntax::{is_text, is_token};

/// Digits that a chunk's size may have, leading zeros included: with 16 it fits 64 bits.
const MAX_DIGITS: u8 = 16;

/// Bytes around the chunks' content that one call takes: about 20 µs. With chunks above 256 bytes, a whole read has no
/// more.
const FRAMING: usize = 2_048;

/// A chunked body on its way in. Extensions and trailers are checked, counted and dropped.
#[derive(Debug, Default)]
pub(crate) struct Chunked {
    place: Place,
    content: Content,
    /// Bytes of extensions and trailers so far. Without a limit on their sum, a body of one-byte chunks with long
    /// extensions could be far larger than `Limits::body`.
    overhead: usize,
}

/// The place of the next byte in the coding.
#[derive(Clone, Copy, Debug)]
enum Place {
    Size {
        digits: u8,
        size: u64,
    },
    /// Whitespace after the size. Only an extension may follow.
    Gap {
        size: u64,
    },
    Extension {
        size: u64,
    },
    SizeLf {
        size: u64,
    },
    Data {
        left: usize,
    },
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    LastLf,
    End,
}

impl Default for Place {
    fn default() -> Self {
        Self::Size { digits: 0, size: 0 }
    }
}

impl Chunked {
    /// Takes bytes from the front of `input`. Returns how many, and whether the body ended with them. If there are many
    /// small chunks, it leaves some for the next call.
    pub(crate) fn read(&mut self, input: &[u8], limits: &Limits) -> Result<(usize, bool), Refusal> {
        let (mut used, mut around) = (0, 0);
        while let Some(&byte) = input.get(used).filter(|_| around < FRAMING) {
            used += match self.place {
                Place::Data { left } => self.take_data(&input[used..], left),
                _ => {
                    around += 1;
                    self.take_byte(byte, limits)?
                }
            };
            if matches!(self.place, Place::End) {
                return Ok((used, true));
            }
        }
        Ok((used, false))
    }

    /// The content of the chunks.
    pub(crate) fn into_content(self) -> Vec<u8> {
        self.content.into_bytes()
    }

    /// The content of the chunks is not needed.
    pub(crate) fn skip(&mut self) {
        self.content.skip();
    }

    /// Bytes of memory that it has taken.
    pub(crate) fn held(&self) -> usize {
        self.content.held()
    }

    fn take_data(&mut self, input: &[u8], left: usize) -> usize {
        let data = &input[..left.min(input.len())];
        self.content.add(data);
        self.place = match left - data.len() {
            0 => Place::DataCr,
            left => Place::Data { left },
        };
        data.len()
    }

    fn take_byte(&mut self, byte: u8, limits: &Limits) -> Result<usize, Refusal> {
        self.place = match (self.place, byte) {
            (Place::SizeLf { size: 0 }, b'\n') => Place::TrailerStart,
            (Place::SizeLf { size }, b'\n') => Place::Data { left: self.admit(size, limits)? },
            (place, byte) => {
                place.next(byte).ok_or_else(|| Refusal::bad_request("the chunked body is malformed"))?
            }
        };
        if self.place.is_overhead() {
            self.overhead += 1;
            if self.overhead > limits.header {
                return Err(Refusal::header_too_large("chunk extensions and trailer fields are too long"));
            }
        }
        Ok(1)
    }

    /// Accepts a chunk of `size` bytes if the body stays within its limit. Nothing is allocated for it yet.
    fn admit(&self, size: u64, limits: &Limits) -> Result<usize, Refusal> {
        let room = limits.body.saturating_sub(self.content.len());
        usize::try_from(size)
            .ok()
            .filter(|&size| size <= room)
            .ok_or_else(|| Refusal::content_too_large(limits.body))
    }
}

impl Place {
    /// The place after `byte`, or `None` if it may not be here. Lines end in CRLF and nothing else: with a lone CR or LF
    /// in an extension, attackers made proxies see another request than the server behind them.
    fn next(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Size { digits, size }, _) if byte.is_ascii_hexdigit() && digits < MAX_DIGITS => {
                let digit = char::from(byte).to_digit(16)?;
                Self::Size { digits: digits + 1, size: size << 4 | u64::from(digit) }
            }
            (Self::Size { digits: 1.., size }, b'\r') => Self::SizeLf { size },
            (Self::Size { digits: 1.., size } | Self::Gap { size }, b' ' | b'\t') => Self::Gap { size },
            (Self::Size { digits: 1.., size } | Self::Gap { size }, b';') => Self::Extension { size },
            (Self::Extension { size }, b'\r') => Self::SizeLf { size },
            (Self::Extension { size }, _) if is_text(byte) => Self::Extension { size },
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::default(),
            (Self::TrailerStart, b'\r') => Self::LastLf,
            (Self::TrailerStart | Self::TrailerName, _) if is_token(byte) => Self::TrailerName,
            (Self::TrailerName, b':') => Self::TrailerValue,
            (Self::TrailerValue, b'\r') => Self::TrailerLf,
            (Self::TrailerValue, _) if is_text(byte) => Self::TrailerValue,
            (Self::TrailerLf, b'\n') => Self::TrailerStart,
            (Self::LastLf, b'\n') => Self::End,
            _ => return None,
        })
    }

    fn is_overhead(self) -> bool {
        matches!(self, Self::Gap { .. } | Self::Extension { .. } | Self::TrailerName | Self::TrailerValue)
    }
}
