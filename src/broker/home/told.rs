//! The engine's answers to a home.

use std::sync::Arc;

use super::{Desk, Home, Stage, Waiting, What};
use crate::broker::place::Tag;
use crate::broker::post::Post;
use crate::message::Message;
use crate::position::Position;

impl Home {
    pub(super) fn opened(&mut self, end: Position, tail: Vec<Arc<Message>>, first: u64, desk: &mut Desk<'_>) {
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
    pub(super) fn committed(&mut self, message: Arc<Message>, tag: Option<Tag>, desk: &mut Desk<'_>) {
        self.used = desk.now;
        let position = message.position;
        if let (Some(position), Stage::Open { first, .. }) = (position, self.stage) {
            self.stage = Stage::Open { end: position, first };
            self.history.push(message.clone(), &self.settings, desk.now);
        }
        self.post_members(desk, || Post::Deliver(message.clone()));
        if let Some(Waiting { what: What::Committing(caller, mark), .. }) = self.take(tag) {
            if let Some(mark) = mark {
                desk.keys.remember(&self.key, *mark, position, desk.now);
            }
            self.published(caller, Ok(position), desk);
        }
    }

    /// The waiting request with this `tag`; `None` if it was answered already.
    pub(super) fn take(&mut self, tag: Option<Tag>) -> Option<Waiting> {
        let first = self.waiting.first()?;
        if tag.is_some() && first.tag == tag { self.waiting.take() } else { None }
    }

    pub(super) fn lost(&mut self, from: Position, to: Position, desk: &mut Desk<'_>) {
        if let Stage::Open { .. } = self.stage {
            self.stage = Stage::Open { end: to, first: to.offset + 1 };
            self.history.clear();
            self.gap(from, to, desk);
        }
    }

    pub(super) fn gap(&self, from: Position, to: Position, desk: &mut Desk<'_>) {
        // The raw wire has no positions and no event for this.
        if self.keeps_positions() {
            self.post_members(desk, || Post::Gap(self.key.clone(), from, to));
        }
    }

    pub(super) fn page(&mut self, tag: Tag, messages: Vec<Arc<Message>>, desk: &mut Desk<'_>) {
        let Some(end) = self.end() else { return };
        if let Some(Waiting { what: What::Request(request), .. }) = self.take(Some(tag)) {
            self.answer(request, &messages, end, desk);
        }
    }

    pub(super) fn failed(&mut self, tag: Option<Tag>, desk: &mut Desk<'_>) {
        if tag.is_none() {
            if self.stage == Stage::Opening {
                self.stage = Stage::Closed;
                self.refuse_all(desk);
            }
        } else if let Some(waiting) = self.take(tag) {
            self.refuse(waiting.what, desk);
        }
    }

    /// Refuses all requests in this room for now. Leaves are still counted.
    pub(super) fn refuse_all(&mut self, desk: &mut Desk<'_>) {
        for waiting in self.waiting.take_all() {
            self.refuse(waiting.what, desk);
        }
    }
}
