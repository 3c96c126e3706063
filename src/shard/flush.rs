//! The end of a turn: writes each touched session and each room with something to send, once, within a budget.

use std::io::IoSlice;

use super::Shard;
use super::outlet::{Outlet, Taken};
use crate::broker::lane::{Lane, Part};
use crate::message::{Transport, Wire};
use crate::session::Phase;
use crate::session::facts::Fact;

/// Members of one room that are served before the next room, so that a large room does not delay small ones.
const SLICE: usize = 128;

/// Pieces of a queue that one write offers.
const PIECES: usize = 32;

/// The result of serving a member.
enum Visit {
    /// It was served; go on with the next.
    Served,
    /// The pass has reached all members.
    Done,
}

impl Shard {
    /// Writes this turn's output. What does not fit into the budget waits for the next turn.
    pub fn flush(&mut self, outlet: &mut impl Outlet) {
        self.announce_some();
        if !self.lists.is_empty() {
            self.list_some();
        }
        self.carry();
        if !self.work.walks.is_empty() {
            self.walk_some();
        }
        self.seal();
        // Sessions touched meanwhile are written in the next turn.
        let mut touched = std::mem::take(&mut self.work.touched);
        for key in touched.drain(..) {
            self.write_out(key, outlet);
        }
        touched.append(&mut self.work.touched);
        self.work.touched = touched;
        self.serve_others(outlet);
        self.cut_off_the_slow();
        self.shed();
        self.carry();
        self.tell_load();
    }

    /// Shows the other shards how much is on its way here, to members and to the engine.
    fn tell_load(&self) {
        let pending = |number| self.audiences.get(number).map_or(0, |audience| audience.pending());
        let load: usize = self.work.listed.iter().map(|&number| pending(number)).sum();
        self.common.pressure.set_rooms(usize::from(self.me), load + self.rooms.waiting);
    }

    /// Starts a pass in every listed lane without one.
    fn seal(&mut self) {
        for number in &self.work.listed {
            if let Some(audience) = self.audiences.get_mut(*number) {
                for lane in audience.lanes() {
                    lane.seal();
                }
            }
        }
    }

    /// Writes what others sent, within the budget: what was handed to sessions one by one, and what rooms have. Either comes
    /// first in every second turn, so neither can use up the budget of the other.
    fn serve_others(&mut self, outlet: &mut impl Outlet) {
        self.work.handed_first = !self.work.handed_first;
        if self.work.handed_first {
            self.serve_handed(outlet);
            if !self.work.listed.is_empty() {
                self.serve_rooms(outlet);
            }
        } else {
            if !self.work.listed.is_empty() {
                self.serve_rooms(outlet);
            }
            self.serve_handed(outlet);
        }
    }

    /// Writes the sessions to which something was handed, until the budget is spent. One letter can be for many sessions, and
    /// one client can send thousands.
    fn serve_handed(&mut self, outlet: &mut impl Outlet) {
        while let Some(key) = self.work.handed.pop_front() {
            // It may have ended, or got all of it with a reply.
            let waits = self.session(key).is_some_and(|session| {
                session.facts.take(Fact::Handed) && session.queue.is_some() && !session.blocked
            });
            if !waits {
                continue;
            }
            if outlet.is_spent() {
                if let Some(session) = self.session(key) {
                    session.facts.set(Fact::Handed, true);
                }
                return self.work.handed.push_front(key);
            }
            self.write_out(key, outlet);
        }
    }

    /// Puts a session in the line of those to which something was handed, unless it is written before.
    pub(super) fn line_up_handed(&mut self, key: u32) {
        if let Some(session) = self.sessions.get_mut(key as usize)
            && !session.touched
            && !session.facts.has(Fact::Handed)
        {
            session.facts.set(Fact::Handed, true);
            self.work.handed.push_back(key);
        }
    }

    /// Serves the listed rooms in turn, a slice of each, until all passes are done or the budget is spent. Messages that came
    /// since a pass began wait for the next turn, so that no member is written to twice in this one.
    fn serve_rooms(&mut self, outlet: &mut impl Outlet) {
        let mut done = Vec::new();
        while let Some(number) = self.work.listed.pop_front() {
            let spent = self.serve_slice(number, outlet);
            let Some(audience) = self.audiences.get_mut(number) else { continue };
            audience.listed = audience.pending() > 0;
            if audience.is_flying() {
                self.work.listed.push_back(number);
            } else if audience.listed {
                done.push(number);
            }
            if spent {
                break;
            }
        }
        self.work.listed.extend(done);
    }

    /// Serves some members of a room. Returns whether the budget is spent.
    fn serve_slice(&mut self, number: u32, outlet: &mut impl Outlet) -> bool {
        let lanes = self.audiences.get_mut(number).map_or(0, |audience| audience.lanes().len());
        for index in 0..lanes {
            for _ in 0..SLICE {
                if outlet.is_spent() {
                    return true;
                }
                if let Visit::Done = self.visit(number, index, outlet) {
                    break;
                }
            }
            let lane = self.audiences.get_mut(number).and_then(|audience| audience.lanes().get_mut(index));
            self.landed.extend(lane.and_then(Lane::take_landed));
        }
        false
    }

    /// Serves the member at the hand of the lane with this index.
    fn visit(&mut self, number: u32, index: usize, outlet: &mut impl Outlet) -> Visit {
        let Some(audience) = self.audiences.get_mut(number) else { return Visit::Done };
        let Some(lane) = audience.lanes().get_mut(index) else { return Visit::Done };
        let wire = lane.wire;
        let Some((key, bytes)) = lane.next_bytes() else { return Visit::Done };
        let Some(session) = self.sessions.get_mut(key as usize) else { return Visit::Done };
        if bytes.is_empty() {
            lane.served();
            return Visit::Served;
        }
        let as_it_is = wire.transport != Transport::Parts && session.seats.is_only(number);
        if as_it_is && session.queue.is_none() && !session.blocked {
            self.counters.writes += 1;
            let taken = outlet.write(key, &[IoSlice::new(bytes)]);
            if taken == Taken::Some(bytes.len()) {
                self.counters.bytes_out += bytes.len() as u64;
                lane.served();
            } else {
                self.serve_later(key, number, wire, Some(taken));
            }
        } else if session.blocked {
            self.serve_later(key, number, wire, None);
        } else {
            self.write_out(key, outlet);
        }
        Visit::Served
    }

    /// Serves the member at the hand of a lane on the slow path: something is queued for it, or its socket took only a part.
    /// It is a separate function so that the fast path stays cheap.
    #[cold]
    fn serve_later(&mut self, key: u32, number: u32, wire: Wire, taken: Option<Taken>) {
        let Some(audience) = self.audiences.get_mut(number) else { return };
        let skips = audience.skips();
        let Some(lane) = audience.lane(wire) else { return };
        lane.count(&self.tally);
        let part = lane.next().map(|(_, part)| part).unwrap_or_default();
        lane.served();
        match taken {
            Some(taken) => self.took_less(key, number, skips, part, taken),
            None => self.enqueue(key, number, skips, part, 0),
        }
    }

    /// A member's socket took only a part.
    fn took_less(&mut self, key: u32, number: u32, skips: bool, part: Part, taken: Taken) {
        match taken {
            Taken::Broken => self.end(key),
            Taken::Some(sent) => {
                self.counters.bytes_out += sent as u64;
                self.enqueue(key, number, skips, part, sent);
                if let Some(session) = self.session(key) {
                    session.blocked = true;
                }
            }
        }
    }

    /// Writes everything for a session, of all its rooms.
    fn write_out(&mut self, key: u32, outlet: &mut impl Outlet) {
        // Settling would list the session for another turn, but its queue is written here.
        self.mark_touched(key, true);
        self.settle(key);
        self.flush_session(key, outlet);
        self.mark_touched(key, false);
    }

    fn mark_touched(&mut self, key: u32, touched: bool) {
        if let Some(session) = self.session(key) {
            session.touched = touched;
        }
    }

    /// Writes a session's queue as far as its socket takes it.
    pub(super) fn flush_session(&mut self, key: u32, outlet: &mut impl Outlet) {
        while self.write_some(key, outlet) {}
        self.pay(key);
        self.release(key);
    }

    /// Offers the front of a session's queue to its socket. Returns whether more can be offered.
    fn write_some(&mut self, key: u32, outlet: &mut impl Outlet) -> bool {
        let Some(session) = self.sessions.get_mut(key as usize) else { return false };
        let Some(queue) = &session.queue else { return false };
        // Whoever waits for its user's home asks for its rooms afterwards. What somebody says who knows of its handshake must
        // not overtake that.
        if session.blocked || session.is_over() || self.entering.contains_key(&key) {
            return false;
        }
        if queue.is_empty() {
            self.drained(key, outlet);
            return false;
        }
        let mut slices = [IoSlice::new(&[]); PIECES];
        let count = queue.front(&mut slices);
        let offered: usize = slices[..count].iter().map(|slice| slice.len()).sum();
        self.counters.writes += 1;
        let Taken::Some(sent) = outlet.write(key, &slices[..count]) else {
            self.end(key);
            return false;
        };
        self.counters.bytes_out += sent as u64;
        session.blocked = sent < offered;
        if let Some(queue) = &mut session.queue {
            let before = queue.cost();
            queue.advance(sent);
            self.queued -= before - queue.cost();
        }
        self.tell_gaps(key, None);
        true
    }

    /// A session's queue is empty.
    fn drained(&mut self, key: u32, outlet: &mut impl Outlet) {
        /// Empty queues that are kept for the next session that needs one.
        const SPARE: usize = 64;
        self.pay(key);
        let Some(session) = self.sessions.get_mut(key as usize) else { return };
        if let Some(queue) = session.queue.take()
            && self.spare.len() < SPARE
        {
            self.spare.push(queue);
        }
        if let Phase::Lingering(_) = session.phase {
            outlet.finish(key);
        }
        self.after_input(key);
    }
}
