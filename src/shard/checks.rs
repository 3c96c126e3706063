//! Token checks, kept to their share of a turn: whoever brings one token too many waits in line for a later turn.
//!
//! A check is the most that a few bytes of a stranger can cost: by the algorithm, up to 15 ms. So it is judged before each of
//! them whether this turn still has time for one, however many requests lie in one read, and nobody waits who brings no
//! token. A session is in the line at most once, and while it is, nothing is read from it.

use std::collections::VecDeque;

use super::Shard;
use crate::auth::presented;
use crate::http::Head;
use crate::id::SessionId;
use crate::key_map::KeyMap;
use crate::session::Phase;
use crate::session::exchange::Stage;

/// What token checks may take of one turn, in microseconds. The last of them may take longer.
const BUDGET_US: u32 = 2_500;

/// Sessions that the line is never swept for.
const FEW: usize = 64;

/// What this turn's checks have taken, and who waits for the next.
#[derive(Default)]
pub(super) struct Checks {
    /// In microseconds.
    pub(super) spent_us: u32,
    /// First come, first served; sessions that are over are among them until their turn.
    line: VecDeque<SessionId>,
    /// Keys and generations of those in the line. Kept here and not in the session, since hardly any session ever waits.
    waiting: KeyMap<u32>,
    /// Whose turn it is.
    next: Option<u32>,
}

impl Checks {
    /// Begins a turn.
    pub(super) fn begin(&mut self) {
        self.spent_us = 0;
    }

    /// Whether somebody waits.
    pub(super) fn is_waited_for(&self) -> bool {
        !self.line.is_empty()
    }

    fn is_spent(&self) -> bool {
        self.spent_us >= BUDGET_US
    }
}

impl Shard {
    /// Whether session `key` may have a token checked now. If not, it is in the line, and what it asked is to be kept and
    /// tried again by [`Shard::next_resumed`].
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
        // Nearly always nobody does.
        !self.checks.waiting.is_empty()
            && self.checks.waiting.get(&key).is_some_and(|generation| {
                self.sessions.get(key as usize).is_some_and(|session| session.generation == *generation)
            })
    }

    fn line_up(&mut self, id: SessionId) {
        // Those that went away while they waited: a sweep pays for itself by the sessions that came since the last.
        if self.checks.line.len() > FEW.max(2 * self.sessions.len()) {
            let mut line = std::mem::take(&mut self.checks.line);
            line.retain(|&id| self.find(id).is_some());
            self.checks.waiting = line.iter().map(|id| (id.key, id.generation)).collect();
            self.checks.line = line;
        }
        self.checks.waiting.insert(id.key, id.generation);
        self.checks.line.push_back(id);
    }

    /// The session whose turn in the line it is, while this turn has time for a check.
    pub(super) fn next_in_line(&mut self) -> Option<u32> {
        let now = self.now.tick();
        while !self.checks.is_spent() {
            let id = self.checks.line.pop_front()?;
            if self.checks.waiting.get(&id.key) == Some(&id.generation) {
                self.checks.waiting.remove(&id.key);
            }
            if let Some(session) = self.find(id) {
                session.held = false;
                // A pong may have waited all the time, unread.
                (session.heard, session.pinged) = (now, false);
                self.checks.next = Some(id.key);
                return Some(id.key);
            }
        }
        None
    }

    /// Its turn is over, whether it needed it or not.
    pub(super) fn leave_line(&mut self) {
        self.checks.next = None;
    }

    /// Whether what `head` asks for is decided by a token that it brings.
    pub(super) fn brings_token(&self, head: &Head) -> bool {
        let first = head.target.segments().next();
        let decides = matches!(first, Some("ws" | "raw" | "sse")) && !self.access.is_open();
        decides && presented::token(head, self.access.cookie()).is_some()
    }

    /// Keeps a request until its token can be checked.
    pub(super) fn keep_head(&mut self, key: u32, head: Head) {
        if let Some(exchange) = self.exchange(key) {
            exchange.stage = Stage::Check(Box::new(head));
        }
    }

    /// Takes up the request that session `key` has kept, if it is its turn.
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
                // That it has no body is told by the next read, and nothing else may come to be read.
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
