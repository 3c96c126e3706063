//! One thing to tell a room, in the form of each wire that somebody there reads.

use bytes::Bytes;

use super::Dialect;
use super::told::Told;
use crate::broker::post::Notice;
use crate::message::{Message, Transport, Wire};
use crate::position::Position;
use crate::sse::Block;

/// What the members of a room are told. Each form is made when it is first asked for, and then shared.
pub struct Forms<'a> {
    told: Told<'a>,
    frame: Option<(Dialect, Bytes)>,
    block: Option<(Dialect, Block)>,
    /// The place of what is told in the room's order.
    pub position: Option<Position>,
    /// What it says of people, if that is what it is.
    pub news: Option<&'a Notice>,
    /// When a room took it, in microseconds; none for what is no message.
    pub taken_us: Option<u32>,
}

impl<'a> Forms<'a> {
    /// A message.
    pub fn message(message: &'a Message) -> Self {
        Self { taken_us: Some(message.taken_us), ..Self::of(Told::Message(message), message.position) }
    }

    /// News of the people in a room.
    pub fn news(room: &'a str, notice: &'a Notice) -> Self {
        Self { news: Some(notice), ..Self::of(Told::Notice { room, notice }, None) }
    }

    /// Anything, and where members stand behind it.
    pub fn of(told: Told<'a>, position: Option<Position>) -> Self {
        Self { told, frame: None, block: None, position, news: None, taken_us: None }
    }

    /// The form that is read on `wire`; no bytes if its dialect has no words for it.
    pub fn on(&mut self, wire: Wire) -> Bytes {
        let dialect = Dialect::on(wire);
        match wire.transport {
            Transport::Frames => self.frame(dialect),
            Transport::Events => self.block(dialect).whole(),
            Transport::Parts => self.block(dialect).part(),
        }
    }

    fn frame(&mut self, dialect: Dialect) -> Bytes {
        if let Some((_, frame)) = self.frame.as_ref().filter(|(made, _)| *made == dialect) {
            return frame.clone();
        }
        let frame = dialect.frame(&self.told);
        self.frame = Some((dialect, frame.clone()));
        frame
    }

    fn block(&mut self, dialect: Dialect) -> &Block {
        let (told, position) = (&self.told, self.position);
        self.block.take_if(|(made, _)| *made != dialect);
        let make = || (dialect, Block::new(told.name(), &dialect.text(told), position));
        &self.block.get_or_insert_with(make).1
    }
}
