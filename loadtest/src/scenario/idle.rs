//! Members that do nothing.

use super::Scenario;
use crate::clock::Nanos;
use crate::dialect::{Dialect, Said};
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::wire::Heard;
use crate::wire::request::Opening;

/// Connections that join and then send only pongs.
pub(crate) struct Idle {
    dialect: Box<dyn Dialect>,
    named: bool,
    joined: Vec<bool>,
    count: usize,
    meter: Meter,
}

/// The room that all idle members are in.
const ROOM: &str = "idle";

impl Idle {
    /// `named` members have a user's name, as the native dialect allows.
    pub(crate) fn new(connections: usize, named: bool, dialect: Box<dyn Dialect>) -> Idle {
        Idle { dialect, named, joined: vec![false; connections], count: 0, meter: Meter::new() }
    }

    fn join(&mut self, n: usize) {
        if !std::mem::replace(&mut self.joined[n], true) {
            self.count += 1;
        }
    }
}

impl Listener for Idle {
    fn opened(&mut self, net: &mut Net, n: usize) {
        if self.dialect.greet(net, n, ROOM) {
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

    fn ended(&mut self, _: &mut Net, n: usize, end: End) {
        self.meter.fail(format!("member {n}: the connection is over: {end}"));
    }
}

impl Scenario for Idle {
    fn connections(&self) -> usize {
        self.joined.len()
    }

    fn opening(&self, n: usize) -> Opening {
        let mut opening = self.dialect.opening(ROOM);
        if self.named {
            let before = if opening.target.contains('?') { '&' } else { '?' };
            opening.target.push_str(&format!("{before}user=user-{n}"));
        }
        opening
    }

    fn is_ready(&self) -> bool {
        self.count == self.joined.len()
    }

    fn begin(&mut self, _: &mut Net) {}

    fn end(&mut self) {}

    fn missing(&self) -> usize {
        0
    }

    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}
