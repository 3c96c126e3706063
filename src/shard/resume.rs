//! Reading goes on that was held up: a part of it in each turn, since many may have waited for the same thing.

use super::Shard;
use crate::session::Tail;
use crate::session::facts::Fact;
use crate::settings::KIB;

/// Bytes of kept input that one turn takes up. The last of it may be more.
const MOST: usize = 128 * KIB;

/// What a session counts for in that beside its bytes, so that 64 go on in one turn if they have kept nothing.
const ALONE: usize = 2 * KIB;

/// Sessions that are looked at in one turn for those that pressure has held up: about 20 µs.
const LOOKS: usize = 4_096;

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

    /// A session whose reading goes on, while this turn has time for one. What it had to keep is handled by now.
    pub fn next_resumed(&mut self) -> Option<u32> {
        let key = self.first_resumed().or_else(|| self.next_in_line())?;
        self.take_up_head(key);
        if let Some(tail) = self.session(key).and_then(|session| session.tail.take()) {
            self.read_tail(key, *tail);
            self.pay_input(key);
        }
        self.go_on_with_stream(key);
        self.carry();
        self.leave_line();
        Some(key)
    }

    /// The first of those whose reading goes on that is still there.
    fn first_resumed(&mut self) -> Option<u32> {
        while self.work.resumable > 0 {
            let id = self.work.resumed.pop_front()?;
            if let Some(session) = self.find(id) {
                let kept = session.tail.as_ref().map_or(0, |tail| tail.held());
                self.work.resumable = self.work.resumable.saturating_sub(ALONE + kept);
                return Some(id.key);
            }
        }
        None
    }

    fn read_tail(&mut self, key: u32, mut tail: Tail) {
        // While its tail is read the session has not finished, although its peer has.
        let eof = self.session(key).is_some_and(|session| session.facts.take(Fact::Eof));
        let open = self.session(key).is_some_and(|session| session.is_open());
        if let Some(text) = tail.request.take().filter(|_| open) {
            self.text(key, &text);
            self.carry();
        }
        self.consume_or_keep(key, &mut tail.bytes);
        if let Some(session) = self.session(key).filter(|_| eof) {
            session.facts.set(Fact::Eof, true);
        }
        self.after_input(key);
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
        let now = self.now.tick();
        let Some(session) = self.session(key) else { return };
        session.held = false;
        // A pong may have waited all the time, unread.
        session.heard = now;
        session.pinged = false;
        let id = self.id(key);
        self.work.resumed.push_back(id);
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
