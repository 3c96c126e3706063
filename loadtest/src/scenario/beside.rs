//! A big room that is written to without a pause, and one echo beside it: how long does the echo wait for the room?
//!
//! Only the echo's latency counts. The echo is read after every few of the room's messages, so that the load test's own
//! work on the room does not count as the server's.

use super::Scenario;
use super::echo::Echo;
use super::fanout::Fanout;
use crate::clock::Nanos;
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::outcome::Fact;
use crate::wire::Heard;
use crate::wire::request::Opening;

/// A [`Fanout`] with an [`Echo`] beside it. The room has the numbers below the echo's.
pub(crate) struct Beside {
    room: Fanout,
    echo: Echo,
    /// The echo's number.
    last: usize,
}

impl Beside {
    /// `echo` must have one connection.
    pub(crate) fn new(room: Fanout, echo: Echo) -> Beside {
        let last = room.connections();
        Beside { room, echo: echo.numbered(last), last }
    }
}

impl Listener for Beside {
    fn opened(&mut self, net: &mut Net, n: usize) {
        if n == self.last {
            net.watch(n);
            self.echo.opened(net, n);
        } else {
            self.room.opened(net, n);
        }
    }

    fn heard(&mut self, net: &mut Net, n: usize, heard: &Heard<'_>, now: Nanos) {
        if n == self.last {
            self.echo.heard(net, n, heard, now);
        } else {
            self.room.heard(net, n, heard, now);
        }
    }

    fn ended(&mut self, net: &mut Net, n: usize, end: End) {
        if n == self.last {
            self.echo.ended(net, n, end);
        } else {
            self.room.ended(net, n, end);
        }
    }
}

impl Scenario for Beside {
    fn connections(&self) -> usize {
        self.last + 1
    }

    fn opening(&self, n: usize) -> Opening {
        if n == self.last { self.echo.opening(n) } else { self.room.opening(n) }
    }

    fn is_ready(&self) -> bool {
        self.room.is_ready() && self.echo.is_ready()
    }

    fn begin(&mut self, net: &mut Net) {
        self.room.begin(net);
        self.echo.begin(net);
        self.room.meter().start();
    }

    fn tick(&mut self, net: &mut Net, now: Nanos) -> Option<Nanos> {
        if let Some(failure) = self.room.meter().failure() {
            let failure = failure.to_owned();
            self.echo.meter().fail(failure);
        }
        let room = self.room.tick(net, now);
        let echo = self.echo.tick(net, now);
        room.into_iter().chain(echo).min()
    }

    fn end(&mut self) {
        self.room.end();
        self.echo.end();
    }

    fn missing(&self) -> usize {
        self.room.missing() + self.echo.missing()
    }

    fn meter(&mut self) -> &mut Meter {
        self.echo.meter()
    }

    fn facts(&self) -> Vec<Fact> {
        vec![Fact::new("deliveries to the room", self.room.delivered() as f64, "")]
    }
}
