//! The text at the start: where the server listens, what to try, and who may connect.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use switchboard::settings::{Console, Settings};

/// The text of a start.
pub(crate) struct Banner {
    listens: String,
    near: String,
    access: Access,
    exposed: bool,
    console: bool,
}

/// Which side needs a key.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    /// Clients need a token.
    clients: bool,
    /// The app needs a key.
    app: bool,
    /// Guests are let in although there are keys.
    guests: bool,
    /// When the console is served.
    console: Console,
}

impl Access {
    /// As `settings` have it.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            clients: settings.auth.has_key(),
            app: settings.api.has_key(),
            guests: settings.auth.anonymous,
            console: settings.console,
        }
    }

    fn is_open(self) -> bool {
        !self.clients && !self.app
    }
}

impl Banner {
    /// For a server bound to `addresses`.
    pub(crate) fn new(addresses: &[SocketAddr], access: Access) -> Self {
        let all: Vec<_> = addresses.iter().map(|address| format!("http://{address}")).collect();
        let near = addresses.first().map_or_else(String::new, |address| reachable(*address).to_string());
        let exposed = addresses.iter().any(|address| !address.ip().to_canonical().is_loopback());
        let console = match access.console {
            Console::Auto => access.is_open() && !exposed,
            Console::On => true,
            Console::Off => false,
        };
        Self { listens: all.join(" and "), near, access, exposed, console }
    }

    /// Where the server listens.
    pub(crate) fn ready(&self) -> String {
        format!("Switchboard {} listens on {}", env!("CARGO_PKG_VERSION"), self.listens)
    }

    /// A command that publishes to a room.
    pub(crate) fn publish(&self) -> String {
        let key = if self.access.is_open() { "" } else { "-H \"Authorization: Bearer $KEY\" " };
        format!("curl {key}-d '{{\"data\":\"hello\"}}' http://{}/api/rooms/lobby/messages", self.near)
    }

    /// An address that joins that room.
    pub(crate) fn join(&self) -> String {
        let who = if self.access.is_open() { "user=alice" } else { "token=$TOKEN" };
        format!("ws://{}/ws/lobby?{who}", self.near)
    }

    /// Who may connect.
    pub(crate) fn access(&self) -> &'static str {
        match (self.access, self.exposed) {
            (Access { clients: false, app: false, .. }, true) => {
                "open to everybody who can reach it: no key is set, and --insecure is given"
            }
            (Access { clients: false, app: false, .. }, false) => {
                "open to everybody on this machine: it is on loopback and no key is set"
            }
            (Access { guests: true, app: true, .. }, _) => {
                "clients may connect as guests, the app needs its key"
            }
            (Access { guests: true, app: false, .. }, _) => {
                "clients may connect as guests, the app cannot call the API: set api.key"
            }
            (Access { app: false, .. }, _) => {
                "clients need a token, the app cannot call the API: set api.key"
            }
            (Access { clients: false, .. }, _) => {
                "the app needs its key, clients cannot connect: set auth.secret"
            }
            _ => "clients need a token, the app needs its key",
        }
    }
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.ready())?;
        if self.console {
            writeln!(f, "  try it       http://{}", self.near)?;
        }
        writeln!(f, "  join a room  {}", self.join())?;
        writeln!(f, "  send to it   {}", self.publish())?;
        writeln!(f, "  {}", self.access())
    }
}

/// An address that this machine can connect to: loopback instead of "any address".
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

    fn banner(addresses: &[&str], access: Access) -> String {
        let addresses: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        Banner::new(&addresses, access).to_string()
    }

    const OPEN: Access = Access { clients: false, app: false, guests: false, console: Console::Auto };

    #[test]
    fn with_keys_it_says_who_needs_one() {
        let last = |access| banner(&["0.0.0.0:80"], access).lines().last().unwrap().trim().to_owned();
        let keys = Access { clients: true, app: true, ..OPEN };
        assert_eq!(last(keys), "clients need a token, the app needs its key");
        assert!(last(Access { app: false, ..keys }).ends_with("set api.key"));
        assert!(last(Access { clients: false, ..keys }).ends_with("set auth.secret"));
        assert!(
            last(Access { clients: false, guests: true, ..keys })
                .starts_with("clients may connect as guests")
        );
        let text = banner(&["0.0.0.0:80"], keys);
        assert!(!text.contains("try it"), "{text}");
        assert!(text.contains("?token=$TOKEN") && text.contains("Bearer $KEY"), "{text}");
    }

    #[test]
    fn tells_where_what_to_try_and_who_may_come_in() {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            banner(&["127.0.0.1:8000", "[::1]:8000"], OPEN),
            format!(
                "Switchboard {version} listens on http://127.0.0.1:8000 and http://[::1]:8000\n  \
                 try it       http://127.0.0.1:8000\n  \
                 join a room  ws://127.0.0.1:8000/ws/lobby?user=alice\n  \
                 send to it   curl -d '{{\"data\":\"hello\"}}' http://127.0.0.1:8000/api/rooms/lobby/messages\n  \
                 open to everybody on this machine: it is on loopback and no key is set\n"
            )
        );
    }

    #[test]
    fn any_address_is_reached_on_loopback() {
        let text = banner(&["0.0.0.0:80"], OPEN);
        assert!(text.contains("listens on http://0.0.0.0:80\n"), "{text}");
        assert!(text.contains("ws://127.0.0.1:80/"), "{text}");
        assert!(text.contains("everybody who can reach it"), "{text}");
    }
}
