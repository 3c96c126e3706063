//! All members drop at once and come back at once, each from where it was. Nothing may be lost or doubled.
//!
//! Connections `0..members` are the members, dealt out to the rooms in turn; behind them is one publisher a room,
//! which stays. The latencies are those of coming back: from the drop to `joined`.

use super::Scenario;
use super::fanout::wrong_bytes;
use super::pace::Pace;
use crate::clock::{Nanos, SECOND, seconds};
use crate::dialect::native::{self, Frame};
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::outcome::Fact;
use crate::payload::{Payloads, Stamp};
use crate::wire::Heard;
use crate::wire::request::{Kind, Opening};

/// What the storm is like.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) members: usize,
    pub(crate) rooms: usize,
    /// Messages a second into each room, all the while.
    pub(crate) rate: f64,
    /// From the beginning to the drop.
    pub(crate) after: Nanos,
    pub(crate) size: usize,
    /// The path of the native dialect, without a room.
    pub(crate) path: String,
}

/// How long it goes on when all are back.
const AFTERWARDS: Nanos = SECOND;

pub(crate) struct Storm {
    shape: Shape,
    payloads: Payloads,
    members: Vec<Member>,
    /// Messages sent into each room.
    sent: Vec<u64>,
    /// Connections that are where they should be, publishers included.
    there: usize,
    pace: Option<Pace>,
    broken: Option<Nanos>,
    all_back: Option<Nanos>,
    due: Nanos,
    /// The time of the last tick.
    now: Nanos,
    recovered: u64,
    meter: Meter,
    buffer: Vec<u8>,
}

#[derive(Clone, Default)]
struct Member {
    there: bool,
    /// The position of the last message, to come back to.
    position: String,
    offset: Option<u64>,
    /// The sequence that comes next.
    next: u64,
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
            meter: Meter::new(),
            buffer: Vec::new(),
            shape,
        }
    }

    /// The room of a member; of a publisher too.
    fn room_of(&self, n: usize) -> usize {
        n.checked_sub(self.shape.members).unwrap_or(n % self.shape.rooms)
    }

    fn publish(&mut self, net: &mut Net, room: usize, intended: Nanos) {
        let stamp = Stamp { publisher: room as u32, sequence: self.sent[room], sent: intended };
        self.sent[room] += 1;
        let mut payload = Vec::with_capacity(self.shape.size);
        self.payloads.write(stamp, &mut payload);
        self.buffer.clear();
        native::publish(&name(room), &payload, &mut self.buffer);
        net.send(self.shape.members + room, true, &self.buffer);
        self.meter.published(intended, net.now());
    }

    /// Everybody goes, and asks to come back in the same moment.
    fn break_out(&mut self, net: &mut Net, now: Nanos) {
        self.broken = Some(now);
        self.there -= self.shape.members;
        (0..self.shape.members).for_each(|n| net.drop_connection(n));
        for n in 0..self.shape.members {
            self.members[n].there = false;
            if let Err(error) = net.open(n, &self.opening(n)) {
                self.meter.fail(format!("member {n} cannot come back: {error}"));
            }
        }
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
        let position = frame.position.ok_or("joined without a position")?;
        let comes_back = self.broken.filter(|_| n < self.shape.members);
        if let Some(broken) = comes_back {
            if frame.recovered != Some(true) {
                return Err("a resume that is not recovered".to_owned());
            }
            frame.history.iter().try_for_each(|message| self.see(n, message))?;
            self.recovered += frame.history.len() as u64;
            if Some(self.members[n].offset) != frame.offset().map(Some) {
                return Err(format!("a resume that ends before its position {position}"));
            }
            self.meter.delivered(broken, now);
        }
        let member = &mut self.members[n];
        position.clone_into(&mut member.position);
        member.offset = frame.offset();
        if !std::mem::replace(&mut member.there, true) {
            self.there += 1;
        }
        if comes_back.is_some() && self.there == self.members.len() {
            self.all_back = Some(now);
        }
        Ok(())
    }

    /// A member sees a message, live or in its history.
    fn see(&mut self, n: usize, frame: &Frame<'_>) -> Result<(), String> {
        let room = self.room_of(n);
        let payload = frame.payload().ok_or("a message without the data that was published")?;
        let stamp = self.payloads.read(payload).ok_or_else(|| wrong_bytes(payload))?;
        let member = &mut self.members[n];
        if stamp.publisher as usize != room || stamp.sequence != member.next {
            return Err(format!("{stamp:?} where message {} of room {room} was due", member.next));
        }
        let offset = frame.offset();
        if offset.is_none() || offset != member.offset.map(|offset| offset + 1) {
            return Err(format!("position {:?} behind {:?}", frame.position, member.position));
        }
        frame.position.unwrap_or_default().clone_into(&mut member.position);
        member.offset = offset;
        member.next += 1;
        Ok(())
    }
}

fn name(room: usize) -> String {
    format!("storm-{room}")
}

impl Listener for Storm {
    fn opened(&mut self, net: &mut Net, n: usize) {
        let room = name(self.room_of(n));
        let since = match &self.members[n].position {
            position if position.is_empty() => String::new(),
            position => format!(",\"since\":\"{position}\""),
        };
        net.send(n, true, format!("{{\"type\":\"join\",\"room\":\"{room}\"{since}}}").as_bytes());
    }

    fn heard(&mut self, _: &mut Net, n: usize, heard: &Heard<'_>, now: Nanos) {
        let Heard::Message { payload, .. } = heard else {
            return;
        };
        if let Err(what) = self.read(n, payload, now) {
            self.meter.fail(format!("member {n}: {what}"));
        }
    }

    fn ended(&mut self, _: &mut Net, n: usize, end: End) {
        self.meter.fail(format!("member {n}: the connection is over: {end}"));
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
        let took = self.broken.zip(self.all_back).map_or(f64::NAN, |(broken, back)| seconds(back - broken));
        vec![
            Fact::new("all back after", took, "s"),
            Fact::new("messages out of the history", self.recovered as f64, ""),
        ]
    }
}
