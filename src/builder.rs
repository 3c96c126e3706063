//! Says what a server is to be like, in a program.

mod rooms;

use std::net::SocketAddr;

use crate::server::{Server, StartError};
use crate::settings::{BadSetting, KeySource, Limits, OriginRule, Secret, Settings};
pub use rooms::Rooms;

/// What a server is to be like; [`Server::builder`] begins one and [`build`](Self::build) makes the server.
///
/// It is a short way to [`Settings`]: what has no method of its own here is set with [`settings`](Self::settings).
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
    /// Addresses that were asked for; with none the default stays.
    listen: Vec<SocketAddr>,
    bad: Vec<BadSetting>,
}

impl Builder {
    /// Listens on `address` too; port 0 lets the system choose, and [`Server::local_addrs`] tells. Without any it is
    /// `127.0.0.1:8000`.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen.push(address);
        self
    }

    /// The number of threads that serve, each with its own sockets and rooms; 0, the default, is one a core.
    pub fn shards(self, shards: usize) -> Self {
        self.settings(|settings| settings.shards = shards)
    }

    /// The secret that clients' tokens are signed with (HS256, HS384, HS512); 32 random bytes and more are good. Without
    /// it, and without an API key, the server is open, and may only listen on loopback.
    pub fn jwt_secret(self, secret: &str) -> Self {
        self.settings(|settings| settings.auth.secret = Some(Secret::new(secret)))
    }

    /// The key with which other programs may use the HTTP API. This program needs none: it has a
    /// [`Handle`](crate::Handle).
    pub fn api_key(self, key: &str) -> Self {
        self.settings(|settings| settings.api.key = Some(KeySource::Given(Secret::new(key))))
    }

    /// Pages that may use the server, like `https://shop.example` or `https://*.shop.example`, beside those named before.
    /// Without any every page may; on an open server those of this machine.
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

    /// What some rooms are like. The first pattern that matches a room's name decides, so that special ones come before
    /// general ones.
    pub fn rooms(self, rooms: Rooms) -> Self {
        self.settings(|settings| settings.rooms.push(rooms.into()))
    }

    /// Changes the bounds on what peers can make the server do.
    pub fn limits(self, change: impl FnOnce(&mut Limits)) -> Self {
        self.settings(|settings| change(&mut settings.limits))
    }

    /// Changes whatever else there is to set.
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Makes the server, which has its addresses from now on.
    ///
    /// # Errors
    ///
    /// Every setting that is wrong, or an address that cannot be had. No thread has been started then.
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
