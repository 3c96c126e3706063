//! A twin of the local engine that behaves like a remote one. It answers late, reports failures that did not happen, loses an
//! epoch while there are members, and keeps more messages than a home. A seed drives it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use switchboard::broker::place::{Ask, Tag, Tell, Why};
use switchboard::engine::local::Local;
use switchboard::engine::{Engine, Remote};
use switchboard::message::Message;
use switchboard::position::Position;
use switchboard::room_key::RoomKey;
use switchboard::time::Now;

/// How often things go wrong, each per thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Odds {
    /// An ask fails and nothing was stored.
    pub fail: u32,
    /// A publish is reported as failed, and committed later.
    pub fail_late: u32,
    /// An answer never comes.
    pub silent: u32,
    /// A room loses its epoch.
    pub lose_epoch: u32,
    /// The longest delay of an answer, in milliseconds.
    pub delay_ms: u64,
}

/// A local engine behind a slow, unreliable line.
pub struct Delayed {
    local: Local,
    odds: Odds,
    random: u64,
    /// Answers on their way, in order of arrival.
    line: VecDeque<(u64, Tell)>,
    /// Everything stored, by name, for reads beyond what homes keep.
    log: BTreeMap<String, Vec<Arc<Message>>>,
}

impl Delayed {
    /// An engine whose faults follow from `seed`.
    pub fn engine(seed: u64, odds: Odds) -> Engine {
        let local = Local::default();
        Engine::Remote(Box::new(Self {
            local,
            odds,
            random: seed | 1,
            line: VecDeque::new(),
            log: BTreeMap::new(),
        }))
    }

    fn lose(&mut self, room: RoomKey, now: Now) {
        self.log.remove(room.name());
        let position = self.local.reopen(&room);
        self.send(Tell::Opened { room, position, tail: Vec::new(), first: 1 }, now);
    }

    fn read(&self, room: RoomKey, since: Position, limit: usize, tag: Tag) -> Tell {
        let log = self.log.get(room.name()).map_or(&[][..], Vec::as_slice);
        let follows = |at: Position| at.epoch == since.epoch && at.offset > since.offset;
        let after = log.iter().filter(|message| message.position.is_some_and(follows));
        let messages = after.take(limit).cloned().collect();
        Tell::Page { end: self.local.end(&room), room, tag, messages }
    }

    /// Remembers what is stored, and how far back a room's messages go.
    fn keep(&mut self, tell: Tell) -> Tell {
        match tell {
            Tell::Committed { message, tag } => {
                if message.position.is_some() {
                    self.log.entry(message.room.name().into()).or_default().push(message.clone());
                }
                Tell::Committed { message, tag }
            }
            Tell::Opened { room, position, tail, .. } => Tell::Opened { room, position, tail, first: 1 },
            other => other,
        }
    }

    /// A line keeps order: an answer never overtakes an earlier one.
    fn send(&mut self, tell: Tell, now: Now) {
        let delay = self.next_random() % (self.odds.delay_ms + 1);
        let last = self.line.back().map_or(0, |(at, _)| *at);
        self.line.push_back((last.max(now.loop_ms + delay), tell));
    }

    fn chance(&mut self, of_thousand: u32) -> bool {
        of_thousand > 0 && self.next_random() % 1000 < u64::from(of_thousand)
    }

    fn next_random(&mut self) -> u64 {
        // xorshift64*: a seed must give the same run on every machine.
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }
}

impl Remote for Delayed {
    /// [`Delayed::poll`] gives the answers.
    fn ask(&mut self, ask: Ask, now: Now, _: &mut VecDeque<Tell>) {
        let (room, tag) = subject(&ask);
        if matches!(ask, Ask::Close(_)) {
            self.log.remove(room.name());
        } else if self.chance(self.odds.silent) {
            return;
        } else if self.chance(self.odds.fail) {
            return self.send(Tell::Failed { room, tag, why: Why::Unavailable }, now);
        }
        let failed_late = matches!(ask, Ask::Publish { .. }) && self.chance(self.odds.fail_late);
        if failed_late {
            self.send(Tell::Failed { room: room.clone(), tag, why: Why::Timeout }, now);
        }
        let mut tells = VecDeque::new();
        match ask {
            Ask::Read { room, since, limit, tag } => tells.push_back(self.read(room, since, limit, tag)),
            ask => self.local.ask(ask, now, &mut tells),
        }
        for tell in tells {
            let tell = self.keep(tell);
            self.send(tell, now);
        }
        if tag.is_some() && self.chance(self.odds.lose_epoch) {
            self.lose(room, now);
        }
    }

    fn wakes_at(&self) -> Option<u64> {
        self.line.front().map(|(at, _)| *at)
    }

    fn wake_by(&mut self, _: Waker) {}

    fn poll(&mut self, now: Now, tells: &mut VecDeque<Tell>) {
        while let Some((at, _)) = self.line.front()
            && *at <= now.loop_ms
        {
            tells.extend(self.line.pop_front().map(|(_, tell)| tell));
        }
    }
}

fn subject(ask: &Ask) -> (RoomKey, Option<Tag>) {
    match ask {
        Ask::Open(room) | Ask::Close(room) => (room.clone(), None),
        Ask::Publish { room, tag, .. } | Ask::Read { room, tag, .. } => (room.clone(), Some(*tag)),
    }
}
