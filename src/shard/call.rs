//! Calls of the HTTP API: the posts for each, and gathering the answers.

use std::sync::Arc;

use arcstr::ArcStr;

use super::Shard;
use crate::api::answer;
use crate::api::body;
use crate::api::call::{Call, Gathered, Pending};
use crate::api::description;
use crate::api::route::refusal;
use crate::api::sent::{Sent, To};
use crate::api::stats;
use crate::broker::post::{Caller, Listing, Page, Post, Span};
use crate::error::Fault;
use crate::http::Response;
use crate::id::{SessionId, ShardId};
use crate::message::Draft;
use crate::room_key::{RoomKey, Space};
use crate::session::exchange::Stage;

/// The reason of a disconnect without one.
const BY_APP: &str = "disconnected by the app";

impl Shard {
    /// Posts what the call needs. Returns the response at once if it needs nothing.
    pub(super) fn begin_call(&mut self, key: u32, call: Call, body: &[u8]) -> Result<Pending, Response> {
        if self.pressed && call.takes_body() {
            return Err(refusal(Fault::Unavailable));
        }
        match call {
            Call::Health => Err(answer::health()),
            Call::Ready => Err(self.refuse_while_draining().err().unwrap_or_else(answer::ready)),
            Call::Stats => Err(Response::new(200).json(stats::json(&self.totals(), self.uptime_s()))),
            Call::Metrics => Err(answer::metrics(self.totals())),
            Call::Description => {
                let public = self.common.settings.metrics.public;
                Err(Response::new(200).json(description::json(self.access.is_open(), public)))
            }
            Call::Publish(room) => {
                let draft = body::publish(body, &self.common.names).map_err(refusal)?;
                self.publish(Space::Native, &room, Caller::Call(self.id(key), 0), draft);
                Ok(Pending::new(1, Gathered::Sent(Sent::new(To::Room, 1))))
            }
            Call::Notify(user) => {
                let draft = body::notification(body).map_err(refusal)?;
                self.publish(Space::User, &user, Caller::Call(self.id(key), 0), draft);
                Ok(Pending::new(1, Gathered::Sent(Sent::new(To::User, 1))))
            }
            Call::Broadcast => {
                let draft = body::notification(body).map_err(refusal)?;
                if self.announcing.is_full() {
                    return Err(refusal(Fault::Unavailable));
                }
                self.announce(&Caller::Call(self.id(key), 0), draft);
                let shards = self.common.shards;
                Ok(Pending::new(shards, Gathered::Sent(Sent::new(To::All, shards))))
            }
            Call::Remove(..) | Call::User(..) | Call::Disconnect(..) if self.walks_are_full() => {
                Err(refusal(Fault::Unavailable))
            }
            Call::Remove(room, user) => {
                let room = self.room(Space::Native, &room);
                Ok(self.ask_all(key, Gathered::Counted(0), |caller| {
                    Post::Remove(room.clone(), user.clone(), caller)
                }))
            }
            Call::User(user, page) => self.refuse_while_overdrawn().map(|()| self.ask_user(key, &user, page)),
            Call::Disconnect(user, reason) => {
                let reason = body::reason(body).map_err(refusal)?.or(reason).unwrap_or_default();
                let reason = body::fitting(&reason);
                let reason: ArcStr = if reason.is_empty() { BY_APP.into() } else { reason.into() };
                Ok(self.ask_all(key, Gathered::Counted(0), |caller| {
                    Post::Disconnect(user.clone(), reason.clone(), caller)
                }))
            }
            Call::Batch(scope) => {
                let entries = body::batch(body, &self.common.names).map_err(refusal)?;
                Ok(self.batch(key, scope, entries))
            }
            Call::Rooms(listing) => {
                // A turn answers few of these, so those under way are not much beyond the total.
                self.refuse_while_overdrawn()?;
                if self.lists.is_full() {
                    return Err(refusal(Fault::Unavailable));
                }
                Ok(self.ask_rooms(key, listing))
            }
            Call::Room(room) => {
                self.look(key, &room, Span::Nothing);
                Ok(Pending::new(1, Gathered::Room(room, None)))
            }
            Call::Members(room, page) => {
                let room = self.room(Space::Native, &room);
                let caller = Caller::Call(self.id(key), 0);
                self.post_home(&room, Post::Members(room.clone(), caller, page));
                Ok(Pending::new(1, Gathered::Members(None)))
            }
            Call::Requests { stream, user } => {
                let stream = self.common.names.id(&stream).ok_or_else(answer::no_stream)?;
                let (alone, texts) = body::requests(body, self.common.settings.limits.message)?;
                let pending = Pending::new(texts.len(), Gathered::Replies(alone, vec![None; texts.len()]));
                self.post(stream.shard, Post::Requests(stream, self.id(key), user, texts));
                Ok(pending)
            }
            Call::History(room, span) => {
                self.look(key, &room, span);
                Ok(Pending::new(1, Gathered::History(None)))
            }
        }
    }

    pub(super) fn publish(&mut self, space: Space, name: &str, caller: Caller, draft: Draft) {
        self.counters.messages_in += 1;
        let room = self.room(space, name);
        self.post_home(&room, Post::Publish(room.clone(), caller, draft));
    }

    /// Asks every shard for its part of an answer.
    fn ask_all(&mut self, key: u32, gathered: Gathered, ask: impl Fn(Caller) -> Post) -> Pending {
        let caller = Caller::Call(self.id(key), 0);
        for shard in 0..self.common.shards {
            self.post(shard as ShardId, ask(caller.clone()));
        }
        Pending::new(self.common.shards, gathered)
    }

    fn look(&mut self, key: u32, room: &str, span: Span) {
        let room = self.room(Space::Native, room);
        let caller = Caller::Call(self.id(key), 0);
        self.post_home(&room, Post::Look(room.clone(), caller, span));
    }

    fn ask_rooms(&mut self, key: u32, listing: Listing) -> Pending {
        // One more than a page shows whether there are more.
        let wanted = Arc::new(Listing { limit: listing.limit + 1, ..listing.clone() });
        self.ask_all(key, Gathered::Rooms(listing, Vec::new()), |caller| Post::List(caller, wanted.clone()))
    }

    fn ask_user(&mut self, key: u32, user: &ArcStr, page: Page) -> Pending {
        // One more than a page shows whether there are more.
        let wanted = Arc::new(Page { limit: page.limit + 1, ..page.clone() });
        let gathered = Gathered::Found(page, 0, Vec::new());
        self.ask_all(key, gathered, |caller| Post::Seek(user.clone(), caller, wanted.clone()))
    }

    /// An answer has come for a call. `take` gets its index.
    pub(super) fn answers(&mut self, caller: &Caller, take: impl FnOnce(&mut Pending, usize)) {
        if let Caller::Call(session, index) = caller {
            self.answered(*session, |pending| take(pending, *index as usize));
        }
    }

    /// An answer has come for the call of `session`.
    pub(super) fn answered(&mut self, session: SessionId, take: impl FnOnce(&mut Pending)) {
        if self.find(session).is_none() {
            return;
        }
        if let Some(exchange) = self.exchange(session.key)
            && let Stage::Call(_, pending) = &mut exchange.stage
        {
            take(pending);
            self.finish_call(session.key);
            self.pay_input(session.key);
            self.pay(session.key);
        }
    }

    /// Responds to a call that has all its answers, and lets the next request be read.
    pub(super) fn finish_call(&mut self, key: u32) {
        let wall = self.wall();
        let Some(exchange) = self.exchange(key) else { return };
        match std::mem::replace(&mut exchange.stage, Stage::Head) {
            Stage::Call(mut envelope, pending) if pending.left == 0 => {
                envelope.now = wall;
                self.respond(key, &envelope, answer::answer(pending.gathered));
                self.time_exchange(key);
                self.release(key);
                self.after_input(key);
            }
            other => exchange.stage = other,
        }
    }

    /// The key of the room called `name`, shared with its audience or home if there is one.
    pub(super) fn room(&self, space: Space, name: &str) -> RoomKey {
        let hash = self.common.room_keys.hash(space, name);
        let home = || self.homes.find(hash, space, name).and_then(|number| self.homes.key(number));
        let audience = self.audiences.find(hash, space, name).and_then(|number| self.audiences.key(number));
        audience.or_else(home).cloned().unwrap_or_else(|| self.common.room_keys.key(space, name))
    }
}
