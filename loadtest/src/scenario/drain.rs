//! A server that gets SIGTERM: it must close every client with 1001 and the time after which to come back, and those
//! times must be spread.
//!
//! No client really comes back: a return counts at the time of the close plus the delay in its reason.

use super::Scenario;
use super::returns::Returns;
use crate::clock::{Nanos, SECOND, seconds};
use crate::dialect::{Dialect, Said};
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::outcome::{Fact, Finding};
use crate::subject::Deed;
use crate::wire::Heard;
use crate::wire::request::Opening;

/// The close code of a server that goes away (RFC 6455 section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// How much longer than allowed the load test waits for a stop, to say how long it took.
const PATIENCE: Nanos = 5 * SECOND;

/// How much of a stop may be delays of the load test itself and of the end of the process.
const SLACK: Nanos = SECOND / 2;

/// The largest share of the returns that may fall into 100 ms when a stop takes ten seconds. For a shorter stop the share
/// is larger: the same clients come back in less time.
const STAMPEDE: f64 = 0.03;
const TEN_SECONDS: Nanos = 10 * SECOND;

/// Members in rooms of twenty, on a server that stops.
pub(crate) struct Drain {
    dialect: Box<dyn Dialect>,
    /// How long the stop may take.
    drain: Nanos,
    joined: Vec<bool>,
    ready: usize,
    /// When the server was told to stop.
    told: Option<Nanos>,
    asked: bool,
    closed: usize,
    last_close: Nanos,
    returns: Returns,
    /// When it ended, and whether with success.
    ended: Option<(Nanos, bool)>,
    meter: Meter,
}

/// Members of one room.
const ROOM: usize = 20;

fn room(n: usize) -> String {
    format!("drain-{}", n / ROOM)
}

/// The N of the reason `retry in N ms`.
fn delay(reason: &str) -> Option<Nanos> {
    let millis: u64 = reason.strip_prefix("retry in ")?.strip_suffix(" ms")?.parse().ok()?;
    millis.checked_mul(SECOND / 1_000)
}

impl Drain {
    /// `connections` members of a server that may take `drain` to stop.
    pub(crate) fn new(connections: usize, drain: Nanos, dialect: Box<dyn Dialect>) -> Drain {
        Drain {
            dialect,
            drain,
            joined: vec![false; connections],
            ready: 0,
            told: None,
            asked: false,
            closed: 0,
            last_close: 0,
            returns: Returns::default(),
            ended: None,
            meter: Meter::new(),
        }
    }

    fn join(&mut self, n: usize) {
        if !std::mem::replace(&mut self.joined[n], true) {
            self.ready += 1;
        }
    }

    /// A member is closed.
    fn close(&mut self, end: &End, now: Nanos) -> Result<(), String> {
        let told = self
            .told
            .ok_or_else(|| format!("the connection is over before the server was told to stop: {end}"))?;
        let delay = match end {
            End::Closed(GOING_AWAY, reason) => delay(reason),
            _ => None,
        };
        let delay = delay.ok_or_else(|| format!("not sent away with 1001 and `retry in N ms`: {end}"))?;
        self.closed += 1;
        self.last_close = now;
        self.returns.add(now + delay);
        self.meter.delivered(told, now);
        Ok(())
    }

    fn since_told(&self, at: Nanos) -> f64 {
        self.told.map_or(f64::NAN, |told| seconds(at.saturating_sub(told)))
    }
}

impl Listener for Drain {
    fn opened(&mut self, net: &mut Net, n: usize) {
        if self.dialect.greet(net, n, &room(n)) {
            self.join(n);
        }
    }

    fn heard(&mut self, _: &mut Net, n: usize, heard: &Heard<'_>, _: Nanos) {
        let Heard::Message { payload, .. } = heard else {
            return;
        };
        match self.dialect.read(payload) {
            Ok(Said::Joined) => self.join(n),
            Ok(Said::Nothing) => {}
            Ok(Said::Message(_)) => self.meter.fail(format!("member {n}: a message that nobody sent")),
            Err(what) => self.meter.fail(format!("member {n}: {what}")),
        }
    }

    fn ended(&mut self, net: &mut Net, n: usize, end: End) {
        if let Err(what) = self.close(&end, net.now()) {
            self.meter.fail(format!("member {n}: {what}"));
        }
    }
}

impl Scenario for Drain {
    fn connections(&self) -> usize {
        self.joined.len()
    }

    fn opening(&self, n: usize) -> Opening {
        self.dialect.opening(&room(n))
    }

    fn is_ready(&self) -> bool {
        self.ready == self.joined.len()
    }

    fn warms_up(&self) -> bool {
        false
    }

    fn begin(&mut self, _: &mut Net) {}

    fn lasts(&self) -> Option<Nanos> {
        Some(self.drain + PATIENCE)
    }

    fn measured_until(&mut self, end: Nanos) {
        self.told = Some(end - self.drain - PATIENCE);
    }

    fn tick(&mut self, _: &mut Net, now: Nanos) -> Option<Nanos> {
        // The end of a process does not wake the loop, so it has to be checked.
        Some(now + SECOND / 100)
    }

    fn deed(&mut self) -> Option<Deed> {
        let is_time = self.told.is_some() && !std::mem::replace(&mut self.asked, self.told.is_some());
        is_time.then_some(Deed::Terminate)
    }

    fn server_ended(&mut self, now: Nanos, well: bool) {
        self.ended.get_or_insert((now, well));
    }

    fn end(&mut self) {}

    fn missing(&self) -> usize {
        self.joined.len() - self.closed
    }

    fn is_over(&self) -> bool {
        self.ended.is_some() && self.missing() == 0
    }

    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }

    fn facts(&self) -> Vec<Fact> {
        let (ended, _) = self.ended.unwrap_or((Nanos::MAX, false));
        let back = |share| self.returns.by(share).map_or(f64::NAN, |at| self.since_told(at));
        vec![
            Fact::new("closed with 1001 and a delay", self.closed as f64, ""),
            Fact::new("last one closed after", self.since_told(self.last_close), "s"),
            Fact::new("server ended after", self.since_told(ended), "s"),
            Fact::new("half may come back after", back(0.5), "s"),
            Fact::new("all may come back after", back(1.0), "s"),
            Fact::new("busiest 100 ms of the returns", self.returns.busiest() * 100.0, "%"),
        ]
    }

    fn findings(&self) -> Vec<Finding> {
        let connections = self.joined.len();
        let most = STAMPEDE * TEN_SECONDS as f64 / self.drain.max(1) as f64;
        let spread = format!("no 100 ms holds more than {:.1} % of the returns", most * 100.0);
        let in_time = |(at, well): (Nanos, bool)| {
            well && self.told.is_some_and(|told| at.saturating_sub(told) <= self.drain + SLACK)
        };
        let ended = format!("the server ends in good order within its {} s", seconds(self.drain));
        vec![
            Finding::of(connections, self.returns.busiest() <= most, spread),
            Finding::of(connections, self.ended.is_some_and(in_time), ended),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_of_a_reason() {
        assert_eq!(delay("retry in 250 ms"), Some(SECOND / 4));
        for reason in
            ["", "retry in ms", "retry in -1 ms", "retry in 1 s", "retry in 99999999999999999999 ms"]
        {
            assert_eq!(delay(reason), None, "{reason}");
        }
    }
}
