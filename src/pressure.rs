//! How much the shards have on their way, so that publishers can be slowed before memory runs out, or before a shard has so
//! many posts to hear that it reads nobody for long.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::settings::MIB;

/// Bytes on their way in one shard above which publishers are paused. They go on at half of it.
const HIGH: usize = 64 * MIB;

/// Posts that wait in one inbox above which publishers are paused, however small: some 50 ms of work. They go on at half of it.
const MANY: usize = 20_000;

/// The load of every shard; written by its owner, read by all.
#[derive(Debug)]
pub struct Pressure {
    shards: Vec<Load>,
}

/// What is on its way in one shard: bytes, and posts.
#[derive(Debug, Default)]
struct Load {
    inbox: AtomicUsize,
    posts: AtomicUsize,
    rooms: AtomicUsize,
}

impl Pressure {
    /// No load on any of `shards`.
    pub fn new(shards: usize) -> Self {
        Self { shards: (0..shards).map(|_| Load::default()).collect() }
    }

    /// Sets how many posts wait in the inbox of `shard`, and their bytes.
    pub fn set_inbox(&self, shard: usize, posts: usize, bytes: usize) {
        self.shards[shard].posts.store(posts, Ordering::Relaxed);
        self.shards[shard].inbox.store(bytes, Ordering::Relaxed);
    }

    /// Sets how many bytes of messages are on their way to members on `shard`, or wait there for the engine.
    pub fn set_rooms(&self, shard: usize, bytes: usize) {
        self.shards[shard].rooms.store(bytes, Ordering::Relaxed);
    }

    /// Whether to pause publishers, given whether they are paused now.
    pub fn is_high(&self, now: bool) -> bool {
        let (most, many) = if now { (HIGH / 2, MANY / 2) } else { (HIGH, MANY) };
        let load = |load: &Load| load.inbox.load(Ordering::Relaxed) + load.rooms.load(Ordering::Relaxed);
        self.shards.iter().any(|shard| load(shard) > most || shard.posts.load(Ordering::Relaxed) > many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_at_the_mark_and_falls_at_half() {
        let pressure = Pressure::new(2);
        pressure.set_inbox(1, 1, HIGH / 2);
        pressure.set_rooms(1, HIGH / 2);
        assert!(!pressure.is_high(false));
        pressure.set_rooms(1, HIGH / 2 + 1);
        assert!(pressure.is_high(false));
        pressure.set_inbox(1, 0, 0);
        assert!(pressure.is_high(true));
        pressure.set_rooms(1, HIGH / 2);
        assert!(!pressure.is_high(true));
    }

    #[test]
    fn many_posts_are_as_much_as_large_ones() {
        let pressure = Pressure::new(2);
        for (posts, now, high) in
            [(20_000, false, false), (20_001, false, true), (10_001, true, true), (10_000, true, false)]
        {
            pressure.set_inbox(1, posts, 0);
            assert_eq!(pressure.is_high(now), high, "{posts}");
        }
    }
}
