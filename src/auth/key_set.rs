//! All keys that check tokens: which of them are tried for a token, and what that costs.

use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::denied::Flaw;
use super::jwk;
use super::key::Key;
use super::presented::BOM;

/// Keys in one set, at most. Providers have two or three.
const MAX_KEYS: usize = 100;

/// Keys that are tried for one token, at most, so that a token without a key name costs no more checks.
const MAX_TRIES: usize = 4;

/// The time for all keys that are tried for one token, at most, in microseconds: two of the slowest. Nobody else on the shard
/// is served meanwhile.
const MOST_US: u32 = 15_000;

/// How many left-out keys of a set the log names. More would hide the first of them.
const MAX_NAMED: usize = 10;

/// How many the refusal of a whole set names, all of them in one line.
const MAX_IN_A_LINE: usize = 5;

/// All keys that check tokens.
#[derive(Debug, Default)]
pub struct KeySet(Vec<Key>);

impl KeySet {
    /// Adds a key.
    pub fn add(&mut self, key: Key) {
        self.0.push(key);
    }

    /// Adds the keys of a JSON Web Key Set (RFC 7517 section 5). Keys that cannot check tokens are left out, as the RFC says.
    /// Returns why, a sentence for each.
    ///
    /// # Errors
    ///
    /// If it is not a key set, or has no key that can be used.
    pub fn add_jwks(&mut self, bytes: &[u8]) -> Result<Vec<String>, String> {
        const SHAPE: &str = "is not a JSON Web Key Set: an object with the list `keys`";
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
        let set: Value = serde_json::from_slice(bytes).map_err(|_| SHAPE)?;
        let all = set.get("keys").and_then(Value::as_array).ok_or(SHAPE)?;
        let mut keys: Vec<Key> = Vec::new();
        let mut left_out = LeftOut::default();
        for (index, value) in all.iter().enumerate() {
            let key = match jwk::read(value) {
                Ok(key) if keys.iter().any(|other| other.repeats(&key)) => {
                    Err("is there a second time".to_owned())
                }
                Ok(_) if keys.len() == MAX_KEYS => Err(format!("comes after {MAX_KEYS} others")),
                result => result,
            };
            match key {
                Ok(key) => keys.push(key),
                Err(why) => left_out.note(&jwk::name(value, index), &why),
            }
        }
        if keys.is_empty() {
            let why: String =
                left_out.told(MAX_IN_A_LINE).into_iter().map(|why| format!("; {why}")).collect();
            return Err(format!("has no key that can check a token{why}"));
        }
        self.0.extend(keys);
        Ok(left_out.told(MAX_NAMED))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that `signature` (in base64url) for `message` was made with one of the keys for `algorithm`, and with the name
    /// `kid` if both have a name. Adds the time for it, in microseconds, to `spent_us`.
    ///
    /// # Errors
    ///
    /// If there is no such key, or none of them made the signature.
    pub fn check(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        message: &str,
        signature: &str,
        spent_us: &mut u32,
    ) -> Result<(), Flaw> {
        let (mut of_kind, mut called, mut tried, mut token_us) = (false, false, 0, 0);
        for key in self.0.iter().filter(|key| key.is_for(algorithm)) {
            of_kind = true;
            if !key.is_called(kid) {
                continue;
            }
            called = true;
            if !key.signs_with(algorithm, signature.len()) {
                continue;
            }
            let cost_us = key.cost_us(algorithm, message.len());
            if tried == MAX_TRIES || token_us + cost_us > MOST_US {
                break;
            }
            tried += 1;
            token_us += cost_us;
            *spent_us = spent_us.saturating_add(cost_us);
            if key.verifies(algorithm, message, signature) {
                return Ok(());
            }
        }
        Err(match (of_kind, called) {
            (false, _) => Flaw::Algorithm,
            (true, false) => Flaw::Kid,
            (true, true) => Flaw::Signature,
        })
    }
}

/// Keys that are left out of a set.
#[derive(Default)]
struct LeftOut {
    /// Why, a sentence for each of the first [`MAX_NAMED`].
    named: Vec<String>,
    all: usize,
}

impl LeftOut {
    fn note(&mut self, name: &str, why: &str) {
        self.all += 1;
        if self.named.len() < MAX_NAMED {
            self.named.push(format!("{name} is left out: it {why}"));
        }
    }

    /// The sentences of the first `most` at most, and how many more there are.
    fn told(mut self, most: usize) -> Vec<String> {
        self.named.truncate(most);
        match self.all - self.named.len() {
            0 => {}
            1 => self.named.push("1 more key is left out".to_owned()),
            more => self.named.push(format!("{more} more keys are left out")),
        }
        self.named
    }
}

#[cfg(test)]
mod tests;
