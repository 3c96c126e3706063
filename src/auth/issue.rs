//! Makes tokens and keys, for tests and for apps whose language has no library for it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::claims::MAX_PATTERNS;
use crate::id::is_user;
use crate::settings::check_pattern;

/// The content of a token.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// The user.
    pub user: &'a str,
    /// Its rooms. `None`: all rooms that are not private.
    pub rooms: Option<Rooms<'a>>,
    /// The audience (`aud`).
    pub audience: Option<&'a str>,
    /// The issuer (`iss`).
    pub issuer: Option<&'a str>,
    /// The time, since 1970.
    pub now: Duration,
    /// How long it is valid.
    pub ttl: Duration,
}

/// Patterns of rooms.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum Rooms<'a> {
    /// To join and to publish in.
    Both(&'a [String]),
    /// Separate lists.
    Each {
        /// To join.
        join: &'a [String],
        /// To publish in.
        publish: &'a [String],
    },
}

impl Rooms<'_> {
    /// Checks that a server accepts the patterns, and that they can match a room.
    fn check(self) -> Result<(), String> {
        let lists = match self {
            Self::Both(patterns) => [patterns, &[]],
            Self::Each { join, publish } => [join, publish],
        };
        if lists.iter().any(|list| list.len() >= MAX_PATTERNS) {
            return Err(format!(
                "a token must have fewer than {MAX_PATTERNS} room patterns; use * to match many rooms"
            ));
        }
        lists.into_iter().flatten().try_for_each(|pattern| check_pattern(pattern))
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rooms: Option<Rooms<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    iat: u64,
    exp: u64,
}

/// A token for `grant`, signed with `secret` (HS256).
///
/// # Errors
///
/// If the server would not accept it.
pub fn token(grant: &Grant<'_>, secret: &[u8]) -> Result<String, String> {
    if !is_user(grant.user) {
        return Err("a user id is 1 to 128 bytes without control characters".to_owned());
    }
    if secret.is_empty() {
        return Err("the secret to sign with is empty; make one with: switchboard key".to_owned());
    }
    grant.rooms.map_or(Ok(()), Rooms::check)?;
    let claims = Claims {
        sub: grant.user,
        rooms: grant.rooms,
        aud: grant.audience,
        iss: grant.issuer,
        iat: grant.now.as_secs(),
        exp: grant.now.saturating_add(grant.ttl).as_secs(),
    };
    let key = EncodingKey::from_secret(secret);
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
        .map_err(|error| error.to_string())?;
    if token.len() > super::token::MAX_TOKEN {
        return Err("the token is longer than 8 KiB; use fewer patterns".to_owned());
    }
    Ok(token)
}

/// A new key: 32 random bytes in base64url.
///
/// # Errors
///
/// If the system gives no random numbers.
pub fn key() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
