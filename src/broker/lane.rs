//! A lane: the members of one room on one shard that use one wire, and the messages that they have not got yet.
//!
//! A message costs an append to one shared buffer. Members are then served from that buffer one after another, each with
//! one write, in slices of time: `hand` says how far the pass has come.
//!
//! ```text
//!           members   a b c d | e f g h        filling  ····   what came since the pass began
//!                            hand               flying  ████   what the pass hands out
//! ```
//!
//! Invariants. Members before the hand have had all of `flying`, members behind it nothing but its first `from` bytes.
//! `from` counts bytes that a member has already, or must not get: of `filling` before the hand, of `flying` behind it.
//! With nothing flying the hand is at the end. So a pass that is cut short, a member that comes, goes or is served out of
//! turn, and messages that arrive meanwhile can neither lose a byte, double one, nor turn two round.

use bytes::Bytes;

use super::post::Notice;
use crate::ledger::Tally;
use crate::message::{Transport, Wire};
use crate::position::Position;

/// A session in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The key of the session.
    pub session: u32,
    from: u32,
}

/// Where a message with a position ends in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The byte behind it.
    pub end: u32,
    /// Its position.
    pub position: Position,
}

/// Where presence news ends in a batch of a lane that skips.
#[derive(Debug)]
struct News {
    end: u32,
    notice: Notice,
}

/// Frames that members get together, and in lanes that skip, which positions they hold.
#[derive(Debug, Default)]
struct Batch {
    bytes: Filling,
    marks: Vec<Mark>,
    /// Hardly any batch has some.
    #[expect(clippy::box_collection, reason = "one pointer, for every batch has the field")]
    news: Option<Box<Vec<News>>>,
    /// The bytes are counted: some queue may hold them.
    counted: bool,
}

/// Bytes being gathered: a lone frame is shared as it is, several are copied once into one buffer.
#[derive(Debug, Default)]
enum Filling {
    #[default]
    Empty,
    One(Bytes),
    Many(Vec<u8>),
}

impl Filling {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::One(frame) => frame,
            Self::Many(bytes) => bytes,
        }
    }

    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn push(&mut self, frame: &Bytes) {
        match self {
            Self::Empty => *self = Self::One(frame.clone()),
            Self::One(first) => {
                let mut bytes = Vec::with_capacity(4 * (first.len() + frame.len()));
                bytes.extend_from_slice(first);
                bytes.extend_from_slice(frame);
                *self = Self::Many(bytes);
            }
            Self::Many(bytes) => bytes.extend_from_slice(frame),
        }
    }

    fn seal(self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::One(frame) => frame,
            Self::Many(bytes) => Bytes::from(bytes),
        }
    }
}

/// What the pass hands out: a batch that is complete.
#[derive(Debug, Default)]
struct Flying {
    bytes: Bytes,
    marks: Vec<Mark>,
    /// Hardly any batch has some.
    #[expect(clippy::box_collection, reason = "one pointer, for every batch has the field")]
    news: Option<Box<Vec<News>>>,
    /// The bytes are counted: some queue may hold them.
    counted: bool,
}

/// Messages on their way. It exists only while something is unsent.
#[derive(Debug, Default)]
struct Turn {
    flying: Flying,
    filling: Batch,
    /// When the room received the oldest message of each batch.
    flying_since: Option<u32>,
    filling_since: Option<u32>,
}

/// A range of frames for one member: its bytes and, in a lane that keeps them, the first and last position in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Whole frames; empty when the member has everything.
    pub bytes: Bytes,
    /// The positions of the messages in `bytes`, first and last.
    pub positions: Option<(Position, Position)>,
    /// Where each of them ends in `bytes`, on a wire whose members end them themselves.
    pub marks: Box<[Mark]>,
    /// The presence news in `bytes`, in a lane that skips.
    pub news: Box<[Notice]>,
    /// The bytes are a copy that nobody else has.
    pub alone: bool,
}

impl Part {
    fn cut(bytes: Bytes, marks: &[Mark], news: Option<&Vec<News>>, from: u32, wire: Wire) -> Self {
        let unsaid = |news: &Vec<News>| {
            let first = news.partition_point(|news| news.end <= from);
            news[first..].iter().map(|news| news.notice.clone()).collect()
        };
        let marks = &marks[marks.partition_point(|mark| mark.end <= from)..];
        let rebased = |mark: &Mark| Mark { end: mark.end - from, ..*mark };
        Self {
            bytes,
            positions: marks.first().zip(marks.last()).map(|(first, last)| (first.position, last.position)),
            marks: match wire.transport {
                Transport::Parts => marks.iter().map(rebased).collect(),
                Transport::Frames | Transport::Events => Box::default(),
            },
            news: news.map(unsaid).unwrap_or_default(),
            alone: false,
        }
    }
}

impl Flying {
    fn part(&self, from: u32, wire: Wire) -> Part {
        Part::cut(self.bytes.slice(from as usize..), &self.marks, self.news.as_deref(), from, wire)
    }
}

/// The members of one room on one shard that use one wire.
#[derive(Debug)]
pub struct Lane {
    members: Vec<Member>,
    hand: u32,
    /// What the members of this lane read.
    pub wire: Wire,
    turn: Option<Box<Turn>>,
    landed: Option<u32>,
}

impl Lane {
    /// An empty lane.
    pub fn new(wire: Wire) -> Self {
        Self { members: Vec::new(), hand: 0, wire, turn: None, landed: None }
    }

    /// Its members, in no order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether anything is on its way.
    pub fn is_pending(&self) -> bool {
        self.turn.is_some()
    }

    /// Whether a pass is under way.
    pub fn is_flying(&self) -> bool {
        (self.hand as usize) < self.members.len()
    }

    /// Bytes on their way: flying and filling.
    pub fn pending(&self) -> usize {
        self.turn.as_ref().map_or(0, |turn| turn.flying.bytes.len() + turn.filling.bytes.len())
    }

    /// Adds a member, which gets what is appended from now on. Returns its slot. Calls `moved` for each member whose slot
    /// changed.
    pub fn join(&mut self, session: u32, mut moved: impl FnMut(u32, u32)) -> u32 {
        let from = self.filled();
        self.members.push(Member { session, from });
        let last = self.members.len() as u32 - 1;
        // A new member must not get what is flying, so its slot is before the hand.
        self.swap(last, self.hand, &mut moved);
        self.hand += 1;
        self.hand - 1
    }

    /// Removes the member in `slot`. Settle it first if it must get what is on its way.
    pub fn leave(&mut self, slot: u32, mut moved: impl FnMut(u32, u32)) {
        let last = self.members.len() as u32 - 1;
        if slot < self.hand {
            // The free slot must not cross the hand: the member just before the hand fills it, and the last member fills that
            // one's slot.
            self.hand -= 1;
            self.swap(slot, self.hand, &mut moved);
            self.swap(self.hand, last, &mut moved);
        } else {
            self.swap(slot, last, &mut moved);
        }
        self.members.pop();
        if self.members.is_empty() {
            self.members = Vec::new();
            self.turn = None;
        }
    }

    fn swap(&mut self, a: u32, b: u32, moved: &mut impl FnMut(u32, u32)) {
        if a == b {
            return;
        }
        self.members.swap(a as usize, b as usize);
        for slot in [a, b] {
            moved(self.members[slot as usize].session, slot);
        }
    }

    /// Adds a frame for all members. A given position is remembered; only lanes that skip, or whose members end frames
    /// themselves, need it.
    pub fn append(&mut self, frame: &Bytes, position: Option<Position>) {
        let turn = self.turn.get_or_insert_default();
        turn.filling.bytes.push(frame);
        // Several frames are copied to a new buffer, which nobody holds yet.
        turn.filling.counted = false;
        if let Some(position) = position {
            let end = turn.filling.bytes.len() as u32;
            turn.filling.marks.push(Mark { end, position });
        }
    }

    /// Marks the last frame as presence news, which a member must learn even if it skips the frame.
    pub fn note(&mut self, notice: &Notice) {
        if let Some(turn) = &mut self.turn {
            let end = turn.filling.bytes.len() as u32;
            turn.filling.news.get_or_insert_default().push(News { end, notice: notice.clone() });
        }
    }

    /// Records when the room received the last message, in microseconds.
    pub fn stamp(&mut self, taken_us: u32) {
        if let Some(turn) = &mut self.turn {
            turn.filling_since.get_or_insert(taken_us);
        }
    }

    /// If a pass has ended since the last call: when the room received its oldest message.
    pub fn take_landed(&mut self) -> Option<u32> {
        self.landed.take()
    }

    /// Keeps the last frame from the member in `slot`, which must be settled up to just before it.
    pub fn pass_over(&mut self, slot: u32) {
        debug_assert!(slot < self.hand);
        self.members[slot as usize].from = self.filled();
    }

    fn filled(&self) -> u32 {
        self.turn.as_ref().map_or(0, |turn| turn.filling.bytes.len() as u32)
    }

    /// Counts the buffers on their way, each once, because queues may hold parts of them from now on.
    pub fn count(&mut self, tally: &Tally) {
        let Some(turn) = &mut self.turn else { return };
        if !std::mem::replace(&mut turn.flying.counted, true) {
            turn.flying.bytes = tally.count(std::mem::take(&mut turn.flying.bytes));
        }
        if let Filling::One(frame) = &mut turn.filling.bytes
            && !std::mem::replace(&mut turn.filling.counted, true)
        {
            *frame = tally.count(std::mem::take(frame));
        }
    }

    /// Takes everything that the member in `slot` has not got, in order: its part of what flies, shared, and its part
    /// of what fills, copied; none of either where it has got all.
    pub fn settle(&mut self, slot: u32, mut moved: impl FnMut(u32, u32)) -> [Option<Part>; 2] {
        let Some(turn) = &self.turn else { return Default::default() };
        let mut slot = slot;
        let mut flying = None;
        if slot >= self.hand {
            let from = std::mem::take(&mut self.members[slot as usize].from);
            let unsent = (from as usize) < turn.flying.bytes.len();
            flying = unsent.then(|| turn.flying.part(from, self.wire));
            self.swap(slot, self.hand, &mut moved);
            slot = self.hand;
            self.hand += 1;
        }
        let filling = self.take_filling(slot);
        self.land();
        [flying, filling]
    }

    fn take_filling(&mut self, slot: u32) -> Option<Part> {
        let turn = self.turn.as_ref()?;
        let member = &mut self.members[slot as usize];
        let filled = turn.filling.bytes.len() as u32;
        let from = std::mem::replace(&mut member.from, filled);
        if from == filled {
            return None;
        }
        let (bytes, alone) = match &turn.filling.bytes {
            Filling::One(frame) => (frame.slice(from as usize..), false),
            filling => (Bytes::copy_from_slice(&filling.as_slice()[from as usize..]), true),
        };
        let part = Part::cut(bytes, &turn.filling.marks, turn.filling.news.as_deref(), from, self.wire);
        Some(Part { alone, ..part })
    }

    /// Starts a pass with what was gathered, unless one is under way. Returns whether there is one now.
    pub fn seal(&mut self) -> bool {
        let Some(turn) = &mut self.turn else { return false };
        if self.hand == self.members.len() as u32 {
            let filling = std::mem::take(&mut turn.filling);
            turn.flying = Flying {
                bytes: filling.bytes.seal(),
                marks: filling.marks,
                news: filling.news,
                counted: filling.counted,
            };
            turn.flying_since = turn.filling_since.take();
            self.hand = 0;
            self.land();
        }
        self.turn.is_some()
    }

    /// The next member that the pass has not reached, with its part.
    pub fn next(&self) -> Option<(u32, Part)> {
        let turn = self.turn.as_ref()?;
        let member = self.members.get(self.hand as usize)?;
        Some((member.session, turn.flying.part(member.from, self.wire)))
    }

    /// The bytes for the member that [`Lane::next`] returns, without sharing them.
    pub fn next_bytes(&self) -> Option<(u32, &[u8])> {
        let turn = self.turn.as_ref()?;
        let member = self.members.get(self.hand as usize)?;
        Some((member.session, &turn.flying.bytes[member.from as usize..]))
    }

    /// The member that [`Lane::next`] returned has its part.
    #[inline]
    pub fn served(&mut self) {
        if let Some(member) = self.members.get_mut(self.hand as usize) {
            member.from = 0;
            self.hand += 1;
        }
        self.land();
    }

    /// Ends a pass that has reached everybody.
    #[inline]
    fn land(&mut self) {
        if self.hand >= self.members.len() as u32 {
            self.end_pass();
        }
    }

    /// A separate function because it runs once a pass, not once a member.
    #[inline(never)]
    fn end_pass(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        turn.flying = Flying::default();
        // If an earlier pass was not asked for yet, keep its time: it took longer.
        self.landed = self.landed.or(turn.flying_since.take());
        // If nothing is filling either, every `from` is 0 already.
        if turn.filling.bytes.len() == 0 {
            self.turn = None;
        }
    }
}

#[cfg(test)]
mod tests;
