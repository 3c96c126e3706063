//! Makes tokens and keys, for trying things out and for apps whose language has no library for it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::claims::MAX_PATTERNS;
use crate::id::is_user;
use crate::settings::check_pattern;

/// What a token says.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// Who its bearer is.
    pub user: &'a str,
    /// The rooms that it names; none: what the rooms let everybody do.
    pub rooms: Option<Rooms<'a>>,
    /// Whom it is for.
    pub audience: Option<&'a str>,
    /// Who makes it.
    pub issuer: Option<&'a str>,
    /// The time, since 1970.
    pub now: Duration,
    /// How long it is good.
    pub ttl: Duration,
}

/// Patterns of rooms.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum Rooms<'a> {
    /// To join and to publish in.
    Both(&'a [String]),
    /// Each for itself.
    Each {
        /// To join.
        join: &'a [String],
        /// To publish in.
        publish: &'a [String],
    },
}

impl Rooms<'_> {
    /// Whether a server would take them, and some room could be meant.
    fn check(self) -> Result<(), String> {
        let lists = match self {
            Self::Both(patterns) => [patterns, &[]],
            Self::Each { join, publish } => [join, publish],
        };
        if lists.iter().any(|list| list.len() >= MAX_PATTERNS) {
            return Err(format!(
                "a token has fewer than {MAX_PATTERNS} patterns of rooms; use * to mean many"
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

/// A token that says `grant`, signed with `secret` by HS256.
///
/// # Errors
///
/// If the server would not take it.
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
