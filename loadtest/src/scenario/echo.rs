//! Each message comes back to its sender, unchanged and in order.

use std::collections::VecDeque;

use super::Scenario;
use super::pace::{Drive, Pace};
use crate::clock::Nanos;
use crate::dialect::fill;
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::payload::{Payloads, Stamp};
use crate::wire::Heard;
use crate::wire::request::{Kind, Opening};

/// Connections that each send, and wait for the echo.
pub(crate) struct Echo {
    template: String,
    text: bool,
    drive: Drive,
    payloads: Payloads,
    /// The number of the first connection.
    first: usize,
    /// Of each connection: the next sequence, and what is under way.
    connections: Vec<(u64, VecDeque<Stamp>)>,
    opened: usize,
    pace: Option<Pace>,
    ended: bool,
    meter: Meter,
    payload: Vec<u8>,
}

impl Echo {
    pub(crate) fn new(template: &str, connections: usize, drive: Drive, size: usize, text: bool) -> Echo {
        Echo {
            template: template.to_owned(),
            text,
            drive,
            payloads: Payloads::new(size),
            first: 0,
            connections: vec![(0, VecDeque::new()); connections],
            opened: 0,
            pace: None,
            ended: false,
            meter: Meter::new(),
            payload: Vec::new(),
        }
    }

    /// The same with connections numbered from `first` on.
    pub(super) fn numbered(self, first: usize) -> Echo {
        Echo { first, ..self }
    }

    /// Sends the next message of the connection at `place`.
    fn send(&mut self, net: &mut Net, place: usize, intended: Nanos) {
        let n = self.first + place;
        let (next, flying) = &mut self.connections[place];
        let stamp = Stamp { publisher: n as u32, sequence: *next, sent: intended };
        *next += 1;
        flying.push_back(stamp);
        self.payloads.write(stamp, &mut self.payload);
        net.send(n, self.text, &self.payload);
        self.meter.published(intended, net.now());
    }

    fn come_back(&mut self, n: usize, text: bool, payload: &[u8]) -> Result<Stamp, String> {
        let stamp = self.payloads.check(payload)?;
        let due = self.connections[n - self.first].1.pop_front().ok_or("an echo of nothing")?;
        if stamp != due {
            return Err(format!("an echo of {stamp:?} where {due:?} was due"));
        }
        if text != self.text {
            return Err("an echo of another type than was sent".to_owned());
        }
        Ok(stamp)
    }
}

impl Listener for Echo {
    fn opened(&mut self, _: &mut Net, _: usize) {
        self.opened += 1;
    }

    fn heard(&mut self, net: &mut Net, n: usize, heard: &Heard<'_>, now: Nanos) {
        let Heard::Message { text, payload } = heard else {
            return;
        };
        match self.come_back(n, *text, payload) {
            Err(what) => self.meter.fail(format!("connection {n}: {what}")),
            Ok(stamp) => {
                self.meter.delivered(stamp.sent, now);
                if matches!(self.drive, Drive::Window(_)) && !self.ended {
                    self.send(net, n - self.first, now);
                }
            }
        }
    }

    fn ended(&mut self, _: &mut Net, n: usize, end: End) {
        self.meter.fail(format!("connection {n} is over: {end}"));
    }
}

impl Scenario for Echo {
    fn connections(&self) -> usize {
        self.connections.len()
    }

    fn opening(&self, n: usize) -> Opening {
        let room = format!("echo-{n}");
        Opening::new(Kind::WebSocket { protocol: None }, fill(&self.template, &room))
    }

    fn is_ready(&self) -> bool {
        self.opened == self.connections.len()
    }

    fn begin(&mut self, net: &mut Net) {
        let now = net.now();
        match self.drive {
            Drive::Rate(rate) => self.pace = Some(Pace::new(now, rate, self.connections.len())),
            Drive::Window(window) => {
                for place in 0..self.connections.len() {
                    (0..window).for_each(|_| self.send(net, place, now));
                }
            }
        }
    }

    fn tick(&mut self, net: &mut Net, now: Nanos) -> Option<Nanos> {
        let mut pace = self.pace.take()?;
        while let Some((place, intended)) = pace.due(now) {
            self.send(net, place, intended);
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
        self.connections.iter().map(|(_, flying)| flying.len()).sum()
    }

    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}
