//! Order within one process: a counter for each room, with a new epoch for each life of the room.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::broker::directory::Directory;
use crate::broker::place::{Ask, Tell};
use crate::dialect::kept;
use crate::position::Position;
use crate::room_key::{RoomKey, Space};
use crate::time::Now;

/// The engine without a network. It answers within the same call, and never fails.
#[derive(Default)]
pub struct Local {
    rooms: Directory<Position>,
    lives: u64,
    seed: RandomState,
}

impl Local {
    /// Answers `ask` in full.
    pub fn ask(&mut self, ask: Ask, now: Now, tells: &mut VecDeque<Tell>) {
        match ask {
            Ask::Open(room) => {
                let position = self.open(&room);
                let first = position.offset + 1;
                tells.push_back(Tell::Opened { room, position, tail: Vec::new(), first });
            }
            Ask::Close(room) => {
                self.rooms.find_key(&room).and_then(|number| self.rooms.remove(number));
            }
            // Its homes know all keys.
            Ask::Publish { room, draft, tag, .. } => {
                let stored = draft.store && room.space() != Space::Raw;
                let position = stored.then(|| self.next(&room));
                let mut message = kept::compose(room, position, draft, now.wall_ms);
                message.taken_us = now.us as u32;
                tells.push_back(Tell::Committed { message: Arc::new(message), tag: Some(tag) });
            }
            // The home has all history.
            Ask::Read { room, tag, .. } => {
                let end = self.end(&room);
                tells.push_back(Tell::Page { room, tag, end, messages: Vec::new() });
            }
        }
    }

    /// Gives the room a new epoch, as after a loss of its order.
    #[cfg(feature = "internals")]
    pub fn reopen(&mut self, room: &RoomKey) -> Position {
        if let Some(number) = self.rooms.find_key(room) {
            self.rooms.remove(number);
        }
        self.open(room)
    }

    /// The newest position of a room.
    pub fn end(&self, room: &RoomKey) -> Position {
        let number = self.rooms.find_key(room);
        number.and_then(|number| self.rooms.get(number)).copied().unwrap_or(Position { epoch: 0, offset: 0 })
    }

    fn open(&mut self, room: &RoomKey) -> Position {
        self.lives += 1;
        let epoch = self.seed.hash_one(self.lives) as u32;
        let number = self.rooms.find_or_insert(room, || Position { epoch, offset: 0 });
        self.rooms.get(number).copied().unwrap_or(Position { epoch, offset: 0 })
    }

    fn next(&mut self, room: &RoomKey) -> Position {
        let number = self.rooms.find_or_insert(room, || Position { epoch: 0, offset: 0 });
        match self.rooms.get_mut(number) {
            Some(position) => {
                position.offset += 1;
                *position
            }
            None => Position { epoch: 0, offset: 0 },
        }
    }
}
