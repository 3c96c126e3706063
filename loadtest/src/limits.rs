//! The limits of the machine, checked before the first connection.

use std::net::SocketAddr;

use anyhow::{Result, bail, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not connections: standard streams, epoll, the timer, files being read.
const SPARE: u64 = 64;

/// How many connections one source address can have to one server: the ephemeral ports of Linux, without some that others
/// use.
const PORTS: usize = 28_000;

/// How many source addresses so many connections to `server` need, or the number that was asked for.
///
/// # Errors
///
/// Several are needed, and the server is not on loopback, where any address works.
pub(crate) fn sources(connections: usize, asked: Option<usize>, server: SocketAddr) -> Result<usize> {
    let sources = asked.unwrap_or(connections.div_ceil(PORTS)).max(1);
    ensure!(
        sources == 1 || server.ip().is_loopback() && server.is_ipv4(),
        "{connections} connections from {sources} addresses can only go to a server on 127.0.0.1: one address has \
         {PORTS} ports to a server, so run several load tests on several machines against {server}"
    );
    Ok(sources)
}

/// Raises the limit for so many connections, in this process and in the server that it starts.
///
/// # Errors
///
/// The hard limit is lower; the sentence says what to do.
pub(crate) fn make_room(connections: usize) -> Result<()> {
    let wanted = connections as u64 + SPARE;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if let Some(maximum) = maximum
        && maximum < wanted
    {
        bail!(
            "{connections} connections need {wanted} file descriptors, and this process may have {maximum} at most: \
             run `ulimit -n {wanted}` as root in this shell first, or ask for at most {} connections",
            maximum.saturating_sub(SPARE)
        );
    }
    // The server is started by this process and inherits the limit.
    let raised = Rlimit { current: Some(wanted), maximum };
    if setrlimit(Resource::Nofile, raised).is_err() {
        bail!(
            "{connections} connections need {wanted} file descriptors: run `ulimit -n {wanted}` in this shell first"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_source_address_for_every_28_000_connections() {
        let (near, far) = (SocketAddr::from(([127, 0, 0, 1], 80)), SocketAddr::from(([10, 0, 0, 1], 80)));
        let of = |connections, asked| sources(connections, asked, near).expect("loopback has many");
        assert_eq!([of(0, None), of(28_000, None), of(28_001, None), of(9, Some(3))], [1, 1, 2, 3]);
        assert_eq!(sources(28_000, None, far).expect("one is enough"), 1);
        let why = sources(28_001, None, far).expect_err("two are not to be had").to_string();
        assert!(why.contains("several load tests"), "{why}");
    }

    #[test]
    fn a_few_fit_and_a_trillion_do_not() {
        assert!(make_room(3).is_ok());
        if getrlimit(Resource::Nofile).maximum.is_some() {
            let why = make_room(1_000_000_000_000).expect_err("no machine has so many").to_string();
            assert!(why.contains("ulimit -n 1000000000064"), "{why}");
        }
    }
}
