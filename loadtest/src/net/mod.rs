//! The load test's own loop: thousands of client connections on one thread, no runtime.
//!
//! Connections have the numbers that the scenario gives them, and keep them when they are opened again. What a scenario
//! sends is collected, and written once for each connection at the end of a batch of events.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use fastrand::Rng;
use mio::{Events, Interest, Poll, Token};
use socket2::SockRef;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use crate::clock::{Clock, Nanos};
use crate::wire::decoder::Decoder;
use crate::wire::request::Opening;
use crate::wire::{Heard, WireError, frame};

mod alarm;
mod connection;
mod turn;

use alarm::Alarm;
use connection::Connection;

/// The alarm's token; every other one is a connection's number.
const ALARM: Token = Token(usize::MAX);

/// How many events are taken at once: few, so that a deadline waits for only a few.
const BATCH: usize = 64;

/// One read takes at most so much.
const READ_BUFFER: usize = 256 * 1024;

/// Why a connection is over.
#[derive(Debug)]
pub(crate) enum End {
    /// The server sent a close frame with this code.
    Closed(u16, String),
    /// The server ended the stream without a close frame.
    Eof,
    /// The socket broke, or could not be connected.
    Broken(io::Error),
    /// The server broke a protocol or refused the handshake.
    Wire(WireError),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Closed(code, reason) => write!(f, "closed with {code} {reason:?}"),
            End::Eof => write!(f, "ended without a close frame"),
            End::Broken(error) => write!(f, "broken: {error}"),
            End::Wire(error) => write!(f, "{error}"),
        }
    }
}

/// Receives what the connections receive.
pub(crate) trait Listener {
    /// The connection `n` is ready: upgraded, or streaming, or connected in case of plain HTTP.
    fn opened(&mut self, net: &mut Net, n: usize);

    /// A message, response or event came on connection `n`. Pings and closes are the net's own.
    fn heard(&mut self, net: &mut Net, n: usize, heard: &Heard<'_>, now: Nanos);

    /// The connection `n` is over, and not by [`Net::drop_connection`].
    fn ended(&mut self, net: &mut Net, n: usize, end: End);
}

/// All connections, and the loop that serves them.
#[derive(Debug)]
pub(crate) struct Net {
    server: SocketAddr,
    host: String,
    clock: Clock,
    poll: Poll,
    events: Events,
    alarm: Alarm,
    connections: Vec<Option<Connection>>,
    /// Connections with something to send.
    dirty: Vec<usize>,
    /// The connection that is read after every few others, whatever the order of the events.
    watched: Option<usize>,
    buffer: Vec<u8>,
    rng: Rng,
    incarnations: u64,
    open: usize,
    connecting: usize,
    /// How long the loop had nothing to do.
    waited: Nanos,
    /// How many addresses the connections come from.
    sources: usize,
    pings: u64,
}

impl Net {
    /// A net without connections to `server`, with random numbers from `seed`.
    pub(crate) fn new(server: SocketAddr, seed: u64, clock: Clock) -> io::Result<Net> {
        let poll = Poll::new()?;
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        Ok(Net {
            server,
            host: server.to_string(),
            clock,
            alarm,
            poll,
            events: Events::with_capacity(BATCH),
            connections: Vec::new(),
            dirty: Vec::new(),
            watched: None,
            buffer: vec![0; READ_BUFFER],
            rng: Rng::with_seed(seed),
            incarnations: 0,
            open: 0,
            connecting: 0,
            waited: 0,
            sources: 1,
            pings: 0,
        })
    }

    /// Uses so many loopback addresses in turn as sources of the connections. Each address has ports of its own.
    pub(crate) fn spread_over(&mut self, sources: usize) {
        self.sources = sources;
    }

    pub(crate) fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// Connections whose handshake is over.
    pub(crate) fn open_count(&self) -> usize {
        self.open
    }

    /// Connections in their handshake.
    pub(crate) fn connecting_count(&self) -> usize {
        self.connecting
    }

    /// How long the loop has waited since it was made. The rest of the time is work.
    pub(crate) fn waited(&self) -> Nanos {
        self.waited
    }

    /// Pings of the server that were answered.
    pub(crate) fn pings(&self) -> u64 {
        self.pings
    }

    /// Opens connection `n`. An earlier one of that number is dropped.
    pub(crate) fn open(&mut self, n: usize, opening: &Opening) -> io::Result<()> {
        self.drop_connection(n);
        let (request, accept) = opening.first_bytes(&self.host, self.rng.u128(..).to_ne_bytes());
        self.incarnations += 1;
        let decoder = Decoder::new(&opening.kind, accept);
        let mut connection =
            Connection::connect(self.server, source(n, self.sources), decoder, self.incarnations)?;
        connection.out().extend_from_slice(request.as_bytes());
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut connection.stream, Token(n), both)?;
        if n >= self.connections.len() {
            self.connections.resize_with(n + 1, || None);
        }
        self.connections[n] = Some(connection);
        self.connecting += 1;
        Ok(())
    }

    /// Sends a whole message on the WebSocket `n`, with the end of the batch. Nothing happens when it is over.
    pub(crate) fn send(&mut self, n: usize, text: bool, payload: &[u8]) {
        let kind = if text { Data::Text } else { Data::Binary };
        self.frame(n, OpCode::Data(kind), payload);
    }

    /// Sends bytes as they are on connection `n`, with the end of the batch.
    pub(crate) fn send_bytes(&mut self, n: usize, fill: impl FnOnce(&str, &mut Vec<u8>)) {
        if let Some(Some(connection)) = self.connections.get_mut(n) {
            fill(&self.host, connection.out());
            self.mark(n);
        }
    }

    /// Ends connection `n` at once, without a close frame; its listener is not told.
    pub(crate) fn drop_connection(&mut self, n: usize) {
        if let Some(connection) = self.connections.get_mut(n).and_then(Option::take) {
            if connection.open {
                self.open -= 1;
            } else {
                self.connecting -= 1;
            }
        }
    }

    /// From now on reads connection `n` after every few events, so that the load test's own work on all the others does
    /// not delay it.
    pub(crate) fn watch(&mut self, n: usize) {
        self.watched = Some(n);
    }

    /// Reads no more from connection `n`: a stalled consumer.
    pub(crate) fn stop_reading(&mut self, n: usize) {
        if let Some(Some(connection)) = self.connections.get_mut(n) {
            connection.paused = true;
        }
    }

    /// Gives connection `n` a receive buffer of so many bytes, which does not grow.
    pub(crate) fn narrow(&mut self, n: usize, bytes: usize) -> io::Result<()> {
        match self.get(n) {
            Some(connection) => SockRef::from(&connection.stream).set_recv_buffer_size(bytes),
            None => Ok(()),
        }
    }

    /// Reads connection `n` again, beginning with what has come meanwhile.
    pub(crate) fn read_again(&mut self, listener: &mut dyn Listener, n: usize) {
        if let Some(Some(connection)) = self.connections.get_mut(n) {
            connection.paused = false;
            // It reads to the end: no edge comes for what arrived in the meantime.
            self.read(listener, n, true);
        }
    }

    fn frame(&mut self, n: usize, opcode: OpCode, payload: &[u8]) {
        let mask = self.rng.u32(..).to_ne_bytes();
        if let Some(Some(connection)) = self.connections.get_mut(n) {
            frame::encode(opcode, payload, mask, connection.out());
            self.mark(n);
        }
    }

    fn pong(&mut self, n: usize, payload: &[u8]) {
        self.pings += 1;
        self.frame(n, OpCode::Control(Control::Pong), payload);
    }

    fn mark(&mut self, n: usize) {
        if let Some(Some(connection)) = self.connections.get_mut(n)
            && !connection.dirty
        {
            connection.dirty = true;
            self.dirty.push(n);
        }
    }

    fn get(&self, n: usize) -> Option<&Connection> {
        self.connections.get(n)?.as_ref()
    }
}

/// The source address of connection `n`: the system's choice, or one of loopback's sixteen million if there are several
/// `sources`.
fn source(n: usize, sources: usize) -> Option<SocketAddr> {
    let which = n % sources.max(1);
    let address = [127, 0, (which / 250) as u8, (which % 250) as u8 + 1];
    (which > 0).then(|| SocketAddr::from((address, 0)))
}

/// The wait until `deadline`, in the whole milliseconds that `epoll` can keep; the alarm does the rest.
fn coarse(deadline: Option<Nanos>, now: Nanos) -> Option<Duration> {
    deadline.map(|deadline| Duration::from_millis(deadline.saturating_sub(now) / 1_000_000 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_take_turns() {
        let of = |n| source(n, 3).map(|source| source.to_string());
        assert_eq!(
            [of(0), of(1), of(2), of(3)],
            [None, Some("127.0.0.2:0".to_owned()), Some("127.0.0.3:0".to_owned()), None]
        );
        assert_eq!(source(250, 300).map(|source| source.to_string()).as_deref(), Some("127.0.1.1:0"));
        assert_eq!((source(30_000, 1), source(5, 0)), (None, None));
    }
}
