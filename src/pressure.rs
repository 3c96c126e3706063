//! How many bytes the shards have on their way, so that publishers can be slowed before memory runs out.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::settings::MIB;

/// Bytes on their way in one shard above which publishers are paused. They go on at half of it.
const HIGH: usize = 64 * MIB;

/// The load of every shard; written by its owner, read by all.
#[derive(Debug)]
pub struct Pressure {
    shards: Vec<Load>,
}

/// Bytes on their way in one shard.
#[derive(Debug, Default)]
struct Load {
    inbox: AtomicUsize,
    rooms: AtomicUsize,
}

impl Pressure {
    /// No load on any of `shards`.
    pub fn new(shards: usize) -> Self {
        Self { shards: (0..shards).map(|_| Load::default()).collect() }
    }

    /// Sets how many bytes of posts wait in the inbox of `shard`.
    pub fn set_inbox(&self, shard: usize, bytes: usize) {
        self.shards[shard].inbox.store(bytes, Ordering::Relaxed);
    }

    /// Sets how many bytes of messages are on their way to members on `shard`, or wait there for the engine.
    pub fn set_rooms(&self, shard: usize, bytes: usize) {
        self.shards[shard].rooms.store(bytes, Ordering::Relaxed);
    }

    /// Whether to pause publishers, given whether they are paused now.
    pub fn is_high(&self, now: bool) -> bool {
        let limit = if now { HIGH / 2 } else { HIGH };
        let load = |load: &Load| load.inbox.load(Ordering::Relaxed) + load.rooms.load(Ordering::Relaxed);
        self.shards.iter().any(|shard| load(shard) > limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_at_the_mark_and_falls_at_half() {
        let pressure = Pressure::new(2);
        pressure.set_inbox(1, HIGH / 2);
        pressure.set_rooms(1, HIGH / 2);
        assert!(!pressure.is_high(false));
        pressure.set_rooms(1, HIGH / 2 + 1);
        assert!(pressure.is_high(false));
        pressure.set_inbox(1, 0);
        assert!(pressure.is_high(true));
        pressure.set_rooms(1, HIGH / 2);
        assert!(!pressure.is_high(true));
    }
}
