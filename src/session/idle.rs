//! An HTTP connection on which no request is whole: nobody waits for an answer on it, so it can be closed at any time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One spell of that, from accept or an answer to the next whole request. All spells together are counted as long as they last.
#[derive(Debug)]
pub struct Idle {
    number: u64,
    all: Arc<AtomicUsize>,
}

impl Idle {
    /// Begins the spell `number`, counted in `all`.
    pub fn begin(number: u64, all: &Arc<AtomicUsize>) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self { number, all: all.clone() }
    }

    /// Which of its shard's spells it is.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }
}
