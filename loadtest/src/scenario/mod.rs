//! The scenarios: what is done to a server, and what must be the result.

use crate::clock::Nanos;
use crate::meter::Meter;
use crate::net::{Listener, Net};
use crate::outcome::{Fact, Finding};
use crate::subject::Deed;
use crate::wire::request::Opening;

pub(crate) mod beside;
pub(crate) mod chat;
pub(crate) mod churn;
pub(crate) mod connect;
pub(crate) mod drain;
pub(crate) mod echo;
pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod pace;
pub(crate) mod publish;
pub(crate) mod returns;
pub(crate) mod slow;
pub(crate) mod storm;

/// One kind of work. The run opens its connections, starts it, warms up, measures it and ends it.
pub(crate) trait Scenario: Listener {
    /// How many connections are opened before it begins.
    fn connections(&self) -> usize;

    /// How connection `n` is opened.
    fn opening(&self, n: usize) -> Opening;

    /// Whether all connections are in their rooms.
    fn is_ready(&self) -> bool;

    /// Whether it can warm up. Work that is done only once cannot.
    fn warms_up(&self) -> bool {
        true
    }

    /// The work begins.
    fn begin(&mut self, net: &mut Net);

    /// How long to measure, if `--duration` does not decide it.
    fn lasts(&self) -> Option<Nanos> {
        None
    }

    /// Measuring begins now and ends at `end`.
    fn measured_until(&mut self, _end: Nanos) {}

    /// Does what is due `now`. Returns the next time at which something is due.
    fn tick(&mut self, _net: &mut Net, _now: Nanos) -> Option<Nanos> {
        None
    }

    /// What has to be done to the server now. Called after every tick.
    fn deed(&mut self) -> Option<Deed> {
        None
    }

    /// The server has ended after [`Deed::Terminate`], with success (`well`) or not.
    fn server_ended(&mut self, _now: Nanos, _well: bool) {}

    /// Whether to read the server's memory all the time, and once more at rest.
    fn weighs(&self) -> bool {
        false
    }

    /// The server's resident memory was read.
    fn weighed(&mut self, _now: Nanos, _bytes: u64) {}

    /// Nothing new may begin.
    fn end(&mut self);

    /// Messages that were sent and have not come yet.
    fn missing(&self) -> usize;

    /// Whether there is nothing more to measure, even before the time is over.
    fn is_over(&self) -> bool {
        false
    }

    fn meter(&mut self) -> &mut Meter;

    /// Further figures of this scenario.
    fn facts(&self) -> Vec<Fact> {
        Vec::new()
    }

    /// The expected results, and whether they were reached.
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
}
