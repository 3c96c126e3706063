//! What the shards of one server share: the configuration, and what is counted for all of them together.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::addresses::{Addresses, Allowed};
use crate::auth::access::Access;
use crate::auth::current::Current;
use crate::broker::home::ROOM;
use crate::broker::permit::Rules;
use crate::bucket::Rate;
use crate::callers::Callers;
use crate::id::ConnectionNames;
use crate::ledger::Account;
use crate::makers::{self, Makers};
use crate::metrics::board::Board;
use crate::pressure::Pressure;
use crate::room_key::RoomKeys;
use crate::session::conduct::Pace;
use crate::settings::{Console, Limits, Settings};

/// What the shards of one server have in common.
pub struct Common {
    /// The configuration.
    pub settings: Settings,
    /// What rooms are like.
    pub rules: Rules,
    /// Where rooms are at home.
    pub room_keys: RoomKeys,
    /// What connections are called.
    pub names: ConnectionNames,
    /// How many shards there are.
    pub shards: usize,
    /// How many connections all of them have.
    pub connections: AtomicUsize,
    /// On how many of those no request is whole, so that they make room for others.
    pub idle: Arc<AtomicUsize>,
    /// How many of those are closed already to do so, and not gone yet.
    pub leaving: AtomicUsize,
    /// How many of them come from where.
    pub addresses: Addresses,
    /// How many may.
    pub allowed: Allowed,
    /// What each may send.
    pub pace: Option<Pace>,
    /// How often each API key has been used.
    pub callers: Callers,
    /// How often each user has spoken.
    pub speakers: Callers,
    /// The bytes of history that all of them keep.
    pub history: Account,
    /// The bytes that rooms cost beside their history.
    pub rooms: Account,
    /// Who makes them.
    pub makers: Makers,
    /// The bytes of idempotency keys that they remember.
    pub keys: Account,
    /// The bytes that their queues hold.
    pub queued: Account,
    /// How much all of them have on their way.
    pub pressure: Pressure,
    /// What all of them have done, and how they stand.
    pub board: Board,
    /// Whether the console is served, and `/echo` with it.
    pub console: bool,
    /// Who may come in.
    pub access: Current,
}

impl Common {
    /// What `shards` shards have in common under `settings`, which `access` was made from; `loopback` says that only this
    /// machine can reach them.
    pub fn new(settings: Settings, access: Access, shards: usize, loopback: bool) -> Self {
        Self {
            rules: Rules::new(&settings.rooms, &settings.inbox),
            room_keys: RoomKeys::default(),
            names: ConnectionNames::new(),
            shards,
            connections: AtomicUsize::new(0),
            idle: Arc::default(),
            leaving: AtomicUsize::new(0),
            addresses: Addresses::default(),
            allowed: Allowed {
                connections: settings.limits.connections_per_ip,
                handshakes: Rate::per_second(settings.limits.handshakes_per_second_per_ip),
            },
            pace: Pace::of(&settings.limits),
            callers: Callers::new(Rate::per_second(settings.limits.api_per_second)),
            speakers: Callers::new(Rate::per_second(settings.limits.user_messages_per_second)),
            history: Account::new(settings.limits.history_total),
            rooms: Account::new(settings.limits.rooms_total),
            makers: Makers::new(makers(&settings.limits)),
            keys: Account::new(settings.limits.keys_total),
            queued: Account::new(settings.limits.queue_total),
            pressure: Pressure::new(shards),
            board: Board::new(shards),
            console: match settings.console {
                Console::Auto => loopback && access.is_open(),
                Console::On => true,
                Console::Off => false,
            },
            access: Current::new(access),
            settings,
        }
    }
}

/// What `limits` allow those who make rooms. No address has more than a quarter of what there may be, whatever is set, so that
/// a stranger cannot take the space of all others.
fn makers(limits: &Limits) -> makers::Allowed {
    let quarter = limits.rooms_total / 4 / ROOM;
    makers::Allowed {
        connection: Rate::per_second(limits.rooms_per_second),
        address: Rate::per_second(limits.rooms_per_second_per_ip),
        rooms: if limits.rooms_per_ip == 0 { 0 } else { limits.rooms_per_ip.min(quarter.max(1)) },
    }
}
