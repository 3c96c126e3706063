//! What every peer answers to: the `--listen` flag, and the paths that the load test asks for.
//!
//! A peer is compared with Switchboard on the same work, so all of them read these from one place.

use std::net::SocketAddr;
use std::process::exit;

/// What an upgrade request's path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/raw/{room}`: every message goes to the room's members, and to its sender where `echo` is true.
    Raw {
        /// The room's name, as it stands in the path.
        room: String,
        /// `?echo=1`: the sender gets its own messages too.
        echo: bool,
    },
    /// `/echo`: every message back to its sender.
    Echo,
    /// `/ws`: the native dialect's `join` and `publish`.
    Native,
}

impl Route {
    /// Reads the target of a request line (`/raw/a?echo=1`). `None` is a 404.
    pub fn parse(target: &str) -> Option<Route> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match path {
            "/echo" => Some(Route::Echo),
            "/ws" => Some(Route::Native),
            _ => {
                let room = path.strip_prefix("/raw/")?;
                let echo = query.split('&').any(|pair| pair == "echo=1");
                (!room.is_empty()).then(|| Route::Raw { room: room.to_owned(), echo })
            }
        }
    }
}

/// The address given by `--listen ADDRESS`. Anything else on the command line ends the process with status 2.
pub fn listen_address() -> SocketAddr {
    let mut arguments = std::env::args().skip(1);
    let address = match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (Some("--listen"), Some(address), None) => address.parse().ok(),
        _ => None,
    };
    address.unwrap_or_else(|| {
        eprintln!("usage: --listen ADDRESS:PORT");
        exit(2)
    })
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn a_raw_room_with_and_without_echo() {
        let raw = |echo| Some(Route::Raw { room: "a".to_owned(), echo });
        assert_eq!(Route::parse("/raw/a"), raw(false));
        assert_eq!(Route::parse("/raw/a?echo=1"), raw(true));
        assert_eq!(Route::parse("/raw/a?x=2&echo=1"), raw(true));
        assert_eq!(Route::parse("/raw/a?echo=10"), raw(false));
    }

    #[test]
    fn other_paths() {
        assert_eq!(Route::parse("/echo"), Some(Route::Echo));
        assert_eq!(Route::parse("/ws?room=a"), Some(Route::Native));
        assert_eq!(Route::parse("/raw/"), None);
        assert_eq!(Route::parse("/"), None);
    }
}
