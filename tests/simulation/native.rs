//! A client of the native dialect: what it asks, and its judgement of every answer and event.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::position::Position;
use switchboard::room_key::Space;

use crate::ensure;
use crate::event::{self, Event};
use crate::plan::{Plan, Role};
use crate::plant::Plant;
use crate::random::Random;
use crate::speech::Speaker;
use crate::truth::{Fate, Stay, Truth, Verdict};
use crate::wire;

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
    fn is_due(&self) -> bool {
        self.outcome == Outcome::Open
            && (self.id || matches!(self.what, What::Join { .. } | What::History { .. }))
    }
}

/// A room that the client is in.
#[derive(Debug)]
pub struct Member {
    /// Everything up to here came, or was not for this connection.
    pub at: Position,
    stay: usize,
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
        let mut requests = vec![self.request(room, None, truth, plan, random)];
        while random.chance(40) {
            requests.push(self.request(room, None, truth, plan, random));
        }
        let overtakes = plan.plant == Plant::NoParking && self.asked.len() >= requests.len();
        let first = &self.asked[self.asked.len() - requests.len()];
        if overtakes && requests.len() > 1 && matches!(first.what, What::Join { .. }) {
            requests.swap(0, 1);
        }
        requests.concat()
    }

    fn request(
        &mut self,
        room: usize,
        what: Option<usize>,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Vec<u8> {
        let inside = self.is_inside(room, self.asked.len()).unwrap_or(true);
        let choice = what.unwrap_or_else(|| random.below(if inside { 20 } else { 8 }));
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
        if std::env::var("SIM_TRACE").is_ok() {
            eprintln!("TRACE {} asks {json}", self.conn);
        }
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
            ("bad_room", "\"type\":\"join\",\"room\":\"$me\""),
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

    /// Takes a frame's JSON.
    pub fn hear(&mut self, json: &[u8], truth: &mut Truth, plan: &Plan) -> Verdict {
        let event = Event::read(json)?;
        if self.name.is_none() {
            ensure!(event.kind == "welcome", "{} before welcome", event.kind);
            self.name = event.connection.map(Into::into);
            return Ok(());
        }
        let room = match &event.room {
            Some(name) => {
                let room = plan.room(Space::Native, name);
                // `bad_room` and the like name no room of the schedule.
                room.or(if event.kind == "error" { Some(usize::MAX) } else { None })
                    .map(Some)
                    .ok_or("a strange room")?
            }
            None => None,
        };
        match (&*event.kind, room) {
            ("message", Some(room)) => self.message(json, room, truth, plan),
            ("gap", Some(room)) => self.gap(&event, room, truth, plan),
            ("joined", Some(room)) => self.joined(&event, room, truth, plan),
            ("left", Some(room)) => self.left(&event, room),
            ("published", Some(room)) => self.published(&event, room, truth, plan),
            ("history", Some(room)) => self.looked(&event, room, truth, plan),
            ("user_joined", Some(room)) => self.person(&event, room, true),
            ("user_left", Some(room)) => self.person(&event, room, false),
            ("pong", None) => self.other(&event, "pong"),
            ("error", room) => self.error(&event, room, truth, plan),
            _ => Err(format!("an unexpected {}", event.kind)),
        }
    }

    fn message(&mut self, json: &[u8], room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let (number, position) = event::message(json, room, truth, plan)?;
        truth.count("message");
        let conn = self.conn;
        let member = self.members.get_mut(&room).ok_or(format!("message {number} of a room not joined"))?;
        ensure!(truth.said[number].excluded != Some(conn), "message {number} was not for {conn}");
        if let Some(position) = position {
            ensure!(position.epoch == member.at.epoch, "message {number} at {position} behind {}", member.at);
            truth.skipped(conn, room, member.at, position.offset)?;
            member.at = position;
            self.known.insert(room, position);
        }
        let seen = &mut truth.stays[member.stay].seen;
        ensure!(!seen.contains(&number), "message {number} came twice");
        seen.push(number);
        Ok(())
    }

    /// Somebody came or went. In a room that skips, such news is not repeated.
    fn person(&mut self, event: &Event<'_>, room: usize, came: bool) -> Verdict {
        let member = self.members.get_mut(&room).ok_or("news of a room not joined")?;
        let user = event.user.as_deref().ok_or("news of nobody")?;
        let new = if came { member.people.insert(user.into()) } else { member.people.remove(user) };
        ensure!(new || member.skips, "{} {user}, which was told before", event.kind);
        Ok(())
    }

    fn gap(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let bound =
            |text: &Option<std::borrow::Cow<'_, str>>| event::place(text.as_deref().unwrap_or_default());
        let (from, to) = (bound(&event.from)?, bound(&event.to)?);
        let member = self.members.get_mut(&room).ok_or("a gap in a room not joined")?;
        if to.epoch == member.at.epoch {
            truth.count("gap");
            ensure!(plan.rooms[room].skips, "a gap in a room that does not skip");
            ensure!(from.epoch == to.epoch && from.offset <= to.offset, "a gap from {from} to {to}");
            truth.skipped(self.conn, room, member.at, from.offset)?;
        } else {
            truth.count("epoch lost");
            ensure!(plan.odds.is_some(), "an epoch was lost");
        }
        member.at = to;
        self.known.insert(room, to);
        Ok(())
    }

    /// A request that the answer with this `id` is for, or without one the oldest open one like it.
    fn find(&self, id: Option<usize>, room: usize, like: fn(&What) -> bool) -> Verdict<usize> {
        let fits = |asked: &Asked| {
            asked.outcome == Outcome::Open
                && asked.room == Some(room)
                && like(&asked.what)
                && asked.id == id.is_some()
        };
        let found = match id {
            Some(index) => self.asked.get(index).filter(|asked| fits(asked)).map(|_| index),
            None => self.asked.iter().position(fits),
        };
        found.ok_or(format!("an answer to nothing: {id:?} in room {room}"))
    }

    /// Notes an answer that came from home: it may not overtake another of the same room.
    fn answered(&mut self, index: usize, outcome: Outcome) -> Verdict {
        let room = self.asked[index].room;
        let earlier = self.asked[..index].iter().position(|asked| asked.room == room && asked.is_due());
        ensure!(earlier.is_none(), "request {index} was answered before {earlier:?}");
        self.asked[index].outcome = outcome;
        Ok(())
    }

    fn joined(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        truth.count("joined");
        let index = self.find(event.id, room, |what| matches!(what, What::Join { .. }))?;
        self.answered(index, Outcome::Done)?;
        let position = event.position()?.ok_or("joined nowhere")?;
        let run = event::excerpt(&event.history, room, position, truth, plan)?;
        let What::Join { since, newest } = self.asked[index].what.clone() else { return Ok(()) };
        let full = plan.odds.is_none();
        let count = event.history.len() as u64;
        let history = plan.rooms[room].history;
        ensure!(
            run.is_none_or(|(_, last)| last == position.offset),
            "joined at {position} with history {run:?}"
        );
        match (since, newest) {
            (Some(since), _) => {
                recovered(event.recovered, since, position, run, None, full.then_some(history), truth)?
            }
            (None, newest) => {
                let most = newest.unwrap_or(0).min(history).min(position.offset);
                ensure!(!event.recovered, "recovered without since");
                ensure!(count == most || !full && count < most, "{count} messages where {most} were asked");
            }
        }
        let people =
            event.users.iter().filter_map(|person| person.user.as_deref().map(str::to_owned)).collect();
        match self.members.get(&room).filter(|member| !member.quiet) {
            Some(member) => {
                ensure!(
                    member.skips || member.people == people,
                    "{:?} are there, not {people:?}",
                    member.people
                );
                self.catch_up(room, position, truth)?;
            }
            None => {
                let stay = Stay { conn: self.conn, room, seen: Vec::new(), lasts: false };
                truth.stays.push(stay);
                let skips = plan.rooms[room].skips && plan.slow;
                let member =
                    Member { at: position, stay: truth.stays.len() - 1, quiet: false, people, skips };
                self.members.insert(room, member);
                self.known.insert(room, position);
            }
        }
        // A leave may have been asked for, unheard, since the join.
        let left = self.asked[index..]
            .iter()
            .any(|asked| asked.room == Some(room) && asked.what == What::Leave && !asked.id);
        if let Some(member) = self.members.get_mut(&room) {
            member.quiet = left;
        }
        Ok(())
    }

    /// An answer says where the room stands; all up to there has come before it.
    fn catch_up(&mut self, room: usize, position: Position, truth: &mut Truth) -> Verdict {
        let Some(member) = self.members.get_mut(&room) else { return Ok(()) };
        if member.quiet {
            return Ok(());
        }
        ensure!(member.at.epoch == position.epoch, "an answer at {position} behind {}", member.at);
        truth.skipped(self.conn, room, member.at, position.offset + 1)?;
        member.at = position;
        self.known.insert(room, position);
        Ok(())
    }

    fn left(&mut self, event: &Event<'_>, room: usize) -> Verdict {
        let index = self.find(event.id, room, |what| *what == What::Leave)?;
        ensure!(self.is_inside(room, index) == Some(true), "left a room without being in it");
        self.asked[index].outcome = Outcome::Done;
        self.members.remove(&room);
        Ok(())
    }

    fn published(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let index = self.find(event.id, room, |what| matches!(what, What::Publish(_)))?;
        ensure!(self.is_inside(room, index) == Some(true), "published without being in the room");
        self.answered(index, Outcome::Done)?;
        let What::Publish(number) = self.asked[index].what else { return Ok(()) };
        let position = event.position()?;
        truth.placed(number, position, plan)?;
        let stays =
            !self.asked[index..].iter().any(|asked| asked.room == Some(room) && asked.what == What::Leave);
        let skips = plan.rooms[room].skips && plan.slow;
        if truth.said[number].excluded.is_none() && stays && !skips {
            let member = self.members.get(&room).ok_or("published without being in the room")?;
            let seen = truth.stays[member.stay].seen.contains(&number);
            ensure!(seen, "message {number} was published before it came");
        }
        Ok(())
    }

    fn looked(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let index = self.find(event.id, room, |what| matches!(what, What::History { .. }))?;
        ensure!(self.is_inside(room, index) == Some(true), "looked without being in the room");
        self.answered(index, Outcome::Done)?;
        let What::History { since, limit } = self.asked[index].what else { return Ok(()) };
        let position = event.position()?.ok_or("history nowhere")?;
        looked(event, room, position, since, limit, truth, plan)?;
        if self.asked[index..].iter().any(|asked| asked.room == Some(room) && asked.what == What::Leave) {
            return Ok(());
        }
        self.catch_up(room, position, truth)
    }

    fn other(&mut self, event: &Event<'_>, expected: &'static str) -> Verdict {
        let index = event.id.ok_or("an answer without id")?;
        let asked = self.asked.get_mut(index).ok_or("an answer to nothing")?;
        ensure!(
            asked.outcome == Outcome::Open && asked.what == What::Other(expected),
            "{expected} for {asked:?}"
        );
        asked.outcome = Outcome::Done;
        Ok(())
    }

    fn error(&mut self, event: &Event<'_>, room: Option<usize>, truth: &mut Truth, plan: &Plan) -> Verdict {
        let code = event.code.as_deref().unwrap_or_default();
        truth.count(match code {
            "unavailable" => "unavailable",
            "not_joined" => "not joined",
            "room_full" => "room full",
            _ => "odd",
        });
        let join = |native: &Self| {
            native.find(None, room.unwrap_or(usize::MAX), |what| matches!(what, What::Join { .. }))
        };
        let index = match (event.id, code) {
            (Some(index), _) => index,
            (None, "not_joined" | "unavailable") if join(self).is_err() => {
                ensure!(plan.silent, "an error without id: {event:?}");
                return Ok(());
            }
            (None, _) => join(self)?,
        };
        let asked = self.asked.get(index).ok_or("an error for nothing")?.clone();
        ensure!(asked.outcome == Outcome::Open, "request {index} was answered twice");
        if let What::Other(expected) = asked.what {
            return if code == expected {
                self.other(event, expected)
            } else {
                Err(format!("{code} for {asked:?}"))
            };
        }
        ensure!(asked.room == room, "an error of another room: {event:?}");
        match code {
            "not_joined" => {
                let inside = room.and_then(|room| self.is_inside(room, index));
                ensure!(inside == Some(false), "request {index} found its room not joined: {asked:?}");
                self.asked[index].outcome = Outcome::Refused;
            }
            "unavailable" if plan.odds.is_some() && asked.what != What::Leave => {
                self.answered(index, Outcome::Refused)?
            }
            "room_full" if matches!(asked.what, What::Join { .. }) => {
                let limit = room.map_or(0, |room| plan.rooms[room].max_members);
                ensure!(limit > 0, "room_full in a room that is never full");
                self.answered(index, Outcome::Refused)?;
            }
            _ => return Err(format!("{code} for {asked:?}")),
        }
        if let What::Publish(number) = asked.what
            && truth.said[number].fate == Fate::Open
        {
            truth.said[number].fate = Fate::Refused;
        }
        Ok(())
    }

    /// Whether an answer is due.
    pub fn waits(&self) -> bool {
        self.asked.iter().any(Asked::is_due)
    }

    /// Everything is at rest and the connection lives: all that was due has come.
    pub fn rest(&mut self, truth: &mut Truth) -> Verdict {
        let open = self.asked.iter().position(Asked::is_due);
        ensure!(open.is_none(), "request {open:?} was never answered: {:?}", self.asked[open.unwrap_or(0)]);
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

/// Judges an answer to `since`. `held` is how many messages the room surely keeps.
pub fn recovered(
    recovered: bool,
    since: Option<Position>,
    end: Position,
    run: Option<(u64, u64)>,
    limit: Option<u64>,
    held: Option<u64>,
    truth: &mut Truth,
) -> Verdict {
    let Some(since) = since else {
        ensure!(!recovered, "recovered since rubbish");
        return Ok(());
    };
    let missed = end.offset.checked_sub(since.offset).filter(|_| since.epoch == end.epoch);
    if recovered {
        truth.count("recovered");
        let missed = missed.ok_or(format!("recovered {since} at {end}"))?;
        let due = missed.min(limit.unwrap_or(u64::MAX));
        let whole = (due > 0).then(|| (since.offset + 1, since.offset + due));
        ensure!(run == whole, "recovered {since} at {end} with {run:?}");
    } else {
        truth.count("not recovered");
        let reached = missed.is_some_and(|missed| held.is_some_and(|held| missed <= held));
        ensure!(!reached, "{since} was not recovered at {end}");
    }
    Ok(())
}

/// Judges a look at history.
pub fn looked(
    event: &Event<'_>,
    room: usize,
    end: Position,
    since: Option<Position>,
    limit: Option<u64>,
    truth: &mut Truth,
    plan: &Plan,
) -> Verdict {
    let run = event::excerpt(&event.messages, room, end, truth, plan)?;
    let held = plan.odds.is_none().then_some(plan.rooms[room].history);
    let last = run.map(|(_, last)| last).or(since.filter(|_| event.recovered).map(|since| since.offset));
    if event.recovered {
        ensure!(since.is_some(), "recovered without since");
        ensure!(event.more == (last < Some(end.offset)), "more is {} at {last:?} of {end}", event.more);
    } else {
        ensure!(
            !event.more && run.is_none_or(|(_, last)| last == end.offset),
            "the newest go to {run:?} of {end}"
        );
    }
    match since {
        Some(since) => recovered(event.recovered, Some(since), end, run, limit, held, truth),
        None => {
            let due = held.map(|held| held.min(end.offset).min(limit.unwrap_or(u64::MAX)));
            let count = event.messages.len() as u64;
            ensure!(due.is_none_or(|due| due == count), "{count} messages where {due:?} were due");
            Ok(())
        }
    }
}
