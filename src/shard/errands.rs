//! What the app asks of rooms that are not open here, where the engine keeps rooms itself. It goes to the engine and back, and
//! no room is opened for it. With the engine within this process a room is its home, and there are no errands.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Shard;
use crate::broker::home::{PATIENCE, Request};
use crate::broker::keys::Mark;
use crate::broker::place::{Ask, ERRAND, Tag, Tell, Why};
use crate::broker::post::{Caller, Post, Receipt, Standing};
use crate::error::Fault;
use crate::position::Position;
use crate::room_key::{RoomKey, Space};
use crate::time::Tick;

/// Errands that may be under way on a shard; further ones are `unavailable`.
const MOST: usize = 1_000;

/// The errands of one shard, in the order in which they began. They are freed by their answers, or by [`PATIENCE`]; their bytes
/// are in `queue_total` and count as pressure.
#[derive(Default)]
pub(super) struct Errands {
    under_way: VecDeque<Errand>,
    last: Tag,
}

struct Errand {
    tag: Tag,
    /// When it is answered with `unavailable`.
    until: Tick,
    bytes: usize,
    room: RoomKey,
    caller: Caller,
    what: What,
}

enum What {
    Publish(Option<Arc<Mark>>),
    Look,
}

impl Errands {
    /// When the first has waited too long.
    pub(super) fn deadline(&self) -> Option<Tick> {
        self.under_way.front().map(|errand| errand.until)
    }
}

impl Shard {
    /// Passes a request of the app to its room's home. Where there is none, and the engine has the rooms, the engine itself is
    /// asked to publish or to look.
    pub(super) fn request_home(&mut self, room: RoomKey, request: Request) {
        if let Some(number) = self.homes.find_key(&room) {
            return self.request_of(number, request);
        }
        let afar = self.engine.keeps_rooms() && room.space() == Space::Native;
        match request {
            request @ (Request::Publish(..) | Request::Look(..)) if afar => self.begin_errand(room, request),
            Request::Look(caller, _) => self.looked_at(room, caller, Ok(None)),
            request => self.at_home(&room, request),
        }
    }

    fn begin_errand(&mut self, room: RoomKey, request: Request) {
        let bytes = request.weight();
        self.errands.last = self.errands.last.wrapping_add(1) & !ERRAND;
        let tag = self.errands.last | ERRAND;
        let busy = self.errands.under_way.len() >= MOST;
        let (ask, caller, what) = match request {
            Request::Publish(caller, mut draft) => {
                let mark = Mark::of(&caller, &draft).map(Arc::new);
                draft.key = None;
                let now = self.now.tick();
                let known = mark.as_ref().and_then(|mark| self.keys.answer(&room, mark, now));
                if known.is_some() || busy {
                    return self.published_at(room, caller, known.ok_or(Fault::Unavailable));
                }
                (
                    Ask::Publish { room: room.clone(), draft, mark: mark.clone(), tag },
                    caller,
                    What::Publish(mark),
                )
            }
            Request::Look(caller, _) if busy => {
                return self.looked_at(room, caller, Err(Fault::Unavailable));
            }
            Request::Look(caller, span) => (Ask::Look { room: room.clone(), span, tag }, caller, What::Look),
            _ => return,
        };
        self.wait_more(bytes.cast_signed());
        let until = self.now.tick().after(PATIENCE);
        self.errands.under_way.push_back(Errand { tag, until, bytes, room, caller, what });
        self.mail.asks.push(ask);
        self.consult();
    }

    /// Takes an answer of the engine, if it is that to an errand. Whatever home there is by now is told, too.
    pub(super) fn errand_told(&mut self, tell: &mut Tell) {
        match tell {
            Tell::Committed { message, tag: Some(tag) } => self.end_publish(*tag, Ok(message.position)),
            Tell::Stored { tag, position, .. } => self.end_publish(*tag, Ok(*position)),
            Tell::Looked { tag, found, .. } => {
                if let Some(errand) = self.end_errand(*tag) {
                    self.looked_at(errand.room, errand.caller, Ok(found.take()));
                }
            }
            Tell::Failed { tag: Some(tag), why, .. } => {
                if let Some(errand) = self.end_errand(*tag) {
                    self.refuse_errand(errand, *why);
                }
            }
            _ => {}
        }
    }

    /// Answers errands that have waited too long. Their late answers are dropped.
    pub(super) fn expire_errands(&mut self) {
        while self.errands.deadline().is_some_and(|until| until <= self.now.tick())
            && let Some(tag) = self.errands.under_way.front().map(|errand| errand.tag)
            && let Some(errand) = self.end_errand(tag)
        {
            self.refuse_errand(errand, Why::Timeout);
        }
    }

    fn end_publish(&mut self, tag: Tag, result: Result<Option<Position>, Fault>) {
        let Some(Errand { room, caller, what, .. }) = self.end_errand(tag) else { return };
        if let (What::Publish(Some(mark)), Ok(position)) = (what, result) {
            self.keys.remember(&room, Arc::unwrap_or_clone(mark), position, self.now.tick());
        }
        self.published_at(room, caller, result);
    }

    fn end_errand(&mut self, tag: Tag) -> Option<Errand> {
        if tag & ERRAND == 0 {
            return None;
        }
        let place = self.errands.under_way.iter().position(|errand| errand.tag == tag)?;
        let errand = self.errands.under_way.remove(place)?;
        self.wait_more(-errand.bytes.cast_signed());
        Some(errand)
    }

    fn refuse_errand(&mut self, errand: Errand, why: Why) {
        match errand.what {
            What::Publish(_) => self.published_at(errand.room, errand.caller, Err(why.fault())),
            What::Look => self.looked_at(errand.room, errand.caller, Err(why.fault())),
        }
    }

    fn published_at(&mut self, room: RoomKey, caller: Caller, result: Result<Option<Position>, Fault>) {
        let result = result.map(|position| Receipt { position, connections: 0 });
        if let Some(shard) = caller.shard() {
            self.post(shard, Post::Published(room, caller, result));
        }
    }

    fn looked_at(&mut self, room: RoomKey, caller: Caller, result: Result<Option<Box<Standing>>, Fault>) {
        if let Some(shard) = caller.shard() {
            self.post(shard, Post::Looked(room, caller, result));
        }
    }

    /// So many more bytes wait for the engine.
    fn wait_more(&mut self, bytes: isize) {
        self.rooms.waiting = self.rooms.waiting.saturating_add_signed(bytes);
        self.spend(bytes);
    }
}
