//! Announcements to everybody. Each turn handles a part of the slab of sessions, so that many connections do not delay rooms.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Shard;
use crate::broker::post::{Announcement, Caller, Post};
use crate::dialect::forms::Forms;
use crate::dialect::told::Told;
use crate::id::ShardId;
use crate::message::Draft;
use crate::session::facts::Fact;
use crate::settings::MIB;

/// Sessions that get an announcement in one turn: about 100 µs.
const SLICE: usize = 32;

/// Sessions that are looked at for it in one turn.
const LOOKS: usize = 1_024;

/// Announcements that may be under way at once.
const MAX_UNDER_WAY: usize = 64;

/// Bytes of announcements that may be under way at once: several times what one call may have.
const MOST_UNDER_WAY: usize = 8 * MIB;

/// Announcements under way, sent one after another.
#[derive(Default)]
pub(super) struct Announcing {
    queue: VecDeque<(Arc<Announcement>, Caller)>,
    /// The key of the next session that gets the first of them.
    next: usize,
    /// How many have got it.
    told: u32,
}

impl Announcing {
    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether no more announcements are accepted.
    pub(super) fn is_full(&self) -> bool {
        let bytes = |(announcement, _): &(Arc<Announcement>, Caller)| announcement.cost();
        self.queue.len() >= MAX_UNDER_WAY || self.queue.iter().map(bytes).sum::<usize>() > MOST_UNDER_WAY
    }
}

impl Shard {
    /// The app sends a message to everybody.
    pub(super) fn announce(&mut self, caller: &Caller, draft: Draft) {
        let announcement = Arc::new(Announcement::new(draft.event, draft.data, self.now.wall_ms));
        self.counters.messages_in += 1;
        let me = usize::from(self.me);
        for shard in (0..self.common.shards).filter(|&shard| shard != me) {
            self.post(shard as ShardId, Post::Announce(announcement.clone(), caller.clone()));
        }
        // Not by a post: whoever comes next in this turn is to see it under way.
        self.begin_announcement(announcement, caller.clone());
    }

    /// Begins an announcement to the sessions of this shard.
    pub(super) fn begin_announcement(&mut self, announcement: Arc<Announcement>, caller: Caller) {
        self.announcing.queue.push_back((announcement, caller));
    }

    /// Sends it to some more sessions.
    pub(super) fn announce_some(&mut self) {
        let Some((announcement, _)) = self.announcing.queue.front() else { return };
        let announcement = announcement.clone();
        let end = self.sessions.capacity();
        let until = (self.announcing.next + LOOKS).min(end);
        let mut told = 0;
        while self.announcing.next < until && told < SLICE {
            told += usize::from(self.tell_announcement(self.announcing.next as u32, &announcement));
            self.announcing.next += 1;
        }
        if self.announcing.next >= end {
            let told = std::mem::take(&mut self.announcing.told);
            self.announcing.next = 0;
            if let Some((_, caller)) = self.announcing.queue.pop_front() {
                self.answer(caller, |caller| Post::Counted(caller, told));
            }
        }
    }

    /// Sends it to a session, if that gets announcements. Returns whether it does.
    fn tell_announcement(&mut self, key: u32, announcement: &Announcement) -> bool {
        let Some(session) = self.sessions.get(key as usize) else { return false };
        let welcomed =
            session.is_open() && !session.facts.has(Fact::Newcomer) && !self.entering.contains_key(&key);
        if !welcomed || !session.dialect.manners().announcements {
            return false;
        }
        let Announcement { event, data, wall_ms, .. } = announcement;
        let told = Told::Announcement { event: event.as_deref(), data, wall_ms: *wall_ms };
        let wire = session.own_wire();
        let form = announcement.form(wire, &self.tally, || Forms::of(told, None).on(wire));
        self.announcing.told += 1;
        self.counters.messages_out += 1;
        self.hand(key, form);
        true
    }
}
