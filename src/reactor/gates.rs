//! The listening sockets of a reactor, and which shard gets each of their connections.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::listener::{Accepted, Listener, accept};
use crate::id::ShardId;

/// How long a listener rests when no descriptor is left: no edge comes when there is one again.
const REST: Duration = Duration::from_millis(100);

/// How long after a line about missing descriptors the log has no other.
const QUIET: Duration = Duration::from_secs(60);

/// A listening socket, and whether a connection may wait at it.
struct Gate {
    listener: Listener,
    waiting: bool,
    rests_until: Option<Instant>,
}

/// All listening sockets of a reactor.
pub(super) struct Gates {
    me: ShardId,
    gates: Vec<Gate>,
    /// The shard that gets the next connection of a listener that accepts for all.
    next: usize,
    complained: Option<Instant>,
}

impl Gates {
    /// The gates of `listeners`, with tokens from `first` on.
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

    /// The kernel says that a connection waits at `index`.
    pub(super) fn knocked(&mut self, index: usize) {
        self.gates[index].waiting = true;
    }

    /// Whether a connection may wait that can be accepted now.
    pub(super) fn has_work(&self) -> bool {
        self.gates.iter().any(|gate| gate.waiting && gate.rests_until.is_none())
    }

    /// When the first resting listener goes on.
    pub(super) fn rests_until(&self) -> Option<Instant> {
        self.gates.iter().filter_map(|gate| gate.rests_until).min()
    }

    /// The next connection at `index`, and the shard that gets it; `None` if none waits.
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

    /// Logs that no descriptor is left for a connection, at most once per minute.
    pub(super) fn complain(&mut self, error: &io::Error, sessions: usize) {
        let now = Instant::now();
        if self.complained.is_none_or(|last| now.duration_since(last) >= QUIET) {
            self.complained = Some(now);
            tracing::warn!(%error, sessions, "cannot accept: raise the limit of open files (ulimit -n)");
        }
    }
}
