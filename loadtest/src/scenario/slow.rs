//! A share of a room's members stop reading: they must be cut off, and nobody else may notice.
//!
//! The healthy members and their publisher are a [`Fanout`]; the slow ones have the numbers behind them. At the end
//! they read again: what comes must be in order up to the point where the server gave up on them.

use super::Scenario;
use super::fanout::{Fanout, wrong_bytes};
use crate::clock::{Nanos, SECOND};
use crate::dialect::{Dialect, Said};
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::outcome::Fact;
use crate::payload::Payloads;
use crate::wire::Heard;
use crate::wire::request::Opening;

/// The close code of a slow consumer.
const SLOW: u16 = 4100;

/// A room of healthy members with slow ones among them.
pub(crate) struct Slow {
    room: Fanout,
    dialect: Box<dyn Dialect>,
    payloads: Payloads,
    members: Vec<Sluggard>,
    joined: usize,
    stalled: bool,
    phase: Phase,
}

/// How far the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    /// The slow ones are to read again.
    Ending,
    /// They read until then.
    ReadingUntil(Nanos),
    Over,
}

/// How long the slow ones may read at the end before they count as connected still.
const READING: Nanos = 3 * SECOND;

/// A member that stops reading once it has joined.
#[derive(Clone, Default)]
struct Sluggard {
    joined: bool,
    /// The sequence that it should see next; of the first message it sees, any.
    next: Option<u64>,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    /// Still connected, as far as one can see without reading.
    #[default]
    Connected,
    /// Closed with 4100.
    Told,
    /// Gone without that.
    Gone,
}

impl Slow {
    /// `room` must have one room with one publisher.
    pub(crate) fn new(room: Fanout, slow: usize, size: usize, dialect: Box<dyn Dialect>) -> Slow {
        let members = vec![Sluggard::default(); slow];
        Slow {
            room,
            dialect,
            payloads: Payloads::new(size),
            members,
            joined: 0,
            stalled: false,
            phase: Phase::Running,
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
        let stamp = self.payloads.read(payload).ok_or_else(|| wrong_bytes(payload))?;
        let first = self.first();
        let next = self.members[n - first].next.replace(stamp.sequence + 1);
        match next {
            Some(next) if next != stamp.sequence => {
                Err(format!("a slow member sees message {} where {next} was due", stamp.sequence))
            }
            _ => Ok(()),
        }
    }

    fn with_fate(&self, fate: Fate) -> f64 {
        self.members.iter().filter(|member| member.fate == fate).count() as f64
    }
}

impl Listener for Slow {
    fn opened(&mut self, net: &mut Net, n: usize) {
        if n < self.first() {
            return self.room.opened(net, n);
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
        let first = self.first();
        if n < first {
            return self.room.ended(net, n, end);
        }
        if !self.stalled {
            return self
                .meter()
                .fail(format!("member {n}: the connection is over before it was slow: {end}"));
        }
        let told = matches!(end, End::Closed(SLOW, _));
        self.members[n - first].fate = if told { Fate::Told } else { Fate::Gone };
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
        let first = self.first();
        self.stalled = true;
        (first..first + self.members.len()).for_each(|n| net.stop_reading(n));
        self.room.begin(net);
    }

    fn tick(&mut self, net: &mut Net, now: Nanos) -> Option<Nanos> {
        match self.phase {
            Phase::Ending => {
                let first = self.first();
                self.phase = Phase::ReadingUntil(now + READING);
                (first..first + self.members.len()).for_each(|n| net.read_again(self, n));
            }
            Phase::ReadingUntil(end) if now >= end || self.with_fate(Fate::Connected) == 0.0 => {
                self.phase = Phase::Over;
            }
            _ => {}
        }
        let soon = (self.phase != Phase::Running).then_some(now + SECOND / 100);
        self.room.tick(net, now).into_iter().chain(soon).min()
    }

    fn end(&mut self) {
        self.phase = Phase::Ending;
        self.room.end();
    }

    fn missing(&self) -> usize {
        self.room.missing() + usize::from(self.phase != Phase::Over)
    }

    fn meter(&mut self) -> &mut Meter {
        self.room.meter()
    }

    fn facts(&self) -> Vec<Fact> {
        vec![
            Fact::new("slow members", self.members.len() as f64, ""),
            Fact::new("closed with 4100", self.with_fate(Fate::Told), ""),
            Fact::new("gone without a word", self.with_fate(Fate::Gone), ""),
            Fact::new("still connected", self.with_fate(Fate::Connected), ""),
        ]
    }
}
