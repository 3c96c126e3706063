//! Batches of the app: up to a thousand messages in one call. They are carried out a part at a time, so that a batch delays
//! nobody else.
//!
//! What is left of a batch is paid for like queued bytes. It goes its way whether its caller is still there or not: a batch is
//! not half sent because a connection broke.

use std::collections::VecDeque;
use std::iter::Enumerate;
use std::vec::IntoIter;

use super::Shard;
use crate::api::body::{Address, Entry};
use crate::api::call::{Gathered, Pending};
use crate::api::sent::{Sent, To};
use crate::auth::api_key::Scope;
use crate::broker::post::Caller;
use crate::broker::weight::drafted;
use crate::error::Fault;
use crate::id::SessionId;
use crate::message::Draft;
use crate::room_key::Space;

/// Messages that are carried out in one go: about 50 µs, and 1.6 ms where each is for a user with many connections here.
const SLICE: usize = 16;

/// Messages of batches that one turn carries out: about 0.4 ms.
const MOST: usize = 128;

/// Batches under way, a part of each in turn.
#[derive(Default)]
pub(super) struct Batches {
    line: VecDeque<Batch>,
    /// Messages that this turn may still carry out.
    left: usize,
    /// Whether a batch goes on before the next session that waits.
    is_next: bool,
}

/// What is left of one.
struct Batch {
    call: SessionId,
    scope: Scope,
    entries: Enumerate<IntoIter<Entry>>,
    /// Bytes that were paid for it.
    paid: isize,
}

impl Batches {
    /// Begins a turn.
    pub(super) fn begin(&mut self) {
        self.left = MOST;
    }

    /// Whether no batch is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Whether it is a batch's turn to go on; the next time it is a session's.
    pub(super) fn take_turn(&mut self) -> bool {
        self.is_next = !self.is_next;
        self.is_next && !self.line.is_empty()
    }
}

impl Shard {
    /// A call sends the messages that `scope` allows, as soon as [`Shard::go_on_with_batches`] comes to them.
    pub(super) fn batch(&mut self, key: u32, scope: Scope, entries: Vec<Entry>) -> Pending {
        let left = |entry: &Entry| match entry {
            Ok((Address::All, _)) => self.common.shards,
            _ => 1,
        };
        let to = |entry: &Entry| entry.as_ref().map_or(To::Room, |(address, _)| address.to());
        let all: Vec<Sent> = entries.iter().map(|entry| Sent::new(to(entry), left(entry))).collect();
        let pending = Pending::new(entries.iter().map(left).sum(), Gathered::Batch(all));
        if !entries.is_empty() {
            let held = |entry: &Entry| entry.as_ref().map_or(0, |(_, draft)| drafted(draft));
            let paid = size_of_val(&entries[..]) + entries.iter().map(held).sum::<usize>();
            let paid = paid.cast_signed();
            self.spend(paid);
            let (call, entries) = (self.id(key), entries.into_iter().enumerate());
            self.batches.line.push_back(Batch { call, scope, entries, paid });
        }
        pending
    }

    /// Begins the batch that session `key` has called for, if there is one, unless others wait before it.
    pub(super) fn begin_batch(&mut self, key: u32) {
        let call = self.id(key);
        if self.batches.line.len() == 1 && self.batches.line[0].call == call {
            self.go_on_with_batches();
        }
    }

    /// Carries out a part of the first batch, if this turn has time, and lets the next one have its turn. Returns the session
    /// that had called.
    pub(super) fn go_on_with_batches(&mut self) -> Option<u32> {
        let most = self.batches.left.min(SLICE);
        if most == 0 {
            return None;
        }
        let mut batch = self.batches.line.pop_front()?;
        for _ in 0..most {
            let Some((index, entry)) = batch.entries.next() else { break };
            self.batches.left -= 1;
            let caller = Caller::Call(batch.call, index as u32);
            let sent = entry.and_then(|entry| self.send_entry(&batch, caller, entry));
            if let Err(fault) = sent {
                self.answered(batch.call, |pending| pending.refused(index, fault));
            }
        }
        let call = batch.call;
        if batch.entries.len() > 0 {
            self.batches.line.push_back(batch);
        } else {
            self.spend(-batch.paid);
        }
        Some(call.key)
    }

    fn send_entry(
        &mut self,
        batch: &Batch,
        caller: Caller,
        (address, draft): (Address, Draft),
    ) -> Result<(), Fault> {
        let scope = &batch.scope;
        match address {
            Address::Room(room) if !scope.covers(&room) => return Err(Fault::Forbidden),
            Address::Room(room) => self.publish(Space::Native, &room, caller, draft),
            Address::User(_) | Address::All if scope.rooms.is_some() => return Err(Fault::Forbidden),
            Address::User(user) => self.publish(Space::User, &user, caller, draft),
            Address::All if self.announcing.is_full() => return Err(Fault::Unavailable),
            Address::All => self.announce(&caller, draft),
        }
        Ok(())
    }
}
