//! What a start tells: where the server is, what to try, and who may come in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The text of a start.
pub(crate) struct Banner {
    listens: String,
    near: String,
    insecure: bool,
}

impl Banner {
    /// For a server bound to `addresses`; `insecure` as the operator set it.
    pub(crate) fn new(addresses: &[SocketAddr], insecure: bool) -> Self {
        let all: Vec<_> = addresses.iter().map(|address| format!("http://{address}")).collect();
        let near = addresses.first().map_or_else(String::new, |address| reachable(*address).to_string());
        let exposed = addresses.iter().any(|address| !address.ip().to_canonical().is_loopback());
        Self { listens: all.join(" and "), near, insecure: insecure && exposed }
    }

    /// Where the server is.
    pub(crate) fn ready(&self) -> String {
        format!("Switchboard {} listens on {}", env!("CARGO_PKG_VERSION"), self.listens)
    }

    /// A command that sends to a room.
    pub(crate) fn publish(&self) -> String {
        format!("curl -d '{{\"data\":\"hello\"}}' http://{}/api/rooms/lobby/messages", self.near)
    }

    /// An address that joins that room.
    pub(crate) fn join(&self) -> String {
        format!("ws://{}/ws/lobby?user=alice", self.near)
    }

    /// Who may come in.
    pub(crate) fn access(&self) -> &'static str {
        if self.insecure {
            "open to everybody who can reach it: no key is set, and --insecure was given"
        } else {
            "open to everybody on this machine: it is on loopback and no key is set"
        }
    }
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.ready())?;
        writeln!(f, "  join a room  {}", self.join())?;
        writeln!(f, "  send to it   {}", self.publish())?;
        writeln!(f, "  {}", self.access())
    }
}

/// An address that can be connected to from this machine: "any address" is none.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banner(addresses: &[&str], insecure: bool) -> String {
        let addresses: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        Banner::new(&addresses, insecure).to_string()
    }

    #[test]
    fn tells_where_what_to_try_and_who_may_come_in() {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            banner(&["127.0.0.1:8000", "[::1]:8000"], true),
            format!(
                "Switchboard {version} listens on http://127.0.0.1:8000 and http://[::1]:8000\n  \
                 join a room  ws://127.0.0.1:8000/ws/lobby?user=alice\n  \
                 send to it   curl -d '{{\"data\":\"hello\"}}' http://127.0.0.1:8000/api/rooms/lobby/messages\n  \
                 open to everybody on this machine: it is on loopback and no key is set\n"
            )
        );
    }

    #[test]
    fn any_address_is_reached_on_loopback() {
        let text = banner(&["0.0.0.0:80"], true);
        assert!(text.contains("listens on http://0.0.0.0:80\n"), "{text}");
        assert!(text.contains("ws://127.0.0.1:80/"), "{text}");
        assert!(text.contains("everybody who can reach it"), "{text}");
    }
}
