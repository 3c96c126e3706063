//! A home that has missed something: it holds what came out of turn, and asks the engine for what is before that.
//!
//! What has a position is passed on in order and without gaps, or the members are told of the gap. So a push that is lost is
//! read, one that comes twice is dropped, and one that comes early waits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::{Desk, Home, PATIENCE, Stage};
use crate::broker::place::{Ask, Tag};
use crate::message::Message;
use crate::position::Position;
use crate::settings::MIB;
use crate::time::Tick;

/// Messages that one read asks for.
const PAGE: usize = 1_000;

/// Messages that are held, in number and bytes. Further ones are read when these have been passed on.
const HELD: usize = 1_000;
const HELD_BYTES: usize = MIB;

/// How long to wait before asking an engine again that could not help.
const REST: Duration = Duration::from_secs(1);

/// What a home knows while it is behind.
#[derive(Debug)]
pub(super) struct Behind {
    /// The read that is under way.
    tag: Option<Tag>,
    /// When to ask again.
    again: Tick,
    /// What came out of turn, as it came, with the tag of the publish that it answers.
    held: VecDeque<(Arc<Message>, Option<Tag>)>,
    bytes: usize,
    /// There is more to read than what is being read: there was more to hold than may be, or news came meanwhile.
    spilled: bool,
}

/// How a message follows what was passed on so far.
enum Follows {
    /// It is the next, or has no position.
    Next,
    /// It was passed on before.
    Again,
    /// Something is missing before it.
    Ahead,
}

impl Home {
    /// Takes a message that has its place.
    pub(super) fn committed(&mut self, message: Arc<Message>, tag: Option<Tag>, desk: &mut Desk<'_>) {
        self.used = desk.now;
        match self.follows(message.position) {
            // What has no position has its place behind what is held.
            Follows::Next if message.position.is_none() && self.behind.is_some() => {
                self.hold(message, tag, desk)
            }
            Follows::Next => {
                self.pass_on(message, tag, desk);
                if self.behind.is_some() {
                    self.release(desk);
                }
            }
            Follows::Again => self.outcome(tag, Ok(message.position), desk),
            Follows::Ahead => {
                self.hold(message, tag, desk);
                self.catch_up(desk);
            }
        }
    }

    fn follows(&self, position: Option<Position>) -> Follows {
        let Some(at) = position else { return Follows::Next };
        match self.stage {
            Stage::Open { end, .. } if at.epoch == end.epoch && at.offset <= end.offset => Follows::Again,
            Stage::Open { end, .. } if at.epoch == end.epoch && at.offset == end.offset + 1 => Follows::Next,
            _ => Follows::Ahead,
        }
    }

    fn hold(&mut self, message: Arc<Message>, tag: Option<Tag>, desk: &Desk<'_>) {
        if self.stage == Stage::Closed {
            return;
        }
        let behind = self.fall_behind(desk.now);
        if behind.held.len() < HELD && behind.bytes < HELD_BYTES {
            behind.bytes += message.cost();
            behind.held.push_back((message, tag));
        } else {
            behind.spilled = true;
        }
    }

    fn fall_behind(&mut self, now: Tick) -> &mut Behind {
        self.behind.get_or_insert_with(|| {
            let held = VecDeque::new();
            Box::new(Behind { tag: None, again: now, held, bytes: 0, spilled: false })
        })
    }

    /// Asks the engine for what came after this home's newest message, unless that is under way. A room that is not open is
    /// asked for it when it is.
    pub(super) fn catch_up(&mut self, desk: &mut Desk<'_>) {
        let Some(since) = self.end() else { return };
        let (next, now) = (self.next_tag.wrapping_add(1), desk.now);
        let behind = self.fall_behind(now);
        if behind.tag.is_some() {
            return;
        }
        behind.tag = Some(next);
        behind.again = now.after(PATIENCE);
        let tag = self.tag();
        desk.asks.push(Ask::Read { room: self.key.clone(), since, limit: PAGE, tag });
    }

    /// The same, where a read that is under way may be too old to say it.
    pub(super) fn catch_up_again(&mut self, desk: &mut Desk<'_>) {
        match &mut self.behind {
            Some(behind) if behind.tag.is_some() => behind.spilled = true,
            _ => self.catch_up(desk),
        }
    }

    /// Asks again for what did not come.
    pub(super) fn expire_behind(&mut self, desk: &mut Desk<'_>) {
        if let Some(behind) = &mut self.behind
            && behind.again <= desk.now
        {
            behind.tag = None;
            self.catch_up(desk);
        }
    }

    /// When [`Home::expire_behind`] has work.
    pub(super) fn asks_again(&self) -> Tick {
        match &self.behind {
            Some(behind) if self.end().is_some() => behind.again,
            _ => Tick::NEVER,
        }
    }

    /// What is held, in bytes.
    pub(super) fn held(&self) -> usize {
        self.behind.as_ref().map_or(0, |behind| behind.bytes)
    }

    /// Whether `tag` is that of the read with which this home catches up.
    pub(super) fn is_catching_up(&self, tag: Tag) -> bool {
        self.behind.as_ref().is_some_and(|behind| behind.tag == Some(tag))
    }

    /// The read under way is of an epoch that is over, so its answer says nothing of this one.
    pub(super) fn forget_read(&mut self) {
        if let Some(behind) = &mut self.behind {
            behind.tag = None;
        }
    }

    /// The engine could not say what was missed.
    pub(super) fn cannot_catch_up(&mut self, desk: &Desk<'_>) {
        if let Some(behind) = &mut self.behind {
            (behind.tag, behind.again) = (None, desk.now.after(REST));
        }
    }

    /// Passes on what was missed. `end` is the newest position that there was. What the engine has no more is told as a gap.
    pub(super) fn caught_up(&mut self, end: Position, messages: Vec<Arc<Message>>, desk: &mut Desk<'_>) {
        let Some(own) = self.end() else { return };
        if let Some(behind) = &mut self.behind {
            behind.tag = None;
        }
        if end.epoch != own.epoch {
            self.cannot_catch_up(desk);
            return desk.asks.push(Ask::Open(self.key.clone()));
        }
        let full = messages.len() >= PAGE;
        self.pass_on_all(messages, desk);
        match self.end() {
            Some(at) if at.offset < end.offset && full => return self.catch_up(desk),
            Some(at) if at.offset < end.offset => self.lost(end, desk),
            _ => {}
        }
        if let Some(behind) = &mut self.behind
            && std::mem::take(&mut behind.spilled)
        {
            self.release_some(desk);
            return self.catch_up(desk);
        }
        self.settle_old();
        self.release_some(desk);
        let waits = self.behind.as_ref().is_some_and(|behind| !behind.held.is_empty());
        if self.end() == Some(own) && (waits || self.awaits_stored()) {
            // Of positions above its newest the engine may know more in a while.
            return self.cannot_catch_up(desk);
        }
        self.release(desk);
    }

    /// Passes on messages that follow each other. What is missing between is lost.
    pub(super) fn pass_on_all(&mut self, messages: Vec<Arc<Message>>, desk: &mut Desk<'_>) {
        for message in messages {
            match (self.follows(message.position), message.position) {
                (Follows::Again, _) | (_, None) => continue,
                (Follows::Next, _) => {}
                (Follows::Ahead, Some(at)) => self.lost(Position { offset: at.offset - 1, ..at }, desk),
            }
            self.pass_on(message, None, desk);
        }
    }

    /// Passes on what was held and follows now; asks for more where something is still missing.
    pub(super) fn release(&mut self, desk: &mut Desk<'_>) {
        self.release_some(desk);
        let Some(behind) = &self.behind else { return };
        if !behind.held.is_empty() || behind.spilled {
            return self.catch_up(desk);
        }
        if behind.tag.is_none() {
            self.settle_stored();
            if self.awaits_stored() {
                return self.catch_up(desk);
            }
            self.behind = None;
        }
    }

    fn release_some(&mut self, desk: &mut Desk<'_>) {
        let epoch = self.end().map(|end| end.epoch);
        while let Some(behind) = &mut self.behind
            && let Some((message, tag)) = behind.held.pop_front()
        {
            behind.bytes -= message.cost();
            match self.follows(message.position) {
                Follows::Next => self.pass_on(message, tag, desk),
                Follows::Again => self.outcome(tag, Ok(message.position), desk),
                // It came before this epoch, or just behind it: then it is in what was read.
                Follows::Ahead if message.position.map(|at| at.epoch) != epoch => {}
                Follows::Ahead => {
                    if let Some(behind) = &mut self.behind {
                        behind.bytes += message.cost();
                        behind.held.push_front((message, tag));
                    }
                    return;
                }
            }
        }
    }
}
