//! JSON Web Tokens (RFC 7519): from text to an [`Identity`], or to nothing.
//!
//! The library checks the signature. This module reads the claims and compares them with the time, because the library uses
//! its own clock, treats a null `exp` as absent and ignores `crit`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;

use super::claims::{Claims, Header, Rooms};
use super::cost::READ_US;
use super::denied::{Denied, Flaw};
use super::identity::Identity;
use super::key_set::KeySet;
use crate::broker::permit::Permits;
use crate::id::is_user;

#[cfg(test)]
mod tests;

/// The longest token, in bytes: what fits into a request's head.
pub const MAX_TOKEN: usize = 8 * 1024;

/// What a token needs besides a valid signature.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The required audience.
    pub audience: Option<String>,
    /// The required issuer.
    pub issuer: Option<String>,
    /// How far the clocks may differ.
    pub leeway: Duration,
}

/// The user of `token`. Adds the time to check it, in microseconds, to `spent_us`. Faults that need no key are found before a
/// key is tried.
///
/// # Errors
///
/// If the token does not fulfil `terms`, is not signed by one of `keys`, or is not valid at `now_ms`, in milliseconds since
/// 1970.
pub fn verify(
    token: &str,
    keys: &KeySet,
    terms: &Terms,
    now_ms: u64,
    spent_us: &mut u32,
) -> Result<Identity, Denied> {
    *spent_us = spent_us.saturating_add(READ_US);
    if token.len() > MAX_TOKEN {
        return Err(Denied::Invalid(Flaw::Length));
    }
    let parts = || {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        Some((message, header, claims, signature))
    };
    let (message, header, claims, signature) = parts().ok_or(Denied::Invalid(Flaw::Shape))?;
    let header: Header = read(header).ok_or(Denied::Invalid(Flaw::Header))?;
    if header.crit.is_some() {
        return Err(Denied::Invalid(Flaw::Crit));
    }
    keys.check(header.alg, header.kid.as_deref(), message, signature, spent_us).map_err(Denied::Invalid)?;
    let claims: Claims = read(claims).ok_or(Denied::Invalid(Flaw::Claims))?;
    judge(claims, terms, now_ms)
}

/// Reads one part of a token, which must be an object. Serde would accept a list in its place.
fn read<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    let is_object = json.trim_ascii_start().first() == Some(&b'{');
    serde_json::from_slice(&json).ok().filter(|_| is_object)
}

fn judge(claims: Claims, terms: &Terms, now_ms: u64) -> Result<Identity, Denied> {
    let leeway_ms = terms.leeway.as_millis() as u64;
    if let Some(audience) = &terms.audience
        && !claims.aud.is_some_and(|aud| aud.has(audience))
    {
        return Err(Denied::Invalid(Flaw::Audience));
    }
    if terms.issuer.is_some() && claims.iss != terms.issuer {
        return Err(Denied::Invalid(Flaw::Issuer));
    }
    if claims.nbf.is_some_and(|nbf| nbf.ms() > now_ms.saturating_add(leeway_ms)) {
        return Err(Denied::Invalid(Flaw::NotYet));
    }
    let user = claims.sub.filter(|sub| is_user(sub)).ok_or(Denied::Invalid(Flaw::Subject))?;
    let rooms = claims.rooms.map(|rooms| match rooms {
        Rooms::Both(patterns) => Permits::both(&patterns.0),
        Rooms::Each { join, publish } => Permits::each(&join.0, &publish.0),
    });
    let expires_ms = claims.exp.map(|exp| exp.ms());
    // RFC 7519 section 4.1.4: at `exp` itself the token has expired.
    if expires_ms.is_some_and(|ms| ms.saturating_add(leeway_ms) <= now_ms) {
        return Err(Denied::Expired);
    }
    Ok(Identity::by_token(&user, expires_ms, rooms))
}
