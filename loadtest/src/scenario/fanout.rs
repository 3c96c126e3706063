//! Rooms and their publishers: each message to every member, in one order.

use std::collections::VecDeque;

use super::Scenario;
use super::pace::{Drive, Pace};
use crate::clock::Nanos;
use crate::dialect::{Dialect, Said};
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::order::{Log, Order, Seen};
use crate::payload::{Payloads, Stamp};
use crate::wire::Heard;
use crate::wire::request::Opening;

/// What the rooms look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) rooms: usize,
    /// Members of each room, its publishers included.
    pub(crate) members: usize,
    /// Members of each room that publish.
    pub(crate) publishers: usize,
    pub(crate) drive: Drive,
    /// Bytes of a payload.
    pub(crate) size: usize,
}

/// Rooms of members, some of which publish. Publishers see their own messages.
pub(crate) struct Fanout {
    shape: Shape,
    dialect: Box<dyn Dialect>,
    payloads: Payloads,
    /// Which connections are in their rooms.
    members: Vec<bool>,
    rooms: Vec<Room>,
    publishers: Vec<Publisher>,
    joined: usize,
    pace: Option<Pace>,
    ended: bool,
    meter: Meter,
    payload: Vec<u8>,
}

struct Room {
    name: String,
    log: Log,
}

/// A publisher's messages that some member has not seen.
#[derive(Clone, Default)]
struct Publisher {
    next: u64,
    flying: VecDeque<u64>,
}

impl Fanout {
    pub(crate) fn new(shape: Shape, order: Order, dialect: Box<dyn Dialect>) -> Fanout {
        let log = || Log::new(order, shape.publishers, shape.members);
        let rooms = (0..shape.rooms).map(|room| Room { name: format!("load-{room}"), log: log() }).collect();
        Fanout {
            shape,
            dialect,
            payloads: Payloads::new(shape.size),
            members: vec![false; shape.rooms * shape.members],
            rooms,
            publishers: vec![Publisher::default(); shape.rooms * shape.publishers],
            joined: 0,
            pace: None,
            ended: false,
            meter: Meter::new(),
            payload: Vec::new(),
        }
    }

    /// Messages that were delivered while measuring.
    pub(super) fn delivered(&self) -> u64 {
        self.meter.delivered_count()
    }

    /// Publishes the next message of a publisher; publishers are numbered over all rooms.
    fn publish(&mut self, net: &mut Net, publisher: usize, intended: Nanos) {
        let Shape { members, publishers, .. } = self.shape;
        let (room, within) = (publisher / publishers, publisher % publishers);
        let state = &mut self.publishers[publisher];
        let stamp = Stamp { publisher: publisher as u32, sequence: state.next, sent: intended };
        state.next += 1;
        state.flying.push_back(stamp.sequence);
        self.payloads.write(stamp, &mut self.payload);
        self.dialect.publish(net, room * members + within, &self.rooms[room].name, &self.payload);
        self.meter.published(intended, net.now());
    }

    /// A message has come to member `n`.
    fn deliver(&mut self, net: &mut Net, n: usize, stamp: Stamp, now: Nanos) -> Result<(), String> {
        let Shape { members, publishers, drive, .. } = self.shape;
        let room = n / members;
        let publisher = stamp.publisher as usize;
        if publisher / publishers != room {
            return Err(format!("a message of room {} in room {room}", publisher / publishers));
        }
        let seen = self.rooms[room].log.see(n % members, publisher % publishers, stamp)?;
        self.meter.delivered(stamp.sent, now);
        if seen == Seen::ByAll {
            self.publishers[publisher].flying.pop_front();
            if matches!(drive, Drive::Window(_)) && !self.ended {
                self.publish(net, publisher, now);
            }
        }
        Ok(())
    }

    fn join(&mut self, n: usize) {
        if !std::mem::replace(&mut self.members[n], true) {
            self.joined += 1;
        }
    }

    fn read(&mut self, net: &mut Net, n: usize, message: &[u8], now: Nanos) -> Result<(), String> {
        match self.dialect.read(message)? {
            Said::Nothing => Ok(()),
            Said::Joined => {
                self.join(n);
                Ok(())
            }
            Said::Message(payload) => {
                let stamp = self.payloads.check(payload)?;
                self.deliver(net, n, stamp, now)
            }
        }
    }
}

impl Listener for Fanout {
    fn opened(&mut self, net: &mut Net, n: usize) {
        let room = n / self.shape.members;
        if self.dialect.greet(net, n, &self.rooms[room].name) {
            self.join(n);
        }
    }

    fn heard(&mut self, net: &mut Net, n: usize, heard: &Heard<'_>, now: Nanos) {
        let Heard::Message { payload, .. } = heard else {
            return;
        };
        if let Err(what) = self.read(net, n, payload, now) {
            self.meter.fail(format!("member {n}: {what}"));
        }
    }

    fn ended(&mut self, _: &mut Net, n: usize, end: End) {
        self.meter.fail(format!("member {n}: the connection is over: {end}"));
    }
}

impl Scenario for Fanout {
    fn connections(&self) -> usize {
        self.members.len()
    }

    fn opening(&self, n: usize) -> Opening {
        self.dialect.opening(&self.rooms[n / self.shape.members].name)
    }

    fn is_ready(&self) -> bool {
        self.joined == self.members.len()
    }

    fn begin(&mut self, net: &mut Net) {
        let now = net.now();
        match self.shape.drive {
            Drive::Rate(rate) => self.pace = Some(Pace::new(now, rate, self.publishers.len())),
            Drive::Window(window) => {
                for publisher in 0..self.publishers.len() {
                    (0..window).for_each(|_| self.publish(net, publisher, now));
                }
            }
        }
    }

    fn tick(&mut self, net: &mut Net, now: Nanos) -> Option<Nanos> {
        let mut pace = self.pace.take()?;
        while let Some((publisher, intended)) = pace.due(now) {
            self.publish(net, publisher, intended);
        }
        let next = pace.next();
        self.pace = Some(pace);
        Some(next)
    }

    fn end(&mut self) {
        self.ended = true;
        self.pace = None;
    }

    fn missing(&self) -> usize {
        self.publishers.iter().map(|publisher| publisher.flying.len()).sum()
    }

    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}
