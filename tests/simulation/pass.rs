//! Tokens: who a client is, where it may be and until when.

use std::time::Duration;

use switchboard::auth::issue::{Grant, Rooms, token};

use super::plan::Plan;
use super::plant::Plant;
use super::random::Random;

/// What tokens are signed with.
pub const SECRET: &str = "a secret of a simulation, 32 bytes and more";

/// What the app shows.
pub const API_KEY: &str = "a-key-of-a-simulation-32-bytes-and-more";

/// A token, with what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    pub token: String,
    /// Rooms of the schedule that it is for; none: all.
    rooms: Option<Vec<usize>>,
    /// When it ends, by the wall clock.
    ends_ms: u64,
}

impl Pass {
    /// Makes one up: for all rooms or some, and for some seconds or up to half a day, so that none ends while everything
    /// is at rest.
    pub fn mint(user: &str, now_ms: u64, plan: &Plan, random: &mut Random) -> Self {
        let rooms = random.chance(50).then(|| {
            let some = plan.natives().into_iter();
            some.filter(|_| random.chance(60)).collect::<Vec<_>>()
        });
        let named = |rooms: &Vec<usize>| rooms.iter().map(|&room| plan.rooms[room].name.clone()).collect();
        let patterns: Option<Vec<String>> = rooms.as_ref().map(named);
        let patterns = patterns.filter(|_| plan.plant != Plant::WidePass);
        let (now, hours) = (Duration::from_millis(now_ms), 3600 * random.below(12) as u64);
        let seconds = if random.chance(25) { 1 + random.below(3) as u64 } else { hours + 1800 };
        let ttl = Duration::from_secs(seconds);
        let grant = Grant {
            user,
            rooms: patterns.as_deref().map(Rooms::Both),
            audience: None,
            issuer: None,
            now,
            ttl,
        };
        let token = token(&grant, SECRET.as_bytes()).expect("a good grant");
        Self { token, rooms, ends_ms: now.saturating_add(ttl).as_secs() * 1000 }
    }

    /// Whether its bearer may be in a room.
    pub fn allows(&self, room: usize, plan: &Plan) -> bool {
        let inbox = plan.rooms[room].label() == "$me";
        inbox || self.rooms.as_ref().is_none_or(|rooms| rooms.contains(&room))
    }

    /// Whether it is good no more.
    pub fn is_over(&self, now_ms: u64) -> bool {
        self.ends_ms <= now_ms
    }
}
