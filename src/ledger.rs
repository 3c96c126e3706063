//! Limits that all shards share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use crate::settings::MIB;

/// What a shard takes from an account at a time, so that shards touch the account once in a thousand messages.
const LOT: usize = MIB;

/// The least number of lots in an account: a small account has small lots, or the spare lots of the shards would use it
/// up.
const LOTS: usize = 64;

/// A limit on bytes for all shards together.
#[derive(Debug)]
pub struct Account {
    limit: usize,
    lot: usize,
    taken: AtomicUsize,
}

impl Account {
    /// An account from which nothing is taken. A `limit` is never 0.
    pub fn new(limit: usize) -> Self {
        let limit = if limit == 0 { usize::MAX } else { limit };
        Self { limit, lot: (limit / LOTS).clamp(1, LOT), taken: AtomicUsize::new(0) }
    }

    /// What all shards have taken, in bytes: up to two lots per shard more than they use.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Whether that is more than the limit.
    pub fn is_overdrawn(&self) -> bool {
        self.taken() > self.limit
    }

    /// How much of the limit a shard that uses `used` bytes may keep, when all shards cut down in the same proportion.
    pub fn share(&self, used: usize) -> usize {
        (self.limit as u128 * used as u128 / self.taken().max(1) as u128) as usize
    }
}

/// One shard's part of an account.
#[derive(Debug, Default)]
pub struct Purse {
    used: usize,
    taken: usize,
}

impl Purse {
    /// Pays `more` bytes and gets `less` back. Returns whether the account is overdrawn.
    pub fn spend(&mut self, account: &Account, more: usize, less: usize) -> bool {
        self.used = (self.used + more).saturating_sub(less);
        // It takes at once, and gives back only when a whole lot is spare: a shard whose use goes up and down rarely
        // touches the account.
        let lot = account.lot;
        let wanted = self.used.div_ceil(lot) * lot;
        if wanted > self.taken || wanted + 2 * lot <= self.taken {
            account.taken.fetch_add(wanted, Ordering::Relaxed);
            account.taken.fetch_sub(self.taken, Ordering::Relaxed);
            self.taken = wanted;
        }
        account.is_overdrawn()
    }

    /// What this shard uses, in bytes.
    pub fn used(&self) -> usize {
        self.used
    }
}

/// Buffers that many queues share: the bytes of each count once, from the first count until nobody holds it any more.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<AtomicUsize>);

struct Counted(Bytes, Tally);

impl Tally {
    /// The same bytes, counted for as long as any part of them is held.
    pub fn count(&self, bytes: Bytes) -> Bytes {
        if bytes.is_empty() {
            return bytes;
        }
        self.0.fetch_add(bytes.len(), Ordering::Relaxed);
        Bytes::from_owner(Counted(bytes, self.clone()))
    }

    /// All that is counted, in bytes.
    pub fn total(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.0.fetch_sub(self.0.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_counts_once_and_to_its_end() {
        let tally = Tally::default();
        let counted = tally.count(Bytes::from_static(b"hello"));
        let parts = [counted.slice(..2), counted.slice(4..)];
        assert_eq!((&parts[0][..], tally.total()), (&b"he"[..], 5));
        drop(counted);
        assert_eq!(tally.total(), 5);
        drop(parts);
        assert_eq!(tally.total(), 0);
        assert!(tally.count(Bytes::new()).is_empty());
    }

    #[test]
    fn what_is_left_is_shared_out() {
        let account = Account { lot: LOT, ..Account::new(4 * LOT) };
        let (mut a, mut b) = (Purse::default(), Purse::default());
        a.spend(&account, 6 * LOT, 0);
        b.spend(&account, 2 * LOT, 0);
        assert!(account.is_overdrawn());
        assert_eq!((account.share(a.used()), account.share(b.used())), (3 * LOT, LOT));
    }

    #[test]
    fn shards_share_one_limit() {
        let account = Account { lot: LOT, ..Account::new(4 * LOT) };
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
