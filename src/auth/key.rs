//! Keys that tokens are checked with, each for exactly the algorithms that it is for.

use std::fmt;

use jsonwebtoken::crypto::{self, rust_crypto};
use jsonwebtoken::jwk::{EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use serde_json::Value;

/// Keys that one set may have. Providers have two or three.
const MAX_KEYS: usize = 100;

/// Keys that one token is tried against, so that one which names no key costs no more than this many checks.
const MAX_TRIES: usize = 4;

/// Bits of the smallest RSA key (RFC 7518 section 3.3).
const MIN_RSA_BITS: usize = 2_048;

/// Bits of the largest RSA key: each doubling makes a check four times as expensive, and more is refused by the
/// library that checks.
const MAX_RSA_BITS: usize = 4_096;

/// One key.
pub struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// The name and kind of a key, never the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

impl Key {
    /// A secret that signs and checks with HMAC.
    ///
    /// # Errors
    ///
    /// If it is empty.
    pub fn secret(secret: &[u8]) -> Result<Self, String> {
        if secret.is_empty() {
            return Err("is empty".to_owned());
        }
        Self::new(None, DecodingKey::from_secret(secret), None)
    }

    /// A public key in PEM.
    ///
    /// # Errors
    ///
    /// If it is none, not a public one, one of several, or one that is too weak.
    pub fn pem(bytes: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(bytes);
        if text.contains("PRIVATE KEY-----") {
            return Err("holds a private key; give the public one (openssl pkey -pubout)".to_owned());
        }
        if text.contains("BEGIN CERTIFICATE") {
            return Err("holds a certificate; give its key (openssl x509 -pubkey -noout)".to_owned());
        }
        if text.matches("-----BEGIN ").count() > 1 {
            return Err("holds several keys; give them as a key set in jwks_file".to_owned());
        }
        let key = DecodingKey::from_rsa_pem(bytes)
            .or_else(|_| DecodingKey::from_ec_pem(bytes))
            .or_else(|_| DecodingKey::from_ed_pem(bytes))
            .map_err(|_| "is not a public key in PEM, which begins with -----BEGIN PUBLIC KEY-----")?;
        Self::new(None, key, None)
    }

    /// One key of a set; none if it is of a kind, or for a purpose, that does not check tokens.
    fn jwk(value: &Value) -> Result<Option<Self>, String> {
        let Ok(jwk) = serde_json::from_value::<Jwk>(value.clone()) else { return Ok(None) };
        let common = &jwk.common;
        let signs = common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature);
        let checks = common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
        let own = match common.key_algorithm.map(Algorithm::try_from) {
            Some(Err(_)) => return Ok(None),
            Some(Ok(algorithm)) => Some(algorithm),
            None => None,
        };
        let Ok(key) = DecodingKey::from_jwk(&jwk) else { return Ok(None) };
        if !signs || !checks || is_unsupported(&jwk) {
            return Ok(None);
        }
        let kid = common.key_id.clone();
        let name = kid.clone().unwrap_or_default();
        Self::new(kid, key, own).map(Some).map_err(|why| format!("the key {name:?} {why}"))
    }

    /// A key for `own`, or for all algorithms that a key of its kind is for.
    fn new(kid: Option<String>, key: DecodingKey, own: Option<Algorithm>) -> Result<Self, String> {
        let mut algorithms = algorithms(&key)?;
        if let Some(own) = own {
            algorithms.retain(|algorithm| *algorithm == own);
        }
        if algorithms.is_empty() {
            return Err("is for an algorithm that keys of its kind are not for".to_owned());
        }
        Ok(Self { kid, algorithms, key })
    }

    fn fits(&self, algorithm: Algorithm, kid: Option<&str>) -> bool {
        let named = match (&self.kid, kid) {
            (Some(own), Some(kid)) => own == kid,
            _ => true,
        };
        named && self.algorithms.contains(&algorithm)
    }
}

fn is_unsupported(jwk: &Jwk) -> bool {
    use jsonwebtoken::jwk::AlgorithmParameters::{EllipticCurve as Ec, OctetKey, OctetKeyPair};
    match &jwk.algorithm {
        Ec(key) => !matches!(key.curve, EllipticCurve::P256 | EllipticCurve::P384),
        OctetKeyPair(key) => key.curve != EllipticCurve::Ed25519,
        OctetKey(key) => key.value.is_empty(),
        _ => false,
    }
}

/// The algorithms that `key` is for, if it is a good key at all.
fn algorithms(key: &DecodingKey) -> Result<Vec<Algorithm>, String> {
    let family = key.family();
    let all = family.algorithms();
    match family {
        AlgorithmFamily::Hmac => Ok(all.to_vec()),
        AlgorithmFamily::Rsa => rsa_bits(key).and_then(|bits| match bits {
            ..MIN_RSA_BITS => Err(format!("has {bits} bits; RSA needs {MIN_RSA_BITS}")),
            MIN_RSA_BITS..=MAX_RSA_BITS => Ok(all.to_vec()),
            _ => Err(format!("has {bits} bits; {MAX_RSA_BITS} are the most")),
        }),
        // A key is a point on one curve, and each curve has its algorithm (RFC 7518 section 3.4).
        AlgorithmFamily::Ec | AlgorithmFamily::Ed => {
            let fits = |algorithm: &&Algorithm| {
                (rust_crypto::DEFAULT_PROVIDER.verifier_factory)(algorithm, key).is_ok()
            };
            let own: Vec<_> = all.iter().filter(fits).copied().collect();
            if own.is_empty() { Err("is not a point on P-256, P-384 or Ed25519".to_owned()) } else { Ok(own) }
        }
    }
}

fn rsa_bits(key: &DecodingKey) -> Result<usize, String> {
    let of_der = rust_crypto::DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key;
    let modulus = match key.kind() {
        DecodingKeyKind::SecretOrDer(der) => of_der(der).map_err(|_| "is not an RSA key".to_owned())?.0,
        DecodingKeyKind::RsaModulusExponent { n, .. } => n.clone(),
    };
    let significant =
        modulus.iter().position(|byte| *byte != 0).map(|zeros| (modulus.len() - zeros, modulus[zeros]));
    Ok(significant.map_or(0, |(bytes, first)| bytes * 8 - first.leading_zeros() as usize))
}

/// All keys that tokens are checked with.
#[derive(Debug, Default)]
pub struct KeySet(Vec<Key>);

impl KeySet {
    /// Adds a key.
    pub fn add(&mut self, key: Key) {
        self.0.push(key);
    }

    /// Adds the keys of a JSON Web Key Set (RFC 7517 section 5). Keys for other purposes are left out, as it says.
    ///
    /// # Errors
    ///
    /// If it is no such set, or has no key that can be used.
    pub fn add_jwks(&mut self, bytes: &[u8]) -> Result<(), String> {
        const SHAPE: &str = "is not a JSON Web Key Set: an object with the list `keys`";
        let set: Value = serde_json::from_slice(bytes).map_err(|_| SHAPE)?;
        let all = set.get("keys").and_then(Value::as_array).ok_or(SHAPE)?;
        if all.len() > MAX_KEYS {
            return Err(format!("has {} keys; {MAX_KEYS} are the most", all.len()));
        }
        let before = self.0.len();
        for value in all {
            self.0.extend(Key::jwk(value)?);
        }
        if self.0.len() == before { Err("has no key that can check a token".to_owned()) } else { Ok(()) }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some key takes as long to check with as public keys do.
    pub fn is_slow(&self) -> bool {
        self.0.iter().any(|key| key.key.family() != AlgorithmFamily::Hmac)
    }

    /// Whether one of the keys that are for `algorithm`, and called `kid` if both have a name, made `signature` (in
    /// base64url) for `message`.
    pub fn verifies(&self, algorithm: Algorithm, kid: Option<&str>, message: &str, signature: &str) -> bool {
        let fitting = self.0.iter().filter(|key| key.fits(algorithm, kid)).take(MAX_TRIES);
        let verifies = |key: &Key| crypto::verify(signature, message.as_bytes(), &key.key, algorithm);
        fitting.into_iter().any(|key| verifies(key).unwrap_or(false))
    }
}
