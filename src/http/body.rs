//! A request's body on its way in.

use std::mem;

use crate::http::chunked::Chunked;
use crate::http::framing::Framing;
use crate::http::refusal::Refusal;
use crate::http::request::Limits;

/// A request's body on its way in. Its memory grows with the bytes that have come, never by a declared length.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it has come except `left` bytes.
    Sized { left: usize, content: Content },
    /// Chunks, up to the empty one.
    Chunked(Chunked),
}

impl Body {
    /// The body that a head announced.
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Empty => Self::Sized { left: 0, content: Content::default() },
            Framing::Sized(left) => Self::Sized { left, content: Content::default() },
            Framing::Chunked => Self::Chunked(Chunked::default()),
        }
    }

    /// It is not needed: it is read to its end by the same rules, and dropped.
    pub(crate) fn skip(&mut self) {
        match self {
            Self::Sized { content, .. } => content.skip(),
            Self::Chunked(chunked) => chunked.skip(),
        }
    }

    /// Bytes of memory that it has taken.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Sized { content, .. } => content.held(),
            Self::Chunked(chunked) => chunked.held(),
        }
    }

    /// Takes bytes from the front of `input`. Returns how many and, once the body is complete, its content.
    pub(crate) fn read(
        &mut self,
        input: &[u8],
        limits: &Limits,
    ) -> Result<(usize, Option<Vec<u8>>), Refusal> {
        match self {
            Self::Sized { left, content } => {
                let arrived = &input[..input.len().min(*left)];
                content.add(arrived);
                *left -= arrived.len();
                Ok((arrived.len(), (*left == 0).then(|| mem::take(content).into_bytes())))
            }
            Self::Chunked(chunked) => {
                let (used, ended) = chunked.read(input, limits)?;
                Ok((used, ended.then(|| mem::take(chunked).into_content())))
            }
        }
    }
}

/// The bytes of a body that have come: kept, or only counted where the body is not needed.
#[derive(Debug, Default)]
pub(crate) struct Content {
    bytes: Vec<u8>,
    /// Bytes that came and were not kept.
    skipped: usize,
    unwanted: bool,
}

impl Content {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        if self.unwanted {
            self.skipped += bytes.len();
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    pub(crate) fn skip(&mut self) {
        self.unwanted = true;
        self.skipped += mem::take(&mut self.bytes).len();
    }

    /// Bytes that have come, kept or not.
    pub(crate) fn len(&self) -> usize {
        self.skipped + self.bytes.len()
    }

    /// Bytes of memory that it has taken.
    pub(crate) fn held(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
