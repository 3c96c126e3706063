//! Listening sockets. They are bound before any thread starts, and no error stops them from accepting.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use super::options::{self, Refused};
use crate::settings::Accept;

/// Connections that may wait for accept: 10,000 clients may come back in the same instant.
const BACKLOG: i32 = 4_096;

/// Ports below this one need privileges, unless the system is set otherwise.
const FIRST_UNPRIVILEGED: u16 = 1_024;

/// The server cannot listen on an address.
#[derive(Debug)]
pub struct BindError {
    address: SocketAddr,
    error: io::Error,
}

impl BindError {
    /// This machine has no IPv6, or no IPv6 address.
    fn is_without_ipv6(&self) -> bool {
        self.address.is_ipv6() && (self.is(Errno::AFNOSUPPORT) || self.is(Errno::ADDRNOTAVAIL))
    }

    fn is(&self, errno: Errno) -> bool {
        self.error.raw_os_error() == Some(errno.raw_os_error())
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, error } = self;
        write!(f, "cannot listen on {address}: ")?;
        match error.kind() {
            io::ErrorKind::AddrInUse => {
                f.write_str("another program uses this port; stop it, or choose another port")
            }
            io::ErrorKind::PermissionDenied if address.port() < FIRST_UNPRIVILEGED => {
                f.write_str("ports below 1024 need a privilege; choose a higher port")
            }
            io::ErrorKind::AddrNotAvailable => f.write_str("this machine does not have this address"),
            _ if self.is(Errno::AFNOSUPPORT) => f.write_str("this machine has no IPv6"),
            _ if self.is(Errno::MFILE) || self.is(Errno::NFILE) => {
                write!(f, "{error}; raise the limit of open files (ulimit -n)")
            }
            _ => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// A listening socket of one shard.
pub struct Listener {
    pub(super) socket: TcpListener,
    /// Whether it is the only one for its address: its shard then accepts for all.
    pub(super) alone: bool,
}

/// The sockets on which a server listens.
pub struct Bound {
    /// The sockets of each shard.
    pub listeners: Vec<Vec<Listener>>,
    /// The addresses, with the ports that the system chose.
    pub addresses: Vec<SocketAddr>,
}

/// Listens on each of `addresses`: with one socket for each of `shards`, among which the kernel spreads connections, or, where
/// it does not or `accept` says so, with one for the first of them.
///
/// One log line names the options that the system refuses and that only tune. Another names an address that is left out:
/// on a machine without IPv6 that is `[::]` or `[::1]`, if its IPv4 counterpart is there on the same port.
///
/// # Errors
///
/// The first address on which it cannot listen.
pub fn bind(addresses: &[SocketAddr], shards: usize, accept: Accept) -> Result<Bound, BindError> {
    let mut bound = Bound { listeners: (0..shards).map(|_| Vec::new()).collect(), addresses: Vec::new() };
    let mut refused = Refused::default();
    let wanted = match accept {
        Accept::Each => shards,
        Accept::First => 1,
    };
    for &address in addresses {
        match bind_one(address, only_v6(address, addresses), wanted, &mut refused) {
            Ok((address, sockets)) => {
                bound.addresses.push(address);
                let alone = sockets.len() < shards;
                for (shard, socket) in bound.listeners.iter_mut().zip(sockets) {
                    shard.push(Listener { socket: TcpListener::from_std(socket.into()), alone });
                }
            }
            Err(error) if error.is_without_ipv6() && has_counterpart(address, addresses) => {
                tracing::warn!(%address, "not listening on this address: this machine has no IPv6");
            }
            Err(error) => return Err(error),
        }
    }
    if !refused.is_empty() {
        tracing::warn!(
            "the system refused socket options that are not essential; the server runs without them: {refused}"
        );
    }
    Ok(bound)
}

/// Listens on `address` with so many sockets, over which the kernel spreads connections, or with one where it does not.
///
/// The first socket is bound without SO_REUSEPORT, so that a port in use, even by another Switchboard, is an error. Only
/// then is the port opened to the other sockets.
fn bind_one(
    address: SocketAddr,
    only_v6: Option<bool>,
    wanted: usize,
    refused: &mut Refused,
) -> Result<(SocketAddr, Vec<Socket>), BindError> {
    let fail = |error| BindError { address, error };
    let first = socket(address, only_v6, refused).map_err(fail)?;
    first.bind(&address.into()).and_then(|()| first.listen(BACKLOG)).map_err(fail)?;
    // With port 0 the others join the first socket's port.
    let bound = first.local_addr().map_err(fail)?;
    let mut sockets = vec![first];
    let mut shared = wanted > 1 && options::share(&sockets[0], refused);
    while shared && sockets.len() < wanted {
        let next = socket(address, only_v6, refused).map_err(fail)?;
        shared = options::share(&next, refused);
        if shared {
            next.bind(&bound).and_then(|()| next.listen(BACKLOG)).map_err(fail)?;
            sockets.push(next);
        }
    }
    if sockets.len() < wanted {
        // The sockets after the first would get connections that are not handed round.
        sockets.truncate(1);
    }
    Ok((bound.as_socket().unwrap_or(address), sockets))
}

/// A socket that does not block.
fn socket(address: SocketAddr, only_v6: Option<bool>, refused: &mut Refused) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    options::tune(&socket, refused);
    if let Some(only) = only_v6 {
        refused.note("IPV6_V6ONLY", socket.set_only_v6(only));
    }
    Ok(socket)
}

/// Whether `address` is for IPv6 only; `None` where it cannot be for both.
///
/// `[::]` is for both, whatever the system is set to, unless an IPv4 address wants the same port for itself.
fn only_v6(address: SocketAddr, all: &[SocketAddr]) -> Option<bool> {
    let takes = |other: &SocketAddr| other.port() == address.port() && other.ip().to_canonical().is_ipv4();
    match address {
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => Some(all.iter().any(takes)),
        SocketAddr::V6(v6) if v6.ip().to_ipv4_mapped().is_some() => Some(false),
        _ => None,
    }
}

/// Whether the IPv4 counterpart of `[::]` or `[::1]` is among `all`, on the same port.
fn has_counterpart(address: SocketAddr, all: &[SocketAddr]) -> bool {
    let counterpart = match address.ip() {
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv4Addr::UNSPECIFIED,
        IpAddr::V6(ip) if ip.is_loopback() => Ipv4Addr::LOCALHOST,
        _ => return false,
    };
    all.contains(&SocketAddr::from((counterpart, address.port())))
}

/// The result of an attempt to accept.
pub(super) enum Accepted {
    /// A connection, and its address.
    Connection(TcpStream, IpAddr),
    /// No connection waits.
    Nobody,
    /// The process or the machine has no descriptor or memory left: connections go on waiting.
    Exhausted(io::Error),
}

/// Accepts one connection.
pub(super) fn accept(listener: &TcpListener) -> Accepted {
    loop {
        match listener.accept() {
            Ok((stream, peer)) => return Accepted::Connection(stream, peer.ip().to_canonical()),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Accepted::Nobody,
                // The connection was gone before it was accepted.
                io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                _ => return Accepted::Exhausted(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn any_address_of_ipv6_leaves_ipv4_to_who_wants_it() {
        let only = |texts: &[&str]| {
            let all = addresses(texts);
            only_v6(all[0], &all)
        };
        assert_eq!(only(&["[::]:80"]), Some(false));
        assert_eq!(only(&["[::]:80", "0.0.0.0:81"]), Some(false));
        assert_eq!(only(&["[::]:80", "0.0.0.0:80"]), Some(true));
        assert_eq!(only(&["[::]:80", "192.0.2.1:80"]), Some(true));
        assert_eq!(only(&["[::]:80", "[::ffff:192.0.2.1]:80"]), Some(true));
        assert_eq!(only(&["[::ffff:192.0.2.1]:80"]), Some(false));
        assert_eq!(only(&["[::1]:80", "127.0.0.1:80"]), None);
        assert_eq!(only(&["0.0.0.0:80", "[::]:80"]), None);
    }

    #[test]
    fn ipv6_may_be_missing_where_ipv4_has_the_same() {
        let all = addresses(&["127.0.0.1:80", "0.0.0.0:81"]);
        let spare = |text: &str| has_counterpart(text.parse().unwrap(), &all);
        assert!(spare("[::1]:80") && spare("[::]:81"));
        assert!(!spare("[::1]:81") && !spare("[::]:80") && !spare("[2001:db8::1]:80"));
        let missing = |errno: Errno, address: &str| {
            BindError { address: address.parse().unwrap(), error: errno.into() }.is_without_ipv6()
        };
        assert!(missing(Errno::AFNOSUPPORT, "[::1]:80") && missing(Errno::ADDRNOTAVAIL, "[::1]:80"));
        assert!(!missing(Errno::ADDRINUSE, "[::1]:80") && !missing(Errno::ADDRNOTAVAIL, "192.0.2.1:80"));
    }

    #[test]
    fn what_a_person_reads() {
        let told = |errno: Errno, address: &str| {
            let error = BindError { address: address.parse().unwrap(), error: errno.into() };
            error.to_string().strip_prefix(&format!("cannot listen on {address}: ")).unwrap().to_owned()
        };
        assert!(told(Errno::ADDRINUSE, "[::1]:80").starts_with("another program uses this port"));
        assert!(told(Errno::ACCESS, "0.0.0.0:80").starts_with("ports below 1024"));
        assert!(told(Errno::ACCESS, "0.0.0.0:8000").starts_with("Permission denied"));
        assert_eq!(told(Errno::ADDRNOTAVAIL, "192.0.2.1:1"), "this machine does not have this address");
        assert_eq!(told(Errno::AFNOSUPPORT, "[::1]:1"), "this machine has no IPv6");
        assert!(told(Errno::MFILE, "[::1]:1").contains("ulimit -n"));
    }

    #[test]
    fn one_port_on_both_families_in_either_order() {
        for (first, second) in [("0.0.0.0", "[::]"), ("[::]", "0.0.0.0"), ("[::]", "127.0.0.1")] {
            // Only a bound port is known to be free, and another program may take it in between. So several are tried.
            let bound = (0..20).any(|_| {
                let free = bind(&addresses(&["0.0.0.0:0"]), 1, Accept::Each).unwrap().addresses[0].port();
                bind(&addresses(&[&format!("{first}:{free}"), &format!("{second}:{free}")]), 2, Accept::Each)
                    .is_ok_and(|bound| bound.addresses.len() == 2 && bound.listeners.len() == 2)
            });
            assert!(bound, "{first} and {second}");
        }
    }

    #[test]
    fn a_port_that_is_taken_is_an_error_for_many_shards_too() {
        for shards in [1, 3] {
            let taken = bind(&addresses(&["127.0.0.1:0"]), shards, Accept::Each).unwrap();
            assert_eq!(taken.listeners.iter().map(Vec::len).collect::<Vec<_>>(), vec![1; shards]);
            let Err(error) = bind(&taken.addresses, shards, Accept::Each) else { panic!("it was had twice") };
            assert!(error.to_string().contains("another program uses this port"), "{error}");
        }
    }

    #[test]
    fn the_first_may_accept_for_all() {
        let counts = |shards, accept| -> Vec<Vec<bool>> {
            let bound = bind(&addresses(&["127.0.0.1:0", "127.0.0.1:0"]), shards, accept).unwrap();
            let alone = |listeners: &Vec<Listener>| listeners.iter().map(|one| one.alone).collect();
            bound.listeners.iter().map(alone).collect()
        };
        assert_eq!(counts(3, Accept::First), [vec![true, true], vec![], vec![]]);
        assert_eq!(counts(1, Accept::First), [[false, false]]);
        if cfg!(target_os = "linux") {
            assert_eq!(counts(2, Accept::Each), [[false, false], [false, false]]);
        }
    }
}
