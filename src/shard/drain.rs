//! Shuts down without a stampede: connections are closed one after another, and told when to come back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Shard;
use crate::error::Close;
use crate::http::Response;
use crate::session::Phase;
use crate::sse;
use crate::time::Now;

/// Connections that are closed in one turn: each costs some microseconds.
const SLICE: usize = 64;

/// A shutdown under way.
pub(super) struct Drain {
    began_ms: u64,
    length_ms: u64,
    sessions: usize,
    closed: usize,
    next: usize,
    /// The last session that came before it began.
    last: u32,
}

impl Drain {
    /// Whether a session of this generation came after the shutdown began. It can only make HTTP requests, because WebSockets
    /// and streams are refused.
    fn is_later(&self, generation: u32) -> bool {
        generation.wrapping_sub(self.last).cast_signed() > 0
    }

    /// The time left.
    pub(super) fn left(&self, now: Now) -> Duration {
        Duration::from_millis((self.began_ms + self.length_ms).saturating_sub(now.loop_ms))
    }

    /// How many sessions should be closed by now: all of them after 80 % of the time.
    fn target(&self, now: Now) -> usize {
        let passed = (now.loop_ms - self.began_ms) as f64;
        let share = passed / (0.8 * self.length_ms.max(1) as f64);
        (self.sessions as f64 * share).ceil().min(f64::from(u32::MAX)) as usize
    }
}

impl Shard {
    /// Begins to shut down: refuses new WebSockets and streams, and closes every session within `length`.
    pub fn drain(&mut self, length: Duration) {
        if self.drain.is_none() {
            let (began_ms, length_ms) = (self.now.loop_ms, length.as_millis() as u64);
            let sessions = self.sessions.len();
            self.drain =
                Some(Drain { began_ms, length_ms, sessions, closed: 0, next: 0, last: self.generation });
        }
    }

    /// Whether a shutdown is complete.
    pub fn is_drained(&self) -> bool {
        // While any shard has connections, its rooms at home here are needed, and the listener stays open.
        let nobody = || self.common.connections.load(Ordering::Relaxed) == 0;
        let done = || nobody() && self.batches.is_empty();
        self.drain.as_ref().is_some_and(|drain| done() || drain.left(self.now).is_zero())
    }

    /// Refuses new WebSockets and streams in a shutdown, or when the server is full.
    pub(super) fn refuse_while_full_or_draining(&self) -> Result<(), Response> {
        self.refuse_while_draining()?;
        self.refuse_while_full()?;
        self.refuse_while_overdrawn()
    }

    /// The response when a limit of the server is reached.
    pub(super) fn full(why: &str) -> Response {
        Response::new(503).retry_after(Duration::from_secs(1)).error("unavailable", why)
    }

    /// Refuses requests in a shutdown.
    pub(super) fn refuse_while_draining(&self) -> Result<(), Response> {
        let Some(drain) = &self.drain else { return Ok(()) };
        let response = Response::new(503).retry_after(drain.left(self.now));
        Err(response.error("unavailable", "the server is shutting down"))
    }

    /// Whether connections are still open that should be closed by now.
    pub(super) fn is_behind_with_drain(&self) -> bool {
        let end = self.sessions.capacity();
        self.drain.as_ref().is_some_and(|drain| drain.next < end && drain.closed < drain.target(self.now))
    }

    /// Closes connections that are due, a part in each turn.
    pub(super) fn drain_some(&mut self) {
        let now = self.now;
        let mut sent = 0;
        while sent < SLICE
            && self.is_behind_with_drain()
            && let Some(drain) = &mut self.drain
        {
            let key = drain.next;
            drain.next += 1;
            let left_ms = drain.left(now).as_millis() as u64;
            if self.sessions.contains(key) {
                drain.closed += 1;
                sent += 1;
                self.send_away(key as u32, left_ms);
            }
        }
    }

    fn send_away(&mut self, key: u32, left_ms: u64) {
        let Some(session) = self.sessions.get(key as usize) else { return };
        let is_later = self.drain.as_ref().is_some_and(|drain| drain.is_later(session.generation));
        let Some(session) = self.session(key) else { return };
        match session.phase {
            Phase::Open(_) | Phase::Stream(_) => {
                let streams = session.is_stream();
                // Random, so that clients do not all reconnect to the next server at once.
                let random = u64::from(getrandom::u32().unwrap_or(key));
                let retry_ms = left_ms + random % (left_ms + 1);
                if streams {
                    self.own(key, |out| sse::retry(retry_ms, out));
                }
                self.close(key, Close::going_away(retry_ms));
            }
            // Connections that came later, and requests under way, are closed after their response.
            Phase::Http(_) if is_later => {}
            Phase::Http(ref exchange) if exchange.is_reading() || session.tail.is_some() => {}
            Phase::Http(_) if !session.is_calling() && session.queue.is_none() => self.end(key),
            Phase::Http(_) | Phase::Closing(_) | Phase::Lingering(_) | Phase::Over => {}
        }
        self.carry();
    }
}
