//! Who makes rooms: how fast each connection and each address may make them, and how many rooms an address has.
//!
//! One locked map for all shards. It is touched only when a room is made and when it is forgotten.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::bucket::{Bucket, Rate};
use crate::id::SessionId;

/// So few entries are not worth a sweep.
const FEW: usize = 1_000;

/// The limits on making rooms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowed {
    /// The rate for one connection.
    pub connection: Rate,
    /// The rate for all connections of one address.
    pub address: Rate,
    /// How many rooms one address may have at a time; 0: any number.
    pub rooms: usize,
}

/// Why a room is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its address has as many rooms as it may.
    TooMany,
    /// Too fast; the next may be made in so many milliseconds.
    TooFast(u64),
}

/// Makers of rooms. An address is known by its mark, see [`crate::addresses::Addresses::mark`]; 0 is none.
#[derive(Debug)]
pub struct Makers {
    allowed: Allowed,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    connections: HashMap<SessionId, Bucket>,
    addresses: HashMap<u32, Line>,
    /// How many entries the last sweep left.
    swept: usize,
}

#[derive(Debug, Default)]
struct Line {
    rooms: usize,
    pace: Bucket,
}

impl Makers {
    /// Makers without any rooms.
    pub fn new(allowed: Allowed) -> Self {
        Self { allowed, book: Mutex::default() }
    }

    /// `session`, of the address with this mark, makes a room. If it may, [`Makers::gone`] must be called once for the
    /// room.
    ///
    /// # Errors
    ///
    /// If one of the limits is reached; then nothing is counted.
    pub fn make(&self, session: SessionId, address: u32, now_ms: u64) -> Result<(), Refused> {
        let most = self.allowed.rooms;
        let mut book = self.lock();
        let full = |line: &Line| most > 0 && line.rooms >= most;
        if book.addresses.get(&address).is_some_and(full) {
            return Err(Refused::TooMany);
        }
        book.pace(self.allowed, session, address, now_ms)?;
        if address != 0 {
            book.addresses.entry(address).or_default().rooms += 1;
        }
        Ok(())
    }

    /// The same for an inbox, which comes out of the same rates but counts among no address's rooms.
    ///
    /// # Errors
    ///
    /// If it is too fast; then nothing is counted.
    pub fn pace(&self, session: SessionId, address: u32, now_ms: u64) -> Result<(), Refused> {
        self.lock().pace(self.allowed, session, address, now_ms)
    }

    /// A room that was made for this address has been forgotten.
    pub fn gone(&self, address: u32) {
        if let Some(line) = self.lock().addresses.get_mut(&address) {
            line.rooms = line.rooms.saturating_sub(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        // Every change above is whole before anything can panic.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Takes one room of each rate, or none of either.
    fn pace(
        &mut self,
        allowed: Allowed,
        session: SessionId,
        address: u32,
        now_ms: u64,
    ) -> Result<(), Refused> {
        self.sweep(allowed, now_ms);
        let own = self.connections.entry(session).or_default();
        let mut line = (address != 0).then(|| self.addresses.entry(address).or_default());
        let wait = own.wait(allowed.connection, 1.0, now_ms);
        let theirs = line.as_ref().map_or(0, |line| line.pace.wait(allowed.address, 1.0, now_ms));
        if wait.max(theirs) > 0 {
            return Err(Refused::TooFast(wait.max(theirs)));
        }
        own.draw(allowed.connection, 1.0, now_ms);
        if let Some(line) = &mut line {
            line.pace.draw(allowed.address, 1.0, now_ms);
        }
        Ok(())
    }

    /// Forgets makers with a full bucket and no room, whenever there are twice as many as the last sweep left.
    fn sweep(&mut self, allowed: Allowed, now_ms: u64) {
        if self.connections.len() + self.addresses.len() < (2 * self.swept).max(FEW) {
            return;
        }
        let owes = |pace: &Bucket, rate: Rate| pace.wait(rate, rate.burst, now_ms) > 0;
        self.connections.retain(|_, pace| owes(pace, allowed.connection));
        self.addresses.retain(|_, line| line.rooms > 0 || owes(&line.pace, allowed.address));
        self.connections.shrink_to(FEW);
        self.addresses.shrink_to(FEW);
        self.swept = self.connections.len() + self.addresses.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(key: u32) -> SessionId {
        SessionId { shard: 0, key, generation: 1 }
    }

    fn makers(connection: u32, address: u32, rooms: usize) -> Makers {
        let (connection, address) = (Rate::per_second(connection), Rate::per_second(address));
        Makers::new(Allowed { connection, address, rooms })
    }

    #[test]
    fn a_connection_and_an_address_have_each_their_rate() {
        let makers = makers(2, 3, 0);
        let make = |key, ms| makers.make(session(key), 7, ms);
        assert!((0..4).all(|_| make(1, 0) == Ok(())));
        assert_eq!(make(1, 0), Err(Refused::TooFast(500)));
        assert!((0..2).all(|_| make(2, 0) == Ok(())));
        assert_eq!(make(2, 0), Err(Refused::TooFast(334)), "six of that address");
        assert_eq!(makers.make(session(3), 8, 0), Ok(()));
        assert_eq!([make(1, 500), make(1, 500)], [Ok(()), Err(Refused::TooFast(500))]);
    }

    #[test]
    fn rooms_of_an_address_are_counted_while_they_last() {
        let makers = makers(0, 0, 2);
        let make = |key, address| makers.make(session(key), address, 0);
        assert_eq!([make(1, 7), make(2, 7), make(3, 7)], [Ok(()), Ok(()), Err(Refused::TooMany)]);
        assert_eq!(make(3, 8), Ok(()));
        assert!((0..9).all(|_| make(4, 0) == Ok(())), "nobody's are not counted");
        assert!(!makers.lock().addresses.contains_key(&0));
        makers.gone(7);
        assert_eq!([make(3, 7), make(3, 7)], [Ok(()), Err(Refused::TooMany)]);
    }

    #[test]
    fn an_inbox_comes_out_of_the_rates_and_counts_among_no_rooms() {
        let makers = makers(0, 1, 1);
        assert_eq!([makers.pace(session(1), 7, 0), makers.make(session(2), 7, 0)], [Ok(()), Ok(())]);
        assert_eq!(makers.pace(session(3), 7, 0), Err(Refused::TooFast(1_000)));
        assert_eq!(makers.pace(session(3), 7, 1_000), Ok(()));
        assert_eq!(makers.make(session(3), 7, 2_000), Err(Refused::TooMany));
        makers.gone(7);
        assert_eq!(makers.make(session(3), 7, 2_000), Ok(()));
    }

    #[test]
    fn whoever_has_none_and_is_still_is_forgotten() {
        let makers = makers(1, 1, 0);
        for key in 1..=FEW as u32 / 2 {
            assert_eq!(makers.make(session(key), key, 0), Ok(()));
        }
        (2..=FEW as u32 / 2).for_each(|address| makers.gone(address));
        assert_eq!(makers.make(session(9), 9, 60_000), Ok(()));
        let book = makers.lock();
        assert_eq!((book.connections.len(), book.addresses.len()), (1, 2), "one has a room still");
    }
}
