//! An app that calls the HTTP API on a connection that it keeps, with requests piped behind each other.

use std::collections::VecDeque;

use switchboard::position::Position;
use switchboard::room_key::Space;

use super::event::Event;
use super::plan::{Plan, Role};
use super::random::Random;
use super::recovery::looked;
use super::speech::Speaker;
use super::truth::ensure;
use super::truth::{Fate, Truth, Verdict};
use super::wire;

/// A call whose answer is due.
#[derive(Debug)]
enum Call {
    Publish(usize),
    /// Messages by number; none for an entry that is wrong.
    Batch(Vec<Option<usize>>),
    Room(usize),
    History(usize, Option<Position>, Option<u64>),
    Rooms,
    Missing,
}

/// What a room looks like from outside.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub room: usize,
    pub position: Position,
    pub connections: usize,
}

/// One connection.
pub struct Http {
    conn: usize,
    due: VecDeque<Call>,
    /// The answers to `GET /api/rooms/{room}`.
    pub standings: Vec<Standing>,
}

impl Http {
    pub fn new(conn: usize) -> Self {
        Self { conn, due: VecDeque::new(), standings: Vec::new() }
    }

    /// Makes up some requests. `names` are connections that can be left out.
    pub fn ask(
        &mut self,
        names: &[(usize, String)],
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..=random.below(3) {
            let room = 2 * random.below(plan.rooms.len() / 2);
            let name = &plan.rooms[room].name;
            match random.below(10) {
                0..4 => {
                    let (number, body) = self.message(room, names, truth, plan, random);
                    self.due.push_back(Call::Publish(number));
                    out.extend(wire::request("POST", &format!("/api/rooms/{name}/messages"), &body));
                }
                4..6 => out.extend(self.batch(names, truth, plan, random)),
                6 => {
                    let since = truth.places.keys().rev().find(|(other, ..)| *other == room);
                    let back = random.below(9) as u64;
                    let since = since
                        .map(|&(_, epoch, offset)| Position { epoch, offset: offset.saturating_sub(back) });
                    let limit = random.chance(50).then(|| random.below(4) as u64);
                    let query =
                        [since.map(|at| format!("since={at}")), limit.map(|limit| format!("limit={limit}"))];
                    let query: Vec<_> = query.into_iter().flatten().collect();
                    let target = format!("/api/rooms/{name}/messages?{}", query.join("&"));
                    self.due.push_back(Call::History(room, since, limit));
                    out.extend(wire::request("GET", &target, b""));
                }
                7 => out.extend(self.probe(room, plan)),
                8 => {
                    self.due.push_back(Call::Rooms);
                    out.extend(wire::request("GET", "/api/rooms?limit=9", b""));
                }
                _ => {
                    self.due.push_back(Call::Missing);
                    out.extend(wire::request("GET", "/nowhere", b""));
                }
            }
        }
        out
    }

    /// Asks how a room stands.
    pub fn probe(&mut self, room: usize, plan: &Plan) -> Vec<u8> {
        self.due.push_back(Call::Room(room));
        wire::request("GET", &format!("/api/rooms/{}", plan.rooms[room].name), b"")
    }

    fn message(
        &self,
        room: usize,
        names: &[(usize, String)],
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> (usize, Vec<u8>) {
        let excluded = (random.chance(25) && !names.is_empty()).then(|| random.one(names));
        let from = random.chance(50).then(|| "app".to_owned());
        let stored = !random.chance(20);
        let conn = excluded.map(|(conn, _)| *conn);
        let speaker = Speaker { conn: self.conn, room, excluded: conn, stored, from: from.clone() };
        let number = speaker.say(Role::Http, truth, plan, random);
        let mut body = b"{\"data\":".to_vec();
        body.extend_from_slice(&truth.said[number].data);
        if let Some((_, name)) = excluded {
            body.extend_from_slice(format!(",\"exclude\":\"{name}\"").as_bytes());
        }
        if let Some(from) = from {
            body.extend_from_slice(format!(",\"from\":\"{from}\"").as_bytes());
        }
        body.extend_from_slice(format!(",\"store\":{stored}").as_bytes());
        body.extend_from_slice(format!(",\"room\":\"{}\"}}", plan.rooms[room].name).as_bytes());
        (number, body)
    }

    fn batch(
        &mut self,
        names: &[(usize, String)],
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Vec<u8> {
        let (mut numbers, mut bodies) = (Vec::new(), Vec::new());
        for _ in 0..random.below(5) {
            if random.chance(10) {
                numbers.push(None);
                bodies.push(b"{\"room\":\"$you\",\"data\":1}".to_vec());
            } else {
                let room = 2 * random.below(plan.rooms.len() / 2);
                let (number, body) = self.message(room, names, truth, plan, random);
                numbers.push(Some(number));
                bodies.push(body);
            }
        }
        self.due.push_back(Call::Batch(numbers));
        let body = [b"{\"messages\":[", &bodies.join(&b","[..])[..], b"]}"].concat();
        wire::request("POST", "/api/batch", &body)
    }

    /// Takes an answer, which is to the oldest call.
    pub fn hear(&mut self, status: u16, body: &[u8], truth: &mut Truth, plan: &Plan) -> Verdict {
        truth.count("answer");
        let call = self.due.pop_front().ok_or("an answer to nothing")?;
        let answer = Event::read(body)?;
        if let (503, true, false) = (status, plan.odds.is_some(), matches!(call, Call::Batch(_))) {
            if let Call::Publish(number) = call {
                published(number, &answer, truth, plan)?;
            }
            return Ok(());
        }
        let expected = if matches!(call, Call::Missing) { 404 } else { 200 };
        ensure!(status == expected, "{status} for {call:?}: {}", String::from_utf8_lossy(body));
        match call {
            Call::Publish(number) => published(number, &answer, truth, plan),
            Call::Batch(numbers) => {
                ensure!(numbers.len() == answer.results.len(), "{} results", answer.results.len());
                for (number, result) in numbers.iter().zip(&answer.results) {
                    match number {
                        Some(number) => published(*number, result, truth, plan)?,
                        None => ensure!(code(result) == Some("bad_room"), "{result:?}"),
                    }
                }
                Ok(())
            }
            Call::Room(room) => {
                let position = answer.position()?.ok_or("a room without position")?;
                self.standings.push(Standing { room, position, connections: answer.connections });
                Ok(())
            }
            Call::History(room, since, limit) => {
                let position = answer.position()?.ok_or("history without position")?;
                looked(&answer, room, position, since, limit, truth, plan)
            }
            Call::Rooms => {
                let known =
                    |room: &Event<'_>| plan.room(Space::Native, room.room.as_deref().unwrap_or_default());
                let rooms: Vec<_> = answer.rooms.iter().map(|room| &room.room).collect();
                ensure!(answer.rooms.iter().all(|room| known(room).is_some()), "a strange room: {rooms:?}");
                ensure!(rooms.is_sorted_by(|a, b| a < b), "rooms out of order: {rooms:?}");
                Ok(())
            }
            Call::Missing => Ok(()),
        }
    }

    /// Nothing more is to come.
    pub fn rest(&self) -> Verdict {
        ensure!(self.due.is_empty(), "calls were never answered: {:?}", self.due);
        Ok(())
    }
}

fn code<'a>(answer: &'a Event<'_>) -> Option<&'a str> {
    answer.error.as_ref()?.code.as_deref()
}

fn published(number: usize, answer: &Event<'_>, truth: &mut Truth, plan: &Plan) -> Verdict {
    match code(answer) {
        None => truth.placed(number, answer.position()?, plan),
        Some("unavailable") if plan.odds.is_some() => {
            truth.count("unavailable");
            if truth.said[number].fate == Fate::Open {
                truth.said[number].fate = Fate::Refused;
            }
            Ok(())
        }
        Some(code) => Err(format!("{code} for message {number}")),
    }
}
