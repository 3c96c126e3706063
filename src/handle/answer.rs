//! Answers, for threads and for futures of any runtime.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::AnswerError;
use crate::broker::question::{Part, Parts};
use crate::error::Fault;

/// Makes an answer from the parts that the shards sent.
pub(super) type Read<T> = Box<dyn Fn(Vec<Part>) -> Result<T, AnswerError> + Send + Sync>;

/// An answer on its way. A thread [waits](Self::wait) for it, async code of any runtime awaits it.
///
/// It may be dropped: the request is still carried out.
pub struct Answer<T> {
    parts: Parts,
    /// How many parts make it whole.
    whole: usize,
    read: Read<T>,
}

impl<T> Answer<T> {
    pub(super) fn new(parts: Parts, whole: usize, read: Read<T>) -> Self {
        Self { parts, whole, read }
    }

    /// Waits for it, for at most `patience`. With zero it only checks.
    ///
    /// The server answers within milliseconds, and always within 5 seconds. Async code must not block a thread of its
    /// runtime: it awaits instead.
    ///
    /// # Errors
    ///
    /// If it has not come in that time ([`AnswerError::TimedOut`]; call again to wait longer), or will not come any more. An
    /// answer is returned once.
    pub fn wait(&mut self, patience: Duration) -> Result<T, AnswerError> {
        self.parts.wait(patience).map_or(Err(AnswerError::TimedOut), |parts| self.whole(parts))
    }

    /// If the server stops meanwhile, some parts are missing.
    fn whole(&self, parts: Vec<Part>) -> Result<T, AnswerError> {
        if parts.len() < self.whole { Err(AnswerError::Stopped) } else { (self.read)(parts) }
    }
}

impl<T> Future for Answer<T> {
    type Output = Result<T, AnswerError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.parts.poll(context.waker()).map_or(Poll::Pending, |parts| Poll::Ready(self.whole(parts)))
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}

impl From<Fault> for AnswerError {
    /// A room's other refusals are for clients only.
    fn from(_: Fault) -> Self {
        Self::Unavailable
    }
}
