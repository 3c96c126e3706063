//! Idle HTTP connections: they have no whole request, so they can be closed at any time without a missing answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One idle time, from accept or a response to the next whole request. All current ones are counted.
#[derive(Debug)]
pub struct Idle {
    number: u64,
    all: Arc<AtomicUsize>,
}

impl Idle {
    /// Begins idle time `number`, counted in `all`.
    pub fn begin(number: u64, all: &Arc<AtomicUsize>) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self { number, all: all.clone() }
    }

    /// Its number on the shard.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }
}
