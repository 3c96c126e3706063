//! Key sets as providers publish them: what is usable is used, whatever stands beside it.

use serde_json::{Value, json};

use super::*;
use crate::auth::token::{Terms, verify};

const JWKS: &[u8] = include_bytes!("../fixtures/jwks.json");

/// The keys of the fixture that check its tokens: it has others, as providers' sets do.
fn good() -> Vec<Value> {
    let set: Value = serde_json::from_slice(JWKS).unwrap();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.filter(|key| ["r", "e", "f", "d"].iter().any(|kid| key["kid"] == *kid)).cloned().collect()
}

/// A set with those keys and `others`, before and behind them.
fn beside(others: &[Value]) -> Vec<u8> {
    let good = good();
    let (before, behind) = others.split_at(others.len() / 2);
    let all: Vec<&Value> = before.iter().chain(&good).chain(behind).collect();
    json!({ "keys": all }).to_string().into_bytes()
}

/// The first key of the fixture's of that kind, changed.
fn changed(kind: &str, change: impl Fn(&mut Value)) -> Value {
    let mut key = good().into_iter().find(|key| key["kty"] == kind).unwrap();
    key["kid"] = json!("odd");
    change(&mut key);
    key
}

fn with(kind: &str, member: &str, value: Value) -> Value {
    changed(kind, |key| key[member] = value.clone())
}

/// Every key that cannot be used, and a word of what is said of it.
fn odd() -> Vec<(Value, &'static str)> {
    vec![
        (json!("a string"), "no `kty`"),
        (json!({}), "no `kty`"),
        (json!({"kty": 7}), "no `kty`"),
        (json!({"kty": "PQC"}), "of the kind \"PQC\""),
        (json!({"kty": "RSA"}), "not a whole key"),
        (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}), "17 bits"),
        (json!({"kty": "RSA", "n": "", "e": "AQAB"}), "0 bits"),
        (json!({"kty": "RSA", "n": "!", "e": "AQAB"}), "not a whole key"),
        (json!({"kty": "EC", "crv": "secp256k1", "x": "AQ", "y": "AQ"}), "secp256k1"),
        (json!({"kty": "EC", "crv": "P-521", "x": "AQ", "y": "AQ"}), "P-521"),
        (json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}), "not a point"),
        (json!({"kty": "EC", "crv": "Ed25519", "x": "AA", "y": "AA"}), "a curve of another kind"),
        (json!({"kty": "OKP", "crv": "X25519", "x": "AA"}), "X25519"),
        (json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}), "not a point"),
        (json!({"kty": "oct", "k": "AAAA"}), "3 bytes"),
        (json!({"kty": "oct", "k": ""}), "0 bytes"),
        (with("RSA", "use", json!("enc")), "`use` enc"),
        (with("RSA", "use", json!("tls")), "`use` something else"),
        (with("RSA", "key_ops", json!(["encrypt"])), "`key_ops`"),
        (with("RSA", "alg", json!("ES256")), "of another kind"),
        (with("RSA", "alg", json!("RSA-OAEP")), "RSA-OAEP"),
        (with("RSA", "alg", json!("XX512")), "XX512"),
        (with("RSA", "kid", json!(7)), "not a whole key"),
    ]
}

fn signed() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../fixtures/tokens.txt").lines().filter(|line| !line.contains("rsa1024"));
    lines.map(|line| line.rsplit(' ').next().unwrap())
}

#[track_caller]
fn assert_checks(keys: &KeySet) {
    for token in signed() {
        let who = verify(token, keys, &Terms::default(), 1_700_000_000_000, &mut 0);
        assert!(who.is_ok(), "{who:?} {token:.40}");
    }
}

#[test]
fn one_odd_key_does_not_throw_the_others_away() {
    for (key, word) in odd() {
        let mut keys = KeySet::default();
        let left_out = keys.add_jwks(&beside(std::slice::from_ref(&key))).unwrap();
        assert_eq!(left_out.len(), 1, "{key}: {left_out:?}");
        assert!(left_out[0].contains(word), "{word}: {left_out:?}");
        let name = if key["kid"] == "odd" { "the key \"odd\"".to_owned() } else { "key number 5".to_owned() };
        assert!(left_out[0].starts_with(&name), "{left_out:?}");
        assert_checks(&keys);
    }
}

#[test]
fn all_odd_keys_together_do_not_either() {
    let all: Vec<Value> = odd().into_iter().map(|(key, _)| key).collect();
    let mut keys = KeySet::default();
    let left_out = keys.add_jwks(&beside(&all)).unwrap();
    assert_eq!(left_out.len(), MAX_NAMED + 1, "{left_out:?}");
    assert_eq!(left_out[MAX_NAMED], format!("{} more keys are left out", all.len() - MAX_NAMED));
    assert_checks(&keys);
}

#[test]
fn a_key_counts_once() {
    let again = good().remove(0);
    let mut keys = KeySet::default();
    let left_out = keys.add_jwks(&beside(&[json!({"kty": "PQC"}), again.clone()])).unwrap();
    assert!(left_out[1].contains("a second time"), "{left_out:?}");
    // Under another name it is another key, as far as tokens can tell.
    let mut renamed = again;
    renamed["kid"] = json!("new");
    assert_eq!(KeySet::default().add_jwks(&beside(&[renamed])).unwrap(), [""; 0]);
}

#[test]
fn a_set_without_a_usable_key_is_refused_with_the_reasons() {
    let why = |bytes: &[u8]| KeySet::default().add_jwks(bytes).unwrap_err();
    for text in ["", "[]", r#"{"keys":{}}"#, r#"{"keys":"a"}"#] {
        assert!(why(text.as_bytes()).contains("not a JSON Web Key Set"), "{text}");
    }
    assert_eq!(why(br#"{"keys":[]}"#), "has no key that can check a token");
    for (key, word) in odd().into_iter().filter(|(_, word)| !word.contains("second")) {
        let why = why(json!({ "keys": [key] }).to_string().as_bytes());
        assert!(why.starts_with("has no key that can check a token; ") && why.contains(word), "{why}");
    }
}

#[test]
fn the_refusal_of_a_set_of_many_bad_keys_is_one_short_line() {
    let why = |many: usize| {
        let all = vec![json!({"kid": "a"}); many];
        KeySet::default().add_jwks(json!({ "keys": all }).to_string().as_bytes()).unwrap_err()
    };
    let named = |why: &str| why.matches("the key \"a\" is left out").count();
    assert_eq!((named(&why(5)), why(5).contains("more")), (5, false));
    assert!(named(&why(6)) == 5 && why(6).ends_with("; 1 more key is left out"), "{}", why(6));
    assert!(named(&why(200)) == 5 && why(200).ends_with("; 195 more keys are left out"), "{}", why(200));
}

#[test]
fn of_very_many_keys_the_first_are_used() {
    use base64::Engine;
    let secret = |n: usize| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{n:032}"));
    let all: Vec<Value> =
        (0..150).map(|n| json!({"kty": "oct", "kid": n.to_string(), "k": secret(n)})).collect();
    let mut keys = KeySet::default();
    let left_out = keys.add_jwks(json!({ "keys": all }).to_string().as_bytes()).unwrap();
    assert_eq!(keys.0.len(), MAX_KEYS);
    assert!(
        left_out[0].contains("the key \"100\"") && left_out[10] == "40 more keys are left out",
        "{left_out:?}"
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_set() {
    let mut keys = KeySet::default();
    keys.add_jwks(&[BOM, JWKS].concat()).unwrap();
    assert_checks(&keys);
}
