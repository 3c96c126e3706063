//! Seats: the rooms that a session has joined, and its place in each.

/// A session's place in one room on its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The number of the room's audience.
    pub room: u32,
    /// The index in the lane's list of members.
    pub slot: u32,
}

impl Seat {
    const NONE: Self = Self { room: u32::MAX, slot: 0 };
}

/// The rooms of one session, in 24 bytes. Two fit without an allocation, because most sessions are in one or two.
#[derive(Debug)]
pub struct Seats {
    inline: [Seat; 2],
    /// Boxed, so that the many sessions without it pay for a pointer and not for a `Vec`.
    #[expect(clippy::box_collection)]
    more: Option<Box<Vec<Seat>>>,
}

impl Default for Seats {
    fn default() -> Self {
        Self { inline: [Seat::NONE; 2], more: None }
    }
}

impl Seats {
    /// All seats, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Seat> + '_ {
        let inline = self.inline.iter().filter(|seat| **seat != Seat::NONE);
        inline.chain(self.more.iter().flat_map(|more| more.iter())).copied()
    }

    /// The first seat at `index` or after it, and its index; `None` if there is no more.
    ///
    /// Unlike an iterator it borrows nothing, so that seats can move meanwhile.
    pub fn from(&self, index: usize) -> Option<(usize, Seat)> {
        let inline = self.inline.iter().enumerate().skip(index);
        if let Some((place, seat)) = inline.into_iter().find(|(_, seat)| **seat != Seat::NONE) {
            return Some((place, *seat));
        }
        let place = index.max(self.inline.len());
        let seat = self.more.as_ref()?.get(place - self.inline.len())?;
        Some((place, *seat))
    }

    /// How many rooms there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether the session is in no room.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Whether `room` is the only one.
    pub fn is_only(&self, room: u32) -> bool {
        self.more.is_none()
            && self.inline.iter().all(|seat| seat.room == room || *seat == Seat::NONE)
            && self.inline.iter().any(|seat| seat.room == room)
    }

    /// The slot in `room`, if the session is there.
    pub fn slot(&self, room: u32) -> Option<u32> {
        self.iter().find(|seat| seat.room == room).map(|seat| seat.slot)
    }

    /// Takes a seat in a room that the session is not in yet.
    pub fn add(&mut self, seat: Seat) {
        debug_assert!(self.slot(seat.room).is_none());
        match self.inline.iter_mut().find(|place| **place == Seat::NONE) {
            Some(place) => *place = seat,
            None => self.more.get_or_insert_default().push(seat),
        }
    }

    /// The member of `room` has moved to `slot`.
    pub fn moved(&mut self, room: u32, slot: u32) {
        let more = self.more.iter_mut().flat_map(|more| more.iter_mut());
        if let Some(seat) = self.inline.iter_mut().chain(more).find(|seat| seat.room == room) {
            seat.slot = slot;
        }
    }

    /// Removes the seat in `room`. Returns its slot.
    pub fn remove(&mut self, room: u32) -> Option<u32> {
        if let Some(place) = self.inline.iter_mut().find(|seat| seat.room == room) {
            return Some(std::mem::replace(place, Seat::NONE).slot);
        }
        let more = self.more.as_mut()?;
        let index = more.iter().position(|seat| seat.room == room)?;
        let seat = more.swap_remove(index);
        if more.is_empty() {
            self.more = None;
        }
        Some(seat.slot)
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
        assert_eq!((seats.len(), seats.slot(4), seats.slot(1), seats.slot(9)), (5, Some(44), Some(10), None));
        for (room, slot) in [(0, 0), (4, 44), (2, 20), (3, 30)] {
            assert_eq!(seats.remove(room), Some(slot));
            assert_eq!(seats.remove(room), None);
        }
        assert!(seats.is_only(1) && !seats.is_only(0));
        seats.add(Seat { room: 7, slot: 1 });
        assert!(!seats.is_only(1));
        assert_eq!(seats.remove(1), Some(10));
        assert_eq!(seats.remove(7), Some(1));
        assert!(seats.is_empty() && !seats.is_only(7));
    }

    #[test]
    fn seats_are_small() {
        assert_eq!(size_of::<Seats>(), 24);
    }
}
