//! The rooms of a stream: what its client says of each when it comes, and what has come.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::position::Position;

use super::plan::Plan;
use super::random::Random;
use super::truth::{Stay, Truth};
use super::watch::Watch;

/// What a client keeps of a stream that has ended.
#[derive(Default)]
pub struct Resume {
    pub rooms: Vec<usize>,
    pub last_id: String,
    /// How far it really came, for the model to know.
    pub came: BTreeMap<usize, Position>,
}

/// One of a stream's rooms.
pub struct Feed {
    pub room: usize,
    pub is_inbox: bool,
    /// What the client said of it when it came.
    pub since: Since,
    /// What the next `id` is to say of it.
    pub id: String,
    /// Where the room stood when the stream was let in: all up to there comes first, without a hole.
    pub end: Option<Position>,
    /// Everything up to here came, or was not for this connection.
    pub at: Option<Position>,
    pub heard: BTreeSet<usize>,
    pub stay: usize,
    pub watch: Option<Watch>,
    /// The app took the stream's user out.
    pub taken_out: bool,
}

impl Feed {
    /// Whether the stream is a member, as far as the client knows.
    pub fn is_member(&self) -> bool {
        self.end.is_some() && !self.taken_out
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Since {
    Start,
    Unknown,
    At(Position),
}

/// Some rooms, and perhaps the inbox.
pub fn choose(user: Option<&str>, plan: &Plan, random: &mut Random) -> Vec<usize> {
    let mut rooms: Vec<usize> = plan.natives();
    rooms.extend(plan.called("$me", user));
    let first = *random.one(&rooms);
    rooms.retain(|&room| room == first || random.chance(50));
    rooms
}

/// A room of which the client says `since`.
pub fn feed(conn: usize, room: usize, since: Since, truth: &mut Truth, plan: &Plan) -> Feed {
    truth.stays.push(Stay { conn, room, seen: Vec::new(), lasts: false });
    let stay = truth.stays.len() - 1;
    let id = match since {
        Since::Start => String::new(),
        Since::Unknown => "-".into(),
        Since::At(at) => at.to_string(),
    };
    let (end, at, heard, watch) = Default::default();
    let is_inbox = plan.rooms[room].label() == "$me";
    Feed { room, is_inbox, since, id, end, at, heard, stay, watch, taken_out: false }
}

/// What the client of a stream of so many rooms says by its last `id`.
pub fn read(id: &str, rooms: usize) -> Vec<Since> {
    let parts: Vec<&str> = id.split(',').collect();
    match id {
        "" => vec![Since::Start; rooms],
        _ if parts.len() != rooms => vec![Since::Unknown; rooms],
        _ => parts
            .into_iter()
            .map(|part| match part {
                "" => Since::Start,
                part => part.parse().map_or(Since::Unknown, Since::At),
            })
            .collect(),
    }
}
