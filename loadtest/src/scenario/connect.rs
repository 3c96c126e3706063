//! How fast connections open, what a handshake costs, and how much memory each connection takes.

use super::Scenario;
use super::pace::Pace;
use crate::clock::{Nanos, SECOND, seconds};
use crate::dialect::{Dialect, Said};
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::outcome::Fact;
use crate::wire::Heard;
use crate::wire::request::Opening;

/// Opens so many connections, at a rate or as many at once as allowed. A delivery is a connection that has joined; its
/// latency is the time since it should have begun.
pub(crate) struct Connect {
    dialect: Box<dyn Dialect>,
    rate: Option<f64>,
    at_once: usize,
    /// When each connection should begin; `None` once it has joined.
    begun: Vec<Option<Nanos>>,
    next: usize,
    joined: usize,
    pace: Option<Pace>,
    start: Nanos,
    finish: Nanos,
    meter: Meter,
}

/// The room that all of them join.
const ROOM: &str = "connect";

impl Connect {
    /// `rate` connections per second; without a rate, at most `at_once` handshakes under way.
    pub(crate) fn new(
        connections: usize,
        rate: Option<f64>,
        at_once: usize,
        dialect: Box<dyn Dialect>,
    ) -> Connect {
        Connect {
            dialect,
            rate,
            at_once: at_once.max(1),
            begun: vec![None; connections],
            next: 0,
            joined: 0,
            pace: None,
            start: 0,
            finish: 0,
            meter: Meter::new(),
        }
    }

    fn open(&mut self, net: &mut Net, intended: Nanos) {
        let opening = self.dialect.opening(ROOM);
        if let Err(error) = net.open(self.next, &opening) {
            self.meter.fail(format!("connection {} cannot be opened: {error}", self.next));
        }
        self.begun[self.next] = Some(intended);
        self.next += 1;
        self.meter.published(intended, net.now());
    }

    fn join(&mut self, n: usize, now: Nanos) {
        if let Some(begun) = self.begun[n].take() {
            self.joined += 1;
            self.finish = now;
            self.meter.delivered(begun, now);
        }
    }
}

impl Listener for Connect {
    fn opened(&mut self, net: &mut Net, n: usize) {
        if self.dialect.greet(net, n, ROOM) {
            self.join(n, net.now());
        }
    }

    fn heard(&mut self, _: &mut Net, n: usize, heard: &Heard<'_>, now: Nanos) {
        let Heard::Message { payload, .. } = heard else {
            return;
        };
        match self.dialect.read(payload) {
            Ok(Said::Joined) => self.join(n, now),
            Ok(_) => {}
            Err(what) => self.meter.fail(format!("connection {n}: {what}")),
        }
    }

    fn ended(&mut self, _: &mut Net, n: usize, end: End) {
        self.meter.fail(format!("connection {n} is over: {end}"));
    }
}

impl Scenario for Connect {
    fn connections(&self) -> usize {
        0
    }

    fn opening(&self, _: usize) -> Opening {
        self.dialect.opening(ROOM)
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn warms_up(&self) -> bool {
        false
    }

    fn begin(&mut self, net: &mut Net) {
        self.start = net.now();
        self.pace = self.rate.map(|rate| Pace::new(self.start, rate, 1));
    }

    fn tick(&mut self, net: &mut Net, now: Nanos) -> Option<Nanos> {
        let mut pace = self.pace.take();
        while self.next < self.begun.len() {
            let intended = match &mut pace {
                Some(pace) => pace.due(now).map(|(_, intended)| intended),
                None => (net.connecting_count() < self.at_once).then(|| net.now()),
            };
            let Some(intended) = intended else { break };
            self.open(net, intended);
        }
        let next = pace.as_ref().map(Pace::next).filter(|_| self.next < self.begun.len());
        self.pace = pace;
        next
    }

    fn end(&mut self) {}

    fn missing(&self) -> usize {
        self.begun.len() - self.joined
    }

    fn weighs(&self) -> bool {
        true
    }

    fn is_over(&self) -> bool {
        self.joined == self.begun.len()
    }

    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }

    fn facts(&self) -> Vec<Fact> {
        let took = self.finish.saturating_sub(self.start);
        let rate = self.joined as f64 * SECOND as f64 / took.max(1) as f64;
        vec![Fact::new("all open after", seconds(took), "s"), Fact::new("connections a second", rate, "")]
    }
}
