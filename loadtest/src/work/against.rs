//! Puts work on a server: one that is started for it, or one that already runs.

use std::net::SocketAddr;
use std::thread;

use anyhow::{Context, Result, ensure};

use super::Work;
use crate::limits;
use crate::outcome::Outcome;
use crate::process::{self, Pin};
use crate::progress::Progress;
use crate::run::{Plan, Run};
use crate::subject::Subject;
use crate::target::Target;

impl Work {
    /// Starts the target, does the work, stops it.
    ///
    /// # Errors
    ///
    /// The target cannot do the work, or did something wrong.
    pub(crate) fn against(&self, target: &Target, plan: &Plan, pin: Option<Pin>) -> Result<Outcome> {
        let target = self.prepared(target, plan)?;
        let server = target.start(pin)?;
        let address = server.address;
        self.load(&target, plan, address, Subject::started(server))
    }

    /// The same, with all cores for the server. The load gets what the server does not use.
    pub(crate) fn against_all_cores(&self, target: &Target, plan: &Plan) -> Result<Outcome> {
        let target = self.prepared(target, plan)?;
        // Started here, so that it does not inherit the low priority of the thread below.
        let server = target.start(None)?;
        let address = server.address;
        let load = || {
            process::take_what_is_left()?;
            self.load(&target, plan, address, Subject::started(server))
        };
        let ended = thread::scope(|scope| scope.spawn(load).join());
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Does the work on a running server, of which at most the process is known.
    pub(crate) fn at(
        &self,
        address: SocketAddr,
        target: &Target,
        plan: &Plan,
        pid: Option<u32>,
    ) -> Result<Outcome> {
        ensure!(
            !self.stops_the_server(),
            "{} stops the server, and so has to start it itself: give the name of a target instead of {address}",
            self.name()
        );
        limits::make_room(self.connections())?;
        self.load(
            &Target { name: address.to_string(), ..target.clone() },
            plan,
            address,
            Subject::running(pid),
        )
    }

    /// The target as this work needs it, after a check that the work can be done.
    fn prepared(&self, target: &Target, plan: &Plan) -> Result<Target> {
        limits::make_room(self.connections())?;
        let target = match self {
            Work::Drain(work) => target.with_drain(work.drain)?,
            Work::Slow(work) => target.with_stall(work.stall),
            _ => target.clone(),
        };
        self.scenario(&target, plan.seed)?;
        Ok(target)
    }

    fn load(&self, target: &Target, plan: &Plan, address: SocketAddr, subject: Subject) -> Result<Outcome> {
        let sources = limits::sources(self.connections(), plan.sources, address)?;
        let mut scenario = self.scenario(target, plan.seed)?;
        let progress = Progress::new(&format!("{} {}", target.name, self.name()));
        let run = Run::new(plan, address, scenario.as_mut(), subject, &progress)?;
        run.spread_over(sources).go(&target.name, self.name()).with_context(|| target.name.clone())
    }
}
