//! A lane against a model that gives every member a list of the frames that it must get, and three lanes with a planted
//! fault that the same comparison must find.

use std::collections::VecDeque;

use super::*;

/// Sessions that may sit in the lane. Few, so that its ends and its hand are met often.
const SESSIONS: u32 = 9;

/// How one of the lane's operations is done wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// A leave fills the gap with the last member, whatever the pass has come to.
    PlainSwapRemove,
    /// A newcomer stays at the end, behind the hand.
    JoinBehindTheHand,
    /// A member that is settled out of turn keeps counting bytes of the batch that it has had.
    FromKept,
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((mixed >> 32) * u64::from(end)) >> 32) as u32
    }
}

/// A frame: how long it is, its number, whether it has a position, and filler.
fn frame(number: u32, placed: bool, filler: u32) -> Bytes {
    let mut frame = vec![6 + filler as u8];
    frame.extend_from_slice(&number.to_be_bytes());
    frame.push(placed.into());
    frame.resize(frame[0].into(), 0);
    frame.into()
}

fn place(number: u32) -> Position {
    Position { epoch: 1, offset: number.into() }
}

/// What the model knows of a session.
#[derive(Clone, Default)]
struct Seat {
    /// Its slot in the lane, while it sits there.
    slot: Option<u32>,
    /// The numbers of the frames that it must get next.
    due: VecDeque<u32>,
}

/// Takes a part for `seat`; says what is wrong with it.
fn take(seat: &mut Seat, part: &Part) -> Result<(), String> {
    let (mut rest, mut positions) = (&part.bytes[..], None);
    while let [length, a, b, c, d, placed, ..] = *rest {
        let number = u32::from_be_bytes([a, b, c, d]);
        let due = seat.due.pop_front();
        if due != Some(number) {
            return Err(format!("got frame {number} where {due:?} was due"));
        }
        if placed == 1 {
            positions = Some((positions.map_or(place(number), |(first, _)| first), place(number)));
        }
        rest = rest.get(usize::from(length)..).ok_or("a frame is cut")?;
    }
    if !rest.is_empty() || part.positions != positions {
        return Err(format!("a part of {positions:?} says {:?}", part.positions));
    }
    Ok(())
}

struct Trial {
    lane: Lane,
    seats: Vec<Seat>,
    numbers: u32,
    fault: Fault,
    random: Random,
}

impl Trial {
    fn new(seed: u64, fault: Fault) -> Self {
        let seats = vec![Seat::default(); SESSIONS as usize];
        Self {
            lane: Lane::new(Wire { dialect: 0, transport: Transport::Frames }),
            seats,
            numbers: 0,
            fault,
            random: Random(seed),
        }
    }

    fn run(&mut self, operations: usize) -> Result<(), String> {
        for _ in 0..operations {
            let session = self.random.below(SESSIONS);
            match (self.random.below(16), self.seats[session as usize].slot) {
                (0..4, None) => self.join(session),
                (0..2, Some(slot)) => self.leave(session, slot)?,
                (2..4, Some(slot)) => self.settle(session, slot)?,
                (4, Some(_)) => self.say_without(session)?,
                (5..9, _) => self.say(None),
                (9..12, _) => drop(self.lane.seal()),
                _ => self.serve()?,
            }
            self.invariants()?;
        }
        self.rest()
    }

    fn join(&mut self, session: u32) {
        let Self { lane, seats, .. } = self;
        let slot = match self.fault {
            Fault::JoinBehindTheHand => {
                let from = lane.filled();
                lane.members.push(Member { session, from });
                lane.hand += u32::from(lane.hand + 1 == lane.members.len() as u32);
                lane.members.len() as u32 - 1
            }
            _ => lane.join(session, |session, slot| seats[session as usize].slot = Some(slot)),
        };
        seats[session as usize] = Seat { slot: Some(slot), due: VecDeque::new() };
    }

    /// A member that closes gets what is on its way; one whose socket broke does not.
    fn leave(&mut self, session: u32, slot: u32) -> Result<(), String> {
        let mut slot = slot;
        if self.random.below(3) > 0 {
            self.settle(session, slot)?;
            slot = self.seats[session as usize].slot.ok_or("settled and gone")?;
        }
        let Self { lane, seats, .. } = self;
        if self.fault == Fault::PlainSwapRemove && lane.members.len() > 1 {
            lane.members.swap_remove(slot as usize);
            lane.hand = lane.hand.min(lane.members.len() as u32);
            if let Some(moved) = lane.members.get(slot as usize) {
                seats[moved.session as usize].slot = Some(slot);
            }
        } else {
            lane.leave(slot, |session, slot| seats[session as usize].slot = Some(slot));
        }
        seats[session as usize] = Seat::default();
        Ok(())
    }

    fn settle(&mut self, session: u32, slot: u32) -> Result<(), String> {
        let Self { lane, seats, .. } = self;
        let behind = (slot >= lane.hand).then(|| lane.members[slot as usize].from);
        let parts = lane
            .settle(slot, |session, slot| seats[session as usize].slot = Some(slot))
            .map(Option::unwrap_or_default);
        if let (Fault::FromKept, Some(from)) = (self.fault, behind)
            && let Some(slot) = seats[session as usize].slot
            && lane.turn.is_some()
        {
            lane.members[slot as usize].from = from.min(lane.filled());
        }
        let seat = &mut seats[session as usize];
        parts.iter().try_for_each(|part| take(seat, part))?;
        if seat.due.is_empty() { Ok(()) } else { Err(format!("settled, and {:?} did not come", seat.due)) }
    }

    fn say(&mut self, except: Option<u32>) {
        self.numbers += 1;
        let placed = self.random.below(4) > 0;
        let frame = frame(self.numbers, placed, self.random.below(5));
        self.lane.append(&frame, placed.then(|| place(self.numbers)));
        let others = self.seats.iter_mut().enumerate().filter(|(session, _)| Some(*session as u32) != except);
        for (_, seat) in others.filter(|(_, seat)| seat.slot.is_some()) {
            seat.due.push_back(self.numbers);
        }
    }

    /// A member says something that it does not want back.
    fn say_without(&mut self, session: u32) -> Result<(), String> {
        let slot = |trial: &Self| trial.seats[session as usize].slot.ok_or("gone");
        self.settle(session, slot(self)?)?;
        self.say(Some(session));
        self.lane.pass_over(slot(self)?);
        Ok(())
    }

    /// Serves a slice of the pass.
    fn serve(&mut self) -> Result<(), String> {
        for _ in 0..=self.random.below(4) {
            let Some((session, part)) = self.lane.next() else { break };
            if self.lane.next_bytes() != Some((session, &part.bytes[..])) {
                return Err("next and next_bytes differ".into());
            }
            take(&mut self.seats[session as usize], &part)?;
            self.lane.served();
        }
        Ok(())
    }

    fn invariants(&self) -> Result<(), String> {
        let lane = &self.lane;
        let sits = |(slot, member): (usize, &Member)| {
            self.seats[member.session as usize].slot == Some(slot as u32)
                && (lane.turn.is_some() || member.from == 0)
        };
        let seated = self.seats.iter().filter(|seat| seat.slot.is_some()).count();
        let fine = lane.members.iter().enumerate().all(sits)
            && seated == lane.members.len()
            && (lane.hand as usize) <= lane.members.len()
            && (lane.turn.is_some() || lane.hand as usize == lane.members.len())
            && lane.is_pending() == lane.turn.is_some();
        if fine { Ok(()) } else { Err(format!("an invariant is broken: {lane:?}")) }
    }

    /// Serves everybody; then nothing is due and nothing is kept.
    fn rest(&mut self) -> Result<(), String> {
        while self.lane.seal() {
            self.serve()?;
        }
        let waits = self.seats.iter().any(|seat| !seat.due.is_empty());
        if waits || self.lane.pending() > 0 { Err("not everything came".into()) } else { Ok(()) }
    }
}

/// Operations in one trial.
const OPERATIONS: usize = 200;

fn failing(fault: Fault, seeds: std::ops::Range<u64>) -> Option<(u64, String)> {
    seeds.into_iter().find_map(|seed| {
        let outcome = Trial::new(seed, fault).run(OPERATIONS);
        outcome.err().map(|error| (seed, error))
    })
}

/// `LANE_OPERATIONS` asks for another number than the million and a half of every run.
#[test]
fn every_member_gets_exactly_its_frames_in_order() {
    let wanted = std::env::var("LANE_OPERATIONS").ok().and_then(|count| count.parse().ok());
    let operations: u64 = wanted.unwrap_or(1_500_000);
    let failed = failing(Fault::None, 0..operations / OPERATIONS as u64);
    assert_eq!(failed, None, "seed and failure");
}

#[test]
fn planted_faults_are_found() {
    for fault in [Fault::PlainSwapRemove, Fault::JoinBehindTheHand, Fault::FromKept] {
        assert!(failing(fault, 0..100).is_some(), "{fault:?} was not found");
    }
}
