//! Where a session sits: the rooms that it is in, and its place in each.

use std::num::NonZeroU32;

/// A session's place in one room on its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The number of the room's audience.
    pub room: u32,
    /// The index in the lane's list of members.
    pub slot: u32,
}

/// A seat as it is kept, or room for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// The room's number and one more: the number that no room has is what tells [`Seats`] with few from those with many.
    room: NonZeroU32,
    slot: u32,
}

impl Place {
    /// Room for a seat. No room has this number: they are places in a slab, and memory ends long before.
    const FREE: Self = Self { room: NonZeroU32::MAX, slot: 0 };

    fn of(seat: Seat) -> Self {
        Self { room: number(seat.room), slot: seat.slot }
    }

    fn seat(self) -> Option<Seat> {
        (self != Self::FREE).then(|| Seat { room: self.room.get() - 1, slot: self.slot })
    }
}

/// A room's number as a place has it.
fn number(room: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(room)
}

/// Places that every session has.
const FEW: usize = 2;

/// The rooms of one session. Two fit without an allocation, since most sessions are in one or two; 16 bytes.
#[derive(Debug)]
pub struct Seats(Places);

#[derive(Debug)]
enum Places {
    Few([Place; FEW]),
    /// The same places and more behind them, of which none is free. Boxed so that the many who need none pay for a pointer
    /// and not for a `Vec`.
    #[expect(clippy::box_collection)]
    Many(Box<Vec<Place>>),
}

impl Default for Seats {
    fn default() -> Self {
        Self(Places::Few([Place::FREE; FEW]))
    }
}

impl Seats {
    fn places(&self) -> &[Place] {
        match &self.0 {
            Places::Few(places) => places,
            Places::Many(places) => places,
        }
    }

    fn places_mut(&mut self) -> &mut [Place] {
        match &mut self.0 {
            Places::Few(places) => places,
            Places::Many(places) => places,
        }
    }

    /// All seats, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Seat> + '_ {
        self.places().iter().filter_map(|place| place.seat())
    }

    /// The first seat at place `index` or behind it, and its place; none if there is no more.
    ///
    /// Unlike an iterator this borrows nothing, so that seats can move while their owner goes through them.
    pub fn from(&self, index: usize) -> Option<(usize, Seat)> {
        let places = self.places().iter().enumerate().skip(index);
        places.into_iter().find_map(|(at, place)| Some((at, place.seat()?)))
    }

    /// How many rooms there are.
    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// Whether `room` is the only one.
    pub fn is_only(&self, room: u32) -> bool {
        let Places::Few([one, other]) = &self.0 else { return false };
        let room = number(room);
        (one.room == room && *other == Place::FREE) || (other.room == room && *one == Place::FREE)
    }

    /// The slot in `room`, if the session is there.
    pub fn slot(&self, room: u32) -> Option<u32> {
        let room = number(room);
        self.places().iter().find(|place| place.room == room).map(|place| place.slot)
    }

    /// Takes a seat in a room that the session is not in yet.
    pub fn add(&mut self, seat: Seat) {
        debug_assert!(self.slot(seat.room).is_none());
        let seat = Place::of(seat);
        if let Some(place) = self.places_mut().iter_mut().find(|place| **place == Place::FREE) {
            *place = seat;
            return;
        }
        match &mut self.0 {
            Places::Few([one, other]) => self.0 = Places::Many(Box::new(vec![*one, *other, seat])),
            Places::Many(places) => places.push(seat),
        }
    }

    /// The member of `room` has moved to `slot`.
    pub fn moved(&mut self, room: u32, slot: u32) {
        let room = number(room);
        if let Some(place) = self.places_mut().iter_mut().find(|place| place.room == room) {
            place.slot = slot;
        }
    }

    /// Removes the seat in `room`. Returns its slot.
    pub fn remove(&mut self, room: u32) -> Option<u32> {
        let room = number(room);
        let index = self.places().iter().position(|place| place.room == room)?;
        let slot = self.places()[index].slot;
        match &mut self.0 {
            Places::Many(places) if index >= FEW => {
                places.swap_remove(index);
                if let [one, other] = places[..] {
                    self.0 = Places::Few([one, other]);
                }
            }
            _ => self.places_mut()[index] = Place::FREE,
        }
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_seats() {
        let mut seats = Seats::default();
        for room in 0..5 {
            seats.add(Seat { room, slot: room * 10 });
        }
        seats.moved(4, 44);
        assert_eq!(
            (seats.count(), seats.slot(4), seats.slot(1), seats.slot(9)),
            (5, Some(44), Some(10), None)
        );
        for (room, slot) in [(0, 0), (4, 44), (2, 20), (3, 30)] {
            assert_eq!(seats.remove(room), Some(slot));
            assert_eq!(seats.remove(room), None);
        }
        assert!(seats.is_only(1) && !seats.is_only(0));
        seats.add(Seat { room: 7, slot: 1 });
        assert!(!seats.is_only(1));
        assert_eq!(seats.remove(1), Some(10));
        assert_eq!(seats.remove(7), Some(1));
        assert!(seats.count() == 0 && !seats.is_only(7));
    }

    #[test]
    fn seats_are_small() {
        assert_eq!(size_of::<Seats>(), 16);
    }
}
