//! What peers have sent and nobody has carried out yet: it waits in memory, and so it is in the same total as what waits to
//! be sent.
//!
//! It grows where bytes are read and nowhere else, so it is paid for behind each read, and given back where a session lets go
//! of it.

use super::Shard;
use super::users::Next;
use crate::http::Response;
use crate::session::facts::Fact;
use crate::session::{Phase, Session};

/// Why a request is not taken in.
pub(super) const FULL: &str = "too much is waiting on the server; try again later";

impl Shard {
    /// Pays for the input that session `key` has come to hold, or gets back what it does not hold any more.
    pub(super) fn pay_input(&mut self, key: u32) {
        let session = self.sessions.get(key as usize);
        // Nearly always nobody holds anything, and then there is nothing to look up.
        if self.inputs.is_empty() && session.is_none_or(Session::is_bare) {
            return;
        }
        let held = session.map_or(0, |session| self.input(key, session));
        let paid = match held {
            0 => self.inputs.remove(&key).unwrap_or(0),
            _ => self.inputs.insert(key, held).unwrap_or(0),
        };
        if held != paid {
            self.spend(held.cast_signed() - paid.cast_signed());
        }
    }

    /// What of it `session`, whose key this is, holds.
    pub(super) fn input(&self, key: u32, session: &Session) -> usize {
        session.input() + self.wanted(key, session)
    }

    /// The rooms that a WebSocket has named when it came and that it is to join once it is in.
    fn wanted(&self, key: u32, session: &Session) -> usize {
        let waits = if session.facts.has(Fact::Newcomer) {
            self.newcomers.get(&key).map(|newcomer| &newcomer.rooms)
        } else if session.facts.has(Fact::Arrived) && session.awaiting {
            self.entering.get(&key).and_then(Next::rooms)
        } else {
            None
        };
        let held = |rooms: &Vec<String>| {
            let names: usize = rooms.iter().map(String::capacity).sum();
            names + rooms.capacity() * size_of::<String>()
        };
        waits.map_or(0, held)
    }

    /// Nobody's body is taken in while there is more waiting than may be.
    pub(super) fn refuse_while_overdrawn(&self) -> Result<(), Response> {
        if self.common.queued.is_overdrawn() { Err(Self::full(FULL)) } else { Ok(()) }
    }

    /// Lets go of a request that has not come whole, with an answer; says whether session `key` has one to let go of.
    pub(super) fn drop_request(&mut self, key: u32) -> bool {
        let in_request = |session: &Session| {
            let Phase::Http(exchange) = &session.phase else { return false };
            session.queue.is_none() && exchange.is_reading()
        };
        if !self.sessions.get(key as usize).is_some_and(in_request) {
            return false;
        }
        self.cut_short(key, Self::full(FULL));
        true
    }
}
