//! A share of a room's members stop reading: they must be cut off, and nobody else may notice.
//!
//! The healthy members and their publisher are a [`Fanout`]; the slow ones have the numbers after them. At first all
//! read, for comparison. Then the slow ones stop, and check from time to time whether they have been closed ([`looks`]):
//! what they read must be in order up to the point where the server cut them off.

use super::Scenario;
use super::fanout::Fanout;
use crate::clock::{Nanos, SECOND};
use crate::dialect::{Dialect, Said};
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::outcome::{Fact, Finding};
use crate::payload::Payloads;
use crate::wire::Heard;
use crate::wire::request::Opening;

mod effect;
mod looks;
mod member;
mod shape;

use effect::Effect;
use looks::{Looks, Step};
use member::{Member, State};
pub(crate) use shape::Shape;

/// The receive buffer of a slow member in bytes. A buffer of the kernel's choice grows to megabytes with every look, and
/// the server would notice a slow reader only when it is full.
const WINDOW: usize = 32 * 1024;

/// How long the slow ones may read at the end before they count as still connected.
const READING: Nanos = 3 * SECOND;

/// A room of healthy members with slow ones among them.
pub(crate) struct Slow {
    shape: Shape,
    room: Fanout,
    dialect: Box<dyn Dialect>,
    payloads: Payloads,
    members: Vec<Member>,
    joined: usize,
    connected: usize,
    phase: Phase,
    effect: Effect,
}

/// How far it is.
#[derive(Clone, Debug)]
enum Phase {
    /// All read, until measuring begins.
    WarmUp,
    /// All read, until then.
    AllRead(Nanos),
    /// The slow ones do not read, except in a look.
    Slow(Looks),
    /// The slow ones are to read to their end.
    Ending,
    /// They read until then.
    ReadingUntil(Nanos),
    Over,
}

impl Slow {
    /// `room` must have one room with one publisher.
    pub(crate) fn new(room: Fanout, shape: Shape, dialect: Box<dyn Dialect>) -> Slow {
        Slow {
            room,
            dialect,
            payloads: Payloads::new(shape.size),
            members: vec![Member::default(); shape.slow],
            joined: 0,
            connected: shape.slow,
            phase: Phase::WarmUp,
            effect: Effect::default(),
            shape,
        }
    }

    fn first(&self) -> usize {
        self.room.connections()
    }

    fn join(&mut self, n: usize) {
        let first = self.first();
        if !std::mem::replace(&mut self.members[n - first].joined, true) {
            self.joined += 1;
        }
    }

    fn read(&mut self, n: usize, message: &[u8]) -> Result<(), String> {
        let payload = match self.dialect.read(message)? {
            Said::Nothing => return Ok(()),
            Said::Joined => {
                self.join(n);
                return Ok(());
            }
            Said::Message(payload) => payload,
        };
        let stamp = self.payloads.check(payload)?;
        let first = self.first();
        self.members[n - first].see(stamp.sequence)
    }

    fn stop_reading(&mut self, net: &mut Net, now: Nanos) {
        let first = self.first();
        for (at, member) in self.members.iter_mut().enumerate() {
            member.state = State::Stopped(now);
            net.stop_reading(first + at);
        }
        self.effect.begins(self.room.meter().so_far());
        self.phase = Phase::Slow(Looks::begin(now));
    }

    /// Lets members look when it is their time. Returns when to ask again.
    fn look(&mut self, net: &mut Net, now: Nanos) -> Option<Nanos> {
        let Phase::Slow(looks) = &mut self.phase else { return None };
        let steps = looks.steps(&mut self.members, now);
        let due = looks.due();
        let first = self.first();
        for step in steps {
            match step {
                Step::Look(at) => net.read_again(self, first + at),
                Step::Stop(at) => net.stop_reading(first + at),
            }
        }
        Some(due)
    }

    /// The connection of a slow member is over.
    fn member_ended(&mut self, at: usize, end: &End, now: Nanos) -> Result<(), String> {
        let before = self.members[at].state;
        self.members[at].end(end)?;
        self.connected -= 1;

        let Phase::Slow(looks) = &mut self.phase else { return Ok(()) };
        if let (State::Looks { since, .. }, State::Told) = (before, self.members[at].state) {
            if looks.is_quiet() {
                self.effect.ends(self.room.meter().so_far());
            }
            looks.told(since, now);
        }
        Ok(())
    }

    fn count(&self, state: State) -> f64 {
        self.members.iter().filter(|member| member.state == state).count() as f64
    }
}

impl Listener for Slow {
    fn opened(&mut self, net: &mut Net, n: usize) {
        if n < self.first() {
            return self.room.opened(net, n);
        }
        if let Err(error) = net.narrow(n, WINDOW) {
            self.meter().fail(format!("member {n}: its receive buffer cannot be set: {error}"));
        }
        if self.dialect.greet(net, n, "load-0") {
            self.join(n);
        }
    }

    fn heard(&mut self, net: &mut Net, n: usize, heard: &Heard<'_>, now: Nanos) {
        if n < self.first() {
            return self.room.heard(net, n, heard, now);
        }
        let Heard::Message { payload, .. } = heard else {
            return;
        };
        if let Err(what) = self.read(n, payload) {
            self.meter().fail(format!("member {n}: {what}"));
        }
    }

    fn ended(&mut self, net: &mut Net, n: usize, end: End) {
        let Some(at) = n.checked_sub(self.first()) else {
            return self.room.ended(net, n, end);
        };
        if let Err(what) = self.member_ended(at, &end, net.now()) {
            self.meter().fail(format!("member {n}: {what}"));
        }
    }
}

impl Scenario for Slow {
    fn connections(&self) -> usize {
        self.first() + self.members.len()
    }

    fn opening(&self, n: usize) -> Opening {
        self.room.opening(n.min(self.first() - 1))
    }

    fn is_ready(&self) -> bool {
        self.room.is_ready() && self.joined == self.members.len()
    }

    fn begin(&mut self, net: &mut Net) {
        self.room.begin(net);
    }

    fn lasts(&self) -> Option<Nanos> {
        Some(self.shape.after + self.shape.patience())
    }

    fn measured_until(&mut self, end: Nanos) {
        self.phase = Phase::AllRead(end.saturating_sub(self.shape.patience()));
    }

    fn tick(&mut self, net: &mut Net, now: Nanos) -> Option<Nanos> {
        let due = match self.phase {
            Phase::WarmUp | Phase::Over => None,
            Phase::AllRead(end) if now < end => Some(end),
            Phase::AllRead(_) => {
                self.stop_reading(net, now);
                Some(now)
            }
            Phase::Slow(_) => self.look(net, now),
            Phase::Ending => {
                let first = self.first();
                self.phase = Phase::ReadingUntil(now + READING);
                (first..first + self.members.len()).for_each(|n| net.read_again(self, n));
                Some(now)
            }
            Phase::ReadingUntil(end) => {
                if now >= end || self.connected == 0 {
                    self.phase = Phase::Over;
                }
                Some(now + SECOND / 100)
            }
        };
        self.room.tick(net, now).into_iter().chain(due).min()
    }

    fn weighs(&self) -> bool {
        true
    }

    fn weighed(&mut self, _: Nanos, bytes: u64) {
        self.effect.weighed(bytes);
    }

    fn end(&mut self) {
        self.effect.ends(self.room.meter().so_far());
        self.phase = Phase::Ending;
        self.room.end();
    }

    fn missing(&self) -> usize {
        self.room.missing() + usize::from(!matches!(self.phase, Phase::Over))
    }

    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Slow(_)) && self.connected == 0
    }

    fn meter(&mut self) -> &mut Meter {
        self.room.meter()
    }

    fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![
            Fact::new("slow members", self.members.len() as f64, ""),
            Fact::new("closed with 4100", self.count(State::Told), ""),
            Fact::new("closed with another code", self.count(State::Closed), ""),
            Fact::new("gone without a word", self.count(State::Gone), ""),
            Fact::new("still connected", self.connected as f64, ""),
        ];
        facts.extend(self.effect.facts());
        facts
    }

    fn findings(&self) -> Vec<Finding> {
        let connections = self.connections();
        let cut_off = "every member that does not read is cut off".to_owned();
        let mut findings = vec![Finding::of(connections, self.connected == 0, cut_off)];
        findings.extend(self.effect.findings(connections));
        findings
    }
}
