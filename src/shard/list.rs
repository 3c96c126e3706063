//! Lists of rooms. Each turn handles a part, so that a search through many rooms does not delay messages.
//!
//! A list is made even if its caller has gone meanwhile. So lists that wait are paid for like queued bytes, and there are only
//! so many.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Shard;
use crate::broker::home::Home;
use crate::broker::permit::is_any;
use crate::broker::post::{Caller, Line, Listing, Post};

/// Names that are looked at in one turn, for all lists together: about 0.1 ms, or 0.3 ms with patterns.
const SLICE: usize = 512;

/// Lists that may wait, at most: the last of them waits some 0.2 s.
const MAX_WAITING: usize = 1_000;

/// Lists that were asked for, made one after another.
#[derive(Default)]
pub(super) struct Lists {
    queue: VecDeque<(Caller, Arc<Listing>)>,
    /// Of the first list: the rooms found, and the last name that was looked at.
    lines: Vec<Line>,
    after: Option<Box<str>>,
    /// Names that this turn has looked at.
    looked: usize,
}

impl Lists {
    /// Whether no list is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether no more calls for lists are accepted. Every shard makes its part of every list, so all have about as many.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= MAX_WAITING
    }

    /// Names that this turn has looked at.
    #[cfg(test)]
    pub(super) fn looked(&self) -> usize {
        self.looked
    }

    /// A new turn begins.
    pub(super) fn begin(&mut self) {
        self.looked = 0;
    }
}

impl Shard {
    /// Lists the rooms at home here that `listing` asks for, in this turn if possible.
    pub(super) fn list(&mut self, caller: Caller, listing: Arc<Listing>) {
        self.spend(cost(&listing));
        self.lists.queue.push_back((caller, listing));
        self.list_some();
    }

    /// Goes on with the lists.
    pub(super) fn list_some(&mut self) {
        while let Some((_, listing)) = self.lists.queue.front().cloned() {
            if !self.look_at_some(&listing) {
                return;
            }
            self.lists.after = None;
            let lines = std::mem::take(&mut self.lists.lines);
            if let Some((caller, _)) = self.lists.queue.pop_front() {
                self.spend(-cost(&listing));
                self.answer(caller, |caller| Post::Listed(caller, lines));
            }
        }
    }

    /// Goes on with the first list. Returns whether it is done.
    fn look_at_some(&mut self, listing: &Listing) -> bool {
        let Lists { lines, after, looked, .. } = &mut self.lists;
        let begin = after.take();
        let (mut last, mut paused) = (None, false);
        for room in self.rooms.names.after(&listing.prefix, begin.as_deref().unwrap_or(&listing.after)) {
            paused = *looked == SLICE;
            if paused || lines.len() == listing.limit {
                break;
            }
            *looked += 1;
            last = Some(room);
            if listing.rooms.as_ref().is_none_or(|rooms| is_any(rooms, room.name())) {
                let home = self.homes.find_key(room).and_then(|number| self.homes.get(number));
                lines.extend(home.map(Home::line));
            }
        }
        if paused {
            *after = last.map(|room| room.name().into()).or(begin);
        }
        !paused
    }
}

/// Bytes that a list holds while it waits.
fn cost(listing: &Listing) -> isize {
    let texts = listing.prefix.len() + listing.after.len();
    (size_of::<(Caller, Arc<Listing>)>() + size_of::<Listing>() + texts).cast_signed()
}
