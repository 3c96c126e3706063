//! Who may connect: keys, origins, and proxies that report a client's address.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::origin::OriginRule;

/// A secret. It never appears in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Keeps `text` secret.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// How clients authenticate. Without any key here or in [`Api`] the server is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Auth {
    /// The secret that tokens are signed with (HS256, HS384, HS512).
    pub secret: Option<Secret>,
    /// A file that holds such a secret; a line break at its end is not part of it.
    pub secret_file: Option<PathBuf>,
    /// A PEM file with the public key that tokens are checked with.
    pub public_key_file: Option<PathBuf>,
    /// A file with several such keys, as a JSON Web Key Set (RFC 7517).
    pub jwks_file: Option<PathBuf>,
    /// What a token's `aud` must name.
    pub audience: Option<String>,
    /// What a token's `iss` must be.
    pub issuer: Option<String>,
    /// How far the clocks of this server and of the tokens' signer may differ.
    pub leeway: Duration,
    /// Time for the first message, if that brings the token.
    pub timeout: Duration,
    /// The cookie that holds a token.
    pub cookie: Option<String>,
    /// Whether clients without a token may connect as guests, once a key is set.
    pub anonymous: bool,
    /// Whether on an open server only one connection may have a name.
    pub unique_names: bool,
    /// How a client that is denied access is told.
    pub reject: Reject,
}

/// How a WebSocket client that is denied access is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reject {
    /// The handshake completes, and a close frame has the reason, which browsers let a page read.
    #[default]
    Close,
    /// The handshake is answered with a status and an error.
    Http,
}

/// Who may use the HTTP API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Api {
    /// The key that may do everything.
    pub key: Option<KeySource>,
    /// Further keys.
    pub keys: Vec<ApiKey>,
}

/// A key of the HTTP API.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKey {
    /// What logs call it.
    pub name: String,
    /// The key itself.
    pub key: KeySource,
    /// Patterns of the rooms that it is limited to. `None`: all rooms, users and figures.
    pub rooms: Option<Vec<String>>,
    /// What it may do.
    pub calls: Calls,
}

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// In the configuration.
    Given(Secret),
    /// In a file of its own.
    File(PathBuf),
}

/// The kinds of calls that a key may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Sending messages.
    pub publish: bool,
    /// Reading rooms, people, messages and figures.
    pub read: bool,
    /// Taking people out of rooms and closing their connections.
    pub remove: bool,
}

impl Calls {
    /// Every kind.
    pub const ALL: Self = Self { publish: true, read: true, remove: true };
    /// No kind.
    pub const NONE: Self = Self { publish: false, read: false, remove: false };
}

/// Proxies in front of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Their addresses. What they report about a client's address is believed.
    pub trust: Vec<IpNet>,
    /// Whether connections from there begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
}

/// Pages that may use the server. Empty: any page.
pub type Origins = Vec<OriginRule>;

impl Auth {
    /// Whether a key is set that can check a token.
    pub fn has_key(&self) -> bool {
        self.secret.is_some()
            || self.secret_file.is_some()
            || self.public_key_file.is_some()
            || self.jwks_file.is_some()
    }
}

impl Api {
    /// Whether there is any key.
    pub fn has_key(&self) -> bool {
        self.key.is_some() || !self.keys.is_empty()
    }
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            secret: None,
            secret_file: None,
            public_key_file: None,
            jwks_file: None,
            audience: None,
            issuer: None,
            leeway: Duration::ZERO,
            timeout: Duration::from_secs(10),
            cookie: None,
            anonymous: false,
            unique_names: false,
            reject: Reject::Close,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        let auth = Auth { secret: Some(Secret::new("hunter2")), ..Auth::default() };
        let key = ApiKey {
            name: "shop".to_owned(),
            key: KeySource::Given(Secret::new("hunter2")),
            rooms: None,
            calls: Calls::ALL,
        };
        let shown = format!("{auth:?} {key:?}");
        assert!(shown.contains("shop") && !shown.contains("hunter2"), "{shown}");
    }
}
