//! One run: connect, warm up, measure, wait for what is still under way.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::clock::{Clock, Nanos, SECOND, nanos, seconds};
use crate::meter::Point;
use crate::net::Net;
use crate::outcome::{Fact, Latency, Memory, Outcome};
use crate::process::Watch;
use crate::progress::Progress;
use crate::scenario::Scenario;
use crate::subject::Subject;

mod warnings;

use warnings::warnings;

/// How long all connections may take.
const RAMP: Nanos = 120 * SECOND;

/// The pause between the last join and the first message. A server may answer a handshake a moment before the join, and
/// memory needs time to settle.
const SETTLE: Nanos = SECOND / 2;

/// How long messages under way may take at the end.
const DRAIN: Nanos = 10 * SECOND;

/// The length of one interval.
const INTERVAL: Nanos = SECOND / 4;

/// The settings of a run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
    /// Connections per second while opening; 0 for as fast as the server answers.
    pub(crate) connect_rate: f64,
    /// Handshakes under way at once.
    pub(crate) connecting: usize,
    pub(crate) seed: u64,
    /// Source addresses; as many as are needed if it is not given.
    pub(crate) sources: Option<usize>,
}

/// A run under way.
pub(crate) struct Run<'a> {
    plan: &'a Plan,
    net: Net,
    scenario: &'a mut dyn Scenario,
    subject: Subject,
    progress: &'a Progress,
    begun: bool,
    timeline: Vec<Point>,
    memory: Vec<Memory>,
}

/// The clocks at one moment.
#[derive(Clone, Copy)]
struct Reading {
    at: Nanos,
    waited: Nanos,
    server: Option<u64>,
    load: u64,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        address: SocketAddr,
        scenario: &'a mut dyn Scenario,
        subject: Subject,
        progress: &'a Progress,
    ) -> Result<Run<'a>> {
        let net = Net::new(address, plan.seed, Clock::new()).context("no event loop")?;
        Ok(Run {
            plan,
            net,
            scenario,
            subject,
            progress,
            begun: false,
            timeline: Vec::new(),
            memory: Vec::new(),
        })
    }

    /// Uses so many loopback addresses as sources of the connections.
    pub(crate) fn spread_over(mut self, sources: usize) -> Run<'a> {
        self.net.spread_over(sources);
        self
    }

    /// Runs to the end.
    ///
    /// # Errors
    ///
    /// The server sent something wrong, or did not send what it should have.
    pub(crate) fn go(mut self, target: &str, name: &str) -> Result<Outcome> {
        self.weigh()?;
        self.ramp()?;
        let settled = self.net.now() + SETTLE;
        self.until(settled)?;
        self.weigh()?;
        self.scenario.begin(&mut self.net);
        self.begun = true;
        if self.scenario.warms_up() {
            let warm = self.net.now() + nanos(self.plan.warm_up);
            self.until(warm)?;
        }
        let before = self.read()?;
        self.measure()?;
        let after = self.read()?;
        self.weigh()?;
        self.drain()?;
        if self.scenario.weighs() {
            let settled = self.net.now() + SETTLE;
            self.until(settled)?;
            self.weigh()?;
        }
        Ok(self.outcome(target, name, before, after))
    }

    /// Opens all connections and waits until they are in their rooms.
    fn ramp(&mut self) -> Result<()> {
        let total = self.scenario.connections();
        let begun = self.net.now();
        let mut next = 0;
        while !self.scenario.is_ready() {
            let now = self.net.now();
            if now - begun > RAMP {
                bail!(
                    "{} of {total} connections are open after {} s, and not all have joined",
                    self.net.open_count(),
                    RAMP / SECOND
                );
            }
            let allowed = self.allowed(now - begun).min(total);
            while next < allowed && self.net.connecting_count() < self.plan.connecting {
                let opening = self.scenario.opening(next);
                self.net
                    .open(next, &opening)
                    .with_context(|| format!("connection {next} cannot be opened"))?;
                next += 1;
                if next.is_multiple_of((total / 8).max(1)) {
                    self.weigh()?;
                }
            }
            self.progress.ramp(self.net.open_count(), total);
            self.turn(now + SECOND / 100)?;
        }
        Ok(())
    }

    /// How many connections may have begun by now.
    fn allowed(&self, elapsed: Nanos) -> usize {
        if self.plan.connect_rate == 0.0 {
            return usize::MAX;
        }
        (seconds(elapsed) * self.plan.connect_rate) as usize + 1
    }

    fn measure(&mut self) -> Result<()> {
        self.scenario.meter().start();
        let begun = self.net.now();
        let end = begun + self.scenario.lasts().unwrap_or(nanos(self.plan.duration));
        self.scenario.measured_until(end);
        let mut last = begun;
        while last < end && !self.scenario.is_over() {
            self.until((last + INTERVAL).min(end))?;
            let now = self.net.now();
            let point = self.scenario.meter().end_interval(seconds(now - begun), seconds(now - last));
            self.progress.measure(&point, seconds(end - begun));
            self.timeline.push(point);
            if self.scenario.weighs() {
                self.weigh()?;
            }
            last = now;
        }
        self.scenario.meter().stop();
        Ok(())
    }

    fn drain(&mut self) -> Result<()> {
        self.scenario.end();
        let end = self.net.now() + DRAIN;
        while self.scenario.missing() > 0 {
            if self.net.now() > end {
                bail!("{} messages never came", self.scenario.missing());
            }
            self.turn(end)?;
        }
        Ok(())
    }

    /// Goes on until `deadline`, or until there is nothing more to measure.
    fn until(&mut self, deadline: Nanos) -> Result<()> {
        while self.net.now() < deadline && !self.scenario.is_over() {
            self.turn(deadline)?;
        }
        Ok(())
    }

    /// One turn of the loop, which ends at `deadline` at the latest.
    fn turn(&mut self, deadline: Nanos) -> Result<()> {
        let now = self.net.now();
        let due = if self.begun { self.scenario.tick(&mut self.net, now) } else { None };
        let next = due.map_or(deadline, |due| due.min(deadline));
        self.net.turn(self.scenario, Some(next)).context("the event loop broke")?;
        self.serve_the_scenario()?;
        match self.scenario.meter().failure() {
            Some(failure) => bail!("{failure}"),
            None => Ok(()),
        }
    }

    /// Does to the server what the scenario asks for, and tells the scenario the result.
    fn serve_the_scenario(&mut self) -> Result<()> {
        if let Some(deed) = self.scenario.deed() {
            self.subject.carry_out(deed)?;
        }
        if let Some(well) = self.subject.ended()? {
            self.scenario.server_ended(self.net.now(), well);
        }
        Ok(())
    }

    fn weigh(&mut self) -> Result<()> {
        if let Some(bytes) = self.subject.memory()? {
            self.memory.push(Memory { connections: self.net.open_count(), bytes });
            self.scenario.weighed(self.net.now(), bytes);
        }
        Ok(())
    }

    fn read(&self) -> Result<Reading> {
        let server = self.subject.cpu()?;
        Ok(Reading { at: self.net.now(), waited: self.net.waited(), server, load: Watch::on_self().cpu()? })
    }

    fn outcome(self, target: &str, name: &str, before: Reading, after: Reading) -> Outcome {
        let micros = |before: u64, after: u64| after.saturating_sub(before) as f64 / 1e6;
        let elapsed = after.at - before.at;
        let busy = 1.0 - (after.waited - before.waited) as f64 / elapsed.max(1) as f64;
        let mut facts = self.scenario.facts();
        facts
            .extend((self.net.pings() > 0).then(|| Fact::new("pings answered", self.net.pings() as f64, "")));
        let findings = self.scenario.findings();
        let connections = self.net.open_count();
        let meter = self.scenario.meter();
        let mut outcome = Outcome {
            target: target.to_owned(),
            scenario: name.to_owned(),
            connections,
            seconds: seconds(elapsed),
            published: meter.published_count(),
            delivered: meter.delivered_count(),
            server_cpu: before.server.zip(after.server).map(|(before, after)| micros(before, after)),
            load_cpu: micros(before.load, after.load),
            load_busy: busy.max(0.0),
            latency: Latency::of(meter.latency()),
            timeline: self.timeline,
            memory: self.memory,
            facts,
            findings,
            warnings: Vec::new(),
        };
        outcome.warnings = warnings(&outcome, meter.lateness().value_at_quantile(0.99));
        outcome
    }
}
