//! The answers to a program's questions: users, rooms and their members.

use super::AnswerError;
use super::answer::Read;
use crate::api::answer;
use crate::broker::post::{Line, Receipt, Roster, Standing};
use crate::broker::presence::Person;
use crate::broker::question::Part;
use crate::position::Position;

/// Where a user is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Online {
    /// Their open connections.
    pub connections: u32,
    /// One page of the rooms that these connections have joined, in byte order.
    pub rooms: Vec<String>,
    /// The `after` to pass for the next page; `None` on the last page.
    pub after: Option<String>,
}

/// The state of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its name.
    pub name: String,
    /// The people in it: users, each counted once, and guests.
    pub count: u32,
    /// The connections in it.
    pub connections: u32,
    /// The position of its newest message.
    pub position: Position,
}

/// The people in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// How many people: users, each counted once, and guests.
    pub count: u32,
    /// One page of the users, in byte order; `None` where the room's `presence` is off.
    pub users: Option<Vec<Person>>,
    /// The `after` to pass for the next page; `None` on the last page.
    pub after: Option<String>,
}

/// The result of a message to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notified {
    /// Its position in the user's inbox; `None` if it was not stored.
    pub position: Option<Position>,
    /// How many connections got it. With 0 it waits in the inbox, if it was stored.
    pub connections: u32,
}

pub(super) fn position() -> Read<Option<Position>> {
    Box::new(|parts| receipt(parts).map(|receipt| receipt.position))
}

pub(super) fn notified() -> Read<Notified> {
    Box::new(|parts| {
        receipt(parts).map(|Receipt { position, connections }| Notified { position, connections })
    })
}

/// Of all shards together.
pub(super) fn connections() -> Read<u32> {
    Box::new(|parts| {
        Ok(parts
            .iter()
            .map(|part| if let Part::Counted(connections) = part { *connections } else { 0 })
            .sum())
    })
}

/// On all shards together, with `limit` of the rooms.
pub(super) fn online(limit: usize) -> Read<Online> {
    Box::new(move |parts| {
        let (mut online, mut everywhere) = (Online::default(), Vec::new());
        for part in parts {
            if let Part::Found(connections, rooms) = part {
                online.connections += connections;
                everywhere.extend(rooms);
            }
        }
        let (rooms, more) = answer::first(everywhere, limit);
        online.rooms = rooms.iter().map(|room| room.name().to_owned()).collect();
        online.after = online.rooms.last().filter(|_| more).cloned();
        Ok(online)
    })
}

/// Each shard gave its first `limit`, so the first `limit` of all are among them.
pub(super) fn rooms(limit: usize) -> Read<Vec<Room>> {
    Box::new(move |parts| {
        let mut lines = Vec::new();
        for part in parts {
            if let Part::Listed(more) = part {
                lines.extend(more);
            }
        }
        lines.sort_unstable_by(|a, b| a.name.name().cmp(b.name.name()));
        lines.truncate(limit);
        Ok(lines.into_iter().map(Room::from).collect())
    })
}

pub(super) fn room(name: &str) -> Read<Option<Room>> {
    let name = name.to_owned();
    Box::new(move |parts| match parts.into_iter().next() {
        Some(Part::Looked(Ok(standing))) => Ok(standing.map(|standing| Room::new(&name, &standing))),
        _ => Err(AnswerError::Unavailable),
    })
}

pub(super) fn members() -> Read<Members> {
    Box::new(|parts| match parts.into_iter().next() {
        Some(Part::Rostered(Ok(Some(roster)))) => Ok(Members::from(*roster)),
        Some(Part::Rostered(Ok(None))) => Ok(Members { users: Some(Vec::new()), ..Members::default() }),
        _ => Err(AnswerError::Unavailable),
    })
}

fn receipt(parts: Vec<Part>) -> Result<Receipt, AnswerError> {
    match parts.into_iter().next() {
        Some(Part::Published(result)) => Ok(result?),
        _ => Err(AnswerError::Unavailable),
    }
}

impl Room {
    fn new(name: &str, standing: &Standing) -> Self {
        let Standing { position, count, connections, .. } = *standing;
        Self { name: name.to_owned(), count, connections, position }
    }
}

impl From<Line> for Room {
    fn from(Line { name, count, connections, position }: Line) -> Self {
        Self { name: name.name().to_owned(), count, connections, position }
    }
}

impl From<Roster> for Members {
    fn from(Roster { count, people, after }: Roster) -> Self {
        Self { count, users: people, after: after.map(|user| user.to_string()) }
    }
}
