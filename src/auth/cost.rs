//! Estimates the time to check a token, so that a turn keeps to its limit.

use jsonwebtoken::Algorithm;

/// The time to read a token before any key is tried.
pub(super) const READ_US: u32 = 5;

/// The time of one check of a signature, in microseconds, for a message of `bytes` bytes; for RSA with a key of `bits`.
///
/// Measured by `token check` of `benches/README.md` on one of two busy cores. On a faster machine turns are only shorter.
pub(super) fn check_us(algorithm: Algorithm, bits: usize, bytes: usize) -> u32 {
    use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512};
    let fixed = match algorithm {
        HS256 | HS384 | HS512 => 3,
        ES256 => 1_400,
        ES384 => 7_000,
        EdDSA => 120,
        // Twice the bits take four times as long.
        _ => 250 * bits * bits / (2_048 * 2_048),
    };
    // All algorithms hash the message first.
    u32::try_from(fixed + bytes / 50).unwrap_or(u32::MAX)
}
