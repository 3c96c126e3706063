//! The scenarios: what is done to a server, and what must come of it.

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

/// One kind of work. The run opens its connections, then lets it begin, warm up, be measured and end.
pub(crate) trait Scenario: Listener {
    /// How many connections are opened before it begins.
    fn connections(&self) -> usize;

    /// How connection `n` is opened.
    fn opening(&self, n: usize) -> Opening;

    /// All connections are where they should be.
    fn is_ready(&self) -> bool;

    /// Whether work before the measuring makes sense: not where it is done only once.
    fn warms_up(&self) -> bool {
        true
    }

    /// The work begins.
    fn begin(&mut self, net: &mut Net);

    /// How long is measured, where that is not for `--duration` to say.
    fn lasts(&self) -> Option<Nanos> {
        None
    }

    /// Measuring begins now, and is to be over at `end`.
    fn measured_until(&mut self, _end: Nanos) {}

    /// Does what is due `now`; the next time at which something will be.
    fn tick(&mut self, _net: &mut Net, _now: Nanos) -> Option<Nanos> {
        None
    }

    /// What is to be done to the server now. Asked after every tick.
    fn deed(&mut self) -> Option<Deed> {
        None
    }

    /// The server has ended after [`Deed::Terminate`], and says that all went `well` or not.
    fn server_ended(&mut self, _now: Nanos, _well: bool) {}

    /// Whether the server's memory is to be read all the while, and once more at rest.
    fn weighs(&self) -> bool {
        false
    }

    /// The server's resident memory was read.
    fn weighed(&mut self, _now: Nanos, _bytes: u64) {}

    /// Nothing new is to be begun.
    fn end(&mut self);

    /// Messages that were sent and have not come yet.
    fn missing(&self) -> usize;

    /// There is nothing more to measure, whatever the clock says.
    fn is_over(&self) -> bool {
        false
    }

    fn meter(&mut self) -> &mut Meter;

    /// What this scenario measures besides.
    fn facts(&self) -> Vec<Fact> {
        Vec::new()
    }

    /// What was to come of it, and whether it did.
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
}
