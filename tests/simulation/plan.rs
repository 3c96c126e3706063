//! What a seed decides before anything happens.

use std::time::Duration;

use switchboard::engine::Engine;
use switchboard::engine::delayed::{Delayed, Odds};
use switchboard::engine::local::Local;
use switchboard::room_key::{RoomKeys, Space};
use switchboard::settings::{Console, Limits, RoomRule, RoomSettings, Settings, Slow};

use super::plant::Plant;
use super::random::Random;

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Native,
    Raw { echo: bool },
    Http,
}

/// A room of the schedule.
#[derive(Clone, Debug)]
pub struct Room {
    pub name: String,
    pub space: Space,
    /// Messages that it keeps.
    pub history: u64,
    pub max_members: u32,
    pub skips: bool,
}

/// One schedule's cast and weather.
#[derive(Clone, Debug)]
pub struct Plan {
    pub shards: usize,
    pub roles: Vec<Role>,
    pub rooms: Vec<Room>,
    /// The odds of a delayed engine; none for the local one.
    pub odds: Option<Odds>,
    /// Sockets hold little, and clients stop reading.
    pub slow: bool,
    /// Connections break.
    pub cuts: bool,
    /// Some publishes and leaves ask for no answer.
    pub silent: bool,
    /// Steps before everything comes to rest.
    pub steps: usize,
    /// The end is a shutdown, not clients that hang up.
    pub drains: bool,
    pub plant: Plant,
}

/// The kinds of rooms: their pattern, messages kept, members taken, whether they skip.
const KINDS: [(&str, u32, u32, Slow); 4] = [
    ("plain", 100, 0, Slow::Disconnect),
    ("short", 3, 0, Slow::Disconnect),
    ("skip", 100, 0, Slow::Skip),
    ("full", 100, 2, Slow::Disconnect),
];

impl Plan {
    pub fn new(random: &mut Random, plant: Plant, keys: &RoomKeys) -> Self {
        let clients = 2 + random.below(4);
        let roles = (0..clients).map(|_| role(random)).collect();
        let shards = *random.one(&[1, 2, 4, 2]);
        let shards = if plant == Plant::Nothing { shards } else { shards.max(2) };
        let odds = random.chance(30).then(|| odds(random));
        let slow = random.chance(35);
        let rooms = (0..1 + random.below(2)).flat_map(|pair| twins(pair, random, keys, shards)).collect();
        Self {
            shards,
            roles,
            rooms,
            odds,
            slow,
            cuts: random.chance(60),
            silent: random.chance(60),
            steps: 60 + random.below(160),
            drains: random.chance(25),
            plant,
        }
    }

    /// Whether nothing can be refused, lost or cut, so that every message can be accounted for.
    pub fn is_calm(&self) -> bool {
        self.odds.is_none() && !self.slow && !self.cuts && !self.silent
    }

    pub fn engine(&self, random: &mut Random) -> Engine {
        match self.odds {
            None => Engine::Local(Local::default()),
            Some(odds) => Engine::Delayed(Box::new(Delayed::new(random.below(1 << 30) as u64, odds))),
        }
    }

    pub fn settings(&self) -> Settings {
        let rule = |(name, history, max_members, slow)| RoomRule {
            pattern: format!("{name}:*"),
            room: RoomSettings { history, max_members, slow, ..Default::default() },
        };
        let queue = if self.slow { 1500 } else { 1 << 20 };
        let limits = Limits { queue, stall: Duration::from_secs(2), ..Default::default() };
        let rooms = KINDS.map(rule).into();
        Settings { shards: self.shards, console: Console::On, limits, rooms, ..Default::default() }
    }

    /// The number of the room called `name`.
    pub fn room(&self, space: Space, name: &str) -> Option<usize> {
        self.rooms.iter().position(|room| room.space == space && room.name == name)
    }
}

fn role(random: &mut Random) -> Role {
    match random.below(10) {
        0..6 => Role::Native,
        6 => Role::Raw { echo: false },
        7 => Role::Raw { echo: true },
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
    let (kind, history, max_members, slow) = *random.one(&KINDS);
    let homes = [random.below(shards), random.below(shards)];
    let mut names = (0..1000).map(|number| format!("{kind}:{pair}{number:03}"));
    let fits =
        |name: &String| [Space::Native, Space::Raw].map(|space| keys.key(space, name).home(shards)) == homes;
    let name = names.find(fits).unwrap_or(format!("{kind}:{pair}"));
    let native =
        Room { name, space: Space::Native, history: history.into(), max_members, skips: slow == Slow::Skip };
    let raw = Room { space: Space::Raw, history: 0, skips: false, ..native.clone() };
    [native, raw]
}
