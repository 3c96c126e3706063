//! The figures of the shard, and the room `$stats` that gets them.

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

/// How often members of `$stats` get the figures.
const EVERY: Duration = Duration::from_secs(1);

impl Shard {
    /// Ends a turn at this microsecond: records its duration and shows its figures.
    ///
    /// Costs about 40 plain stores, and five more for each pass that ended. It costs nothing per message or member.
    pub fn end_turn(&mut self, end_us: u64) {
        let second = self.now.wall_ms / 1_000;
        let place = self.common.board.place(usize::from(self.me));
        place.turns.record(end_us.saturating_sub(self.now.us).min(u64::from(u32::MAX)) as u32);
        for taken_us in self.landed.drain(..) {
            // Both are cut to 32 bits. Their difference is right for up to an hour.
            let us = (end_us as u32).wrapping_sub(taken_us);
            place.fanout.record(us);
            place.fanout_lately.record(us, second);
        }
        self.show();
    }

    /// The figures of the whole server: of this shard as of now, of the others as of the end of their last turn.
    pub(super) fn totals(&self) -> Totals {
        self.show();
        self.common.board.totals(self.now.wall_ms / 1_000)
    }

    /// How long the server has run, in whole seconds.
    pub(super) fn uptime_s(&self) -> u64 {
        // The loop's own time stands still while nothing is due.
        self.now.us.saturating_sub(self.began_us) / 1_000_000
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

    /// Whether `room` counts in the figures. Inboxes and `$stats` do not.
    pub(super) fn is_counted(room: &RoomKey) -> bool {
        !matches!(room.space(), Space::User | Space::Beside) && room.name() != STATS
    }

    /// A connection that spoke HTTP has become a WebSocket or a stream.
    pub(super) fn opened(&mut self, key: u32) {
        self.count_open(key, |open, rest| (open + 1, rest - 1));
    }

    /// An open WebSocket or stream ends with this code.
    pub(super) fn closed(&mut self, key: u32, code: u16) {
        if self.count_open(key, |open, rest| (open - 1, rest + 1)) {
            self.place().closed(code);
        }
    }

    /// Changes the count of sessions of the kind of `key`. Returns whether it is a WebSocket or stream.
    fn count_open(&mut self, key: u32, change: impl FnOnce(u64, u64) -> (u64, u64)) -> bool {
        let Some(session) = self.sessions.get(key as usize).filter(|session| session.is_open()) else {
            return false;
        };
        let Gauges { websockets, streams, http, .. } = &mut self.gauges;
        let open = if session.is_stream() { streams } else { websockets };
        (*open, *http) = change(*open, *http);
        true
    }

    /// When the figures are due next: never without members, or if `$stats` is at home on another shard.
    pub(super) fn stats_due(&self) -> Option<Tick> {
        let home = self.homes.get(self.homes.find_key(self.stats.as_ref()?)?)?;
        (home.connections() > 0).then(|| self.stats_told.next(EVERY))
    }

    /// Sends the figures to the members of `$stats`, if they are due.
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
