//! Listening sockets: bound before any thread starts, and accepting without ever going deaf.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

/// Connections that may wait for accept: 10,000 clients may come back in the same instant.
const BACKLOG: i32 = 4_096;

/// Unsent bytes that the kernel takes beyond what the network has room for. Without it a client that reads nothing costs
/// 4 MB of kernel memory, with it 0.2 MB.
const NOT_SENT_LOWAT: u32 = 64 * 1024;

/// How long written bytes may go without an acknowledgement before the peer counts as gone.
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// When a silent peer is probed by the kernel, and how often.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new().with_time(Duration::from_secs(60));

/// An address could not be listened on.
#[derive(Debug)]
pub struct BindError {
    address: SocketAddr,
    error: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, error } = self;
        match error.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "cannot listen on {address}: another program has that port; stop it, or listen on another"
            ),
            io::ErrorKind::PermissionDenied => write!(
                f,
                "cannot listen on {address}: ports below 1024 need a privilege; listen on a higher one"
            ),
            io::ErrorKind::AddrNotAvailable => {
                write!(f, "cannot listen on {address}: this machine does not have that address")
            }
            _ => write!(f, "cannot listen on {address}: {error}"),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Listens on `address` with one socket for each of `shards`, among which the kernel spreads connections.
///
/// The first socket is bound without SO_REUSEPORT, so that a port which anybody else has, another Switchboard included, is
/// an error. Only then is it opened to the others.
///
/// # Errors
///
/// If the address cannot be had.
pub fn bind(address: SocketAddr, shards: usize) -> Result<Vec<TcpListener>, BindError> {
    let fail = |error| BindError { address, error };
    let first = socket(address).map_err(fail)?;
    first.bind(&address.into()).and_then(|()| first.listen(BACKLOG)).map_err(fail)?;
    first.set_reuse_port(true).map_err(fail)?;
    // With port 0 the first socket's port is the one to join.
    let bound = first.local_addr().map_err(fail)?;
    let mut sockets = vec![first];
    for _ in 1..shards {
        let next = socket(address).map_err(fail)?;
        next.set_reuse_port(true).map_err(fail)?;
        next.bind(&bound).and_then(|()| next.listen(BACKLOG)).map_err(fail)?;
        sockets.push(next);
    }
    Ok(sockets.into_iter().map(|socket| TcpListener::from_std(socket.into())).collect())
}

/// A socket whose options accepted connections inherit.
fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&KEEPALIVE)?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    socket.set_tcp_notsent_lowat(NOT_SENT_LOWAT)?;
    Ok(socket)
}

/// What an attempt to accept came to.
pub(super) enum Accepted {
    /// A connection, and where it comes from.
    Connection(TcpStream, IpAddr),
    /// Nobody waits any more.
    Nobody,
    /// The process or the machine has no descriptor or memory left: whoever waits goes on waiting.
    Exhausted(io::Error),
}

/// Takes one connection.
pub(super) fn accept(listener: &TcpListener) -> Accepted {
    loop {
        match listener.accept() {
            Ok((stream, peer)) => return Accepted::Connection(stream, peer.ip().to_canonical()),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Accepted::Nobody,
                // The connection was gone before it was taken.
                io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                _ => return Accepted::Exhausted(error),
            },
        }
    }
}
