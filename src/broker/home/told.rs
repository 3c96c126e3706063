//! The engine's answers to a home.

use std::sync::Arc;

use super::request::Outcome;
use super::{Desk, Home, Stage, Waiting, What};
use crate::broker::place::{Tag, Why};
use crate::broker::post::{Caller, Post};
use crate::error::Fault;
use crate::message::Message;
use crate::position::Position;

impl Home {
    /// The room is open, or has another epoch, or is further than this home knew.
    pub(super) fn opened(&mut self, end: Position, tail: Vec<Arc<Message>>, first: u64, desk: &mut Desk<'_>) {
        match self.end() {
            Some(before) if before.epoch == end.epoch => {
                self.stage = Stage::Open { end: before, first };
                if before.offset < end.offset {
                    self.reopened(before, end, tail, desk);
                }
            }
            before => {
                self.stage = Stage::Open { end, first };
                self.history.clear();
                self.forget_read();
                for message in tail {
                    self.history.push(message, &self.settings, desk.now);
                }
                if before.is_some() {
                    let from = Position { offset: end.offset.min(1), ..end };
                    self.gap(from, end, desk);
                }
            }
        }
        if self.behind.is_some() {
            self.release(desk);
        }
    }

    /// This home missed what came after `before`. The newest of that may be in `tail`.
    fn reopened(&mut self, before: Position, end: Position, tail: Vec<Arc<Message>>, desk: &mut Desk<'_>) {
        let oldest = tail.first().and_then(|message| message.position);
        if oldest.is_some_and(|oldest| oldest.offset <= before.offset + 1) {
            self.pass_on_all(tail, desk);
        }
        if self.end() != Some(end) {
            self.catch_up(desk);
        }
    }

    /// Rule 1: first every shard with members gets the message, then the publisher gets the answer.
    pub(super) fn pass_on(&mut self, message: Arc<Message>, tag: Option<Tag>, desk: &mut Desk<'_>) {
        let position = message.position;
        if let (Some(position), Stage::Open { first, .. }) = (position, self.stage) {
            self.stage = Stage::Open { end: position, first };
            self.history.push(message.clone(), &self.settings, desk.now);
        }
        self.post_members(desk, || Post::Deliver(message.clone()));
        self.outcome(tag, Ok(position), desk);
        if self.behind.is_some() {
            self.settle_stored();
        }
    }

    /// The engine has carried out the publish with this `tag`. The answer waits for the message itself.
    pub(super) fn stored(&mut self, tag: Tag, position: Option<Position>, known: bool, desk: &mut Desk<'_>) {
        let passed = match (position, self.end()) {
            (Some(at), Some(end)) => at.epoch == end.epoch && at.offset <= end.offset,
            (Some(_), None) => false,
            (None, _) => known,
        };
        if passed {
            return self.outcome(Some(tag), Ok(position), desk);
        }
        let Some(waiting) = self.waiting.under_way().find(|waiting| waiting.tag == Some(tag)) else { return };
        if let What::Committing(caller, mark) = &mut waiting.what {
            if let Some(mark) = mark.take() {
                desk.keys.remember(&self.key, Arc::unwrap_or_clone(mark), position, desk.now);
            }
            waiting.what = What::Stored(caller.clone(), position);
            if position.is_some() {
                self.catch_up_again(desk);
            }
        }
    }

    /// Gives their outcome to publishes whose messages have been passed on.
    pub(super) fn settle_stored(&mut self) {
        let Some(end) = self.end() else { return };
        self.settle(|at| at.epoch == end.epoch && at.offset <= end.offset);
    }

    /// The same for those whose messages belong to an epoch that is over.
    pub(super) fn settle_old(&mut self) {
        let Some(end) = self.end() else { return };
        self.settle(|at| at.epoch != end.epoch);
    }

    fn settle(&mut self, is_settled: impl Fn(Position) -> bool) {
        for waiting in self.waiting.under_way() {
            if let What::Stored(caller, Some(at)) = &waiting.what
                && is_settled(*at)
            {
                waiting.what = What::Done(caller.clone(), Ok(Some(*at)));
            }
        }
    }

    /// Whether the engine has carried out a publish whose message has not come.
    pub(super) fn awaits_stored(&mut self) -> bool {
        self.waiting.under_way().any(|waiting| matches!(waiting.what, What::Stored(_, Some(_))))
    }

    /// The publish with this `tag` has its outcome, if it is not answered already. It is answered in its turn.
    pub(super) fn outcome(&mut self, tag: Option<Tag>, result: Outcome, desk: &mut Desk<'_>) {
        let is_it = |waiting: &Waiting| tag.is_some() && waiting.tag == tag && waiting.what.is_publish();
        if self.waiting.first().is_some_and(is_it)
            && let Some(Waiting { what, .. }) = self.waiting.take()
        {
            let (caller, result) = self.end_of(what, result, desk);
            return self.published(caller, result, desk);
        }
        let Some(place) = self.waiting.under_way().position(|waiting| is_it(waiting)) else { return };
        let Some(waiting) = self.waiting.under_way().nth(place) else { return };
        let what = std::mem::replace(&mut waiting.what, What::Done(Caller::Nobody, result));
        let (caller, result) = self.end_of(what, result, desk);
        if let Some(waiting) = self.waiting.under_way().nth(place) {
            waiting.what = What::Done(caller, result);
        }
    }

    /// Who is answered, and what. Remembers the key of what was published.
    fn end_of(&self, what: What, result: Outcome, desk: &mut Desk<'_>) -> (Caller, Outcome) {
        match what {
            What::Committing(caller, mark) => {
                if let (Some(mark), Ok(position)) = (mark, result) {
                    desk.keys.remember(&self.key, Arc::unwrap_or_clone(mark), position, desk.now);
                }
                (caller, result)
            }
            What::Done(caller, known) => (caller, known),
            What::Stored(caller, _) => (caller, result),
            What::Request(_) | What::CatchingUp(_) => (Caller::Nobody, result),
        }
    }

    /// The first request, if it has this `tag`; `None` if it was answered already.
    fn take(&mut self, tag: Tag) -> Option<Waiting> {
        let first = self.waiting.first()?;
        if first.tag == Some(tag) && matches!(first.what, What::Request(_)) {
            self.waiting.take()
        } else {
            None
        }
    }

    /// Everything after this home's newest message up to `to` is lost.
    pub(super) fn lost(&mut self, to: Position, desk: &mut Desk<'_>) {
        let Stage::Open { end, .. } = self.stage else { return };
        if to.epoch == end.epoch && to.offset > end.offset {
            self.stage = Stage::Open { end: to, first: to.offset + 1 };
            self.history.clear();
            self.gap(Position { offset: end.offset + 1, ..end }, to, desk);
        }
    }

    pub(super) fn gap(&self, from: Position, to: Position, desk: &mut Desk<'_>) {
        // The raw wire has no positions and no event for this.
        if self.keeps_positions() {
            self.post_members(desk, || Post::Gap(self.key.clone(), from, to));
        }
    }

    pub(super) fn page(
        &mut self,
        tag: Tag,
        newest: Position,
        messages: Vec<Arc<Message>>,
        desk: &mut Desk<'_>,
    ) {
        if self.is_catching_up(tag) {
            return self.caught_up(newest, messages, desk);
        }
        let Some(end) = self.end() else { return };
        if let Some(Waiting { what: What::Request(request), .. }) = self.take(tag) {
            self.answer(request, &messages, end, desk);
        }
    }

    pub(super) fn failed(&mut self, tag: Option<Tag>, why: Why, desk: &mut Desk<'_>) {
        let Some(tag) = tag else {
            if self.stage == Stage::Opening {
                self.stage = Stage::Closed;
                self.behind = None;
                self.refuse_all(why.fault(), desk);
            }
            return;
        };
        if self.is_catching_up(tag) {
            return self.cannot_catch_up(desk);
        }
        match (self.take(tag), self.end()) {
            // What it asked for is of an epoch that is over, so the newest is what there is.
            (Some(Waiting { what: What::Request(request), .. }), Some(end)) if why == Why::Moved => {
                self.answer(request, &[], end, desk);
            }
            (Some(waiting), _) => self.refuse(waiting.what, why.fault(), desk),
            (None, _) => self.outcome(Some(tag), Err(why.fault()), desk),
        }
    }

    /// Refuses all requests in this room for now. Leaves are still counted.
    pub(super) fn refuse_all(&mut self, fault: Fault, desk: &mut Desk<'_>) {
        for waiting in self.waiting.take_all() {
            self.refuse(waiting.what, fault, desk);
        }
    }
}
