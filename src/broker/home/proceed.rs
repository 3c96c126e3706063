//! How a home goes through what is asked of it, and what it asks the engine for that.

use super::{Desk, Home, Request, Stage, Waiting, What};
use crate::broker::keys::{Mark, Owner};
use crate::broker::place::{Ask, Tag};
use crate::broker::post::Caller;
use crate::message::Draft;
use crate::position::Position;

impl Home {
    /// Carries out requests in order, until the first has to wait for the engine.
    pub(super) fn proceed(&mut self, desk: &mut Desk<'_>) {
        while let Some(first) = self.waiting.first()
            && first.tag.is_none()
        {
            if self.stage == Stage::Closed {
                desk.asks.push(Ask::Open(self.key.clone()));
                self.stage = Stage::Opening;
            }
            let Stage::Open { end, first: oldest } = self.stage else { return };
            let Some(first) = self.waiting.take() else { return };
            let What::Request(request) = first.what else { continue };
            if let Some((what, tag)) = self.carry_out(request, end, oldest, desk) {
                return self.waiting.put_back(Waiting { what, tag: Some(tag), ..first });
            }
        }
    }

    /// Does what is asked of a room that is open. What has to wait for the engine is returned, with the tag under which that
    /// was asked.
    pub(super) fn carry_out(
        &mut self,
        request: Request,
        end: Position,
        oldest: u64,
        desk: &mut Desk<'_>,
    ) -> Option<(What, Tag)> {
        match request {
            Request::Leave(caller, shard, user) => self.leave(caller, shard, user.as_ref(), desk),
            Request::Typing(user, active) => self.typed(&user, active, desk),
            Request::Publish(caller, draft) => return self.publish(caller, draft, desk),
            request => {
                let Some((since, limit)) = self.beyond(&request, end, oldest) else {
                    self.answer(request, &[], end, desk);
                    return None;
                };
                let tag = self.tag();
                desk.asks.push(Ask::Read { room: self.key.clone(), since, limit, tag });
                return Some((What::Request(request), tag));
            }
        }
        None
    }

    /// Has the engine give a message its place, unless it was published under its key before.
    fn publish(&mut self, caller: Caller, mut draft: Draft, desk: &mut Desk<'_>) -> Option<(What, Tag)> {
        if let Some(user) = &draft.from {
            self.typed(user, false, desk);
        }
        let owner = |key| Mark { owner: Owner::of(&caller, draft.from.as_ref()), key };
        let mark = draft.key.take().map(owner).map(Box::new);
        let known = mark.as_ref().and_then(|mark| desk.keys.answer(&self.key, mark, desk.now));
        if let Some(position) = known {
            self.published(caller, Ok(position), desk);
            return None;
        }
        let tag = self.tag();
        desk.asks.push(Ask::Publish { room: self.key.clone(), draft, tag });
        Some((What::Committing(caller, mark), tag))
    }

    fn tag(&mut self) -> Tag {
        self.next_tag = self.next_tag.wrapping_add(1);
        self.next_tag
    }
}
