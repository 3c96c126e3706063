//! A shard has the sessions of one core and the rooms that are at home there, and makes all decisions about them.
//!
//! It has no socket and no clock. Callers pass in bytes and the time, and output goes to an [`Outlet`](outlet::Outlet) once a
//! turn. So a whole shard runs in a test on a virtual clock just as in the reactor.
//!
//! ```text
//!   receive ─▶ http ──▶ call ───┐                    ┌─▶ home ─▶ engine
//!           └▶ frames ▶ request ┴─ posts ─▶ take ────┤
//!                                                    └─▶ deliver ─▶ lanes ─▶ flush ─▶ outlet
//! ```

mod admit;
pub mod announce;
mod batch;
mod call;
mod checks;
mod clock;
mod close;
mod common;
mod crossing;
mod deliver;
mod denials;
mod drain;
mod figures;
mod flush;
mod frames;
mod http;
mod inbox;
mod input;
mod join;
mod list;
mod mail;
pub mod outlet;
mod pace;
mod places;
mod receive;
mod reply;
mod request;
mod resume;
mod rooms;
mod settle;
mod shed;
mod stream;
mod users;
mod walk;
mod work;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use slab::Slab;

use crate::auth::current::Snapshot;
use crate::broker::audience::Audience;
use crate::broker::directory::Directory;
use crate::broker::home::Home;
use crate::broker::keys::Keys;
use crate::broker::users::Users;
use crate::engine::Engine;
use crate::id::{SessionId, ShardId};
use crate::key_map::KeyMap;
use crate::ledger::{Purse, Tally};
use crate::metrics::{Counters, Gauges};
use crate::out_queue::OutQueue;
use crate::position::Position;
use crate::proxy::is_trusted;
use crate::room_key::{RoomKey, STATS, Space};
use crate::session::Session;
use crate::session::by_user::ByUser;
use crate::session::exchange::Exchange;
use crate::time::{Deadlines, Now, Tick};
use admit::Newcomer;
use announce::Announcing;
use batch::Batches;
use checks::Checks;
use crossing::Crossings;
use denials::Untold;
use drain::Drain;
use inbox::Heard;
use list::Lists;
use places::Idlers;
use rooms::Rooms;
use shed::Shedding;
use users::Next;
use work::{Mail, Work};

pub use common::Common;

/// One core's share of the server.
pub struct Shard {
    me: ShardId,
    common: Arc<Common>,
    now: Now,
    /// When it was made, by the clock that all shards share.
    began_us: u64,
    sessions: Slab<Session>,
    generation: u32,
    deadlines: Deadlines,
    audiences: Directory<Audience>,
    homes: Directory<Home>,
    /// The indexes of all rooms at home here.
    rooms: Rooms,
    history: Purse,
    /// Pays the shared account for what waits here: queues, where shared bytes count once, and input.
    queues: Purse,
    /// How much of that is input, by session.
    inputs: KeyMap<usize>,
    /// Counts the bytes that queues share.
    tally: Tally,
    /// How much of that is paid for.
    tallied: usize,
    shedding: Shedding,
    keys: Keys,
    /// Pays the shared account for `keys`.
    keyed: Purse,
    home_deadlines: Deadlines,
    engine: Engine,
    /// Joins and leaves that sessions wait for.
    crossings: Crossings,
    /// The access rules of this turn.
    access: Snapshot,
    /// Sessions that have not authenticated yet.
    newcomers: KeyMap<Newcomer>,
    /// Users at home here.
    users: Users,
    /// Sessions here that have a user name.
    by_user: ByUser,
    /// Sessions that wait for the decision of their user's home.
    entering: KeyMap<Next>,
    /// Sessions that got messages of their inbox without being members, with the position of the first.
    early: KeyMap<Position>,
    /// The same for users with so many sessions that these are gathered in an audience, by its number.
    heard: KeyMap<Heard>,
    announcing: Announcing,
    batches: Batches,
    lists: Lists,
    checks: Checks,
    /// Denied accesses that are not in the log yet, by reason.
    denials: HashMap<&'static str, Untold>,
    mail: Mail,
    work: Work,
    drain: Option<Drain>,
    /// Some shard has too much on its way, so publishers are not read.
    pressed: bool,
    counters: Counters,
    /// Connections by kind, and rooms. Other gauges are read from their owners.
    gauges: Gauges,
    /// Connections without a whole request.
    idlers: Idlers,
    /// Bytes in the queues of sessions.
    queued: usize,
    /// For each pass that ended in this turn: when its oldest message was received.
    landed: Vec<u32>,
    /// The room `$stats`, if it is at home here.
    stats: Option<RoomKey>,
    /// When the figures were last sent to it.
    stats_told: Tick,
    /// Empty queues, boxed as sessions hold them.
    #[expect(clippy::vec_box)]
    spare: Vec<Box<OutQueue>>,
}

impl Shard {
    /// A shard without sessions.
    pub fn new(me: ShardId, common: Arc<Common>, engine: Engine, now: Now) -> Self {
        let keys = Keys::new(common.settings.limits.keys_total / common.shards.max(1));
        let others = (0..common.shards).map(|_| Vec::new()).collect();
        let stats = common.room_keys.key(Space::Native, STATS);
        common.board.begins(now.wall_ms);
        Self {
            gauges: Gauges::default(),
            idlers: Idlers::default(),
            queued: 0,
            landed: Vec::new(),
            stats: (stats.home(common.shards) == usize::from(me)).then_some(stats),
            stats_told: Tick::ZERO,
            me,
            access: Snapshot::of(&common.access),
            newcomers: KeyMap::default(),
            users: Users::default(),
            by_user: ByUser::default(),
            entering: KeyMap::default(),
            early: KeyMap::default(),
            heard: KeyMap::default(),
            announcing: Announcing::default(),
            batches: Batches::default(),
            lists: Lists::default(),
            checks: Checks::default(),
            denials: HashMap::new(),
            common,
            now,
            began_us: now.us,
            sessions: Slab::new(),
            generation: 0,
            deadlines: Deadlines::default(),
            audiences: Directory::default(),
            homes: Directory::default(),
            rooms: Rooms::default(),
            history: Purse::default(),
            queues: Purse::default(),
            inputs: KeyMap::default(),
            tally: Tally::default(),
            tallied: 0,
            shedding: Shedding::default(),
            keys,
            keyed: Purse::default(),
            home_deadlines: Deadlines::default(),
            engine,
            crossings: Crossings::default(),
            mail: Mail { others, ..Mail::default() },
            work: Work::default(),
            drain: None,
            pressed: false,
            counters: Counters::default(),
            spare: Vec::new(),
        }
    }

    /// Begins a turn. `now` is the time until the next turn.
    pub fn begin(&mut self, now: Now) {
        self.now = now;
        self.checks.begin();
        self.access.renew(&self.common.access);
        self.lists.begin();
        self.batches.begin();
        self.work.walks.begin();
        let pressed = self.common.pressure.is_high(self.pressed);
        if std::mem::replace(&mut self.pressed, pressed) && !pressed {
            self.work.releasing = Some(0);
        }
        self.begin_resuming();
    }

    /// Accepts a connection from `peer`. Returns its key, which is valid until it is reaped.
    pub fn accept(&mut self, peer: IpAddr) -> u32 {
        self.generation = self.generation.wrapping_add(1);
        self.common.connections.fetch_add(1, Ordering::Relaxed);
        let now = self.now.tick();
        let proxies = &self.common.settings.proxies;
        let exchange = Exchange::new(peer, proxies.proxy_protocol && is_trusted(&proxies.trust, peer));
        let key = self.sessions.insert(Session::new(self.generation, exchange, now)) as u32;
        self.deadlines.set(key, self.now.after(self.common.settings.limits.handshake));
        self.gauges.http += 1;
        self.begin_idle(key);
        self.know_peer(key);
        key
    }

    /// Frees the sessions that are over, and calls `gone` with their keys to close the sockets.
    pub fn reap(&mut self, mut gone: impl FnMut(u32)) {
        for key in std::mem::take(&mut self.work.ended) {
            self.deadlines.set(key, Tick::NEVER);
            self.count_out(key);
            if self.sessions.try_remove(key as usize).is_some() {
                self.gauges.http -= 1;
                self.common.connections.fetch_sub(1, Ordering::Relaxed);
                gone(key);
            }
        }
        self.have_left();
    }

    /// Whether another turn is needed at once, because work is left over from the last.
    pub fn has_work(&self) -> bool {
        let Work { touched, handed, listed, resumed, releasing, ended, slow, .. } = &self.work;
        let sessions = [touched, ended, slow].iter().any(|keys| !keys.is_empty());
        let resuming = !resumed.is_empty() || releasing.is_some() || !self.batches.is_empty();
        let late = self.deadlines.is_cut_short() || self.home_deadlines.is_cut_short();
        let walking = !self.announcing.is_empty() || !self.work.walks.is_empty();
        let telling = !handed.is_empty()
            || !listed.is_empty()
            || !self.lists.is_empty()
            || walking
            || !self.mail.answers.is_empty();
        sessions
            || resuming
            || telling
            || late
            || self.is_behind_with_drain()
            || self.checks.is_waited_for()
            || self.mail.others.iter().any(|posts| !posts.is_empty())
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// How many users are at home here and connected somewhere.
    pub fn users(&self) -> usize {
        self.users.count()
    }

    fn id(&self, key: u32) -> SessionId {
        let generation = self.sessions.get(key as usize).map_or(0, |session| session.generation);
        SessionId { shard: self.me, key, generation }
    }

    fn session(&mut self, key: u32) -> Option<&mut Session> {
        self.sessions.get_mut(key as usize)
    }

    /// The session `id`, if it still exists on this shard.
    fn find(&mut self, id: SessionId) -> Option<&mut Session> {
        let session = self.sessions.get_mut(id.key as usize)?;
        (id.shard == self.me && session.generation == id.generation && !session.is_over()).then_some(session)
    }

    /// Puts a session on the list of those to write in this turn.
    fn touch(&mut self, key: u32) {
        if let Some(session) = self.sessions.get_mut(key as usize)
            && !session.touched
        {
            session.touched = true;
            self.work.touched.push(key);
        }
    }
}

/// What tests and benches ask.
#[cfg(feature = "internals")]
impl Shard {
    /// How many rooms are at home here, inboxes among them.
    pub fn rooms(&self) -> usize {
        self.homes.iter().count()
    }

    /// The connections that each room at home here counts, by shard. For tests.
    pub fn counted(&self) -> impl Iterator<Item = (&RoomKey, &[u32])> {
        self.homes.iter().map(|(_, key, home)| (key, home.members()))
    }

    /// Members that each room has here.
    pub fn seated(&self) -> impl Iterator<Item = (&RoomKey, usize)> {
        let rooms = self.audiences.iter().filter(|(_, key, _)| key.space() != Space::Beside);
        rooms.map(|(_, key, audience)| (key, audience.len()))
    }

    /// The counts of this shard so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests;
