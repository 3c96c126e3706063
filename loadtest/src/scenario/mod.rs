//! The scenarios: what is done to a server, and what must come of it.

use crate::clock::Nanos;
use crate::meter::Meter;
use crate::net::{Listener, Net};
use crate::outcome::Fact;
use crate::wire::request::Opening;

pub(crate) mod beside;
pub(crate) mod chat;
pub(crate) mod connect;
pub(crate) mod echo;
pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod pace;
pub(crate) mod publish;
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

    /// Does what is due `now`; the next time at which something will be.
    fn tick(&mut self, _net: &mut Net, _now: Nanos) -> Option<Nanos> {
        None
    }

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
}
