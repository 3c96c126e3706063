//! Reads one key of a JSON Web Key Set (RFC 7517 section 4), and explains why a key cannot be used.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::key::Key;
use crate::settings::LEAST_SECRET;

/// Characters of a name that a message shows.
const SHOWN: usize = 64;

/// How a message names the key at `index`: by its own name, if it has one.
pub(super) fn name(value: &Value, index: usize) -> String {
    match value.get("kid").and_then(Value::as_str) {
        Some(kid) => format!("the key {:?}", kid.chars().take(SHOWN).collect::<String>()),
        None => format!("key number {}", index + 1),
    }
}

/// The key that `value` describes.
///
/// # Errors
///
/// Why it cannot check tokens, as words that follow `it`.
pub(super) fn read(value: &Value) -> Result<Key, String> {
    let kind = member(value, "kty").ok_or("has no `kty`, which every JSON Web Key has")?;
    if !["RSA", "EC", "OKP", "oct"].contains(&kind) {
        return Err(format!("is of the kind {kind:.SHOWN$?}; RSA, EC, OKP and oct are supported"));
    }
    if let Some(curve) = member(value, "crv")
        && !["P-256", "P-384", "Ed25519"].contains(&curve)
    {
        return Err(format!("is on the curve {curve:.SHOWN$?}; P-256, P-384 and Ed25519 are supported"));
    }
    let incomplete = || format!("is not a whole key of the kind {kind:?}");
    let jwk: Jwk = serde_json::from_value(value.clone()).map_err(|_| incomplete())?;
    let own = purpose(&jwk, value)?;
    curve_fits(&jwk)?;
    if let AlgorithmParameters::OctetKey(_) = jwk.algorithm {
        secret_is_long(value)?;
    }
    let key = DecodingKey::from_jwk(&jwk).map_err(|_| incomplete())?;
    Key::new(jwk.common.key_id, key, own)
}

/// The algorithm that the key names, if any.
fn purpose(jwk: &Jwk, value: &Value) -> Result<Option<Algorithm>, String> {
    let common = &jwk.common;
    if let Some(other) = common.public_key_use.as_ref().filter(|it| **it != PublicKeyUse::Signature) {
        let shown = if *other == PublicKeyUse::Encryption { "enc" } else { "something else" };
        return Err(format!("has the `use` {shown}, not sig"));
    }
    if common.key_operations.as_ref().is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
        return Err("has `key_ops` without verify".to_owned());
    }
    let Some(algorithm) = common.key_algorithm else { return Ok(None) };
    let named = member(value, "alg").unwrap_or_default();
    let unknown = |_| format!("is for the algorithm {named:.SHOWN$?}, which is not supported");
    Algorithm::try_from(algorithm).map(Some).map_err(unknown)
}

/// A curve belongs to one kind of keys (RFC 7518 section 6.2.1.1, RFC 8037 section 2).
fn curve_fits(jwk: &Jwk) -> Result<(), String> {
    let fits = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) => {
            matches!(key.curve, EllipticCurve::P256 | EllipticCurve::P384)
        }
        AlgorithmParameters::OctetKeyPair(key) => key.curve == EllipticCurve::Ed25519,
        _ => true,
    };
    if fits { Ok(()) } else { Err("is on a curve of another kind of key".to_owned()) }
}

/// A shorter secret can be found by trying, and then anybody can make tokens.
fn secret_is_long(value: &Value) -> Result<(), String> {
    // Base64 has four characters for three bytes.
    let bytes = member(value, "k").unwrap_or_default().len() * 3 / 4;
    if bytes < LEAST_SECRET {
        return Err(format!("has {bytes} bytes; it needs at least {LEAST_SECRET}"));
    }
    Ok(())
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
