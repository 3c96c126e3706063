//! Lists of rooms: a part in each turn, so that looking through many rooms delays nobody's message.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Shard;
use crate::broker::home::Home;
use crate::broker::permit::is_any;
use crate::broker::post::{Caller, Line, Listing, Post};

/// Names that are looked at in one turn, for all lists together: some 0.1 ms, or 0.3 with patterns to compare.
const SLICE: usize = 512;

/// Lists that are asked for, made one after the other.
#[derive(Default)]
pub(super) struct Lists {
    queue: VecDeque<(Caller, Arc<Listing>)>,
    /// Of the first: what was found, and the last name that was looked at.
    lines: Vec<Line>,
    after: Option<Box<str>>,
    /// Names that this turn has looked at.
    looked: usize,
}

impl Lists {
    /// Whether nobody waits for one.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
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
    /// Lists the first rooms at home here that `listing` asks for, in this turn if it can be.
    pub(super) fn list(&mut self, caller: Caller, listing: Arc<Listing>) {
        self.lists.queue.push_back((caller, listing));
        self.list_some();
    }

    /// Looks at some more rooms for who waits for a list.
    pub(super) fn list_some(&mut self) {
        while let Some((_, listing)) = self.lists.queue.front().cloned() {
            if !self.look_at_some(&listing) {
                return;
            }
            self.lists.after = None;
            let lines = std::mem::take(&mut self.lists.lines);
            if let Some((caller, _)) = self.lists.queue.pop_front() {
                self.answer(caller, |caller| Post::Listed(caller, lines));
            }
        }
    }

    /// Goes on with the first list; whether that is done.
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
