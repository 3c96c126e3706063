//! Bytes come in: which protocol reads them, and when reading has to wait.

use super::Shard;
use crate::session::facts::Fact;
use crate::session::{Phase, Session, Tail};
use crate::settings::KIB;
use crate::time::Tick;

/// What may wait to be sent on a connection that speaks HTTP while another of its requests is read. Small answers to requests
/// that came together are one write; behind a large one nothing is read until it is nearly gone.
const UNREAD_ANSWERS: usize = 16 * KIB;

impl Shard {
    /// Takes what session `key` sent. What has to wait is kept.
    pub fn receive(&mut self, key: u32, input: &mut [u8]) {
        let tick = self.now.tick();
        let Some(session) = self.session(key) else { return };
        session.heard = tick;
        session.pinged = false;
        self.counters.bytes_in += input.len() as u64;
        self.consume_or_keep(key, input);
        self.pay_input(key);
    }

    /// Keeps what session `key` sent until its turn comes, for something else has to be carried out before it.
    pub fn put_off(&mut self, key: u32, input: &[u8]) {
        let tick = self.now.tick();
        let Some(session) = self.session(key) else { return };
        (session.heard, session.pinged) = (tick, false);
        if let Phase::Http(_) | Phase::Open(_) | Phase::Closing(_) = session.phase {
            session.tail.get_or_insert_default().bytes.extend_from_slice(input);
            session.held = true;
        }
        self.counters.bytes_in += input.len() as u64;
        self.release(key);
        self.pay_input(key);
    }

    /// The peer of session `key` will send nothing more.
    pub fn hang_up(&mut self, key: u32) {
        let Some(session) = self.session(key) else { return };
        session.facts.set(Fact::Eof, true);
        self.after_input(key);
    }

    /// The socket of session `key` is broken.
    pub fn fail(&mut self, key: u32) {
        self.end(key);
        self.carry();
    }

    /// The socket of session `key` takes bytes again.
    pub fn writable(&mut self, key: u32) {
        let tick = self.now.tick();
        let close = self.common.settings.limits.close;
        let Some(session) = self.session(key) else { return };
        if !std::mem::take(&mut session.blocked) {
            return;
        }
        // Room in a full buffer is an acknowledgement: a slow reader of what it asked for is alive.
        (session.heard, session.pinged) = (tick, false);
        if matches!(session.phase, Phase::Lingering(_)) && session.queue.is_some() {
            self.deadlines.set(key, self.now.within(close));
        }
        self.touch(key);
    }

    /// Whether session `key` is to be read. If not, it will be among [`Shard::next_resumed`] when it is.
    pub fn wants_read(&mut self, key: u32) -> bool {
        let held = self.holds(key);
        let Some(session) = self.session(key) else { return false };
        session.held |= held && !session.facts.has(Fact::InLine);
        !held && !session.is_over()
    }

    fn consume_or_keep(&mut self, key: u32, input: &mut [u8]) {
        let used = self.consume(key, input);
        let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) else { return };
        if let Some(session) = self.session(key) {
            session.tail.get_or_insert_default().bytes.extend_from_slice(rest);
        }
        self.wait_with_tail(key);
    }

    /// Takes some of a tail, which session `key` has let go of, and gives it back what is left; says how many bytes were taken.
    pub(super) fn consume_tail(&mut self, key: u32, tail: Tail) -> usize {
        let Tail { mut bytes, taken, .. } = tail;
        let used = self.consume(key, &mut bytes[taken..]);
        if taken + used < bytes.len()
            && let Some(session) = self.session(key)
        {
            let tail = session.tail.get_or_insert_default();
            (tail.bytes, tail.taken) = (bytes, taken + used);
            self.wait_with_tail(key);
        }
        used
    }

    /// Session `key` has a tail from now on: it waits for whatever holds it, or for its turn if it has only sent more than
    /// one visit takes.
    fn wait_with_tail(&mut self, key: u32) {
        let waits = self.sessions.get(key as usize).is_some_and(|session| self.waits(key, session));
        if waits { self.hold(key) } else { self.go_on_later(key) }
    }

    /// Feeds input to whatever the session speaks by now; says how much of it was used.
    fn consume(&mut self, key: u32, input: &mut [u8]) -> usize {
        let mut at = 0;
        loop {
            let Some(session) = self.session(key) else { return input.len() };
            match session.phase {
                Phase::Http(_) => {
                    at += self.read_http(key, &input[at..]);
                    if self.session(key).is_none_or(|session| matches!(session.phase, Phase::Http(_))) {
                        return at;
                    }
                }
                Phase::Open(_) | Phase::Closing(_) => return at + self.read_frames(key, &mut input[at..]),
                // A stream is the last answer on its connection: no request behind it can have one.
                Phase::Stream(_) | Phase::Lingering(_) | Phase::Over => return input.len(),
            }
        }
    }

    /// Ends a session whose peer has finished, once everything that it sent is handled and answered.
    pub(super) fn after_input(&mut self, key: u32) {
        let Some(session) = self.session(key) else { return };
        if !session.facts.has(Fact::Eof) || session.tail.is_some() {
            return;
        }
        let unanswered = match session.phase {
            Phase::Http(_) => session.is_calling() || session.queue.is_some(),
            Phase::Lingering(_) => session.queue.is_some(),
            // Whoever is to read an answer without end does not say goodbye before it.
            Phase::Stream(_) => false,
            // A WebSocket whose peer sends no close frame any more is gone (RFC 6455 section 7.1.5: 1006).
            Phase::Open(_) | Phase::Closing(_) | Phase::Over => session.awaiting,
        };
        if !unanswered {
            self.end(key);
            self.carry();
        }
    }

    /// Whether what session `key` sends has to wait.
    pub(super) fn holds(&self, key: u32) -> bool {
        self.sessions.get(key as usize).is_some_and(|session| self.is_held_up(key, session))
    }

    /// The same of a session that is at hand.
    pub(super) fn is_held_up(&self, key: u32, session: &Session) -> bool {
        session.tail.is_some() || self.waits(key, session)
    }

    /// Whether what a session sent has to wait for something else than what it sent before.
    pub(super) fn waits(&self, key: u32, session: &Session) -> bool {
        let most = match session.phase {
            Phase::Http(_) => UNREAD_ANSWERS.min(self.common.settings.limits.queue / 4),
            _ => self.common.settings.limits.queue / 4,
        };
        session.asked() > most || self.makes_wait(key, session)
    }

    /// Whether it is the server's doing, and not its own, that what session `key` sent has to wait.
    pub(super) fn makes_wait(&self, key: u32, session: &Session) -> bool {
        let parked_or_in_line = session
            .tail
            .as_ref()
            .is_some_and(|tail| tail.request.is_some() || session.facts.has(Fact::InLine));
        let calm = !self.pressed || !self.asked_lately(session.wanted);
        parked_or_in_line
            || self.is_in_line(key)
            || session.awaiting
            || session.is_calling()
            || !calm
            || self.is_resting(session)
    }

    fn asked_lately(&self, wanted: Tick) -> bool {
        wanted != Tick::ZERO && self.now.tick().0.saturating_sub(wanted.0) <= 4
    }

    /// Keeps a request for when the join or leave that it has to wait for is answered (rule 3).
    pub(super) fn park(&mut self, key: u32, text: &str) {
        if let Some(session) = self.session(key) {
            session.tail.get_or_insert_default().request = Some(text.into());
            session.held = true;
        }
    }
}
