//! Limits that all shards share: what one has taken, no other can.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::settings::MIB;

/// What a shard takes from an account at a time, so that shards meet at the account once in a thousand messages.
const LOT: usize = MIB;

/// One amount of bytes for all shards together.
#[derive(Debug)]
pub struct Account {
    limit: usize,
    taken: AtomicUsize,
}

impl Account {
    /// An account of which nothing is taken. No `limit` is 0.
    pub fn new(limit: usize) -> Self {
        Self { limit: if limit == 0 { usize::MAX } else { limit }, taken: AtomicUsize::new(0) }
    }

    /// What all shards have taken, in bytes; up to two lots a shard more than they use.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// One shard's part of an account.
#[derive(Debug, Default)]
pub struct Purse {
    used: usize,
    taken: usize,
}

impl Purse {
    /// Pays `more` bytes and gets `less` back; says whether the account is overdrawn, so that something must go.
    pub fn spend(&mut self, account: &Account, more: usize, less: usize) -> bool {
        self.used = (self.used + more).saturating_sub(less);
        // Up at once, down with a lot to spare: a shard that goes back and forth stays at home.
        let wanted = self.used.div_ceil(LOT) * LOT;
        if wanted > self.taken || wanted + 2 * LOT <= self.taken {
            account.taken.fetch_add(wanted, Ordering::Relaxed);
            account.taken.fetch_sub(self.taken, Ordering::Relaxed);
            self.taken = wanted;
        }
        account.taken() > account.limit
    }

    /// What this shard uses, in bytes.
    pub fn used(&self) -> usize {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_one_limit() {
        let account = Account::new(4 * LOT);
        let (mut a, mut b) = (Purse::default(), Purse::default());
        assert!(!a.spend(&account, 2 * LOT, 0));
        assert!(!b.spend(&account, 2 * LOT, 0));
        assert!(b.spend(&account, 1, 0));
        assert_eq!(account.taken(), 5 * LOT);
        assert!(b.spend(&account, 0, 1));
        assert!(!a.spend(&account, 0, 2 * LOT));
        assert!(b.spend(&account, 3 * LOT, 0));
        assert_eq!((a.used(), b.used()), (0, 5 * LOT));
    }

    #[test]
    fn no_limit_is_none() {
        assert!(!Purse::default().spend(&Account::new(0), usize::MAX / 4, 0));
    }
}
