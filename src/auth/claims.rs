//! The claims of a token, read strictly: a claim of a wrong type, also null, makes the token invalid.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use jsonwebtoken::Algorithm;

/// A token must have fewer patterns than this. Every join and publish matches against them.
pub(super) const MAX_PATTERNS: usize = 1_000;

/// The fields of a token's header (RFC 7515 section 4.1) that are used. Its keys (`jku`, `jwk`, `x5u`) are ignored: keys come
/// from the configuration only.
#[derive(serde::Deserialize)]
pub(super) struct Header {
    /// The algorithm. It cannot be `none`.
    pub(super) alg: Algorithm,
    /// The name of the key.
    #[serde(default, deserialize_with = "present")]
    pub(super) kid: Option<String>,
    /// Extensions that must be understood. No extension is.
    #[serde(default, deserialize_with = "present")]
    pub(super) crit: Option<IgnoredAny>,
}

/// The claims of a token (RFC 7519 section 4.1) that are used.
#[derive(serde::Deserialize)]
pub(super) struct Claims {
    #[serde(default, deserialize_with = "present")]
    pub(super) sub: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) exp: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    pub(super) nbf: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    pub(super) aud: Option<Audience>,
    #[serde(default, deserialize_with = "present")]
    pub(super) iss: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) rooms: Option<Rooms>,
}

/// Reads a field that is present. Serde's own `Option` would accept null for an absent field.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Seconds since 1970, with or without a fraction (RFC 7519 section 2).
#[derive(Clone, Copy, serde::Deserialize)]
pub(super) struct NumericDate(f64);

impl NumericDate {
    /// In milliseconds: 0 before 1970, and the largest number for times too far away.
    pub(super) fn ms(self) -> u64 {
        (self.0 * 1_000.0) as u64
    }
}

/// Whom a token is for: one name, or several (RFC 7519 section 4.1.3).
#[derive(serde::Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::One(own) => own == name,
            Self::Several(all) => all.iter().any(|own| own == name),
        }
    }
}

/// The rooms in a token: one list, or one to join and one to publish.
pub(super) enum Rooms {
    Both(Patterns),
    Each { join: Patterns, publish: Patterns },
}

/// A list of room patterns.
#[derive(Default, serde::Deserialize)]
pub(super) struct Patterns(pub(super) Vec<String>);

#[derive(serde::Deserialize)]
struct Each {
    #[serde(default)]
    join: Patterns,
    #[serde(default)]
    publish: Patterns,
}

impl<'de> Deserialize<'de> for Rooms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrObject;

        impl<'de> Visitor<'de> for ListOrObject {
            type Value = Rooms;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of patterns, or an object with `join` and `publish`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Rooms, A::Error> {
                let mut patterns = Vec::new();
                while let Some(pattern) = list.next_element()? {
                    patterns.push(pattern);
                }
                few(patterns.len())?;
                Ok(Rooms::Both(Patterns(patterns)))
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Rooms, A::Error> {
                let Each { join, publish } = Each::deserialize(MapAccessDeserializer::new(object))?;
                few(join.0.len() + publish.0.len())?;
                Ok(Rooms::Each { join, publish })
            }
        }

        deserializer.deserialize_any(ListOrObject)
    }
}

fn few<E: Error>(patterns: usize) -> Result<(), E> {
    if patterns < MAX_PATTERNS { Ok(()) } else { Err(E::custom("too many patterns")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads<T: for<'de> Deserialize<'de>>(json: &str) -> bool {
        serde_json::from_str::<T>(json).is_ok()
    }

    #[test]
    fn claims_are_of_their_own_type_or_absent() {
        for json in [
            "{}",
            r#"{"sub":"a","exp":1,"nbf":1.5,"aud":"x","iss":"y","rooms":[],"iat":null,"other":[1]}"#,
            r#"{"exp":-1,"nbf":0,"aud":["x","y"],"rooms":{}}"#,
            r#"{"exp":99999999999999999999999,"aud":[],"rooms":{"join":["a"],"publish":[],"other":null}}"#,
        ] {
            assert!(reads::<Claims>(json), "{json}");
        }
        for json in [
            "null",
            r#"{"sub":null}"#,
            r#"{"sub":7}"#,
            r#"{"sub":"a","sub":"b"}"#,
            r#"{"exp":null}"#,
            r#"{"exp":"1"}"#,
            r#"{"exp":[1]}"#,
            r#"{"exp":true}"#,
            r#"{"exp":1e999}"#,
            r#"{"nbf":null}"#,
            r#"{"nbf":"1"}"#,
            r#"{"aud":null}"#,
            r#"{"aud":{}}"#,
            r#"{"aud":["a",null]}"#,
            r#"{"iss":null}"#,
            r#"{"iss":["a"]}"#,
            r#"{"rooms":null}"#,
            r#"{"rooms":"a"}"#,
            r#"{"rooms":[1]}"#,
            r#"{"rooms":[["a"],["b"]]}"#,
            r#"{"rooms":{"join":null}}"#,
            r#"{"rooms":{"join":"a"}}"#,
            r#"{"rooms":{"join":[],"join":[]}}"#,
            r#"{"rooms":{"publish":{}}}"#,
        ] {
            assert!(!reads::<Claims>(json), "{json}");
        }
    }

    #[test]
    fn a_header_asks_for_nothing_unknown() {
        assert!(reads::<Header>(r#"{"alg":"HS256","typ":"JWT","kid":"a","jku":"x"}"#));
        for json in [
            "{}",
            r#"{"alg":"none"}"#,
            r#"{"alg":"None"}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"alg":null}"#,
            r#"{"alg":"HS256","alg":"HS256"}"#,
            r#"{"alg":"HS256","kid":null}"#,
            r#"{"alg":"HS256","kid":1}"#,
        ] {
            assert!(!reads::<Header>(json), "{json}");
        }
        for json in [r#"{"alg":"HS256","crit":null}"#, r#"{"alg":"HS256","crit":["exp"]}"#] {
            assert!(serde_json::from_str::<Header>(json).unwrap().crit.is_some(), "{json}");
        }
    }

    #[test]
    fn a_thousand_rooms_are_too_many() {
        let list = |n: usize| format!("[{}]", vec!["\"a\""; n].join(","));
        let claims = |rooms: String| reads::<Claims>(&format!("{{\"rooms\":{rooms}}}"));
        assert!(claims(list(999)) && !claims(list(1_000)));
        let each = |join, publish| format!("{{\"join\":{},\"publish\":{}}}", list(join), list(publish));
        assert!(claims(each(500, 499)) && !claims(each(500, 500)));
    }

    #[test]
    fn dates_are_clamped() {
        let ms = |json: &str| serde_json::from_str::<NumericDate>(json).unwrap().ms();
        assert_eq!((ms("1700000000"), ms("1700000000.25")), (1_700_000_000_000, 1_700_000_000_250));
        assert_eq!((ms("-5"), ms("1e300")), (0, u64::MAX));
    }
}
