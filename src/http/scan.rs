//! The search for the end of a request's head.

use std::mem;

use memchr::memchr2;

use crate::http::asker::Asker;
use crate::http::head::Head;
use crate::http::refusal::Refusal;
use crate::http::request::Limits;
use crate::http::syntax::is_token;

/// Empty lines that are allowed before a request line (RFC 9112 2.2): old clients send one after a body.
const MAX_EMPTY_LINES: u8 = 4;

/// The first byte of a TLS record with a handshake message (RFC 8446 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// A head on its way in. Every byte is searched once, however the head is cut. A search from the start with each piece
/// made tungstenite's handshake quadratic (CVE-2023-43669).
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The head so far, all of it searched; at most `Limits::header` bytes. Empty while nothing of a head has come, and
    /// always if the head comes in one piece.
    buffer: Vec<u8>,
    /// Complete lines, the request line included.
    lines: usize,
    /// Whether the current line has a byte.
    in_line: bool,
    /// Whether the last byte was a CR. Only LF may follow.
    after_cr: bool,
    /// Empty lines before the request line.
    empty_lines: u8,
}

impl Scan {
    /// Whether nothing of a request has come. Empty lines are not part of one.
    pub(crate) fn is_idle(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Bytes of memory that it has taken.
    pub(crate) fn held(&self) -> usize {
        self.buffer.capacity()
    }

    /// Takes bytes from the front of `input`. Returns how many, and the head once it is complete.
    pub(crate) fn read(&mut self, input: &[u8], limits: &Limits) -> Result<(usize, Option<Head>), Refusal> {
        let skipped = if self.is_idle() { self.skip_empty_lines(input)? } else { 0 };
        let rest = &input[skipped..];
        let room = limits.header.saturating_sub(self.buffer.len());
        let window = &rest[..rest.len().min(room)];
        match self.find_end(window, limits)? {
            Some(end) => Ok((skipped + end, Some(self.parse(&window[..end], limits)?))),
            None if window.len() == room => Err(self.too_long(limits).of(&self.with(window))),
            None => {
                self.buffer.extend_from_slice(window);
                Ok((input.len(), None))
            }
        }
    }

    /// Parses the buffer and `last` as one head. A head in one piece is parsed in place.
    fn parse(&mut self, last: &[u8], limits: &Limits) -> Result<Head, Refusal> {
        let fields = self.lines.saturating_sub(1);
        if self.buffer.is_empty() {
            return Head::parse(last, fields, limits).map_err(|refusal| refusal.of(last));
        }
        let mut head = mem::take(&mut self.buffer);
        head.extend_from_slice(last);
        Head::parse(&head, fields, limits).map_err(|refusal| refusal.of(&head))
    }

    /// The head so far, and `more` of it.
    fn with(&self, more: &[u8]) -> Vec<u8> {
        [&self.buffer, more].concat()
    }

    /// Who sent the request, as far as the head has come.
    pub(crate) fn asker(&self) -> Asker {
        Asker::of(&self.buffer)
    }

    /// Skips CRLFs and checks the first byte after them: bytes that are not HTTP at all are refused at once.
    fn skip_empty_lines(&mut self, input: &[u8]) -> Result<usize, Refusal> {
        for (at, &byte) in input.iter().enumerate() {
            match byte {
                b'\n' if self.after_cr && self.empty_lines < MAX_EMPTY_LINES => {
                    self.after_cr = false;
                    self.empty_lines += 1;
                }
                b'\n' if self.after_cr => {
                    return Err(Refusal::bad_request("too many empty lines before a request"));
                }
                _ if self.after_cr => return Err(bare_cr()),
                b'\r' => self.after_cr = true,
                b'\n' => return Err(bare_lf()),
                _ if is_token(byte) => return Ok(at),
                TLS_HANDSHAKE => return Err(Refusal::bad_request("this port speaks plain HTTP, not TLS")),
                _ => return Err(Refusal::bad_request("a request must begin with a method")),
            }
        }
        Ok(input.len())
    }

    /// Searches `bytes`, which follow the bytes searched before, for the end of an empty line.
    fn find_end(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Refusal> {
        let mut at = 0;
        while at < bytes.len() {
            match self.step(bytes, &mut at, limits) {
                Ok(true) => return Ok(Some(at)),
                Ok(false) => {}
                // The bytes after it may not have come yet.
                Err(refusal) => return Err(refusal.of(&self.with(&bytes[..at]))),
            }
        }
        Ok(None)
    }

    /// Goes from `at` to the next end of a line, or past one. Returns whether that was the end of the head.
    fn step(&mut self, bytes: &[u8], at: &mut usize, limits: &Limits) -> Result<bool, Refusal> {
        if self.after_cr {
            if bytes[*at] != b'\n' {
                return Err(bare_cr());
            }
            *at += 1;
            if !self.in_line {
                return Ok(true);
            }
            self.end_line(limits)?;
        } else if let Some(length) = memchr2(b'\r', b'\n', &bytes[*at..]) {
            *at += length;
            if bytes[*at] == b'\n' {
                return Err(bare_lf());
            }
            self.in_line |= length > 0;
            self.after_cr = true;
            *at += 1;
        } else {
            self.in_line = true;
            *at = bytes.len();
        }
        Ok(false)
    }

    fn end_line(&mut self, limits: &Limits) -> Result<(), Refusal> {
        self.after_cr = false;
        self.in_line = false;
        self.lines += 1;
        // The request line is not a field.
        if self.lines > limits.headers.saturating_add(1) {
            return Err(Refusal::header_too_large(format!(
                "there are more than {} header fields",
                limits.headers
            )));
        }
        Ok(())
    }

    fn too_long(&self, limits: &Limits) -> Refusal {
        let limit = limits.header;
        if self.lines == 0 {
            Refusal::uri_too_long(format!("the request line is over {limit} bytes"))
        } else {
            Refusal::header_too_large(format!("the request line and header fields are over {limit} bytes"))
        }
    }
}

/// RFC 9112 2.2: a CR without LF must be read as invalid, or as a space. Readers differ.
fn bare_cr() -> Refusal {
    Refusal::bad_request("a CR is not followed by LF")
}

/// RFC 9112 2.2 allows this as a line end, but not every reader does. Where readers differ, requests can be smuggled.
fn bare_lf() -> Refusal {
    Refusal::bad_request("a line ends in LF without CR")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { header: 64, headers: 2, body: 0 };
    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn a_head_in_one_piece_is_not_copied() {
        let mut scan = Scan::default();
        assert!(matches!(scan.read(HEAD, &LIMITS), Ok((27, Some(_)))));
        assert_eq!(scan.buffer.capacity(), 0);
    }

    #[test]
    fn a_head_in_pieces_is_buffered_and_then_let_go() {
        let mut scan = Scan::default();
        assert_eq!(scan.read(&HEAD[..20], &LIMITS), Ok((20, None)));
        assert_eq!(scan.buffer, HEAD[..20]);
        assert!(matches!(scan.read(&HEAD[20..], &LIMITS), Ok((7, Some(_)))));
        assert_eq!(scan.buffer.capacity(), 0);
    }

    #[test]
    fn no_more_than_the_limit_is_buffered() {
        let mut scan = Scan::default();
        for byte in [b'A'; 63] {
            assert_eq!(scan.read(&[byte], &LIMITS), Ok((1, None)));
        }
        assert_eq!(scan.read(&[b'A'; 1000], &LIMITS).map_err(|refusal| refusal.status), Err(414));
        assert!(scan.buffer.len() <= LIMITS.header);
    }
}
