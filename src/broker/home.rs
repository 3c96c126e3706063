//! The half of a room that is on one shard only. It puts everything in the room in order.
//!
//! Requests come in as posts, and answers go out as posts. A request that needs the engine waits at the head of a queue until
//! the engine answers. Later requests wait behind it, so answers keep the order of requests.

mod answer;
mod behind;
mod cost;
mod members;
mod people;
mod proceed;
mod request;
mod told;

use std::sync::Arc;
use std::time::Duration;

use arcstr::ArcStr;

use super::history::History;
use super::keys::Keys;
use super::place::{Ask, Tag, Tell, Why};
use super::post::{Caller, Join, Line, Post};
use super::presence::Presence;
use super::typing::Typing;
use super::users::Users;
use crate::error::Fault;
use crate::id::ShardId;
use crate::position::Position;
use crate::room_key::{RoomKey, Space};
use crate::settings::RoomSettings;
use crate::time::Tick;
use behind::Behind;
use members::Members;
use request::{Requests, Waiting, What};

pub use cost::{Holding, Idle, ROOM};
#[cfg(test)]
use proceed::WINDOW;
pub use request::Request;

/// How long an engine may take before a request is answered with `unavailable`.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Requests that may wait for the engine in one room; further ones are answered with `unavailable` at once.
pub const MAX_WAITING: usize = 1_000;

/// What a home gets from its shard while it works: the time, and lists for its posts and asks.
pub struct Desk<'a> {
    /// The time.
    pub now: Tick,
    /// Posts for the given shards, kept in order.
    pub posts: &'a mut Vec<(ShardId, Post)>,
    /// Asks for the engine, kept in order.
    pub asks: &'a mut Vec<Ask>,
    /// Idempotency keys of recent messages.
    pub keys: &'a mut Keys,
    /// Where users are connected.
    pub users: &'a Users,
    /// A spare queue for requests that wait.
    pub spare: &'a mut Spare,
}

/// An empty queue that homes share. Most homes have no waiting requests, and then they own no queue.
#[derive(Debug, Default)]
pub struct Spare(Requests);

/// The state of the room in the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Closed,
    Opening,
    /// The newest position, and the oldest offset that the engine can still give.
    Open {
        end: Position,
        first: u64,
    },
}

/// The home of one room.
pub struct Home {
    key: RoomKey,
    settings: Arc<RoomSettings>,
    stage: Stage,
    history: History,
    presence: Presence,
    typing: Typing,
    members: Members,
    waiting: Requests,
    /// It has missed something, or may have.
    behind: Option<Box<Behind>>,
    /// The mark of the address that it was made for; 0: the app's.
    maker: u32,
    next_tag: Tag,
    /// When it last had a member or a message.
    used: Tick,
    /// What of the room is paid for.
    paid: Holding,
}

impl Home {
    /// The home of a new room, made for a client of the address with the mark `maker`; 0: for the app.
    pub fn new(key: RoomKey, settings: Arc<RoomSettings>, shards: usize, maker: u32, now: Tick) -> Self {
        Self {
            key,
            settings,
            stage: Stage::Closed,
            history: History::default(),
            presence: Presence::default(),
            typing: Typing::default(),
            members: Members::new(shards),
            maker,
            waiting: Requests::default(),
            behind: None,
            next_tag: 0,
            used: now,
            paid: Holding::default(),
        }
    }

    /// Takes a request. Its answer is posted now, or after the engine has answered.
    pub fn request(&mut self, request: Request, desk: &mut Desk<'_>) {
        if !matches!(request, Request::Look(..) | Request::Members(..) | Request::Typing(..)) {
            self.used = desk.now;
        }
        // A leave must always be counted and cannot be refused.
        if self.waiting.len() >= MAX_WAITING && !matches!(request, Request::Leave(..)) {
            return self.refuse(What::Request(request), Fault::Unavailable, desk);
        }
        let (until, bytes) = (desk.now.after(PATIENCE), request.weight());
        if let Stage::Open { end, first } = self.stage
            && self.waiting.is_empty()
        {
            // Nothing is before it.
            if let Some((what, tag)) = self.carry_out(request, end, first, desk) {
                self.make_place(desk);
                self.waiting.put_first(Waiting { what, until, tag, bytes });
            }
            return;
        }
        self.make_place(desk);
        self.waiting.push(Waiting { what: What::Request(request), until, tag: None, bytes });
        self.proceed(desk);
    }

    /// Borrows a queue where there is none.
    fn make_place(&mut self, desk: &mut Desk<'_>) {
        if !self.waiting.has_place() {
            std::mem::swap(&mut self.waiting, &mut desk.spare.0);
        }
    }

    /// Takes an answer of the engine.
    pub fn tell(&mut self, tell: Tell, desk: &mut Desk<'_>) {
        match tell {
            Tell::Opened { position, tail, first, .. } => self.opened(position, tail, first, desk),
            Tell::Committed { message, tag } => self.committed(message, tag, desk),
            Tell::Stored { tag, position, known, .. } => self.stored(tag, position, known, desk),
            Tell::Lost { to, .. } => {
                self.lost(to, desk);
                self.release(desk);
            }
            Tell::Page { tag, end, messages, .. } => self.page(tag, end, messages, desk),
            Tell::Failed { tag, why, .. } => self.failed(tag, why, desk),
        }
        self.proceed(desk);
        self.give_back(desk);
    }

    /// Answers requests that have waited too long, and drops messages that are too old.
    pub fn expire(&mut self, desk: &mut Desk<'_>) {
        self.history.expire(&self.settings, desk.now);
        self.expire_people(desk);
        self.expire_typing(desk);
        self.expire_behind(desk);
        while self.waiting.first().is_some_and(|first| first.until <= desk.now) {
            if let Some(late) = self.waiting.take() {
                self.refuse(late.what, Why::Timeout.fault(), desk);
            }
            // An engine that never answered is asked again.
            if self.stage == Stage::Opening {
                self.stage = Stage::Closed;
                self.behind = None;
            }
        }
        self.proceed(desk);
        self.give_back(desk);
    }

    /// Gives the queue back when no request waits.
    fn give_back(&mut self, desk: &mut Desk<'_>) {
        if self.waiting.is_empty() && self.waiting.has_place() {
            std::mem::swap(&mut self.waiting, &mut desk.spare.0);
        }
    }

    /// When [`Home::expire`] has work or the room may be forgotten.
    pub fn deadline(&self) -> Tick {
        let late = self.waiting.first().map_or(Tick::NEVER, |first| first.until);
        let people = self.presence.deadline().min(self.typing.deadline());
        let others = self.history.expires(&self.settings).min(self.asks_again());
        late.min(others).min(people).min(self.forgotten())
    }

    /// Whether the room can be forgotten without anybody noticing.
    pub fn is_over(&self, now: Tick) -> bool {
        self.forgotten() <= now
    }

    fn forgotten(&self) -> Tick {
        // Without positions and people there is nothing to remember of an empty room.
        let ttl = if self.keeps_positions() { self.settings.ttl } else { Duration::ZERO };
        if self.is_unused() { self.used.after(ttl) } else { Tick::NEVER }
    }

    fn keeps_positions(&self) -> bool {
        self.key.space() != Space::Raw
    }

    /// The room as a line of a list.
    pub fn line(&self) -> Line {
        Line {
            name: self.key.clone(),
            count: self.presence.count(),
            connections: self.connections(),
            position: self.end().unwrap_or(Position { epoch: 0, offset: 0 }),
        }
    }

    /// How many members there are, on all shards.
    pub fn connections(&self) -> u32 {
        self.members.all()
    }

    /// Members on each shard.
    #[cfg(feature = "internals")]
    pub fn members(&self) -> &[u32] {
        self.members.on()
    }

    /// Drops the oldest kept message. Returns its cost.
    pub fn drop_oldest(&mut self) -> Option<usize> {
        self.history.drop_oldest()
    }

    fn end(&self) -> Option<Position> {
        match self.stage {
            Stage::Open { end, .. } => Some(end),
            Stage::Closed | Stage::Opening => None,
        }
    }

    fn admit(&mut self, join: &Join, desk: &mut Desk<'_>) -> Result<(), Fault> {
        let limit = self.settings.max_members;
        if limit > 0 && self.connections() >= limit {
            return Err(Fault::RoomFull);
        }
        self.members.add(join.session.shard);
        self.came(join.user.as_ref(), desk);
        Ok(())
    }

    /// Rule 4: the answer comes after all messages of the room so far, and before the others are told.
    fn leave(&mut self, caller: Caller, shard: ShardId, user: Option<&ArcStr>, desk: &mut Desk<'_>) {
        self.members.remove(shard);
        if let Some(shard) = caller.shard() {
            desk.posts.push((shard, Post::Left(self.key.clone(), caller)));
        }
        self.went(user, desk);
    }

    /// Posts to every shard with members; of an inbox, to every shard where its user is connected.
    fn post_members(&self, desk: &mut Desk<'_>, post: impl Fn() -> Post) {
        if self.key.space() == Space::User {
            let shards = desk.users.shards(self.key.hash(), self.key.name());
            return desk.posts.extend(shards.iter().map(|here| (here.shard, post())));
        }
        for (shard, _) in self.members.on().iter().enumerate().filter(|(_, members)| **members > 0) {
            desk.posts.push((shard as ShardId, post()));
        }
    }
}

#[cfg(test)]
mod tests;
