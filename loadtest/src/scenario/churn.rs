//! Members that come and go: at the end the server must not hold more memory than after the first tenth of the time.

use fastrand::Rng;

use super::Scenario;
use super::pace::Pace;
use crate::clock::{Nanos, SECOND};
use crate::dialect::native::Frame;
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::outcome::{Fact, Finding};
use crate::wire::Heard;
use crate::wire::request::{Kind, Opening};

/// What the churn is like.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) connections: usize,
    pub(crate) rooms: usize,
    /// Members that come or go per second.
    pub(crate) rate: f64,
    pub(crate) seed: u64,
    /// The path of the native dialect, without a room.
    pub(crate) path: String,
}

/// How long all members rest before memory is read.
const REST: Nanos = SECOND / 2;

/// By how much memory may grow and still count as flat: a fiftieth, and the size of a few pages of code and a new arena.
const FLAT: f64 = 1.02;
const PAGES: u64 = 512 * 1024;

pub(crate) struct Churn {
    shape: Shape,
    rng: Rng,
    members: Vec<Member>,
    /// Members with a room.
    there: usize,
    pace: Option<Pace>,
    begun: Nanos,
    phase: Phase,
    rests: Rests,
    moves: u64,
    reconnects: u64,
    meter: Meter,
}

#[derive(Clone, Debug, Default)]
struct Member {
    room: usize,
    there: bool,
    /// When it last began to move.
    since: Nanos,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Still,
    /// Members move until the first tenth is over.
    First(Nanos),
    /// All members rest, and memory is read after that time.
    Resting(Nanos),
    Last,
}

/// The server's memory in bytes while members rested: before, after the first tenth, and the last time.
#[derive(Clone, Copy, Debug, Default)]
struct Rests {
    before: u64,
    tenth: Option<u64>,
    last: u64,
}

impl Churn {
    pub(crate) fn new(shape: Shape) -> Churn {
        let mut rng = Rng::with_seed(shape.seed);
        let member = |_| Member { room: rng.usize(0..shape.rooms), ..Member::default() };
        let members = (0..shape.connections).map(member).collect();
        Churn {
            rng,
            members,
            there: 0,
            pace: None,
            begun: 0,
            phase: Phase::Still,
            rests: Rests::default(),
            moves: 0,
            reconnects: 0,
            meter: Meter::new(),
            shape,
        }
    }

    /// One member goes to another room, or disconnects and comes back at once.
    fn stir(&mut self, net: &mut Net, now: Nanos) {
        let n = self.rng.usize(0..self.members.len());
        if !self.members[n].there {
            return;
        }
        let left = std::mem::replace(&mut self.members[n].room, self.rng.usize(0..self.shape.rooms));
        self.members[n].there = false;
        self.members[n].since = now;
        self.there -= 1;
        self.meter.published(now, now);
        if self.rng.bool() {
            self.reconnects += 1;
            if let Err(error) = net.open(n, &self.opening(n)) {
                self.meter.fail(format!("member {n} cannot come back: {error}"));
            }
            return;
        }
        self.moves += 1;
        net.send(n, true, format!(r#"{{"type":"leave","room":"{}"}}"#, name(left)).as_bytes());
        self.join(net, n);
    }

    fn join(&self, net: &mut Net, n: usize) {
        let room = name(self.members[n].room);
        net.send(n, true, format!(r#"{{"type":"join","room":"{room}"}}"#).as_bytes());
    }

    fn read(&mut self, n: usize, message: &[u8], now: Nanos) -> Result<(), String> {
        let frame = Frame::read(message)?;
        let member = &mut self.members[n];
        if frame.kind == "joined" && frame.room == Some(&name(member.room)) && !member.there {
            member.there = true;
            self.there += 1;
            self.meter.delivered(member.since, now);
        }
        Ok(())
    }
}

fn name(room: usize) -> String {
    format!("churn-{room}")
}

/// Whether memory is flat from `then` to `now`, in bytes.
fn is_flat(then: u64, now: u64) -> bool {
    now as f64 <= then as f64 * FLAT + PAGES as f64
}

impl Listener for Churn {
    fn opened(&mut self, net: &mut Net, n: usize) {
        self.join(net, n);
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

impl Scenario for Churn {
    fn connections(&self) -> usize {
        self.members.len()
    }

    fn opening(&self, n: usize) -> Opening {
        // Every second member has a name, so that users come and go as well.
        let user = if n.is_multiple_of(2) { String::new() } else { format!("?user=user-{n}") };
        Opening::new(
            Kind::WebSocket { protocol: Some("switchboard.v1") },
            format!("{}{user}", self.shape.path),
        )
    }

    fn is_ready(&self) -> bool {
        self.there == self.members.len()
    }

    fn warms_up(&self) -> bool {
        false
    }

    fn begin(&mut self, net: &mut Net) {
        self.begun = net.now();
    }

    fn measured_until(&mut self, end: Nanos) {
        // Nothing has happened yet: the last figure is the one from before.
        self.rests.before = self.rests.last;
        self.phase = Phase::First(self.begun + end.saturating_sub(self.begun) / 10);
    }

    fn tick(&mut self, net: &mut Net, now: Nanos) -> Option<Nanos> {
        match self.phase {
            Phase::Still | Phase::Resting(_) => return None,
            Phase::First(end) if now >= end => {
                self.pace = None;
                self.phase = Phase::Resting(now + REST);
                return None;
            }
            Phase::First(_) | Phase::Last => {}
        }
        let rate = self.shape.rate;
        let mut pace = self.pace.take().unwrap_or_else(|| Pace::new(now, rate, 1));
        while pace.due(now).is_some() {
            self.stir(net, now);
        }
        let next = pace.next();
        self.pace = Some(pace);
        Some(next)
    }

    fn weighs(&self) -> bool {
        true
    }

    fn weighed(&mut self, now: Nanos, bytes: u64) {
        self.rests.last = bytes;
        if matches!(self.phase, Phase::Resting(until) if now >= until && self.missing() == 0) {
            self.rests.tenth = Some(bytes);
            self.phase = Phase::Last;
        }
    }

    fn end(&mut self) {
        self.phase = Phase::Still;
    }

    fn missing(&self) -> usize {
        self.members.len() - self.there
    }

    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }

    fn facts(&self) -> Vec<Fact> {
        let mebibytes = |bytes: u64| bytes as f64 / 1_048_576.0;
        let mut facts = vec![
            Fact::new("members that changed rooms", self.moves as f64, ""),
            Fact::new("members that came back", self.reconnects as f64, ""),
        ];
        if let Rests { before, tenth: Some(tenth), last } = self.rests {
            facts.push(Fact::new("memory before", mebibytes(before), "MiB"));
            facts.push(Fact::new("memory after the first tenth", mebibytes(tenth), "MiB"));
            facts.push(Fact::new("memory after the rest", mebibytes(last), "MiB"));
        }
        facts
    }

    fn findings(&self) -> Vec<Finding> {
        let sentence = "memory is flat from the first tenth to the end".to_owned();
        match self.rests.tenth {
            Some(tenth) => vec![Finding::of(self.members.len(), is_flat(tenth, self.rests.last), sentence)],
            None => {
                vec![Finding::of(0, false, format!("{sentence}: too short, or the process is not known"))]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_pages_are_flat_and_a_tenth_is_not() {
        let mebibyte = 1024 * 1024;
        assert!(is_flat(5 * mebibyte, 5 * mebibyte + PAGES) && is_flat(mebibyte, 0));
        assert!(!is_flat(50 * mebibyte, 55 * mebibyte));
    }
}
