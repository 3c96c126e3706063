//! Options of listening sockets, which accepted connections inherit.
//!
//! They only tune: a system that lacks one of them works as well, so the log names it and nothing more happens.

use std::fmt;
use std::io;
use std::time::Duration;

use rustix::net::SendFlags;
use socket2::{Socket, TcpKeepalive};

/// Unsent bytes that the kernel takes beyond what the network can carry. A client that reads nothing costs 4 MB of kernel
/// memory without it, and 0.2 MB with it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NOT_SENT_LOWAT: u32 = 64 * 1024;

/// How long written bytes may go without an acknowledgement before the peer counts as gone.
#[cfg(any(target_os = "linux", target_os = "android"))]
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// When the kernel probes a silent peer, and how often.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new().with_time(Duration::from_secs(60));

/// A write to a peer that is gone is an error and not a signal. Apple's systems have no flag for that, but Rust programs
/// ignore the signal everywhere.
#[cfg(not(target_vendor = "apple"))]
pub(super) const QUIET: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
pub(super) const QUIET: SendFlags = SendFlags::empty();

/// The options that the system refused, each once.
#[derive(Debug, Default)]
pub(super) struct Refused(Vec<(&'static str, io::Error)>);

impl Refused {
    /// Notes the result of setting `option`; returns whether it was set.
    pub(super) fn note(&mut self, option: &'static str, result: io::Result<()>) -> bool {
        let Err(error) = result else { return true };
        if self.0.iter().all(|(other, _)| *other != option) {
            self.0.push((option, error));
        }
        false
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (option, error)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{option} ({error})")?;
        }
        Ok(())
    }
}

/// Sets on `socket` the options of every connection.
pub(super) fn tune(socket: &Socket, refused: &mut Refused) {
    refused.note("SO_REUSEADDR", socket.set_reuse_address(true));
    refused.note("TCP_NODELAY", socket.set_tcp_nodelay(true));
    refused.note("SO_KEEPALIVE", socket.set_tcp_keepalive(&KEEPALIVE));
    // Other systems have no such options; there the heartbeat finds a peer that is gone.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        refused.note("TCP_USER_TIMEOUT", socket.set_tcp_user_timeout(Some(USER_TIMEOUT)));
        refused.note("TCP_NOTSENT_LOWAT", socket.set_tcp_notsent_lowat(NOT_SENT_LOWAT));
    }
}

/// Lets further sockets of this process use the port of `socket`, so that the kernel spreads connections over them.
/// Returns whether it does. On other systems than Linux the option has other meanings: one of the sockets may get every
/// connection.
pub(super) fn share(socket: &Socket, refused: &mut Refused) -> bool {
    cfg!(any(target_os = "linux", target_os = "android"))
        && refused.note("SO_REUSEPORT", socket.set_reuse_port(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_without_these_options_is_a_socket_too() {
        let mut refused = Refused::default();
        tune(&Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap(), &mut refused);
        assert!(refused.to_string().contains("TCP_NODELAY ("), "{refused}");
        assert!(!refused.to_string().contains("SO_REUSEADDR"), "{refused}");
    }

    #[test]
    fn what_is_refused_is_told_once() {
        let mut refused = Refused::default();
        let failed = || Err(io::Error::from(io::ErrorKind::Unsupported));
        assert!(refused.note("TCP_NODELAY", Ok(())) && refused.is_empty());
        assert!(!refused.note("TCP_NODELAY", failed()) && !refused.note("TCP_NODELAY", failed()));
        assert!(!refused.note("SO_KEEPALIVE", failed()));
        assert_eq!(refused.to_string(), "TCP_NODELAY (unsupported), SO_KEEPALIVE (unsupported)");
    }
}
