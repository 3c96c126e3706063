//! Who connects from where: the one map that all shards share, touched when a connection comes and when it goes.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::bucket::{Bucket, Rate};

/// Addresses without a connection that are remembered for their rate; behind that the map is swept.
const IDLE: usize = 10_000;

/// What connections of one address are limited to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Connections at once; 0: any number.
    pub connections: usize,
    /// Handshakes, and how many in a burst.
    pub handshakes: Rate,
}

/// Why a connection of an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It has as many as it may have.
    TooMany,
    /// It makes too many too fast; it may again in so many milliseconds.
    TooFast(u64),
}

/// The connections of every address.
#[derive(Debug, Default)]
pub struct Addresses(Mutex<HashMap<IpAddr, Line>>);

#[derive(Debug, Default)]
struct Line {
    connections: usize,
    handshakes: Bucket,
}

impl Addresses {
    /// A connection comes from `address`. If it is let in, [`Addresses::leave`] must be called once for it.
    ///
    /// # Errors
    ///
    /// Where one of the limits is reached.
    pub fn enter(&self, address: IpAddr, limits: Limits, loop_ms: u64) -> Result<(), Refused> {
        let mut lines = self.lock();
        if lines.len() > IDLE {
            lines.retain(|_, line| {
                line.connections > 0 || line.handshakes.take(limits.handshakes, 1.0, loop_ms).is_err()
            });
        }
        let line = lines.entry(site(address)).or_default();
        if limits.connections > 0 && line.connections >= limits.connections {
            return Err(Refused::TooMany);
        }
        line.handshakes.take(limits.handshakes, 1.0, loop_ms).map_err(Refused::TooFast)?;
        line.connections += 1;
        Ok(())
    }

    /// A connection that had come from `address` is gone.
    pub fn leave(&self, address: IpAddr, limits: Limits) {
        let mut lines = self.lock();
        let address = site(address);
        if let Some(line) = lines.get_mut(&address) {
            line.connections = line.connections.saturating_sub(1);
            // The rate outlives the connection, or it would limit nothing.
            if line.connections == 0 && limits.handshakes.per_second <= 0.0 {
                lines.remove(&address);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Line>> {
        // Every change above is whole before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom an address stands for: with IPv6 one customer has a whole /64 network.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Rate = Rate { per_second: 0.0, burst: 0.0 };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn connections_of_one_site_are_counted_together() {
        let addresses = Addresses::default();
        let limits = Limits { connections: 2, handshakes: FREE };
        let enter = |address| addresses.enter(ip(address), limits, 0);
        assert_eq!(enter("10.0.0.1"), Ok(()));
        assert_eq!(enter("::ffff:10.0.0.1"), Ok(()));
        assert_eq!(enter("10.0.0.1"), Err(Refused::TooMany));
        assert_eq!(enter("10.0.0.2"), Ok(()));
        assert_eq!(enter("2001:db8::1"), Ok(()));
        assert_eq!(enter("2001:db8::2"), Ok(()));
        assert_eq!(enter("2001:db8::3"), Err(Refused::TooMany));
        assert_eq!(enter("2001:db8:0:1::3"), Ok(()));
        addresses.leave(ip("10.0.0.1"), limits);
        assert_eq!(enter("10.0.0.1"), Ok(()));
    }

    #[test]
    fn a_rate_outlives_its_connections() {
        let addresses = Addresses::default();
        let limits = Limits { connections: 0, handshakes: Rate { per_second: 1.0, burst: 2.0 } };
        for _ in 0..2 {
            assert_eq!(addresses.enter(ip("10.0.0.1"), limits, 0), Ok(()));
            addresses.leave(ip("10.0.0.1"), limits);
        }
        assert_eq!(addresses.enter(ip("10.0.0.1"), limits, 0), Err(Refused::TooFast(1_000)));
        assert_eq!(addresses.enter(ip("10.0.0.1"), limits, 1_000), Ok(()));
    }

    #[test]
    fn who_left_no_trace_is_forgotten() {
        let addresses = Addresses::default();
        let limits = Limits { connections: 1, handshakes: FREE };
        addresses.enter(ip("10.0.0.1"), limits, 0).unwrap();
        addresses.leave(ip("10.0.0.1"), limits);
        assert!(addresses.lock().is_empty());
    }
}
