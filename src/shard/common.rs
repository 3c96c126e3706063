//! What the shards of one server share: the configuration, and counts over all shards.

use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize};

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
    /// The settings of rooms.
    pub rules: Rules,
    /// Where rooms are at home.
    pub room_keys: RoomKeys,
    /// Turns session ids into connection names.
    pub names: ConnectionNames,
    /// How many shards there are.
    pub shards: usize,
    /// Open connections.
    pub connections: AtomicUsize,
    /// How many of those are idle and can be closed for others.
    pub idle: Arc<AtomicUsize>,
    /// How many idle ones are being closed for others, but are not gone yet.
    pub leaving: AtomicUsize,
    /// Connections by address.
    pub addresses: Addresses,
    /// How many connections each address may have.
    pub allowed: Allowed,
    /// How fast each connection may send.
    pub pace: Option<Pace>,
    /// How often each API key has been used.
    pub callers: Callers,
    /// How often each user has sent.
    pub speakers: Callers,
    /// The bytes of history that all of them keep.
    pub history: Account,
    /// The bytes that rooms cost without their history.
    pub rooms: Account,
    /// How many rooms each address has made.
    pub makers: Makers,
    /// The bytes of idempotency keys that they remember.
    pub keys: Account,
    /// The bytes that their queues hold.
    pub queued: Account,
    /// The bytes of those that calls about users' connections hold.
    pub walking: AtomicIsize,
    /// How much each shard has on its way.
    pub pressure: Pressure,
    /// The figures of all shards.
    pub board: Board,
    /// Whether the console is served, and `/echo` with it.
    pub console: bool,
    /// The current access rules.
    pub access: Current,
}

impl Common {
    /// What `shards` shards share under `settings`. `access` was made from these. `loopback` says that only this machine can
    /// reach the server.
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
            walking: AtomicIsize::new(0),
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

/// How many rooms an address may make. It is at most a quarter of `rooms_total`, whatever is set, so that one address cannot
/// take all the space.
fn makers(limits: &Limits) -> makers::Allowed {
    let quarter = limits.rooms_total / 4 / ROOM;
    makers::Allowed {
        connection: Rate::per_second(limits.rooms_per_second),
        address: Rate::per_second(limits.rooms_per_second_per_ip),
        rooms: if limits.rooms_per_ip == 0 { 0 } else { limits.rooms_per_ip.min(quarter.max(1)) },
    }
}
