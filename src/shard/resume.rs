//! Reading goes on that was held up: a part of it in each turn, since many may have waited for the same thing.

use std::collections::VecDeque;

use super::Shard;
use crate::id::SessionId;
use crate::session::facts::Fact;
use crate::session::{Phase, Tail};
use crate::settings::KIB;

/// Bytes of kept input that one turn takes up. The last of it may be more.
const MOST: usize = 128 * KIB;

/// What a session counts for in that beside its bytes, so that 64 go on in one turn if they have kept nothing.
const ALONE: usize = 2 * KIB;

/// Sessions that are looked at in one turn for those that pressure has held up: about 20 µs.
const LOOKS: usize = 4_096;

/// Sessions whose reading goes on, first come, first served. Those that had to wait for something and those that have sent
/// more than one visit takes stand in two lines, which are served in turn: who waited for an answer does not also wait for a
/// thousand that flood. A session is in one of them at most ([`Fact::InLine`]).
#[derive(Default)]
pub(super) struct Lines {
    released: VecDeque<SessionId>,
    greedy: VecDeque<SessionId>,
    /// Whose turn it is.
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
    /// Begins a turn, and finds some of those that pressure held up and holds up no more.
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

    /// A session whose reading goes on, while this turn has time for one. What it had to keep is handled by now, or as much of
    /// it as one visit takes.
    pub fn next_resumed(&mut self) -> Option<u32> {
        let key = self.first_resumed().or_else(|| self.next_in_line())?;
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

    /// The first of those whose reading goes on that is still there.
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

    /// This turn has no time for more of those whose reading goes on. Who waits for a check of its token has a time of its own.
    pub fn rest(&mut self) {
        self.work.resumable = 0;
    }

    /// Takes some of what a session had to keep; says how many bytes.
    fn read_tail(&mut self, key: u32, mut tail: Tail) -> usize {
        // While its tail is read the session has not finished, although its peer has.
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

    /// No request may be whole on session `key` any more, now that all that it sent is taken.
    fn be_idle_again(&mut self, key: u32) {
        let Some(session) = self.sessions.get(key as usize) else { return };
        let waits = session.waits_its_turn() || session.is_calling();
        if matches!(&session.phase, Phase::Http(exchange) if exchange.idle.is_none()) && !waits {
            self.begin_idle(key);
        }
    }

    /// Lets reading go on if nothing holds it any more.
    pub(super) fn release(&mut self, key: u32) {
        // Nearly always nothing was held up.
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

    /// Session `key` has sent more than one visit takes: it goes on behind the others who have.
    pub(super) fn go_on_later(&mut self, key: u32) {
        if self.lines_up(key) {
            let id = self.id(key);
            self.work.resumed.greedy.push_back(id);
        }
    }

    /// Nothing holds session `key` any more, and its turn will come; whether it was in no line yet.
    fn lines_up(&mut self, key: u32) -> bool {
        let now = self.now.tick();
        let Some(session) = self.session(key) else { return false };
        session.held = false;
        // A pong may have waited all the time, unread. A stream is not waited for; its readers wait for it.
        if !session.is_stream() {
            (session.heard, session.pinged) = (now, false);
        }
        // What it has sent may be a whole request.
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

    /// Tries a request again that waited for a join or a leave.
    pub(super) fn unpark(&mut self, key: u32) {
        let waits = self.sessions.get(key as usize).filter(|_| !self.is_in_line(key));
        let tail = waits.and_then(|session| session.tail.as_ref());
        if tail.is_some_and(|tail| tail.request.is_some()) {
            self.resume(key);
        }
    }
}
