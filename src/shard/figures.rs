//! What the shard shows of itself, and the room in which the server tells its figures.

use std::time::Duration;

use super::Shard;
use crate::api::stats;
use crate::broker::home::Request;
use crate::broker::post::Caller;
use crate::message::{Draft, Kind};
use crate::metrics::Gauges;
use crate::metrics::board::{Place, Totals};
use crate::room_key::{RoomKey, STATS, Space};
use crate::time::Tick;

/// How often the figures are told to those who watch.
const EVERY: Duration = Duration::from_secs(1);

impl Shard {
    /// Ends a turn at this microsecond: what it took is recorded, and what it did is shown.
    ///
    /// Costs some 40 plain stores, and five more for each pass that ended: nothing for a message, nothing for a member.
    pub fn end_turn(&mut self, end_us: u64) {
        let second = self.now.wall_ms / 1_000;
        let place = self.common.board.place(usize::from(self.me));
        place.turns.record(end_us.saturating_sub(self.now.us).min(u64::from(u32::MAX)) as u32);
        for taken_us in self.landed.drain(..) {
            // Both have lost their upper half; what lies between them has not, for an hour.
            let us = (end_us as u32).wrapping_sub(taken_us);
            place.fanout.record(us);
            place.fanout_lately.record(us, second);
        }
        self.show();
    }

    /// The figures of the whole server: of this shard as they are now, of the others as of the end of their last turn.
    pub(super) fn totals(&self) -> Totals {
        self.show();
        self.common.board.totals(self.now.wall_ms / 1_000)
    }

    /// How long the server has run, in whole seconds.
    pub(super) fn uptime_s(&self) -> u64 {
        self.now.loop_ms / 1_000
    }

    fn show(&self) {
        let gauges = Gauges {
            users: self.users() as u64,
            queue_bytes: self.queued as u64,
            history_bytes: self.history.used() as u64,
            ..self.gauges
        };
        self.place().show(&self.counters, &gauges);
    }

    /// Where this shard shows its figures.
    pub(super) fn place(&self) -> &Place {
        self.common.board.place(usize::from(self.me))
    }

    /// Whether `room` counts as a room: inboxes do not, nor does the one that is there to show how many there are.
    pub(super) fn is_counted(room: &RoomKey) -> bool {
        !matches!(room.space(), Space::User | Space::Beside) && room.name() != STATS
    }

    /// A connection that spoke HTTP has become a WebSocket or a stream.
    pub(super) fn opened(&mut self, key: u32) {
        self.count_open(key, |open, rest| (open + 1, rest - 1));
    }

    /// A WebSocket or stream that is open so far ends with this code.
    pub(super) fn closed(&mut self, key: u32, code: u16) {
        if self.count_open(key, |open, rest| (open - 1, rest + 1)) {
            self.place().closed(code);
        }
    }

    /// Counts session `key` among those of its kind, or no longer; says whether it is open at all.
    fn count_open(&mut self, key: u32, change: impl FnOnce(u64, u64) -> (u64, u64)) -> bool {
        let Some(session) = self.sessions.get(key as usize).filter(|session| session.is_open()) else {
            return false;
        };
        let Gauges { websockets, streams, http, .. } = &mut self.gauges;
        let open = if session.is_stream() { streams } else { websockets };
        (*open, *http) = change(*open, *http);
        true
    }

    /// When the figures are to be told next: never while nobody watches, or while they are told elsewhere.
    pub(super) fn stats_due(&self) -> Option<Tick> {
        let home = self.homes.get(self.homes.find_key(self.stats.as_ref()?)?)?;
        (home.connections() > 0).then(|| self.stats_told.next(EVERY))
    }

    /// Tells the figures to those who watch, if it is time.
    pub(super) fn tell_stats(&mut self) {
        let now = self.now.tick();
        if self.stats_due().is_none_or(|due| due > now) {
            return;
        }
        let Some(room) = self.stats.clone() else { return };
        self.stats_told = now;
        let data = stats::json(&self.totals(), self.uptime_s()).into();
        let draft = Draft::new(Kind::Message, data);
        self.at_home(&room, Request::Publish(Caller::Nobody, draft));
    }
}

#[cfg(test)]
mod tests;
