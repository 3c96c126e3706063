//! The half of a room that is on one shard only: it puts everything that happens there in order.
//!
//! Requests come as posts and leave as posts. What needs the engine waits at the head of a queue until the engine tells,
//! and everything later on this room waits behind it, so that answers keep the order of requests whatever the engine does.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::history::{Excerpt, History};
use super::place::{Ask, Tag, Tell};
use super::post::{Caller, Join, Line, Post, Span, Standing};
use super::presence::Presence;
use crate::error::Fault;
use crate::id::ShardId;
use crate::message::{Draft, Message};
use crate::position::Position;
use crate::room_key::RoomKey;
use crate::settings::RoomSettings;
use crate::time::Tick;

/// How long an engine may take before a request is answered with `unavailable`.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Requests that may wait for the engine in one room; further ones are answered with `unavailable` at once.
pub const MAX_WAITING: usize = 1_000;

/// What a home needs of its shard while it works: the time, and somewhere to put posts and asks.
pub struct Desk<'a> {
    /// What time it is.
    pub now: Tick,
    /// Posts for the given shards, kept in order.
    pub posts: &'a mut Vec<(ShardId, Post)>,
    /// Asks for the engine, kept in order.
    pub asks: &'a mut Vec<Ask>,
}

/// A request to a room.
#[derive(Debug)]
pub enum Request {
    /// A session wants in.
    Join(Box<Join>),
    /// A member on this shard, a connection of this user, is out.
    Leave(ShardId, Option<Arc<str>>),
    /// Something to say.
    Publish(Caller, Draft),
    /// What was said?
    Look(Caller, Span),
}

/// A request that is not answered yet.
#[derive(Debug)]
struct Waiting {
    what: What,
    /// When it is answered with `unavailable`.
    until: Tick,
    /// The engine was asked, under this tag.
    tag: Option<Tag>,
}

#[derive(Debug)]
enum What {
    Request(Request),
    /// A publish whose draft the engine has.
    Committing(Caller),
}

/// How far the room is with the engine.
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
    /// Members on each shard.
    members: Vec<u32>,
    waiting: VecDeque<Waiting>,
    next_tag: Tag,
    /// When there was last a member or a message.
    used: Tick,
}

impl Home {
    /// The home of a room that nobody has used yet.
    pub fn new(key: RoomKey, settings: Arc<RoomSettings>, shards: usize, now: Tick) -> Self {
        Self {
            key,
            settings,
            stage: Stage::Closed,
            history: History::default(),
            presence: Presence::default(),
            members: vec![0; shards],
            waiting: VecDeque::new(),
            next_tag: 0,
            used: now,
        }
    }

    /// Takes a request; its answer is posted now or when the engine has told what it needs.
    pub fn request(&mut self, request: Request, desk: &mut Desk<'_>) {
        self.used = desk.now;
        // A leave must be counted whatever the engine does: it answers nobody.
        if self.waiting.len() >= MAX_WAITING && !matches!(request, Request::Leave(..)) {
            return self.refuse(What::Request(request), desk);
        }
        let until = desk.now.after(PATIENCE);
        self.waiting.push_back(Waiting { what: What::Request(request), until, tag: None });
        self.proceed(desk);
    }

    /// Hears from the engine.
    pub fn tell(&mut self, tell: Tell, desk: &mut Desk<'_>) {
        match tell {
            Tell::Opened { position, tail, first, .. } => self.opened(position, tail, first, desk),
            Tell::Committed { message, tag } => self.committed(message, tag, desk),
            Tell::Lost { from, to, .. } => self.lost(from, to, desk),
            Tell::Page { tag, messages, .. } => self.page(tag, messages, desk),
            Tell::Failed { tag, .. } => self.failed(tag, desk),
        }
        self.proceed(desk);
    }

    /// Answers what has waited too long and forgets messages that are too old.
    pub fn expire(&mut self, desk: &mut Desk<'_>) {
        self.history.expire(&self.settings, desk.now);
        while self.waiting.front().is_some_and(|first| first.until <= desk.now) {
            if let Some(late) = self.waiting.pop_front() {
                self.refuse(late.what, desk);
            }
        }
        if self.stage == Stage::Opening {
            self.stage = Stage::Closed;
        }
        self.proceed(desk);
    }

    /// When [`Home::expire`] has something to do or the room may be forgotten.
    pub fn deadline(&self) -> Tick {
        let late = self.waiting.front().map_or(Tick::NEVER, |first| first.until);
        late.min(self.history.expires(&self.settings)).min(self.forgotten())
    }

    /// Whether nobody would notice if the room were forgotten.
    pub fn is_over(&self, now: Tick) -> bool {
        self.forgotten() <= now
    }

    fn forgotten(&self) -> Tick {
        let unused = self.connections() == 0 && self.waiting.is_empty();
        // Without positions and people there is nothing to remember of an empty room.
        let ttl = if self.keeps_positions() { self.settings.ttl } else { Duration::ZERO };
        if unused { self.used.after(ttl) } else { Tick::NEVER }
    }

    fn keeps_positions(&self) -> bool {
        self.key.space() == crate::room_key::Space::Native
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
        self.members.iter().sum()
    }

    /// Members on each shard.
    pub fn members(&self) -> &[u32] {
        &self.members
    }

    /// What the kept messages cost, in bytes.
    pub fn history_bytes(&self) -> usize {
        self.history.bytes()
    }

    /// Drops the oldest kept message, to make room elsewhere; says what it cost.
    pub fn drop_oldest(&mut self) -> Option<usize> {
        self.history.drop_oldest()
    }

    fn end(&self) -> Option<Position> {
        match self.stage {
            Stage::Open { end, .. } => Some(end),
            Stage::Closed | Stage::Opening => None,
        }
    }

    /// Does what can be done, in order, until the head of the queue has to wait for the engine.
    fn proceed(&mut self, desk: &mut Desk<'_>) {
        while let Some(first) = self.waiting.front()
            && first.tag.is_none()
        {
            if self.stage == Stage::Closed {
                desk.asks.push(Ask::Open(self.key.clone()));
                self.stage = Stage::Opening;
            }
            let Stage::Open { end, first: oldest } = self.stage else { return };
            let Some(mut first) = self.waiting.pop_front() else { return };
            match first.what {
                What::Request(Request::Leave(shard, user)) => self.leave(shard, user),
                What::Request(Request::Publish(caller, draft)) => {
                    let tag = self.tag();
                    desk.asks.push(Ask::Publish { room: self.key.clone(), draft, tag });
                    let what = What::Committing(caller);
                    return self.waiting.push_front(Waiting { what, tag: Some(tag), ..first });
                }
                What::Request(request) => {
                    if let Some((since, limit)) = self.beyond(&request, end, oldest) {
                        let tag = self.tag();
                        desk.asks.push(Ask::Read { room: self.key.clone(), since, limit, tag });
                        first.tag = Some(tag);
                        first.what = What::Request(request);
                        return self.waiting.push_front(first);
                    }
                    self.answer(request, &[], end, desk);
                }
                What::Committing(_) => {}
            }
        }
    }

    fn tag(&mut self) -> Tag {
        self.next_tag = self.next_tag.wrapping_add(1);
        self.next_tag
    }

    /// What a request needs that only the engine still has.
    fn beyond(&self, request: &Request, end: Position, oldest: u64) -> Option<(Position, usize)> {
        let (Request::Join(_) | Request::Look(..)) = request else { return None };
        let Span::After(Some(since), limit) = request.span() else { return None };
        // A client may name any offset, the largest too.
        let next = since.offset.checked_add(1)?;
        let held = since.epoch == end.epoch && since.offset < end.offset && next >= oldest;
        let missing = self.history.first(end).checked_sub(next)?;
        (held && missing > 0 && limit > 0).then_some((since, limit.min(missing as usize)))
    }

    /// Answers a join or a look with what is here, behind the `older` messages that the engine gave.
    fn answer(&mut self, request: Request, older: &[Arc<Message>], end: Position, desk: &mut Desk<'_>) {
        let excerpt = self.excerpt(request.span(), older, end);
        match request {
            Request::Join(join) => {
                let admitted = if join.again { Ok(()) } else { self.admit(&join) };
                let standing = admitted.map(|()| Box::new(self.standing(excerpt, end)));
                let shard = join.session.shard;
                desk.posts.push((shard, Post::Joined(self.key.clone(), join, standing)));
            }
            Request::Look(caller, _) => {
                let standing = Some(Box::new(self.standing(excerpt, end)));
                self.looked(caller, Ok(standing), desk);
            }
            Request::Leave(..) | Request::Publish(..) => {}
        }
    }

    fn excerpt(&self, span: Span, older: &[Arc<Message>], end: Position) -> Excerpt {
        match span {
            Span::Nothing => Excerpt::default(),
            Span::Newest(limit) | Span::After(None, limit) => self.history.newest(limit),
            Span::After(Some(since), limit) if older.is_empty() => self.history.after(since, end, limit),
            Span::After(Some(since), limit) => self.behind(since, older, end, limit),
        }
    }

    /// What comes after `since`: `older` messages, which the engine gave, and what is here behind them.
    fn behind(&self, since: Position, older: &[Arc<Message>], end: Position, limit: usize) -> Excerpt {
        let place = |message: Option<&Arc<Message>>| message.and_then(|message| message.position);
        let next = Position { offset: since.offset + 1, ..since };
        let (Some(first), Some(last)) = (place(older.first()), place(older.last())) else {
            return self.history.newest(limit);
        };
        // The room may have lost its epoch, or pruned what would follow, while the engine was reading.
        if first != next || end.epoch != since.epoch {
            return self.history.newest(limit);
        }
        if older.len() >= limit {
            return Excerpt { messages: older.to_vec(), recovered: true, more: last.offset < end.offset };
        }
        let mut excerpt = self.history.after(last, end, limit - older.len());
        if !excerpt.recovered {
            return self.history.newest(limit);
        }
        excerpt.messages.splice(0..0, older.iter().cloned());
        excerpt
    }

    fn admit(&mut self, join: &Join) -> Result<(), Fault> {
        let limit = self.settings.max_members;
        if limit > 0 && self.connections() >= limit {
            return Err(Fault::RoomFull);
        }
        self.members[usize::from(join.session.shard)] += 1;
        self.presence.enter(join.user.as_ref());
        Ok(())
    }

    fn leave(&mut self, shard: ShardId, user: Option<Arc<str>>) {
        self.members[usize::from(shard)] -= 1;
        self.presence.exit(user.as_ref());
    }

    fn standing(&self, excerpt: Excerpt, position: Position) -> Standing {
        Standing {
            position,
            excerpt,
            count: self.presence.count(),
            people: self.presence.people(self.settings.presence_limit).filter(|_| self.settings.presence),
            connections: self.connections(),
        }
    }

    fn opened(&mut self, end: Position, tail: Vec<Arc<Message>>, first: u64, desk: &mut Desk<'_>) {
        let before = self.end();
        self.stage = Stage::Open { end, first };
        self.history.clear();
        for message in tail {
            self.history.push(message, &self.settings, desk.now);
        }
        if before.is_some_and(|before| before.epoch != end.epoch) {
            let from = Position { offset: end.offset.min(1), ..end };
            self.gap(from, end, desk);
        }
    }

    /// Rule 1: first every shard with members gets the message, then the publisher gets the answer.
    fn committed(&mut self, message: Arc<Message>, tag: Option<Tag>, desk: &mut Desk<'_>) {
        self.used = desk.now;
        let position = message.position;
        if let (Some(position), Stage::Open { first, .. }) = (position, self.stage) {
            self.stage = Stage::Open { end: position, first };
            self.history.push(message.clone(), &self.settings, desk.now);
        }
        for (shard, _) in self.members.iter().enumerate().filter(|(_, members)| **members > 0) {
            desk.posts.push((shard as ShardId, Post::Deliver(message.clone())));
        }
        if let Some(Waiting { what: What::Committing(caller), .. }) = self.take(tag) {
            self.published(caller, Ok(position), desk);
        }
    }

    /// The waiting request that `tag` answers; none if it was answered already.
    fn take(&mut self, tag: Option<Tag>) -> Option<Waiting> {
        let first = self.waiting.front()?;
        if tag.is_some() && first.tag == tag { self.waiting.pop_front() } else { None }
    }

    fn lost(&mut self, from: Position, to: Position, desk: &mut Desk<'_>) {
        if let Stage::Open { .. } = self.stage {
            self.stage = Stage::Open { end: to, first: to.offset + 1 };
            self.history.clear();
            self.gap(from, to, desk);
        }
    }

    fn gap(&self, from: Position, to: Position, desk: &mut Desk<'_>) {
        for (shard, _) in self.members.iter().enumerate().filter(|(_, members)| **members > 0) {
            desk.posts.push((shard as ShardId, Post::Gap(self.key.clone(), from, to)));
        }
    }

    fn page(&mut self, tag: Tag, messages: Vec<Arc<Message>>, desk: &mut Desk<'_>) {
        let Some(end) = self.end() else { return };
        if let Some(Waiting { what: What::Request(request), .. }) = self.take(Some(tag)) {
            self.answer(request, &messages, end, desk);
        }
    }

    fn failed(&mut self, tag: Option<Tag>, desk: &mut Desk<'_>) {
        if tag.is_none() {
            if self.stage == Stage::Opening {
                self.stage = Stage::Closed;
                self.refuse_all(desk);
            }
        } else if let Some(waiting) = self.take(tag) {
            self.refuse(waiting.what, desk);
        }
    }

    /// Nothing can be done in this room for now; only leaves still have to be counted.
    fn refuse_all(&mut self, desk: &mut Desk<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            self.refuse(waiting.what, desk);
        }
    }

    fn refuse(&mut self, what: What, desk: &mut Desk<'_>) {
        match what {
            What::Request(Request::Leave(shard, user)) => self.leave(shard, user),
            What::Request(Request::Join(join)) => {
                let shard = join.session.shard;
                desk.posts.push((shard, Post::Joined(self.key.clone(), join, Err(Fault::Unavailable))));
            }
            What::Request(Request::Look(caller, _)) => self.looked(caller, Err(Fault::Unavailable), desk),
            What::Request(Request::Publish(caller, _)) | What::Committing(caller) => {
                self.published(caller, Err(Fault::Unavailable), desk);
            }
        }
    }

    fn published(&self, caller: Caller, result: Result<Option<Position>, Fault>, desk: &mut Desk<'_>) {
        // A client that gave no `id` is told of failure only.
        let silent = result.is_ok() && matches!(caller, Caller::Session(_, None));
        if let Some(session) = caller.session()
            && !silent
        {
            desk.posts.push((session.shard, Post::Published(self.key.clone(), caller, result)));
        }
    }

    fn looked(&self, caller: Caller, result: Result<Option<Box<Standing>>, Fault>, desk: &mut Desk<'_>) {
        if let Some(session) = caller.session() {
            desk.posts.push((session.shard, Post::Looked(self.key.clone(), caller, result)));
        }
    }
}

impl Request {
    fn span(&self) -> Span {
        match self {
            Self::Join(join) => join.span,
            Self::Look(_, span) => *span,
            Self::Leave(..) | Self::Publish(..) => Span::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
