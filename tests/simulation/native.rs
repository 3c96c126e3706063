//! A client of the native dialect: what it asks, and its judgement of every answer and event.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::position::Position;
use switchboard::room_key::Space;

use super::plan::{Plan, Role};
use super::plant::Plant;
use super::random::Random;
use super::speech::Speaker;
use super::truth::ensure;
use super::truth::{Truth, Verdict};
use super::wire;

/// What a request is, with what its answer is judged by.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Join {
        since: Option<Option<Position>>,
        newest: Option<u64>,
    },
    Leave,
    Publish(usize),
    History {
        since: Option<Position>,
        limit: Option<u64>,
    },
    /// Answered by this type, or by an error of this code.
    Other(&'static str),
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Open,
    Done,
    Refused,
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub room: Option<usize>,
    pub what: What,
    /// It carries an `id`, so its answer always comes.
    pub id: bool,
    pub outcome: Outcome,
}

impl Asked {
    /// Whether its answer is still to come. A publish or leave without `id` gets none.
    pub fn is_due(&self) -> bool {
        self.outcome == Outcome::Open
            && (self.id || matches!(self.what, What::Join { .. } | What::History { .. }))
    }
}

/// A room that the client is in.
#[derive(Debug)]
pub struct Member {
    /// Everything up to here came, or was not for this connection.
    pub at: Position,
    /// The number of its stay.
    pub stay: usize,
    /// A leave without an answer is under way.
    pub quiet: bool,
    /// The room lets it miss what it has no time for.
    pub skips: bool,
    /// The named users that it was told of.
    pub people: BTreeSet<String>,
}

/// One connection.
pub struct Native {
    pub conn: usize,
    pub user: Option<String>,
    /// What the server calls it, once it has said so.
    pub name: Option<String>,
    pub asked: Vec<Asked>,
    pub members: BTreeMap<usize, Member>,
    /// The newest place that the client knows of each room, to resume behind.
    pub known: BTreeMap<usize, Position>,
}

impl Native {
    pub fn new(conn: usize, user: Option<String>, known: BTreeMap<usize, Position>) -> Self {
        Self { conn, user, name: None, asked: Vec::new(), members: BTreeMap::new(), known }
    }

    /// The request that begins the connection.
    pub fn target(&mut self, plan: &Plan, random: &mut Random) -> String {
        let user = self.user.as_ref().map(|user| format!("user={user}"));
        let mut query: Vec<String> = user.into_iter().collect();
        for room in natives(plan) {
            if random.chance(30) {
                query.push(format!("room={}", plan.rooms[room].name));
                let what = What::Join { since: None, newest: None };
                self.asked.push(Asked { room: Some(room), what, id: false, outcome: Outcome::Open });
            }
        }
        format!("/ws?{}", query.join("&"))
    }

    /// Makes up a request, or some that go together.
    pub fn ask(&mut self, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let room = *random.one(&natives(plan));
        let mut requests = vec![self.request(room, truth, plan, random)];
        while random.chance(40) {
            requests.push(self.request(room, truth, plan, random));
        }
        let overtakes = plan.plant == Plant::NoParking && self.asked.len() >= requests.len();
        let first = &self.asked[self.asked.len() - requests.len()];
        if overtakes && requests.len() > 1 && matches!(first.what, What::Join { .. }) {
            requests.swap(0, 1);
        }
        requests.concat()
    }

    fn request(&mut self, room: usize, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let inside = self.is_inside(room, self.asked.len()).unwrap_or(true);
        let choice = random.below(if inside { 20 } else { 8 });
        let silent = plan.silent && random.chance(20);
        let (what, text) = match choice {
            0..4 if !inside => self.join(room, random),
            0 | 4 => self.join(room, random),
            1 | 5 => (What::Leave, "\"type\":\"leave\"".into()),
            2 | 6 => self.history(room, random),
            3 | 7 => return self.odd(random),
            _ => self.publish(room, truth, plan, random),
        };
        let id = !(silent && matches!(what, What::Leave | What::Publish(_)));
        let mut json = format!("{{{text},\"room\":\"{}\"", plan.rooms[room].name);
        if id {
            json += &format!(" , \"id\" : {}", self.asked.len());
        }
        json += "}";
        if what == What::Leave
            && !id
            && let Some(member) = self.members.get_mut(&room)
        {
            member.quiet = true;
        }
        self.asked.push(Asked { room: Some(room), what, id, outcome: Outcome::Open });
        truth.trace(|| format!("{} asks {json}", self.conn));
        let mut out = Vec::new();
        wire::message(wire::TEXT, json.as_bytes(), random, &mut out);
        out
    }

    fn join(&self, room: usize, random: &mut Random) -> (What, String) {
        let known = self.known.get(&room);
        let since = match random.below(10) {
            0 => Some(None),
            1 => known.map(|at| Some(Position { offset: at.offset + 9, ..*at })),
            2 => known.map(|at| Some(Position { offset: at.offset.saturating_sub(3), ..*at })),
            3 => None,
            _ => known.map(|at| Some(*at)),
        };
        let newest = random.chance(30).then(|| random.below(5) as u64);
        let mut text = "\"type\":\"join\"".to_owned();
        if let Some(since) = since {
            text += &format!(",\"since\":\"{}\"", since.map_or("rubbish".into(), |since| since.to_string()));
        }
        if let Some(newest) = newest {
            text += &format!(",\"history\":{newest}");
        }
        (What::Join { since, newest }, text)
    }

    fn history(&self, room: usize, random: &mut Random) -> (What, String) {
        let back = random.below(6) as u64;
        let since = self.known.get(&room).filter(|_| random.chance(60));
        let since = since.map(|at| Position { offset: at.offset.saturating_sub(back), ..*at });
        let limit = random.chance(60).then(|| random.below(5) as u64);
        let mut text = "\"type\":\"history\"".to_owned();
        if let Some(since) = since {
            text += &format!(",\"since\":\"{since}\"");
        }
        if let Some(limit) = limit {
            text += &format!(",\"limit\":{limit}");
        }
        (What::History { since, limit }, text)
    }

    fn publish(&self, room: usize, truth: &mut Truth, plan: &Plan, random: &mut Random) -> (What, String) {
        let (echo, stored) = (!random.chance(25), !random.chance(20));
        let excluded = (!echo).then_some(self.conn);
        let speaker = Speaker { conn: self.conn, room, excluded, stored, from: self.user.clone() };
        let number = speaker.say(Role::Native, truth, plan, random);
        let data = String::from_utf8_lossy(&truth.said[number].data);
        let text = format!("\"type\":\"publish\",\"echo\":{echo},\"store\":{stored},\"data\": {data}");
        (What::Publish(number), text)
    }

    /// A request about no room.
    fn odd(&mut self, random: &mut Random) -> Vec<u8> {
        let id = self.asked.len();
        let (expected, json) = *random.one(&[
            ("pong", "\"type\":\"ping\""),
            ("unknown_type", "\"type\":\"dance\""),
            ("bad_room", "\"type\":\"join\",\"room\":\"$you\""),
            ("bad_request", "\"type\":\"publish\",\"room\":\"a\""),
        ]);
        self.asked.push(Asked { room: None, what: What::Other(expected), id: true, outcome: Outcome::Open });
        let mut out = Vec::new();
        wire::message(wire::TEXT, format!("{{\"id\":{id},{json}}}").as_bytes(), random, &mut out);
        out
    }

    /// Whether the client is in a room when request `index` is carried out; none if a join before it is unanswered.
    pub fn is_inside(&self, room: usize, index: usize) -> Option<bool> {
        let mut inside = Some(false);
        for asked in self.asked[..index].iter().filter(|asked| asked.room == Some(room)) {
            inside = match (&asked.what, asked.outcome) {
                (What::Join { .. }, Outcome::Done) => Some(true),
                (What::Join { .. }, Outcome::Open) => None,
                (What::Leave, _) => Some(false),
                _ => inside,
            };
        }
        inside
    }

    /// Whether an answer is due.
    pub fn waits(&self) -> bool {
        self.asked.iter().any(Asked::is_due)
    }

    /// Nothing is due.
    pub fn check_answered(&self) -> Verdict {
        let open = self.asked.iter().position(Asked::is_due);
        ensure!(open.is_none(), "request {open:?} was never answered: {:?}", self.asked[open.unwrap_or(0)]);
        Ok(())
    }

    /// Everything is at rest and the connection lives: all that was due has come.
    pub fn rest(&mut self, truth: &mut Truth) -> Verdict {
        self.check_answered()?;
        self.members.retain(|_, member| !member.quiet);
        for member in self.members.values() {
            truth.stays[member.stay].lasts = true;
        }
        Ok(())
    }
}

fn natives(plan: &Plan) -> Vec<usize> {
    (0..plan.rooms.len()).filter(|&room| plan.rooms[room].space == Space::Native).collect()
}
