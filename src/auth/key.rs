//! Keys that check tokens, each for its own algorithms only.

use std::fmt;

use jsonwebtoken::crypto::{self, rust_crypto};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};

use super::cost;
use super::presented::BOM;

/// Bits of the smallest RSA key (RFC 7518 section 3.3).
const MIN_RSA_BITS: usize = 2_048;

/// Bits of the largest RSA key. Twice the bits make a check four times as expensive, and the library refuses more.
const MAX_RSA_BITS: usize = 4_096;

/// One key.
pub struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
    /// Bits of the modulus of an RSA key; 0 for other kinds.
    bits: usize,
}

/// Shows the name and kind of a key, never the key.
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
    /// If it is not a key, not a public one, one of several, or too weak.
    pub fn pem(bytes: &[u8]) -> Result<Self, String> {
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
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

    /// A key called `kid`, for the algorithm `own`, or for all algorithms of its kind.
    ///
    /// # Errors
    ///
    /// If it is too weak, not a key of its kind, or not for `own`.
    pub(super) fn new(kid: Option<String>, key: DecodingKey, own: Option<Algorithm>) -> Result<Self, String> {
        let bits = if key.family() == AlgorithmFamily::Rsa { rsa_bits(&key)? } else { 0 };
        let mut algorithms = algorithms(&key, bits)?;
        if let Some(own) = own {
            algorithms.retain(|algorithm| *algorithm == own);
        }
        if algorithms.is_empty() {
            return Err("is for an algorithm of another kind of key".to_owned());
        }
        Ok(Self { kid, algorithms, key, bits })
    }

    /// Whether it is for `algorithm`.
    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether it can be the key that a token calls `kid`. If the key or the token has no name, it can.
    pub(super) fn is_called(&self, kid: Option<&str>) -> bool {
        self.kid.as_deref().zip(kid).is_none_or(|(own, kid)| own == kid)
    }

    /// Whether `other` is the same key for the same purpose.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        let same = match (self.key.kind(), other.key.kind()) {
            (DecodingKeyKind::SecretOrDer(own), DecodingKeyKind::SecretOrDer(other)) => own == other,
            (
                DecodingKeyKind::RsaModulusExponent { n, e },
                DecodingKeyKind::RsaModulusExponent { n: n2, e: e2 },
            ) => (n, e) == (n2, e2),
            _ => false,
        };
        same && self.kid == other.kid && self.algorithms == other.algorithms
    }

    /// Whether a signature by it, in base64url, has this many characters. Others need no check.
    pub(super) fn signs_with(&self, algorithm: Algorithm, characters: usize) -> bool {
        let bytes = match algorithm {
            // RFC 7518 section 3.2: as long as the hash.
            Algorithm::HS256 => 32,
            Algorithm::HS384 => 48,
            Algorithm::HS512 => 64,
            // Section 3.4: two numbers as long as the curve's; RFC 8032 section 5.1.6.
            Algorithm::ES256 | Algorithm::EdDSA => 64,
            Algorithm::ES384 => 96,
            // RFC 8017 sections 8.1.1 and 8.2.1: as long as the modulus.
            _ => self.bits.div_ceil(8),
        };
        characters == (4 * bytes).div_ceil(3)
    }

    /// Whether it made `signature` (in base64url) for `message`.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &str, signature: &str) -> bool {
        crypto::verify(signature, message.as_bytes(), &self.key, algorithm).unwrap_or(false)
    }

    /// The time of [`Key::verifies`] for a message of this many bytes, in microseconds.
    pub(super) fn cost_us(&self, algorithm: Algorithm, bytes: usize) -> u32 {
        cost::check_us(algorithm, self.bits, bytes)
    }
}

/// The algorithms that `key` is for, if it is a valid key.
fn algorithms(key: &DecodingKey, bits: usize) -> Result<Vec<Algorithm>, String> {
    let family = key.family();
    let all = family.algorithms();
    match family {
        AlgorithmFamily::Hmac => Ok(all.to_vec()),
        AlgorithmFamily::Rsa => match bits {
            ..MIN_RSA_BITS => Err(format!("has {bits} bits; RSA needs at least {MIN_RSA_BITS}")),
            MIN_RSA_BITS..=MAX_RSA_BITS => Ok(all.to_vec()),
            _ => Err(format!("has {bits} bits; at most {MAX_RSA_BITS} are allowed")),
        },
        AlgorithmFamily::Ed if !is_ed25519_long(key) => Err("is not a point on Ed25519".to_owned()),
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

/// RFC 8032 section 5.1.5: 32 bytes. The library panics on another length.
fn is_ed25519_long(key: &DecodingKey) -> bool {
    matches!(key.kind(), DecodingKeyKind::SecretOrDer(bytes) if bytes.len() == 32)
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
