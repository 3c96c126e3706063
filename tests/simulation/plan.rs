//! What a seed decides before anything happens.

use std::sync::Arc;
use std::time::Duration;

use switchboard::auth::access::{Access, Sources};
use switchboard::engine::Engine;

use switchboard::engine::local::Local;
use switchboard::room_key::{RoomKeys, Space};
use switchboard::settings::{
    ApiKey, Auth, Calls, Console, Inbox, KeySource, Limits, RoomRule, RoomSettings, Secret, Settings, Slow,
    TooMany,
};
use switchboard::shard::Common;

use super::delayed::{Delayed, Odds};
use super::pass;
use super::plant::{Place, Plant};
use super::random::Random;

/// The names that clients have.
pub const USERS: [&str; 2] = ["ann", "bob"];

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Native,
    Stream,
    Raw { echo: bool },
    Http,
}

/// A room of the schedule.
#[derive(Clone, Debug)]
pub struct Room {
    /// Of an inbox: its user.
    pub name: String,
    pub space: Space,
    /// Messages that it keeps.
    pub history: u64,
    pub max_members: u32,
    pub skips: bool,
    /// Above so many people it tells their number only.
    pub presence_limit: u32,
}

impl Room {
    /// What its members call it.
    pub fn label(&self) -> &str {
        if self.space == Space::User { "$me" } else { &self.name }
    }
}

/// One schedule's cast and weather.
#[derive(Clone, Debug)]
pub struct Plan {
    pub shards: usize,
    pub roles: Vec<Role>,
    /// Twins of a native and a raw room, then the inbox of each user.
    pub rooms: Vec<Room>,
    /// The odds of a delayed engine; none for the local one.
    pub odds: Option<Odds>,
    /// Sockets hold little, and clients stop reading.
    pub slow: bool,
    /// Connections break.
    pub cuts: bool,
    /// Some publishes and leaves ask for no answer.
    pub silent: bool,
    /// Clocks jump.
    pub jumps: bool,
    /// The app takes users out of rooms and closes their connections.
    pub kicks: bool,
    /// Connections that a user may have; 0: any number. Whether the oldest makes room for one more.
    pub quota: (usize, bool),
    /// Only a token names anybody, and it ends.
    pub guarded: bool,
    /// Steps before everything comes to rest.
    pub steps: usize,
    /// The end is a shutdown, not clients that hang up.
    pub drains: bool,
    pub plant: Plant,
}

/// A kind of rooms.
struct Kind {
    name: &'static str,
    history: u32,
    max_members: u32,
    slow: Slow,
    presence_limit: u32,
    grace_ms: u64,
}

const PLAIN: Kind = Kind {
    name: "plain",
    history: 100,
    max_members: 0,
    slow: Slow::Disconnect,
    presence_limit: 100,
    grace_ms: 0,
};

const KINDS: [Kind; 6] = [
    PLAIN,
    Kind { name: "short", history: 3, ..PLAIN },
    Kind { name: "skip", slow: Slow::Skip, ..PLAIN },
    Kind { name: "full", max_members: 2, ..PLAIN },
    Kind { name: "grace", grace_ms: 1000, ..PLAIN },
    Kind { name: "crowd", presence_limit: 2, ..PLAIN },
];

impl Plan {
    pub fn new(random: &mut Random, plant: Plant, keys: &RoomKeys) -> Self {
        let clients = 2 + random.below(4);
        let roles = (0..clients).map(|_| role(random)).collect();
        let shards = *random.one(&[1, 2, 4, 2]);
        let shards = if plant.place() == Place::Office { shards.max(2) } else { shards };
        let odds = random.chance(30).then(|| odds(random));
        let slow = random.chance(35);
        let mut rooms: Vec<Room> =
            (0..1 + random.below(2)).flat_map(|pair| twins(pair, random, keys, shards)).collect();
        let kept = *random.one(&[50, 4]);
        rooms.extend(USERS.map(|user| inbox(user, kept)));
        let quota = if random.chance(25) { (1 + random.below(2), random.chance(50)) } else { (0, false) };
        Self {
            shards,
            roles,
            rooms,
            odds,
            slow,
            cuts: random.chance(60),
            silent: random.chance(60),
            jumps: random.chance(40),
            kicks: random.chance(30),
            quota,
            guarded: random.chance(15),
            steps: 60 + random.below(160),
            drains: random.chance(25),
            plant,
        }
    }

    /// Whether nothing can be refused, lost or cut, so that every message can be accounted for.
    pub fn is_calm(&self) -> bool {
        let weather = self.odds.is_some() || self.slow || self.cuts || self.silent;
        !(weather || self.kicks || self.guarded || self.quota.0 > 0)
    }

    pub fn engine(&self, random: &mut Random) -> Engine {
        match self.odds {
            None => Engine::Local(Local::default()),
            Some(odds) => Delayed::engine(random.below(1 << 30) as u64, odds),
        }
    }

    /// What the shards have in common.
    pub fn common(&self, room_keys: RoomKeys) -> Arc<Common> {
        let settings = self.settings();
        let access = if self.guarded { guard(&settings) } else { Access::default() };
        Arc::new(Common { room_keys, ..Common::new(settings, access, self.shards, true) })
    }

    fn settings(&self) -> Settings {
        let rule = |kind: &Kind| RoomRule {
            pattern: format!("{}:*", kind.name),
            room: RoomSettings {
                history: kind.history,
                max_members: kind.max_members,
                slow: kind.slow,
                presence_limit: kind.presence_limit,
                presence_grace: Duration::from_millis(kind.grace_ms),
                ..Default::default()
            },
        };
        // Clocks jump, and nobody is to be cut off in the middle of a request for that.
        let long = Duration::from_secs(60);
        let limits = Limits {
            queue: if self.slow { 1500 } else { 1 << 20 },
            stall: Duration::from_secs(2),
            connections_per_user: self.quota.0,
            too_many: if self.quota.1 { TooMany::EvictOldest } else { TooMany::Refuse },
            handshake: long,
            body: long,
            ..Default::default()
        };
        let kept = self.rooms.iter().find(|room| room.space == Space::User).map_or(50, |room| room.history);
        Settings {
            shards: self.shards,
            console: Console::On,
            auth: Auth {
                anonymous: true,
                secret: self.guarded.then(|| Secret::new(pass::SECRET)),
                ..Default::default()
            },
            limits,
            inbox: Inbox { history: kept as u32, ..Default::default() },
            direct: Some(true),
            rooms: KINDS.iter().map(rule).collect(),
            ..Default::default()
        }
    }

    /// The number of the room called `name`.
    pub fn room(&self, space: Space, name: &str) -> Option<usize> {
        self.rooms.iter().position(|room| room.space == space && room.name == name)
    }

    /// The room that `user` calls `label`.
    pub fn called(&self, label: &str, user: Option<&str>) -> Option<usize> {
        match (label, user) {
            ("$me", Some(user)) => self.room(Space::User, user),
            _ => self.room(Space::Native, label),
        }
    }

    /// The rooms of the native dialect.
    pub fn natives(&self) -> Vec<usize> {
        (0..self.rooms.len()).filter(|&room| self.rooms[room].space == Space::Native).collect()
    }

    /// Whether members may miss what they have no time for.
    pub fn loses(&self, room: usize) -> bool {
        self.slow && self.rooms[room].skips
    }
}

/// Lets in whoever has a token, and guests; the API wants its key.
fn guard(settings: &Settings) -> Access {
    let key = ApiKey {
        name: "app".into(),
        key: KeySource::Given(Secret::new(pass::API_KEY)),
        rooms: None,
        calls: Calls::ALL,
    };
    let sources = Sources {
        secrets: vec![("auth.secret", pass::SECRET.as_bytes().to_vec())],
        api_keys: vec![("api.key", key, pass::API_KEY.as_bytes().to_vec())],
        ..Default::default()
    };
    Access::new(settings, &sources).expect("good keys")
}

fn role(random: &mut Random) -> Role {
    match random.below(20) {
        0..10 => Role::Native,
        10..13 => Role::Stream,
        13 | 14 => Role::Raw { echo: false },
        15 | 16 => Role::Raw { echo: true },
        _ => Role::Http,
    }
}

fn odds(random: &mut Random) -> Odds {
    let some = |random: &mut Random, most| if random.chance(50) { random.below(most) as u32 } else { 0 };
    Odds {
        fail: some(random, 100),
        fail_late: some(random, 100),
        silent: some(random, 30),
        lose_epoch: some(random, 80),
        delay_ms: random.below(60) as u64,
    }
}

/// A native and a raw room of one name. Where rooms are at home follows from keys that are drawn for the process, so the
/// name is chosen to have its homes where the seed wants them.
fn twins(pair: usize, random: &mut Random, keys: &RoomKeys, shards: usize) -> [Room; 2] {
    let kind = random.one(&KINDS);
    let homes = [random.below(shards), random.below(shards)];
    let mut names = (0..1000).map(|number| format!("{}:{pair}{number:03}", kind.name));
    let fits =
        |name: &String| [Space::Native, Space::Raw].map(|space| keys.key(space, name).home(shards)) == homes;
    let name = names.find(fits).unwrap_or(format!("{}:{pair}", kind.name));
    let native = Room {
        name,
        space: Space::Native,
        history: kind.history.into(),
        max_members: kind.max_members,
        skips: kind.slow == Slow::Skip,
        presence_limit: kind.presence_limit,
    };
    let raw = Room { space: Space::Raw, history: 0, skips: false, ..native.clone() };
    [native, raw]
}

fn inbox(user: &str, history: u64) -> Room {
    let (name, space) = (user.to_owned(), Space::User);
    Room { name, space, history, max_members: 0, skips: false, presence_limit: 100 }
}
