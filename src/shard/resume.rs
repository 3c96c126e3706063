//! Resumes reading that was paused. Each turn resumes a part, because many sessions may have waited for the same thing.

use std::collections::VecDeque;

use super::Shard;
use crate::id::SessionId;
use crate::session::facts::Fact;
use crate::session::{Phase, Tail};
use crate::settings::KIB;

/// Bytes of kept input that one turn handles. The last session may exceed it.
const MOST: usize = 128 * KIB;

/// What a session counts besides its bytes, so that 64 sessions without kept input resume in one turn.
const ALONE: usize = 2 * KIB;

/// Sessions that are looked at in one turn to find those that pressure paused: about 20 µs.
const LOOKS: usize = 4_096;

/// Sessions to read again, first come, first served. There are two lines, served in turn: one for sessions that waited for
/// something, one for sessions that sent more than one visit takes. So a session that waited for an answer does not also wait
/// for a thousand that flood. A session is in at most one of them ([`Fact::InLine`]).
#[derive(Default)]
pub(super) struct Lines {
    released: VecDeque<SessionId>,
    greedy: VecDeque<SessionId>,
    /// Whether the line `greedy` is next.
    greedy_next: bool,
}

impl Lines {
    pub(super) fn is_empty(&self) -> bool {
        self.released.is_empty() && self.greedy.is_empty()
    }

    fn next(&mut self) -> Option<SessionId> {
        let Self { released, greedy, greedy_next } = self;
        let (first, second) = if *greedy_next { (greedy, released) } else { (released, greedy) };
        *greedy_next = !*greedy_next;
        first.pop_front().or_else(|| second.pop_front())
    }
}

impl Shard {
    /// Begins a turn, and finds some of the sessions that pressure paused and that can go on.
    pub(super) fn begin_resuming(&mut self) {
        self.work.resumable = MOST;
        let Some(first) = self.work.releasing.take() else { return };
        let (until, end) = (first + LOOKS, self.sessions.capacity());
        for key in first..until.min(end) {
            if self.sessions.get(key).is_some_and(|session| session.held) {
                self.release(key as u32);
            }
        }
        self.work.releasing = (until < end).then_some(until);
    }

    /// The next session to read again, if this turn has time. Its kept input is handled already, or as much of it as one
    /// visit takes.
    pub fn next_resumed(&mut self) -> Option<u32> {
        let batch = if self.batches.take_turn() { self.next_batch() } else { None };
        if batch.is_some() {
            return batch;
        }
        let Some(key) = self.first_resumed().or_else(|| self.next_in_line()) else {
            return self.next_batch();
        };
        self.take_up_head(key);
        if let Some(tail) = self.session(key).and_then(|session| session.tail.take()) {
            let used = self.read_tail(key, *tail);
            self.work.resumable = self.work.resumable.saturating_sub(used);
            self.pay_input(key);
            self.be_idle_again(key);
        }
        self.go_on_with_stream(key);
        self.carry();
        self.leave_line();
        Some(key)
    }

    /// Goes on with a batch, if this turn has time for it.
    fn next_batch(&mut self) -> Option<u32> {
        let key = if self.work.resumable > 0 { self.go_on_with_batches() } else { None };
        self.carry();
        key
    }

    /// The first session to resume that still exists.
    fn first_resumed(&mut self) -> Option<u32> {
        while self.work.resumable > 0 {
            let id = self.work.resumed.next()?;
            if let Some(session) = self.find(id) {
                session.facts.set(Fact::InLine, false);
                self.work.resumable = self.work.resumable.saturating_sub(ALONE);
                return Some(id.key);
            }
        }
        None
    }

    /// This turn has no time to resume more sessions. Token checks have their own share of the turn.
    pub fn rest(&mut self) {
        self.work.resumable = 0;
    }

    /// Handles some of a session's kept input. Returns how many bytes.
    fn read_tail(&mut self, key: u32, mut tail: Tail) -> usize {
        // While its kept input is read the session is not finished, although its peer is.
        let eof = self.session(key).is_some_and(|session| session.facts.take(Fact::Eof));
        let open = self.session(key).is_some_and(|session| session.is_open());
        if let Some(text) = tail.request.take().filter(|_| open) {
            self.text(key, &text);
            self.carry();
        }
        let used = self.consume_tail(key, tail);
        if let Some(session) = self.session(key).filter(|_| eof) {
            session.facts.set(Fact::Eof, true);
        }
        self.after_input(key);
        used
    }

    /// Session `key` may be idle again, now that all its kept input is handled.
    fn be_idle_again(&mut self, key: u32) {
        let Some(session) = self.sessions.get(key as usize) else { return };
        let waits = session.waits_its_turn() || session.is_calling();
        if matches!(&session.phase, Phase::Http(exchange) if exchange.idle.is_none()) && !waits {
            self.begin_idle(key);
        }
    }

    /// Resumes reading if nothing pauses it any more.
    pub(super) fn release(&mut self, key: u32) {
        // Nearly always nothing was paused.
        let held = self.sessions.get(key as usize).filter(|session| session.held);
        if held.is_some_and(|session| !self.waits(key, session)) {
            self.resume(key);
        }
    }

    fn resume(&mut self, key: u32) {
        if self.lines_up(key) {
            let id = self.id(key);
            self.work.resumed.released.push_back(id);
        }
    }

    /// Session `key` has sent more than one visit takes. It goes on after the others that have.
    pub(super) fn go_on_later(&mut self, key: u32) {
        if self.lines_up(key) {
            let id = self.id(key);
            self.work.resumed.greedy.push_back(id);
        }
    }

    /// Nothing pauses session `key` any more, and its turn will come. Returns whether it was in no line yet.
    fn lines_up(&mut self, key: u32) -> bool {
        let now = self.now.tick();
        let Some(session) = self.session(key) else { return false };
        session.held = false;
        // A pong may have waited unread all the time. A stream sends no pongs.
        if !session.is_stream() {
            (session.heard, session.pinged) = (now, false);
        }
        // Its kept input may be a whole request.
        if session.tail.is_some()
            && let Phase::Http(exchange) = &mut session.phase
        {
            exchange.idle = None;
        }
        let was_in_line = session.facts.has(Fact::InLine);
        session.facts.set(Fact::InLine, true);
        !was_in_line
    }

    /// Session `key` has to wait.
    pub(super) fn hold(&mut self, key: u32) {
        if let Some(session) = self.session(key) {
            session.held = true;
        }
    }

    /// Retries a request that waited for a join or a leave.
    pub(super) fn unpark(&mut self, key: u32) {
        let waits = self.sessions.get(key as usize).filter(|_| !self.is_in_line(key));
        let tail = waits.and_then(|session| session.tail.as_ref());
        if tail.is_some_and(|tail| tail.request.is_some()) {
            self.resume(key);
        }
    }
}
