//! How a home goes through what is asked of it, and what it asks the engine for that.

use std::sync::Arc;

use super::{Desk, Home, Request, Stage, Waiting, What};
use crate::broker::keys::{Mark, Owner};
use crate::broker::place::{Ask, Tag};
use crate::broker::post::{Caller, Span};
use crate::message::Draft;
use crate::position::Position;

/// Publishes of one room that may be under way. An engine 2 ms away then commits 64,000 a second of each room.
pub(super) const WINDOW: usize = 128;

impl Home {
    /// Carries out requests in order. Publishes are sent to the engine one behind the other; all else waits until everything
    /// before it is answered.
    pub(super) fn proceed(&mut self, desk: &mut Desk<'_>) {
        while self.step(desk) {}
    }

    /// Answers, or begins, the next request; whether there was one.
    fn step(&mut self, desk: &mut Desk<'_>) -> bool {
        let catching_up = self.behind.is_some();
        match self.waiting.first().map(|first| &first.what) {
            None => return false,
            Some(What::Done(..)) => {
                if let Some(Waiting { what: What::Done(caller, result), .. }) = self.waiting.take() {
                    self.published(caller, result, desk);
                }
                return true;
            }
            Some(What::CatchingUp(_)) => return !catching_up && self.go_on(desk),
            Some(what) => {
                let (begun, publishes) = (self.waiting.begun(), what.is_publish());
                if begun >= WINDOW || begun > 0 && !publishes {
                    return false;
                }
            }
        }
        self.begin(desk)
    }

    /// Begins the first request that is not under way; whether that was possible.
    fn begin(&mut self, desk: &mut Desk<'_>) -> bool {
        if self.waiting.next().is_none() {
            return false;
        }
        if self.stage == Stage::Closed {
            desk.asks.push(Ask::Open(self.key.clone()));
            self.stage = Stage::Opening;
        }
        let Stage::Open { end, first: oldest } = self.stage else { return false };
        if self.waiting.begun() > 0 {
            return self.begin_publish(desk);
        }
        let Some(first) = self.waiting.take() else { return false };
        let What::Request(request) = first.what else { return true };
        if let Some((what, tag)) = self.carry_out(request, end, oldest, desk) {
            self.waiting.put_first(Waiting { what, tag, ..first });
        }
        true
    }

    /// Sends one more publish to the engine, behind those under way. One with the key of one of these waits for its outcome.
    fn begin_publish(&mut self, desk: &mut Desk<'_>) -> bool {
        let Some(Waiting { what: What::Request(Request::Publish(caller, draft)), .. }) = self.waiting.next()
        else {
            return false;
        };
        let mark = draft.key.is_some().then(|| mark(caller, draft)).flatten();
        let same =
            |what: &What| matches!(what, What::Committing(_, Some(other)) if Some(&**other) == mark.as_ref());
        if mark.is_some() && self.waiting.under_way().any(|waiting| same(&waiting.what)) {
            return false;
        }
        let Some(next) = self.waiting.next() else { return false };
        let what = std::mem::replace(&mut next.what, What::Done(Caller::Nobody, Ok(None)));
        let What::Request(Request::Publish(caller, draft)) = what else { return false };
        let (what, tag) = self.publish(caller, draft, desk);
        if let Some(next) = self.waiting.next() {
            (next.what, next.tag) = (what, tag);
        }
        self.waiting.begin();
        true
    }

    /// Carries out the first request, which waited until the home had caught up.
    fn go_on(&mut self, desk: &mut Desk<'_>) -> bool {
        let Stage::Open { end, first: oldest } = self.stage else { return false };
        let Some(first) = self.waiting.take() else { return false };
        let What::CatchingUp(request) = first.what else { return true };
        if let Some((what, tag)) = self.look(request, end, oldest, desk) {
            self.waiting.put_first(Waiting { what, tag, ..first });
        }
        true
    }

    /// Does what is asked of a room that is open, where nothing is before it. What has to wait for the engine is returned,
    /// with the tag under which that was asked.
    pub(super) fn carry_out(
        &mut self,
        request: Request,
        end: Position,
        oldest: u64,
        desk: &mut Desk<'_>,
    ) -> Option<(What, Option<Tag>)> {
        match request {
            Request::Leave(caller, shard, user) => self.leave(caller, shard, user.as_ref(), desk),
            Request::Typing(user, active) => self.typed(&user, active, desk),
            Request::Publish(caller, draft) => {
                let (what, tag) = self.publish(caller, draft, desk);
                let What::Done(caller, result) = what else { return Some((what, tag)) };
                self.published(caller, result, desk);
            }
            // Who comes from a home that was ahead of this one is not told that it missed something.
            request if is_ahead(request.span(), end) => {
                self.catch_up(desk);
                return Some((What::CatchingUp(request), None));
            }
            request => return self.look(request, end, oldest, desk),
        }
        None
    }

    /// Answers a join or a look, or asks the engine for what is not kept here.
    fn look(
        &mut self,
        request: Request,
        end: Position,
        oldest: u64,
        desk: &mut Desk<'_>,
    ) -> Option<(What, Option<Tag>)> {
        let Some((since, limit)) = self.beyond(&request, end, oldest) else {
            self.answer(request, &[], end, desk);
            return None;
        };
        let tag = self.tag();
        desk.asks.push(Ask::Read { room: self.key.clone(), since, limit, tag });
        Some((What::Request(request), Some(tag)))
    }

    /// Has the engine give a message its place, unless it was published under its key before.
    fn publish(&mut self, caller: Caller, mut draft: Draft, desk: &mut Desk<'_>) -> (What, Option<Tag>) {
        if let Some(user) = &draft.from {
            self.typed(user, false, desk);
        }
        let mark = draft.key.is_some().then(|| mark(&caller, &draft)).flatten().map(Arc::new);
        draft.key = None;
        let known = mark.as_ref().and_then(|mark| desk.keys.answer(&self.key, mark, desk.now));
        if let Some(position) = known {
            let ahead = |(at, end): (Position, Position)| at.epoch == end.epoch && at.offset > end.offset;
            return match position.zip(self.end()).is_some_and(ahead) {
                false => (What::Done(caller, Ok(position)), None),
                // The message itself has not come.
                true => (What::Stored(caller, position), None),
            };
        }
        let tag = self.tag();
        desk.asks.push(Ask::Publish { room: self.key.clone(), draft, mark: mark.clone(), tag });
        (What::Committing(caller, mark), Some(tag))
    }

    pub(super) fn tag(&mut self) -> Tag {
        self.next_tag = self.next_tag.wrapping_add(1);
        self.next_tag
    }
}

/// The idempotency key of a publish, with its owner.
fn mark(caller: &Caller, draft: &Draft) -> Option<Mark> {
    let key = draft.key.clone()?;
    Some(Mark { owner: Owner::of(caller, draft.from.as_ref()), key })
}

/// Whether somebody knows of a position that a home at `end` does not know.
fn is_ahead(span: Span, end: Position) -> bool {
    match span {
        Span::After(Some(since), _) | Span::Since(Some(since), _) => {
            since.epoch != end.epoch || since.offset > end.offset
        }
        _ => false,
    }
}
