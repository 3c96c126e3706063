//! A request's body on its way in.

use std::mem;

use crate::http::chunked::Chunked;
use crate::http::framing::Framing;
use crate::http::refusal::Refusal;
use crate::http::request::Limits;

/// A request's body on its way in. Its memory grows with the bytes that arrived, never by a length that was declared.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of `content` is here but for `left` bytes.
    Sized { left: usize, content: Vec<u8> },
    /// Chunks, until the empty one.
    Chunked(Chunked),
}

impl Body {
    /// The body that a head announced.
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Empty => Self::Sized { left: 0, content: Vec::new() },
            Framing::Sized(left) => Self::Sized { left, content: Vec::new() },
            Framing::Chunked => Self::Chunked(Chunked::default()),
        }
    }

    /// Takes bytes from the front of `input`, and gives how many and, once it is whole, the content.
    pub(crate) fn read(
        &mut self,
        input: &[u8],
        limits: &Limits,
    ) -> Result<(usize, Option<Vec<u8>>), Refusal> {
        match self {
            Self::Sized { left, content } => {
                let arrived = &input[..input.len().min(*left)];
                content.extend_from_slice(arrived);
                *left -= arrived.len();
                Ok((arrived.len(), (*left == 0).then(|| mem::take(content))))
            }
            Self::Chunked(chunked) => {
                let (used, ended) = chunked.read(input, limits)?;
                Ok((used, ended.then(|| mem::take(chunked).into_content())))
            }
        }
    }
}
