//! Who connects from where: one map that all shards share. It is touched when a connection begins and when it ends.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::bucket::{Bucket, Rate};

/// With fewer addresses the map is never swept.
const FEW: usize = 10_000;

/// What connections of one address are limited to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowed {
    /// Connections at once; 0: any number.
    pub connections: usize,
    /// The rate of handshakes, with its burst.
    pub handshakes: Rate,
}

/// The connections of every address.
#[derive(Debug, Default)]
pub struct Addresses {
    book: Mutex<Book>,
    marks: RandomState,
}

#[derive(Debug, Default)]
struct Book {
    lines: HashMap<IpAddr, Line>,
    /// How many entries the last sweep left.
    swept: usize,
}

#[derive(Debug, Default)]
struct Line {
    connections: usize,
    handshakes: Bucket,
}

impl Allowed {
    /// Whether anything is limited. Otherwise nothing is remembered.
    pub fn is_limit(self) -> bool {
        self.connections > 0 || self.handshakes.is_limit()
    }
}

impl Addresses {
    /// A connection comes from `address`; returns whether it may. If so, [`Addresses::leave`] must be called once for it.
    pub fn come(&self, address: IpAddr, allowed: Allowed, now_ms: u64) -> bool {
        let mut book = self.lock();
        book.sweep(allowed, now_ms);
        let line = book.lines.entry(site(address)).or_default();
        let may = allowed.connections == 0 || line.connections < allowed.connections;
        line.connections += usize::from(may);
        may
    }

    /// A request comes from `address` whose token will be checked, for a lasting connection or a single call.
    ///
    /// # Errors
    ///
    /// If this is too soon: in how many milliseconds it may come.
    pub fn ask(&self, address: IpAddr, allowed: Allowed, now_ms: u64) -> Result<(), u64> {
        let mut book = self.lock();
        book.sweep(allowed, now_ms);
        book.lines.entry(site(address)).or_default().handshakes.take(allowed.handshakes, 1.0, now_ms)
    }

    /// A number for `address`, never 0, small enough for each session to keep. Two addresses have the same one in about
    /// four billion cases, and nobody can choose an address with another's number.
    pub fn mark(&self, address: IpAddr) -> u32 {
        (self.marks.hash_one(site(address)) as u32).max(1)
    }

    /// A connection from `address` has ended.
    pub fn leave(&self, address: IpAddr, allowed: Allowed) {
        let mut book = self.lock();
        let address = site(address);
        if let Some(line) = book.lines.get_mut(&address) {
            line.connections = line.connections.saturating_sub(1);
            // The rate outlives the connection, or it would limit nothing.
            if line.connections == 0 && !allowed.handshakes.is_limit() {
                book.lines.remove(&address);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        // Every change above is whole before anything can panic.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Forgets addresses that have no connection and a full bucket, whenever there are twice as many entries as the last
    /// sweep left. So each newcomer pays for two entries at most, however many come.
    fn sweep(&mut self, allowed: Allowed, now_ms: u64) {
        if self.lines.len() < (2 * self.swept).max(FEW) {
            return;
        }
        let full =
            |line: &Line| line.handshakes.wait(allowed.handshakes, allowed.handshakes.burst, now_ms) == 0;
        self.lines.retain(|_, line| line.connections > 0 || !full(line));
        self.lines.shrink_to(FEW);
        self.swept = self.lines.len();
    }
}

/// The address that limits go by: with IPv6 one customer has a whole /64 network.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn connections_of_one_site_are_counted_together() {
        let addresses = Addresses::default();
        let allowed = Allowed { connections: 2, handshakes: Rate::FREE };
        let come = |address| addresses.come(ip(address), allowed, 0);
        assert!(come("10.0.0.1"));
        assert!(come("::ffff:10.0.0.1"));
        assert!(!come("10.0.0.1"));
        assert!(come("10.0.0.2"));
        assert!(come("2001:db8::1"));
        assert!(come("2001:db8::2"));
        assert!(!come("2001:db8::3"));
        assert!(come("2001:db8:0:1::3"));
        addresses.leave(ip("10.0.0.1"), allowed);
        assert!(come("10.0.0.1"));
    }

    #[test]
    fn a_site_has_one_mark() {
        let addresses = Addresses::default();
        let mark = |address| addresses.mark(ip(address));
        assert_eq!(mark("2001:db8::1"), mark("2001:db8::2"));
        assert_eq!(mark("10.0.0.1"), mark("::ffff:10.0.0.1"));
        assert_ne!(mark("10.0.0.1"), mark("10.0.0.2"));
    }

    #[test]
    fn a_rate_outlives_its_connections() {
        let addresses = Addresses::default();
        let allowed = Allowed { connections: 0, handshakes: Rate { per_second: 1.0, burst: 2.0 } };
        for _ in 0..2 {
            assert!(addresses.come(ip("10.0.0.1"), allowed, 0));
            assert_eq!(addresses.ask(ip("10.0.0.1"), allowed, 0), Ok(()));
            addresses.leave(ip("10.0.0.1"), allowed);
        }
        assert_eq!(addresses.ask(ip("10.0.0.1"), allowed, 0), Err(1_000));
        assert_eq!(addresses.ask(ip("10.0.0.1"), allowed, 1_000), Ok(()));
    }

    #[test]
    fn what_does_not_last_counts_for_the_rate_alone() {
        let addresses = Addresses::default();
        let allowed = Allowed { connections: 1, handshakes: Rate { per_second: 1.0, burst: 2.0 } };
        let ask = |loop_ms| addresses.ask(ip("10.0.0.1"), allowed, loop_ms);
        assert_eq!([ask(0), ask(0), ask(0)], [Ok(()), Ok(()), Err(1_000)]);
        assert_eq!(ask(1_000), Ok(()));
    }

    #[test]
    fn who_left_no_trace_is_forgotten() {
        let addresses = Addresses::default();
        let allowed = Allowed { connections: 1, handshakes: Rate::FREE };
        assert!(addresses.come(ip("10.0.0.1"), allowed, 0));
        addresses.leave(ip("10.0.0.1"), allowed);
        assert!(addresses.lock().lines.is_empty());
    }

    #[test]
    fn a_flood_of_addresses_is_swept_out_again_in_few_sweeps() {
        let addresses = Addresses::default();
        let allowed = Allowed { connections: 0, handshakes: Rate { per_second: 1.0, burst: 1.0 } };
        let come = |n: u32, now_ms| {
            let address = IpAddr::V4(n.into());
            assert!(addresses.come(address, allowed, now_ms));
            assert_eq!(addresses.ask(address, allowed, now_ms), Ok(()));
            addresses.leave(address, allowed);
        };
        let mut sweeps = std::collections::HashSet::new();
        for n in 0..100_000 {
            come(n, 0);
            sweeps.insert(addresses.lock().swept);
        }
        assert_eq!(addresses.lock().lines.len(), 100_000, "all of them are still in debt");
        assert_eq!(sweeps.len() - 1, 4, "at 10, 20, 40 and 80 thousand");
        // A second later nobody is.
        (100_000..159_999).for_each(|n| come(n, 60_000));
        assert_eq!(addresses.lock().lines.len(), 159_999);
        come(160_000, 120_000);
        let book = addresses.lock();
        assert_eq!((book.lines.len(), book.swept), (1, 1));
    }
}
