//! How many members a room has, on each shard and in all.

use crate::id::ShardId;

/// The members of one room.
#[derive(Debug)]
pub(super) struct Members {
    on: Box<[u32]>,
    all: u32,
    /// Shards that have some.
    shards: u32,
}

impl Members {
    /// Nobody on so many shards.
    pub(super) fn new(shards: usize) -> Self {
        Self { on: vec![0; shards].into(), all: 0, shards: 0 }
    }

    /// There is one more on `shard`.
    pub(super) fn add(&mut self, shard: ShardId) {
        let here = &mut self.on[usize::from(shard)];
        self.shards += u32::from(*here == 0);
        *here += 1;
        self.all += 1;
    }

    /// There is one less on `shard`.
    pub(super) fn remove(&mut self, shard: ShardId) {
        let here = &mut self.on[usize::from(shard)];
        debug_assert!(*here > 0, "a member leaves who is not there");
        // Nobody there is nobody less: the other numbers must not go wrong with it.
        if *here > 0 {
            *here -= 1;
            self.all = self.all.saturating_sub(1);
            self.shards = self.shards.saturating_sub(u32::from(*here == 0));
        }
    }

    /// Those of each shard.
    pub(super) fn on(&self) -> &[u32] {
        &self.on
    }

    /// How many there are.
    pub(super) fn all(&self) -> u32 {
        self.all
    }

    /// On how many shards.
    pub(super) fn shards(&self) -> usize {
        self.shards as usize
    }
}
