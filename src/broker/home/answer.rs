//! The answers of a home.

use std::sync::Arc;

use super::{Desk, Home, Request, What};
use crate::broker::history::Excerpt;
use crate::broker::post::{Caller, Post, Receipt, Roster, Span, Standing};
use crate::error::Fault;
use crate::message::Message;
use crate::position::Position;
use crate::room_key::Space;

impl Home {
    /// The messages that a request needs and that only the engine still has.
    pub(super) fn beyond(&self, request: &Request, end: Position, oldest: u64) -> Option<(Position, usize)> {
        let (Request::Join(_) | Request::Look(..)) = request else { return None };
        let (since, limit) = match request.span() {
            Span::After(Some(since), limit) => (since, limit),
            Span::Since(Some(since), _) => (since, usize::MAX),
            _ => return None,
        };
        // A client may send any offset, also the largest.
        let next = since.offset.checked_add(1)?;
        let held = since.epoch == end.epoch && since.offset < end.offset && next >= oldest;
        let missing = self.history.first(end).checked_sub(next)?;
        (held && missing > 0 && limit > 0).then_some((since, limit.min(missing as usize)))
    }

    /// Answers a join or a look with the `older` messages from the engine and those kept here.
    pub(super) fn answer(
        &mut self,
        request: Request,
        older: &[Arc<Message>],
        end: Position,
        desk: &mut Desk<'_>,
    ) {
        let excerpt = self.excerpt(request.span(), older, end);
        match request {
            Request::Join(join) => {
                let admitted = if join.again { Ok(()) } else { self.admit(&join, desk) };
                let standing = admitted.map(|()| Box::new(self.standing(excerpt, end)));
                let shard = join.session.shard;
                desk.posts.push((shard, Post::Joined(self.key.clone(), join, standing)));
            }
            Request::Look(caller, _) => {
                let standing = Some(Box::new(self.standing(excerpt, end)));
                self.looked(caller, Ok(standing), desk);
            }
            Request::Members(caller, page) => {
                let roster = Some(Box::new(self.roster(&page)));
                self.rostered(caller, Ok(roster), desk);
            }
            Request::Leave(..) | Request::Publish(..) | Request::Typing(..) => {}
        }
    }

    pub(super) fn excerpt(&self, span: Span, older: &[Arc<Message>], end: Position) -> Excerpt {
        match span {
            Span::Nothing => Excerpt::default(),
            Span::Newest(limit) => self.history.newest(limit),
            Span::After(since, limit) => self.following(since, limit, older, end, limit),
            Span::Since(since, most) => self.following(since, usize::MAX, older, end, most),
        }
    }

    /// The first `limit` messages after `since`; the newest `most`, where something of that is gone.
    fn following(
        &self,
        since: Option<Position>,
        limit: usize,
        older: &[Arc<Message>],
        end: Position,
        most: usize,
    ) -> Excerpt {
        let found = since.and_then(|since| match older {
            [] => self.history.after(since, end, limit),
            older => self.behind(since, older, end, limit),
        });
        found.unwrap_or_else(|| self.history.newest(most))
    }

    /// The messages after `since`: `older` from the engine, then those kept here; `None` if some are missing.
    fn behind(
        &self,
        since: Position,
        older: &[Arc<Message>],
        end: Position,
        limit: usize,
    ) -> Option<Excerpt> {
        let place = |message: Option<&Arc<Message>>| message.and_then(|message| message.position);
        let next = Position { offset: since.offset + 1, ..since };
        let (first, last) = (place(older.first())?, place(older.last())?);
        // The room may have lost its epoch, or pruned what would follow, while the engine was reading.
        if first != next || end.epoch != since.epoch {
            return None;
        }
        if older.len() >= limit {
            let more = last.offset < end.offset;
            return Some(Excerpt { messages: older.to_vec(), recovered: true, more });
        }
        let mut excerpt = self.history.after(last, end, limit - older.len())?;
        excerpt.messages.splice(0..0, older.iter().cloned());
        Some(excerpt)
    }

    pub(super) fn standing(&self, excerpt: Excerpt, position: Position) -> Standing {
        Standing {
            position,
            excerpt,
            count: self.presence.count(),
            people: self
                .settings
                .presence
                .then(|| self.presence.people(self.settings.presence_limit))
                .flatten(),
            connections: self.connections(),
        }
    }

    /// Answers what could not be done. What was done and has waited for its turn, or for its message, is answered as that.
    pub(super) fn refuse(&mut self, what: What, fault: Fault, desk: &mut Desk<'_>) {
        match what {
            What::Request(Request::Leave(caller, shard, user)) => {
                self.leave(caller, shard, user.as_ref(), desk)
            }
            What::Request(Request::Typing(..)) => {}
            What::Request(Request::Join(join)) | What::CatchingUp(Request::Join(join)) => {
                let shard = join.session.shard;
                desk.posts.push((shard, Post::Joined(self.key.clone(), join, Err(fault))));
            }
            What::Request(Request::Look(caller, _)) | What::CatchingUp(Request::Look(caller, _)) => {
                self.looked(caller, Err(fault), desk);
            }
            What::Request(Request::Members(caller, _)) => self.rostered(caller, Err(fault), desk),
            What::Request(Request::Publish(caller, _)) | What::Committing(caller, _) => {
                self.published(caller, Err(fault), desk);
            }
            What::Stored(caller, None) => self.published(caller, Ok(None), desk),
            What::Stored(caller, Some(_)) => self.published(caller, Err(fault), desk),
            What::Done(caller, result) => self.published(caller, result, desk),
            // Nothing else waits for the home to catch up.
            What::CatchingUp(_) => {}
        }
    }

    pub(super) fn published(
        &self,
        caller: Caller,
        result: Result<Option<Position>, Fault>,
        desk: &mut Desk<'_>,
    ) {
        let inbox = self.key.space() == Space::User;
        let heard = if inbox { desk.users.listening(self.key.hash(), self.key.name()) } else { 0 };
        let result = result.map(|position| Receipt { position, connections: heard });
        // A client that gave no `id` is told only of failure, unless the answer has the number of connections reached.
        let blank = matches!(&caller, Caller::Session(_, ticket) if ticket.is_blank());
        let silent = result.is_ok() && blank && !inbox;
        if let Some(shard) = caller.shard()
            && !silent
        {
            desk.posts.push((shard, Post::Published(self.key.clone(), caller, result)));
        }
    }

    pub(super) fn looked(
        &self,
        caller: Caller,
        result: Result<Option<Box<Standing>>, Fault>,
        desk: &mut Desk<'_>,
    ) {
        if let Some(shard) = caller.shard() {
            desk.posts.push((shard, Post::Looked(self.key.clone(), caller, result)));
        }
    }

    fn rostered(&self, caller: Caller, result: Result<Option<Box<Roster>>, Fault>, desk: &mut Desk<'_>) {
        if let Some(shard) = caller.shard() {
            desk.posts.push((shard, Post::Rostered(self.key.clone(), caller, result)));
        }
    }
}
