//! What really happened, as far as all clients together know it: who said what, which place it got, and in which order
//! everybody saw it.

use std::collections::BTreeMap;

use switchboard::position::Position;

use super::plan::Plan;
use super::speech::Kind;

/// A check of the model.
pub type Verdict<T = ()> = Result<T, String>;

/// Fails with a text unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)*) => {
        if !$condition {
            return Err(format!($($text)*));
        }
    };
}

pub(crate) use ensure;

/// What became of something that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nobody knows.
    Open,
    /// It was passed on, and nobody who knows its place has told.
    Delivered,
    /// It was passed on.
    Said(Option<Position>),
    /// It was refused, and nobody may see it unless the engine may fail late.
    Refused,
}

impl Fate {
    /// Whether it was passed on for all that is known.
    pub fn is_said(self) -> bool {
        matches!(self, Self::Said(_) | Self::Delivered)
    }
}

/// Something that a client said.
#[derive(Debug)]
pub struct Said {
    pub kind: Kind,
    pub room: usize,
    /// The connection that said it.
    pub conn: usize,
    /// The connection that is not to get it.
    pub excluded: Option<usize>,
    pub stored: bool,
    /// The user that others see as its author.
    pub from: Option<String>,
    /// As it was written.
    pub data: Vec<u8>,
    pub fate: Fate,
    /// The JSON of the message, times and all, once somebody has seen it.
    pub seen: Option<Vec<u8>>,
    /// How often it was sent, each time under the same key.
    pub tries: usize,
}

/// What one connection saw of one room, from its `joined` to its end.
#[derive(Debug)]
pub struct Stay {
    pub conn: usize,
    pub room: usize,
    /// Messages by number, in the order seen.
    pub seen: Vec<usize>,
    /// It is still there when everything is at rest.
    pub lasts: bool,
}

/// What all clients know together.
#[derive(Default)]
pub struct Truth {
    pub said: Vec<Said>,
    /// Which message has which place.
    pub places: BTreeMap<(usize, u32, u64), usize>,
    pub stays: Vec<Stay>,
    /// Places that a member was not sent: connection, room and place.
    skipped: Vec<(usize, usize, Position)>,
    /// What happened how often.
    pub tally: BTreeMap<&'static str, usize>,
    /// Announcements, and the connections that were there before each.
    pub announced: Vec<(usize, Vec<usize>)>,
    /// How many connections each message to a user reached, as its answer says.
    pub reached: BTreeMap<usize, usize>,
    /// The wall clock.
    pub now_ms: u64,
    traces: bool,
}

impl Truth {
    pub fn new(now_ms: u64) -> Self {
        Self { now_ms, traces: std::env::var_os("SIM_TRACE").is_some(), ..Self::default() }
    }

    /// Says what happens, where `SIM_TRACE` asks for it.
    pub fn trace(&self, line: impl FnOnce() -> String) {
        if self.traces {
            eprintln!("{}", line());
        }
    }

    pub fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    /// Notes that a message got its place, or none.
    pub fn placed(&mut self, number: usize, position: Option<Position>, plan: &Plan) -> Verdict {
        let said = self.said.get_mut(number).ok_or("a message that nobody said")?;
        ensure!(position.is_some() == said.stored, "message {number} has place {position:?}: {said:?}");
        match said.fate {
            Fate::Said(known) => {
                ensure!(known == position, "message {number} is at {known:?} and {position:?}")
            }
            Fate::Refused => ensure!(plan.odds.is_some(), "message {number} was refused and seen: {said:?}"),
            Fate::Open | Fate::Delivered => {}
        }
        said.fate = Fate::Said(position);
        if let Some(Position { epoch, offset }) = position {
            let there = *self.places.entry((said.room, epoch, offset)).or_insert(number);
            ensure!(there == number, "messages {there} and {number} are both at {position:?}");
        }
        Ok(())
    }

    /// Notes that a message was refused; what was tried before may have been said all the same.
    pub fn refused(&mut self, number: usize) {
        if let Some(said) = self.said.get_mut(number)
            && said.tries == 1
            && said.fate == Fate::Open
        {
            said.fate = Fate::Refused;
        }
    }

    /// Notes what a message looks like to those who see it: byte for byte the same to all.
    pub fn seen(&mut self, number: usize, json: &[u8]) -> Verdict {
        let said = self.said.get_mut(number).ok_or("a message that nobody said")?;
        let seen = said.seen.get_or_insert_with(|| json.to_vec());
        ensure!(seen == json, "message {number} looks like this and that:\n{seen:?}\n{json:?}");
        Ok(())
    }

    /// Notes that a member was not sent what is between two offsets, both excluded.
    pub fn skipped(&mut self, conn: usize, room: usize, after: Position, before: u64) -> Verdict {
        ensure!(before > after.offset, "room {room}: offset {before} comes behind {after}");
        ensure!(before - after.offset < 1000, "room {room}: offset {before} comes far behind {after}");
        let epoch = after.epoch;
        let places = (after.offset + 1..before).map(|offset| (conn, room, Position { epoch, offset }));
        self.skipped.extend(places);
        Ok(())
    }

    /// Whatever a member was not sent was something that it was not to get.
    pub fn check_skipped(&self) -> Verdict {
        let mut unknown: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for &(conn, room, position) in &self.skipped {
            match self.places.get(&(room, position.epoch, position.offset)) {
                Some(&number) => ensure!(
                    self.said[number].excluded == Some(conn),
                    "connection {conn} was not sent {position} of room {room}: message {number}"
                ),
                None => *unknown.entry((conn, room)).or_default() += 1,
            }
        }
        for ((conn, room), skipped) in unknown {
            // Only messages whose answer was cut off have a place that nobody knows.
            let open = |said: &&Said| {
                said.excluded == Some(conn) && said.room == room && !matches!(said.fate, Fate::Said(_))
            };
            let explained = self.said.iter().filter(open).count();
            ensure!(skipped <= explained, "connection {conn} missed {skipped} messages of room {room}");
        }
        Ok(())
    }

    /// The newest offset of an epoch that anybody knows of.
    pub fn end(&self, room: usize, epoch: u32) -> u64 {
        let epoch_of_room = (room, epoch, 0)..=(room, epoch, u64::MAX);
        self.places.range(epoch_of_room).next_back().map_or(0, |((_, _, offset), _)| *offset)
    }
}
