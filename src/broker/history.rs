//! The newest messages of a room, for clients that reconnect or join later.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::message::Message;
use crate::position::Position;
use crate::settings::RoomSettings;
use crate::time::Tick;

/// Consecutive messages up to the newest, bounded in number, bytes and age.
#[derive(Debug, Default)]
pub struct History {
    kept: VecDeque<(Tick, Arc<Message>)>,
    bytes: usize,
}

/// Messages for a reader.
#[derive(Clone, Debug, Default)]
pub struct Excerpt {
    /// Messages in order.
    pub messages: Vec<Arc<Message>>,
    /// Whether they are all messages after the reader's position.
    pub recovered: bool,
    /// Whether there are newer ones that were left out.
    pub more: bool,
}

impl History {
    /// Keeps `message`, which follows the last, and drops what no longer fits.
    pub fn push(&mut self, message: Arc<Message>, limits: &RoomSettings, now: Tick) {
        self.bytes += message.cost();
        self.kept.push_back((now, message));
        while self.kept.len() > limits.history as usize || self.bytes > limits.history_bytes {
            self.drop_oldest();
        }
    }

    /// Drops messages that are older than the room's `ttl`.
    pub fn expire(&mut self, limits: &RoomSettings, now: Tick) {
        while self.kept.front().is_some_and(|(at, _)| at.after(limits.ttl) <= now) {
            self.drop_oldest();
        }
        if self.kept.is_empty() {
            self.kept = VecDeque::new();
        }
    }

    /// Drops the oldest message; says what it cost.
    pub fn drop_oldest(&mut self) -> Option<usize> {
        let (_, message) = self.kept.pop_front()?;
        self.bytes -= message.cost();
        Some(message.cost())
    }

    /// Drops everything: the room lost its order.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// When the oldest message will be dropped.
    pub fn expires(&self, limits: &RoomSettings) -> Tick {
        self.kept.front().map_or(Tick::NEVER, |(at, _)| at.after(limits.ttl))
    }

    /// What the messages cost together, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The offset of the oldest message here. `end` is the room's newest position.
    pub fn first(&self, end: Position) -> u64 {
        end.offset + 1 - self.kept.len() as u64
    }

    /// Whether all messages after `since` are here. `end` is the room's newest position.
    pub fn reaches(&self, since: Position, end: Position) -> bool {
        since.epoch == end.epoch && since.offset <= end.offset && since.offset + 1 >= self.first(end)
    }

    /// The first `limit` messages after `since`; `None` if some of the messages after it are gone.
    pub fn after(&self, since: Position, end: Position, limit: usize) -> Option<Excerpt> {
        if !self.reaches(since, end) {
            return None;
        }
        let skip = (since.offset + 1 - self.first(end)) as usize;
        let messages: Vec<_> = self.range(skip..self.kept.len().min(skip.saturating_add(limit)));
        let more = skip + messages.len() < self.kept.len();
        Some(Excerpt { messages, recovered: true, more })
    }

    /// The newest `limit` messages, oldest first.
    pub fn newest(&self, limit: usize) -> Excerpt {
        let skip = self.kept.len().saturating_sub(limit);
        Excerpt { messages: self.range(skip..self.kept.len()), recovered: false, more: false }
    }

    fn range(&self, range: std::ops::Range<usize>) -> Vec<Arc<Message>> {
        self.kept.range(range).map(|(_, message)| message.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::room_key::{RoomKeys, Space};

    const EPOCH: u32 = 7;

    fn at(offset: u64) -> Position {
        Position { epoch: EPOCH, offset }
    }

    fn history(count: u64, limits: &RoomSettings) -> History {
        let room = RoomKeys::default().key(Space::Native, "a");
        let mut history = History::default();
        for offset in 1..=count {
            let frame = bytes::Bytes::from(vec![b'1'; 100]);
            let message = Message::new(room.clone(), Some(at(offset)), None, frame, 2);
            history.push(Arc::new(message), limits, Tick(offset as u32));
        }
        history
    }

    fn offsets(excerpt: &Excerpt) -> Vec<u64> {
        excerpt
            .messages
            .iter()
            .filter_map(|message| message.position)
            .map(|position| position.offset)
            .collect()
    }

    #[test]
    fn since_from_every_age() {
        let limits = RoomSettings { history: 4, ..Default::default() };
        let history = history(10, &limits);
        let ask = |since, limit| {
            let excerpt = history.after(since, at(10), limit)?;
            Some((offsets(&excerpt), excerpt.recovered, excerpt.more))
        };
        assert_eq!(ask(at(10), 9), Some((vec![], true, false)));
        assert_eq!(ask(at(8), 9), Some((vec![9, 10], true, false)));
        assert_eq!(ask(at(6), 9), Some((vec![7, 8, 9, 10], true, false)));
        assert_eq!(ask(at(6), 3), Some((vec![7, 8, 9], true, true)));
        assert_eq!(ask(at(5), 9), None);
        assert_eq!(ask(at(5), 2), None);
        assert_eq!(ask(at(11), 1), None);
        assert_eq!(ask(at(u64::MAX), 1), None);
        assert_eq!(ask(Position { epoch: 8, offset: 9 }, 1), None);
    }

    #[test]
    fn the_newest_is_recovered_with_no_history_at_all() {
        let limits = RoomSettings { history: 0, ..Default::default() };
        let history = history(3, &limits);
        assert!(history.after(at(3), at(3), 9).is_some_and(|excerpt| excerpt.recovered));
        assert!(history.after(at(2), at(3), 9).is_none());
    }

    #[test]
    fn bytes_and_age_are_bounded() {
        let limits = RoomSettings { history_bytes: 1000, ttl: Duration::from_secs(1), ..Default::default() };
        let mut history = history(10, &limits);
        assert!(history.bytes() <= 1000 && history.bytes() > 500);
        let kept = history.newest(99).messages.len() as u32;
        history.expire(&limits, Tick(10 + 5 - kept));
        assert_eq!(history.newest(99).messages.len() as u32, kept);
        assert_eq!(history.expires(&limits), Tick(11 - kept + 5));
        history.expire(&limits, Tick(14));
        assert_eq!(offsets(&history.newest(99)), [10]);
        history.expire(&limits, Tick(15));
        assert_eq!((history.bytes(), history.expires(&limits)), (0, Tick::NEVER));
    }
}
