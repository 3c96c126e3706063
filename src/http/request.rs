//! Reads requests from the bytes of a connection.

use crate::http::asker::Asker;
use crate::http::body::Body;
use crate::http::refusal::Refusal;
use crate::http::scan::Scan;
use crate::settings;

pub use crate::http::head::{Head, Method, Version};

#[cfg(test)]
mod tests;

/// Bounds on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the head, from the method to the final empty line. Also bytes of the extensions and trailers of one
    /// chunked body, all together.
    pub header: usize,
    /// Fields in the head.
    pub headers: usize,
    /// Bytes of the body, after chunked decoding.
    pub body: usize,
}

/// The result of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing is complete. All bytes were used, or so many small chunks that the rest waits while others have their
    /// turn.
    More,
    /// A head is complete. Its body is next, even if there is none.
    Head(Head),
    /// The body is complete, and with it the request.
    Body(Vec<u8>),
}

/// Reads the requests of one connection, one after the other.
///
/// After a [`Step::Head`] the caller may stop, as for an upgrade, whose next protocol owns all unused bytes. Or it reads
/// on for the [`Step::Body`], which a request without a body gives at once, even for no input. The result is the same
/// however the bytes are cut.
#[derive(Debug)]
pub struct Reader {
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Head(Scan),
    Body(Body),
    /// A request was refused: later bytes cannot be trusted to be a request.
    Refused,
}

impl Reader {
    /// A reader at the beginning of a request.
    pub fn new() -> Self {
        Self { phase: Phase::Head(Scan::default()) }
    }

    /// Takes bytes from the front of `input`; returns how many were used, and the result. It stops after each head and
    /// after each body, so that pipelined bytes stay with the caller.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], to be answered before the connection is closed. After it the reader uses up all bytes.
    pub fn read(&mut self, input: &[u8], limits: &Limits) -> (usize, Result<Step, Refusal>) {
        let outcome = match &mut self.phase {
            Phase::Head(scan) => scan.read(input, limits).map(|(used, head)| (used, head.map(Step::Head))),
            Phase::Body(body) => {
                body.read(input, limits).map(|(used, content)| (used, content.map(Step::Body)))
            }
            Phase::Refused => Ok((input.len(), None)),
        };
        match outcome {
            Ok((used, step)) => {
                let step = step.unwrap_or(Step::More);
                self.advance(&step);
                (used, Ok(step))
            }
            Err(refusal) => {
                self.phase = Phase::Refused;
                (input.len(), Err(refusal))
            }
        }
    }

    /// Whether nothing of a request has come: the connection may then be closed, because nobody waits for an answer.
    pub fn is_idle(&self) -> bool {
        matches!(&self.phase, Phase::Head(scan) if scan.is_idle())
    }

    /// Who sends the request, as far as an incomplete head says it; `None` between requests and in bodies.
    pub fn asker(&self) -> Option<Asker> {
        match &self.phase {
            Phase::Head(scan) if !scan.is_idle() => Some(scan.asker()),
            _ => None,
        }
    }

    /// The next body is not needed: it is read to its end by the same rules, and given as an empty one.
    pub fn skip_body(&mut self) {
        if let Phase::Body(body) = &mut self.phase {
            body.skip();
        }
    }

    /// Bytes of memory that it holds of an incomplete request.
    pub fn held(&self) -> usize {
        match &self.phase {
            Phase::Head(scan) => scan.held(),
            Phase::Body(body) => body.held(),
            Phase::Refused => 0,
        }
    }

    /// Whether a head was given and its body was not.
    #[cfg(feature = "internals")]
    pub fn in_body(&self) -> bool {
        matches!(self.phase, Phase::Body(_))
    }

    fn advance(&mut self, step: &Step) {
        match step {
            Step::More => {}
            Step::Head(head) => self.phase = Phase::Body(Body::new(head.framing())),
            Step::Body(_) => self.phase = Phase::Head(Scan::default()),
        }
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl From<&settings::Limits> for Limits {
    fn from(limits: &settings::Limits) -> Self {
        Self { header: limits.header, headers: limits.headers, body: limits.api_body }
    }
}
