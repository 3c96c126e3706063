//! The listening sockets of a reactor, and who gets the connections that come to them.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::listener::{Accepted, Listener, accept};
use crate::id::ShardId;

/// How long a listener rests when there is no descriptor left: no edge tells when there is one again.
const REST: Duration = Duration::from_millis(100);

/// How long nothing is said of a lack of descriptors that was told.
const QUIET: Duration = Duration::from_secs(60);

/// A listening socket, and whether somebody may wait at it.
struct Gate {
    listener: Listener,
    waiting: bool,
    rests_until: Option<Instant>,
}

/// All listening sockets of a reactor.
pub(super) struct Gates {
    me: ShardId,
    gates: Vec<Gate>,
    /// The shard that gets the next connection of a listener that is alone.
    next: usize,
    complained: Option<Instant>,
}

impl Gates {
    /// Those `listeners`, whose tokens begin with `first`.
    ///
    /// # Errors
    ///
    /// If the system has no room for them in its poll.
    pub(super) fn new(
        me: ShardId,
        registry: &Registry,
        first: usize,
        listeners: Vec<Listener>,
    ) -> io::Result<Self> {
        let mut gates = Vec::new();
        for (index, mut listener) in listeners.into_iter().enumerate() {
            registry.register(&mut listener.socket, Token(first + index), Interest::READABLE)?;
            gates.push(Gate { listener, waiting: true, rests_until: None });
        }
        Ok(Self { me, gates, next: 0, complained: None })
    }

    pub(super) fn len(&self) -> usize {
        self.gates.len()
    }

    /// The kernel says that somebody waits at `index`.
    pub(super) fn knocked(&mut self, index: usize) {
        self.gates[index].waiting = true;
    }

    /// Whether somebody may wait who can be taken in now.
    pub(super) fn has_work(&self) -> bool {
        self.gates.iter().any(|gate| gate.waiting && gate.rests_until.is_none())
    }

    /// When the first of those that rest goes on.
    pub(super) fn rests_until(&self) -> Option<Instant> {
        self.gates.iter().filter_map(|gate| gate.rests_until).min()
    }

    /// The next who waits at `index`, and the shard that gets the connection; none where nobody waits.
    ///
    /// # Errors
    ///
    /// If the process or the machine has no descriptor left. The listener rests then.
    pub(super) fn accept(
        &mut self,
        index: usize,
        shards: usize,
    ) -> io::Result<Option<(usize, TcpStream, IpAddr)>> {
        let gate = &mut self.gates[index];
        if !gate.waiting || gate.rests_until.is_some_and(|until| until > Instant::now()) {
            return Ok(None);
        }
        gate.rests_until = None;
        match accept(&gate.listener.socket) {
            Accepted::Connection(stream, peer) if gate.listener.alone => {
                let shard = self.next % shards;
                self.next = shard + 1;
                Ok(Some((shard, stream, peer)))
            }
            Accepted::Connection(stream, peer) => Ok(Some((usize::from(self.me), stream, peer))),
            Accepted::Nobody => {
                gate.waiting = false;
                Ok(None)
            }
            Accepted::Exhausted(error) => {
                gate.rests_until = Some(Instant::now() + REST);
                Err(error)
            }
        }
    }

    /// Whether the listener at `index` accepts for the other shards, too.
    pub(super) fn is_alone(&self, index: usize) -> bool {
        self.gates[index].listener.alone
    }

    /// Says that there is no room for a connection, once a minute.
    pub(super) fn complain(&mut self, error: &io::Error, sessions: usize) {
        let now = Instant::now();
        if self.complained.is_none_or(|last| now.duration_since(last) >= QUIET) {
            self.complained = Some(now);
            tracing::warn!(%error, sessions, "cannot accept: raise the limit of open files (ulimit -n)");
        }
    }
}
