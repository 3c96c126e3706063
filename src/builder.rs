//! Configures a server in a program.

mod rooms;

use std::net::SocketAddr;

use crate::server::{Server, StartError};
use crate::settings::{BadSetting, KeySource, Limits, OriginRule, Secret, Settings};
pub use rooms::Rooms;

/// Configures a server. [`Server::builder`] makes one, and [`build`](Self::build) makes the server.
///
/// It is a short way to [`Settings`]. Use [`settings`](Self::settings) for what has no method here.
///
/// ```
/// use std::time::Duration;
/// use switchboard::{Rooms, Server};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder()
///     .listen("127.0.0.1:0".parse()?)
///     .shards(2)
///     .jwt_secret("a secret of 32 bytes and more, from a vault")
///     .origins(["https://shop.example"])
///     .rooms(Rooms::matching("chat:*").history(50).ttl(Duration::from_secs(600)))
///     .rooms(Rooms::matching("orders:*").private(true).client_publish(false))
///     .limits(|limits| limits.connections_per_user = 5)
///     .settings(|settings| settings.heartbeat.interval = Duration::from_secs(50))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing happens before it is built"]
pub struct Builder {
    settings: Settings,
    /// The addresses that were given. If it is empty, the default stays.
    listen: Vec<SocketAddr>,
    bad: Vec<BadSetting>,
}

impl Builder {
    /// Adds an address to listen on. With port 0 the system chooses the port; see [`Server::local_addrs`]. The default is
    /// `127.0.0.1:8000`.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen.push(address);
        self
    }

    /// The number of threads that serve, each with its own sockets and rooms. 0, the default, means one per core.
    pub fn shards(self, shards: usize) -> Self {
        self.settings(|settings| settings.shards = shards)
    }

    /// The secret that signs clients' tokens (HS256, HS384, HS512). It should have 32 random bytes or more. Without it and
    /// without an API key the server is open, and may listen on loopback only.
    pub fn jwt_secret(self, secret: &str) -> Self {
        self.settings(|settings| settings.auth.secret = Some(Secret::new(secret)))
    }

    /// The key for other programs that use the HTTP API. This program itself needs no key: it has a
    /// [`Handle`](crate::Handle).
    pub fn api_key(self, key: &str) -> Self {
        self.settings(|settings| settings.api.key = Some(KeySource::Given(Secret::new(key))))
    }

    /// Adds pages that may use the server, like `https://shop.example` or `https://*.shop.example`. The default is every
    /// page; on an open server, pages of this machine.
    pub fn origins<'a>(mut self, origins: impl IntoIterator<Item = &'a str>) -> Self {
        for origin in origins {
            match OriginRule::parse(origin) {
                Ok(rule) => self.settings.origins.push(rule),
                Err(advice) => {
                    let why = format!("{origin:?} is not an origin; {advice}");
                    self.bad.push(BadSetting { setting: "origins.allow", why });
                }
            }
        }
        self
    }

    /// Adds settings for some rooms. The first pattern that matches a room's name decides, so add special patterns before
    /// general ones.
    pub fn rooms(self, rooms: Rooms) -> Self {
        self.settings(|settings| settings.rooms.push(rooms.into()))
    }

    /// Changes the limits.
    pub fn limits(self, change: impl FnOnce(&mut Limits)) -> Self {
        self.settings(|settings| change(&mut settings.limits))
    }

    /// Changes any other settings.
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Makes the server and opens its ports.
    ///
    /// # Errors
    ///
    /// Every setting that is wrong, or an address that cannot be listened on. No thread has been started then.
    pub fn build(mut self) -> Result<Server, StartError> {
        if !self.bad.is_empty() {
            return Err(StartError::Settings(self.bad.into()));
        }
        if !self.listen.is_empty() {
            self.settings.listen = self.listen;
        }
        Server::new(self.settings)
    }
}
