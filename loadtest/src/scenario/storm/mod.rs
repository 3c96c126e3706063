//! All members come back at once, each from its position, after they have disconnected or their server was killed. No
//! message may be lost or come twice. After a kill, no loss may be silent.
//!
//! Connections `0..members` are the members, assigned to the rooms in turn; after them comes one publisher for each room,
//! which stays. The latencies are those of coming back: from the disconnect to `joined`.

use super::Scenario;
use super::pace::Pace;
use super::returns::Returns;
use crate::clock::{Nanos, seconds};
use crate::dialect::native::{self, Frame};
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::outcome::{Fact, Finding};
use crate::payload::{Payloads, Stamp};
use crate::subject::Deed;
use crate::wire::Heard;
use crate::wire::request::{Kind, Opening};

mod member;
mod shape;

use member::Member;
use shape::{AFTERWARDS, PATIENCE, RETRIES, SERVED};
pub(crate) use shape::{Cause, Shape};

pub(crate) struct Storm {
    shape: Shape,
    payloads: Payloads,
    members: Vec<Member>,
    /// Messages sent into each room.
    sent: Vec<u64>,
    /// Connections that are in their rooms, publishers included.
    there: usize,
    pace: Option<Pace>,
    broken: Option<Nanos>,
    all_back: Option<Nanos>,
    due: Nanos,
    /// The time of the last tick.
    now: Nanos,
    recovered: u64,
    kill: bool,
    /// For each room, the first message that was sent after the server was killed.
    fresh: Vec<u64>,
    /// Members that learned of a loss, and how many messages they missed.
    told: u64,
    lost: u64,
    retries: usize,
    returns: Returns,
    meter: Meter,
    buffer: Vec<u8>,
}

impl Storm {
    pub(crate) fn new(shape: Shape) -> Storm {
        Storm {
            payloads: Payloads::new(shape.size),
            members: vec![Member::default(); shape.members + shape.rooms],
            sent: vec![0; shape.rooms],
            there: 0,
            pace: None,
            broken: None,
            all_back: None,
            due: 0,
            now: 0,
            recovered: 0,
            kill: false,
            fresh: vec![0; shape.rooms],
            told: 0,
            lost: 0,
            retries: 0,
            returns: Returns::default(),
            meter: Meter::new(),
            buffer: Vec::new(),
            shape,
        }
    }

    /// The room of a member or a publisher.
    fn room_of(&self, n: usize) -> usize {
        n.checked_sub(self.shape.members).unwrap_or(n % self.shape.rooms)
    }

    /// Publishes into a room, unless its publisher is away.
    fn publish(&mut self, net: &mut Net, room: usize, intended: Nanos) {
        if !self.members[self.shape.members + room].there {
            return;
        }
        let stamp = Stamp { publisher: room as u32, sequence: self.sent[room], sent: intended };
        self.sent[room] += 1;
        let mut payload = Vec::with_capacity(self.shape.size);
        self.payloads.write(stamp, &mut payload);
        self.buffer.clear();
        native::publish(&name(room), &payload, &mut self.buffer);
        net.send(self.shape.members + room, true, &self.buffer);
        self.meter.published(intended, net.now());
    }

    /// Everybody disconnects, and asks to come back at the same moment.
    fn break_out(&mut self, net: &mut Net, now: Nanos) {
        self.broken = Some(now);
        if self.shape.cause == Cause::Kill {
            return self.be_killed();
        }
        self.there -= self.shape.members;
        (0..self.shape.members).for_each(|n| net.drop_connection(n));
        for n in 0..self.shape.members {
            self.members[n].there = false;
            if let Err(error) = net.open(n, &self.opening(n)) {
                self.meter.fail(format!("member {n} cannot come back: {error}"));
            }
        }
    }

    /// The server will be killed. Messages that its publishers send from now on are for the next server.
    fn be_killed(&mut self) {
        self.kill = true;
        self.there = 0;
        self.fresh.clone_from(&self.sent);
        self.members.iter_mut().for_each(|member| member.there = false);
    }

    /// A connection is over. After a kill it is opened again at once, because the server is up by then.
    fn come_back(&mut self, net: &mut Net, n: usize, end: &End) -> Result<(), String> {
        let is_away = self.shape.cause == Cause::Kill && self.broken.is_some() && !self.members[n].there;
        if !is_away || self.retries > RETRIES * self.members.len() {
            return Err(format!("the connection is over: {end}"));
        }
        self.retries += 1;
        net.open(n, &self.opening(n)).map_err(|error| format!("cannot come back: {error}"))
    }

    fn read(&mut self, n: usize, message: &[u8], now: Nanos) -> Result<(), String> {
        let frame = Frame::read(message)?;
        match frame.kind {
            "joined" => self.joined(n, &frame, now),
            "message" => {
                self.meter.counted();
                self.see(n, &frame)
            }
            _ => Ok(()),
        }
    }

    fn joined(&mut self, n: usize, frame: &Frame<'_>, now: Nanos) -> Result<(), String> {
        let killed = self.shape.cause == Cause::Kill;
        let comes_back = self.broken.filter(|_| n < self.shape.members || killed);
        if let Some(broken) = comes_back {
            self.resume(n, frame)?;
            self.meter.delivered(broken, now);
            self.returns.add(now - broken);
        }
        if self.members[n].arrive(frame)? {
            self.there += 1;
        }
        if comes_back.is_some() && self.there == self.members.len() {
            self.all_back = Some(now);
        }
        Ok(())
    }

    /// A member is back. Its history has what it missed, or it learns of a loss.
    fn resume(&mut self, n: usize, frame: &Frame<'_>) -> Result<(), String> {
        let fresh = self.fresh[self.room_of(n)];
        match frame.recovered {
            Some(true) => {}
            _ if self.shape.cause == Cause::Kill => {
                self.lost += self.members[n].start_anew(frame, fresh)?;
                self.told += 1;
            }
            _ => return Err("a resume that is not recovered".to_owned()),
        }
        frame.history.iter().try_for_each(|message| self.see(n, message))?;
        self.recovered += frame.history.len() as u64;
        self.members[n].resumed(frame, fresh)
    }

    /// A member sees a message, live or in its history.
    fn see(&mut self, n: usize, frame: &Frame<'_>) -> Result<(), String> {
        let room = self.room_of(n);
        let payload = frame.payload().ok_or("a message without the data that was published")?;
        let stamp = self.payloads.check(payload)?;
        if stamp.publisher as usize != room {
            return Err(format!("{stamp:?} in room {room}"));
        }
        self.members[n].see(frame, stamp, self.fresh[room])
    }
}

fn name(room: usize) -> String {
    format!("storm-{room}")
}

impl Listener for Storm {
    fn opened(&mut self, net: &mut Net, n: usize) {
        let room = name(self.room_of(n));
        net.send(n, true, self.members[n].join(&room).as_bytes());
    }

    fn heard(&mut self, _: &mut Net, n: usize, heard: &Heard<'_>, now: Nanos) {
        let Heard::Message { payload, .. } = heard else {
            return;
        };
        if let Err(what) = self.read(n, payload, now) {
            self.meter.fail(format!("member {n}: {what}"));
        }
    }

    fn ended(&mut self, net: &mut Net, n: usize, end: End) {
        if let Err(what) = self.come_back(net, n, &end) {
            self.meter.fail(format!("member {n}: {what}"));
        }
    }
}

impl Scenario for Storm {
    fn connections(&self) -> usize {
        self.members.len()
    }

    fn opening(&self, _: usize) -> Opening {
        Opening::new(Kind::WebSocket { protocol: Some("switchboard.v1") }, self.shape.path.clone())
    }

    fn is_ready(&self) -> bool {
        self.there == self.members.len()
    }

    fn lasts(&self) -> Option<Nanos> {
        Some(self.shape.after + PATIENCE)
    }

    fn begin(&mut self, net: &mut Net) {
        self.due = net.now() + self.shape.after;
        self.pace = Some(Pace::new(net.now(), self.shape.rate, self.shape.rooms));
    }

    fn tick(&mut self, net: &mut Net, now: Nanos) -> Option<Nanos> {
        self.now = now;
        let mut pace = self.pace.take()?;
        while let Some((room, intended)) = pace.due(now) {
            self.publish(net, room, intended);
        }
        let next = pace.next();
        self.pace = Some(pace);
        if self.broken.is_none() && now >= self.due {
            self.break_out(net, now);
        }
        Some(if self.broken.is_none() { next.min(self.due) } else { next })
    }

    fn deed(&mut self) -> Option<Deed> {
        std::mem::take(&mut self.kill).then_some(Deed::KillAndStart)
    }

    fn end(&mut self) {
        self.pace = None;
    }

    fn missing(&self) -> usize {
        let members = self.members.iter().enumerate();
        members.filter(|(n, member)| !member.there || member.next < self.sent[self.room_of(*n)]).count()
    }

    fn is_over(&self) -> bool {
        self.all_back.is_some_and(|back| self.now > back + AFTERWARDS)
    }

    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }

    fn facts(&self) -> Vec<Fact> {
        let back = |share| self.returns.by(share).map_or(f64::NAN, seconds);
        let mut facts = vec![
            Fact::new("half back after", back(0.5), "s"),
            Fact::new("99 % back after", back(0.99), "s"),
            Fact::new("all back after", back(1.0), "s"),
            Fact::new("busiest 100 ms of the returns", self.returns.busiest() * 100.0, "%"),
            Fact::new("messages out of the history", self.recovered as f64, ""),
        ];
        if self.shape.cause == Cause::Kill {
            facts.push(Fact::new("members told of a loss", self.told as f64, ""));
            facts.push(Fact::new("messages that they missed", self.lost as f64, ""));
        }
        facts
    }

    fn findings(&self) -> Vec<Finding> {
        if self.shape.cause == Cause::Drop {
            return Vec::new();
        }
        let in_time = self.returns.by(1.0).is_some_and(|last| seconds(last) <= SERVED);
        let sentence = format!("all are served again within {SERVED} s of the kill");
        vec![Finding::of(self.members.len(), self.all_back.is_some() && in_time, sentence)]
    }
}
