//! The end of a schedule: everything comes to rest, and then nothing may be missing, left over or miscounted.

use std::collections::BTreeMap;

use switchboard::metrics::Counters;
use switchboard::position::Position;
use switchboard::room_key::{RoomKey, Space};

use super::conn::Tongue;
use super::event::Event;
use super::order;
use super::plant::Plant;
use super::speech::Kind;
use super::truth::ensure;
use super::truth::{Fate, Said, Verdict};
use super::world::World;

/// Half seconds after which an engine that does not answer is not waited for any more.
const CALM: usize = 12;

impl World {
    /// Ends a schedule, and checks all that can be checked then.
    pub fn finish(&mut self) -> Verdict {
        self.settle()?;
        self.come_to_rest()?;
        self.check_sessions(self.live().len())?;
        self.check_counts()?;
        for (_, number) in self.live() {
            let Self { conns, truth, plan, .. } = self;
            conns[number].rest(truth, plan).map_err(|error| format!("connection {number}: {error}"))?;
        }
        self.check_seats()?;
        self.check_ends()?;
        self.check_counters()?;
        self.check_people()?;
        self.check_seats()?;
        self.truth.check_skipped()?;
        order::check(&self.truth, &self.plan)?;
        if self.plan.drains {
            self.drain()?
        } else {
            self.hang_up()?
        }
        self.check_sessions(0)?;
        self.check_counts()?;
        self.check_users()?;
        self.office.check_visits()?;
        self.forget_rooms()
    }

    /// Lets everything come to rest. With the local engine that takes no time at all.
    pub fn settle(&mut self) -> Verdict {
        self.drain_pipes()?;
        let mut calm = if self.plan.odds.is_some() { 0 } else { CALM };
        for _ in 0..300 {
            if calm >= CALM {
                return Ok(());
            }
            let before = self.messages();
            self.wait(500)?;
            let waits = self.live().iter().any(|&(_, number)| self.conns[number].waits());
            calm = if waits || before != self.messages() { 0 } else { calm + 1 };
        }
        let late = self.live().into_iter().map(|(_, number)| &self.conns[number]).find(|conn| conn.waits());
        match late.map(|conn| &conn.tongue) {
            Some(Tongue::Native(native)) => native.check_answered(),
            Some(Tongue::Http(http)) => http.rest(),
            Some(Tongue::Stream(stream)) => stream.rest(&mut self.truth),
            _ => Err("the shards have no rest".into()),
        }
    }

    /// Lets pass what ends by itself: silence, grace, what is told once a second, and tokens. When the wall clock was set,
    /// those are looked at when their connections are looked at anyway.
    pub fn come_to_rest(&mut self) -> Verdict {
        let seconds = if self.plan.guarded && self.plan.jumps { 30 } else { 5 };
        for _ in 0..seconds {
            self.wait(1000)?;
        }
        self.settle()
    }

    /// What shards have done so far.
    fn done(&self) -> Vec<Counters> {
        self.nodes.iter().map(|node| node.shard.counters()).collect()
    }

    /// Messages that have come in, got their places and gone out. Pings are not counted: there is no end to them.
    fn messages(&self) -> Vec<[u64; 3]> {
        let messages = |done: Counters| [done.messages_in, done.encodes, done.messages_out];
        self.done().into_iter().map(messages).collect()
    }

    /// Lets time pass, and what it brings about happen.
    fn wait(&mut self, ms: u64) -> Verdict {
        self.advance(ms, ms);
        for index in 0..self.nodes.len() {
            self.turn_of(index, true)?;
        }
        self.drain_pipes()
    }

    fn drain_pipes(&mut self) -> Verdict {
        for _ in 0..1000 {
            let mut busy = false;
            for (client, number) in self.live() {
                let socket = &self.sockets[number];
                if !socket.to_client.is_empty() || socket.server_finished {
                    busy = true;
                    self.read(client, number, usize::MAX)?;
                }
            }
            for number in 0..self.conns.len() {
                // Nobody reads it, but the kernel takes it.
                if self.conns[number].over && !self.sockets[number].closed {
                    busy |= !self.sockets[number].read(usize::MAX).is_empty();
                }
            }
            for index in 0..self.nodes.len() {
                if self.nodes[index].has_work(&self.sockets) || self.office.waits(index) {
                    busy = true;
                    self.turn_of(index, true)?;
                }
            }
            if !busy {
                return Ok(());
            }
        }
        Err("it never comes to rest".into())
    }

    /// Dead sessions are reaped, and nothing is stuck in a pipe.
    fn check_sessions(&self, live: usize) -> Verdict {
        let sessions: usize = self.nodes.iter().map(|node| node.shard.sessions()).sum();
        ensure!(sessions == live, "{sessions} sessions where {live} connections live");
        for (number, socket) in self.sockets.iter().enumerate().filter(|(_, socket)| !socket.closed) {
            let stuck = (socket.to_server.len(), socket.to_client.len());
            ensure!(stuck == (0, 0), "connection {number} is stuck with {stuck:?} bytes");
        }
        Ok(())
    }

    /// Members of each room on each shard, as they sit there.
    fn seated(&self) -> BTreeMap<(Space, String), Vec<u32>> {
        let mut seated = BTreeMap::new();
        for node in &self.nodes {
            for (room, members) in node.shard.seated() {
                let shards = seated.entry(name(room)).or_insert_with(|| vec![0; self.nodes.len()]);
                shards[node.me] = members as u32;
            }
        }
        seated
    }

    /// What homes count is what sits there.
    fn check_counts(&self) -> Verdict {
        let mut seated = self.seated();
        for node in &self.nodes {
            for (room, counted) in node.shard.counted() {
                let there = seated.remove(&name(room)).unwrap_or(vec![0; self.nodes.len()]);
                ensure!(counted == there, "{room:?} counts {counted:?} where {there:?} sit");
            }
        }
        ensure!(seated.is_empty(), "members without a home: {seated:?}");
        Ok(())
    }

    /// What clients believe to be in is where they sit.
    fn check_seats(&self) -> Verdict {
        let mut believed: BTreeMap<(Space, String), u32> = BTreeMap::new();
        for (_, number) in self.live() {
            let rooms = self.conns[number].rooms();
            for room in rooms {
                let room = &self.plan.rooms[room];
                *believed.entry((room.space, room.name.clone())).or_default() += 1;
            }
        }
        let seated: BTreeMap<_, u32> =
            self.seated().into_iter().map(|(room, shards)| (room, shards.iter().sum())).collect();
        ensure!(believed == seated, "clients believe {believed:?}, shards have {seated:?}");
        Ok(())
    }

    /// Every member has come to the end of its room, and all to the same.
    fn check_ends(&mut self) -> Verdict {
        let mut ends: BTreeMap<usize, Position> = BTreeMap::new();
        if self.plan.odds.is_none() {
            for room in self.plan.natives() {
                let body = self.probe("GET", &format!("/api/rooms/{}", self.plan.rooms[room].name), b"")?;
                let answer = Event::read(&body)?;
                let (members, told) = (self.places(room).len(), answer.connections);
                ensure!(members == told, "{members} members where {told} are told");
                ends.insert(room, answer.position()?.ok_or("a room without position")?);
            }
        }
        for room in 0..self.plan.rooms.len() {
            let places = self.places(room);
            let Some((_, first)) = places.first() else { continue };
            let epoch = first.epoch;
            let newest = places.iter().map(|(_, at)| at.offset).max().unwrap_or(0);
            let offset = newest.max(self.truth.end(room, epoch));
            let end = *ends.entry(room).or_insert(Position { epoch, offset });
            ensure!(end.offset >= offset, "room {room} is at {end} and somebody at {offset}");
            for (conn, at) in places {
                ensure!(at.epoch == end.epoch, "connection {conn} is at {at} and room {room} at {end}");
                self.truth.skipped(conn, room, at, end.offset + 1)?;
            }
        }
        Ok(())
    }

    /// Where the members of a room stand.
    fn places(&self, room: usize) -> Vec<(usize, Position)> {
        let place = |(_, number): (usize, usize)| {
            let (at, _) = self.conns[number].standing(room)?;
            Some((number, at))
        };
        self.live().into_iter().filter_map(place).collect()
    }

    /// Where nothing was refused or cut, everything is accounted for.
    fn check_counters(&self) -> Verdict {
        if !self.plan.is_calm() || self.plan.plant != Plant::Nothing {
            return Ok(());
        }
        // What was tried twice may have been refused as often.
        let open = |said: &Said| said.fate == Fate::Open && said.tries == 1;
        let encoded = |said: &&Said| (said.fate.is_said() || open(said)) && said.kind != Kind::Announcement;
        let passed_on = self.truth.said.iter().filter(encoded).count();
        let sum = |figure: fn(&Counters) -> u64| -> usize {
            self.done().iter().map(|counters| figure(counters) as usize).sum()
        };
        let encodes = sum(|counters| counters.encodes);
        ensure!(encodes == passed_on, "{encodes} encodes of {passed_on} messages");
        let tally = |what| self.truth.tally.get(what).copied().unwrap_or(0);
        let live = ["message", "raw message", "streamed message", "letter", "announcement"];
        let (out, seen) = (sum(|counters| counters.messages_out), live.into_iter().map(tally).sum::<usize>());
        ensure!(out == seen, "{out} messages out, {seen} in");
        Ok(())
    }

    /// All clients go, each in its way.
    fn hang_up(&mut self) -> Verdict {
        for (client, number) in self.live() {
            if self.random.chance(50) {
                self.sockets[number].reset(0);
            } else {
                self.sockets[number].finish(usize::MAX);
            }
            self.forget(client, number);
        }
        self.settle()
    }

    /// The server shuts down.
    fn drain(&mut self) -> Verdict {
        let length = std::time::Duration::from_secs(2);
        for node in &mut self.nodes {
            node.shard.drain(length);
        }
        for _ in 0..10 {
            self.wait(250)?;
        }
        let left = self.live();
        ensure!(left.is_empty(), "{left:?} were not sent away");
        ensure!(self.nodes.iter().all(|node| node.shard.is_drained()), "not drained");
        Ok(())
    }

    /// Nothing is kept of rooms whose time has run out.
    fn forget_rooms(&mut self) -> Verdict {
        for _ in 0..2 {
            self.wait(301_000)?;
        }
        let rooms: usize = self.nodes.iter().map(|node| node.shard.rooms()).sum();
        ensure!(rooms == 0, "{rooms} rooms are remembered");
        Ok(())
    }
}

fn name(room: &RoomKey) -> (Space, String) {
    (room.space(), room.name().to_owned())
}
