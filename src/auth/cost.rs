//! What checking a token takes, so that a turn can be kept to its time.

use jsonwebtoken::Algorithm;

/// What reading a token takes before any key is tried.
pub(super) const READ_US: u32 = 5;

/// What one check of a signature takes, in microseconds: by a key of `bits` if it is RSA, of a message of so many bytes.
///
/// By `token check` of `benches/README.md`, on one of two busy cores; a machine that is faster has shorter turns, no more.
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
