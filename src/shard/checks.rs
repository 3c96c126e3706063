//! Limits the time for token checks in a turn. Sessions whose tokens do not fit wait in line for a later turn.
//!
//! A check is the most expensive work that a few bytes of a stranger can cause: up to 15 ms, depending on the algorithm. So
//! each check first asks whether this turn still has time, however many requests came in one read. Requests without a token
//! do not wait. A session is in the line at most once, and is not read while it is there.

use std::collections::VecDeque;

use super::Shard;
use crate::api::route;
use crate::auth::presented;
use crate::http::Head;
use crate::id::SessionId;
use crate::key_map::KeyMap;
use crate::session::Phase;
use crate::session::exchange::Stage;

/// The time for token checks in one turn, in microseconds. The last of them may exceed it.
const BUDGET_US: u32 = 2_500;

/// A line of this length or less is never swept.
const FEW: usize = 64;

/// The time spent in this turn, and the line for the next.
#[derive(Default)]
pub(super) struct Checks {
    /// In microseconds.
    pub(super) spent_us: u32,
    /// First come, first served. Sessions that are over stay in it until their turn.
    line: VecDeque<SessionId>,
    /// Keys and generations of the sessions in the line. Kept here because hardly any session ever waits.
    waiting: KeyMap<u32>,
    /// The session that is first now.
    next: Option<u32>,
}

impl Checks {
    /// Begins a turn.
    pub(super) fn begin(&mut self) {
        self.spent_us = 0;
    }

    /// Whether a session waits.
    pub(super) fn is_waited_for(&self) -> bool {
        !self.line.is_empty()
    }

    fn is_spent(&self) -> bool {
        self.spent_us >= BUDGET_US
    }
}

impl Shard {
    /// Whether session `key` may have a token checked now. If not, it is put in the line, and the caller keeps the request
    /// for [`Shard::next_resumed`].
    pub(super) fn may_check(&mut self, key: u32) -> bool {
        let checks = &mut self.checks;
        if checks.next.take_if(|next| *next == key).is_some() {
            return true;
        }
        if !checks.is_spent() && checks.line.is_empty() {
            return true;
        }
        let id = self.id(key);
        if !self.is_in_line(key)
            && let Some(session) = self.session(key)
        {
            session.held = true;
            self.line_up(id);
        }
        false
    }

    /// Whether session `key` waits in the line.
    pub(super) fn is_in_line(&self, key: u32) -> bool {
        // Nearly always the line is empty.
        !self.checks.waiting.is_empty()
            && self.checks.waiting.get(&key).is_some_and(|generation| {
                self.sessions.get(key as usize).is_some_and(|session| session.generation == *generation)
            })
    }

    fn line_up(&mut self, id: SessionId) {
        // Removes sessions that ended while they waited. The sessions that came since the last sweep pay for this one.
        if self.checks.line.len() > FEW.max(2 * self.sessions.len()) {
            let mut line = std::mem::take(&mut self.checks.line);
            line.retain(|&id| self.find(id).is_some());
            self.checks.waiting = line.iter().map(|id| (id.key, id.generation)).collect();
            self.checks.line = line;
        }
        self.checks.waiting.insert(id.key, id.generation);
        self.checks.line.push_back(id);
    }

    /// The first session in the line, if this turn has time for a check.
    pub(super) fn next_in_line(&mut self) -> Option<u32> {
        let now = self.now.tick();
        while !self.checks.is_spent() {
            let id = self.checks.line.pop_front()?;
            if self.checks.waiting.get(&id.key) == Some(&id.generation) {
                self.checks.waiting.remove(&id.key);
            }
            if let Some(session) = self.find(id) {
                session.held = false;
                // A pong may have waited unread all the time.
                (session.heard, session.pinged) = (now, false);
                self.checks.next = Some(id.key);
                return Some(id.key);
            }
        }
        None
    }

    /// Removes the first session from the line, whether it needed a check or not.
    pub(super) fn leave_line(&mut self) {
        self.checks.next = None;
    }

    /// Whether a token in `head` decides about the request.
    pub(super) fn brings_token(&self, head: &Head) -> bool {
        let decides = !self.access.is_open() && route::asks_for_token(head);
        decides && presented::token(head, self.access.cookie()).is_some()
    }

    /// Keeps a request until its token can be checked.
    pub(super) fn keep_head(&mut self, key: u32, head: Head) {
        if let Some(exchange) = self.exchange(key) {
            exchange.stage = Stage::Check(Box::new(head));
        }
    }

    /// Continues with the request that session `key` has kept, if it is its turn.
    pub(super) fn take_up_head(&mut self, key: u32) {
        if self.is_in_line(key) {
            return;
        }
        let Some(session) = self.session(key) else { return };
        let last = session.tail.is_none();
        let Phase::Http(exchange) = &mut session.phase else { return };
        match std::mem::replace(&mut exchange.stage, Stage::Head) {
            Stage::Check(head) => {
                self.head(key, *head, last);
                self.carry();
                // The next read tells that it has no body, and no other read may come.
                self.read_http(key, &[]);
                self.after_input(key);
                self.pay_input(key);
            }
            other => exchange.stage = other,
        }
    }
}

#[cfg(test)]
mod tests;
