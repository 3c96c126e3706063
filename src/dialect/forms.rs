//! One thing to tell a room, in the form of each wire that somebody there reads.

use bytes::Bytes;

use super::native::event;
use super::sse::Block;
use crate::broker::post::Notice;
use crate::message::{Message, Wire};
use crate::position::Position;

/// What the members of a room are told. Each form is made when it is first asked for, and then shared.
pub struct Forms<'a> {
    json: &'a [u8],
    frame: Option<Bytes>,
    block: Option<Block>,
    /// The place of what is told in the room's order.
    pub position: Option<Position>,
    /// What it says of people, if that is what it is.
    pub news: Option<&'a Notice>,
    /// When a room took it, in microseconds; none for what is no message.
    pub taken_us: Option<u32>,
}

impl<'a> Forms<'a> {
    /// A message, which has its frame already.
    pub fn message(message: &'a Message) -> Self {
        let frame = Some(message.frame().clone());
        let (position, taken_us) = (message.position, Some(message.taken_us));
        Self { json: message.payload(), frame, block: None, position, news: None, taken_us }
    }

    /// News of people, and their JSON.
    pub fn news(json: &'a [u8], notice: &'a Notice) -> Self {
        Self { news: Some(notice), ..Self::notice(json, None) }
    }

    /// Something else, as JSON, and where members stand behind it.
    pub fn notice(json: &'a [u8], position: Option<Position>) -> Self {
        Self { json, frame: None, block: None, position, news: None, taken_us: None }
    }

    /// The form that is read on `wire`.
    pub fn on(&mut self, wire: Wire) -> Bytes {
        match wire {
            Wire::Native | Wire::Raw => self.frame.get_or_insert_with(|| framed(self.json)).clone(),
            Wire::Sse => self.block().whole(),
            Wire::SseParts => self.block().part(),
        }
    }

    fn block(&mut self) -> &Block {
        self.block.get_or_insert_with(|| Block::new(self.json, self.position))
    }
}

fn framed(json: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(json.len() + 10);
    event::text_frame(&mut frame, |out| out.extend_from_slice(json));
    frame.into()
}
