//! Tokens against keys: what is taken, and every known way to forge one. The fixtures are public keys, and tokens that
//! their private halves signed once, by another library.

use base64::Engine;
use jsonwebtoken::{Algorithm, EncodingKey};

use super::*;
use crate::auth::denied::Flaw;
use crate::auth::key::Key;

const SECRET: &[u8] = b"a secret of more than thirty-two bytes";
const RSA: &[u8] = include_bytes!("../fixtures/rsa.pem");
const RSA_PKCS1: &[u8] = include_bytes!("../fixtures/rsa.pkcs1.pem");
const RSA_1024: &[u8] = include_bytes!("../fixtures/rsa1024.pem");
const P256: &[u8] = include_bytes!("../fixtures/p256.pem");
const P384: &[u8] = include_bytes!("../fixtures/p384.pem");
const P521: &[u8] = include_bytes!("../fixtures/p521.pem");
const ED25519: &[u8] = include_bytes!("../fixtures/ed25519.pem");
const JWKS: &[u8] = include_bytes!("../fixtures/jwks.json");

/// 14 November 2023, in seconds.
const NOW: u64 = 1_700_000_000;

fn secret() -> KeySet {
    set(Key::secret(SECRET))
}

fn pem(bytes: &[u8]) -> KeySet {
    set(Key::pem(bytes))
}

fn set(key: Result<Key, String>) -> KeySet {
    let mut keys = KeySet::default();
    keys.add(key.unwrap());
    keys
}

fn jwks(bytes: &[u8]) -> Result<KeySet, String> {
    let mut keys = KeySet::default();
    keys.add_jwks(bytes).map(|_| keys)
}

/// The tokens of `tokens.txt`: algorithm, key, token.
fn signed() -> Vec<(&'static str, &'static str, &'static str)> {
    let line = |line: &'static str| match line.split(' ').collect::<Vec<_>>()[..] {
        [algorithm, key, token] => (algorithm, key, token),
        _ => panic!("{line}"),
    };
    include_str!("../fixtures/tokens.txt").lines().map(line).collect()
}

fn encoded(part: &str) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// A token with these parts, its signature by HMAC with `secret`.
fn hmac(header: &str, claims: &str, secret: &[u8], algorithm: Algorithm) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// A token that is good but for what `claims` say.
fn claiming(claims: &str) -> String {
    hmac(r#"{"alg":"HS256"}"#, claims, SECRET, Algorithm::HS256)
}

fn at(token: &str, keys: &KeySet, now_ms: u64) -> Result<Identity, Denied> {
    verify(token, keys, &Terms::default(), now_ms, &mut 0)
}

fn user(token: &str, keys: &KeySet) -> Option<String> {
    at(token, keys, NOW * 1000).ok().map(|identity| identity.user.to_string())
}

#[track_caller]
fn assert_forged(token: &str, keys: &KeySet) {
    let result = at(token, keys, NOW * 1000);
    assert!(matches!(result, Err(Denied::Invalid(_))), "{result:?} {token:.200}");
}

#[test]
fn every_algorithm_is_taken_with_its_own_key_only() {
    let keys = [("rsa", RSA), ("p256", P256), ("p384", P384), ("ed25519", ED25519)];
    for (algorithm, own, token) in signed().into_iter().filter(|(_, key, _)| *key != "rsa1024") {
        for (name, bytes) in keys {
            let expected = (name == own).then(|| "alice".to_owned());
            assert_eq!(user(token, &pem(bytes)), expected, "{algorithm} {name}");
        }
        assert_eq!(user(token, &jwks(JWKS).unwrap()), Some("alice".to_owned()), "{algorithm}");
        assert_forged(token, &secret());
    }
    for (name, algorithm) in
        [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)]
    {
        let token = hmac(&format!(r#"{{"alg":"{name}"}}"#), r#"{"sub":"bob"}"#, SECRET, algorithm);
        assert_eq!(user(&token, &secret()), Some("bob".to_owned()), "{name}");
        assert_forged(&token, &set(Key::secret(b"another secret of enough bytes....")));
    }
    assert_eq!(user(signed()[0].2, &pem(RSA_PKCS1)), Some("alice".to_owned()));
}

#[test]
fn a_token_without_a_signature_is_none() {
    let claims = encoded(r#"{"sub":"eve"}"#);
    for algorithm in ["none", "None", "NONE", "nOnE", "", "HS257"] {
        let header = encoded(&format!(r#"{{"alg":"{algorithm}"}}"#));
        for keys in [secret(), pem(RSA), KeySet::default()] {
            assert_forged(&format!("{header}.{claims}."), &keys);
            assert_forged(&format!("{header}.{claims}"), &keys);
            assert_forged(&format!("{header}.{claims}.{header}"), &keys);
        }
    }
    assert_forged(&format!("{}.{claims}.", encoded(r#"{"alg":"HS256"}"#)), &secret());
}

/// Whoever checks "with the configured key" and lets the token say how can be given a token that is signed with the
/// public key, which everybody has, as if it were a secret (CVE-2015-9235).
#[test]
fn a_public_key_is_not_a_secret() {
    let trimmed = RSA.trim_ascii_end();
    let der = simple_der(RSA);
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let header = format!(r#"{{"alg":"{algorithm:?}","kid":"r"}}"#);
        for stolen in [RSA, trimmed, RSA_PKCS1, &der, b""] {
            let token = hmac(&header, r#"{"sub":"eve"}"#, stolen, algorithm);
            assert_forged(&token, &pem(RSA));
            assert_forged(&token, &jwks(JWKS).unwrap());
        }
    }
}

fn simple_der(pem: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(pem).unwrap();
    let base64: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD.decode(base64).unwrap()
}

#[test]
fn a_token_is_taken_whole_or_not_at_all() {
    let good = claiming(r#"{"sub":"bob"}"#);
    assert!(user(&good, &secret()).is_some());
    // The last character carries bits beyond the signature's end, so it is not changed here but dropped below.
    for at in 0..good.len() - 1 {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert_forged(std::str::from_utf8(&bytes).unwrap(), &secret());
    }
    for end in 0..good.len() {
        assert_forged(&good[..end], &secret());
    }
    for wrong in
        [format!("{good}="), format!(" {good}"), format!("{good}."), format!("a.{good}"), "é.é.é".to_owned()]
    {
        assert_forged(&wrong, &secret());
    }
}

#[test]
fn extensions_that_must_be_understood_are_not() {
    for crit in [r#"["exp"]"#, r#"["b64"]"#, "[]", "null", r#""exp""#] {
        let header = format!(r#"{{"alg":"HS256","crit":{crit}}}"#);
        assert_forged(&hmac(&header, r#"{"sub":"bob"}"#, SECRET, Algorithm::HS256), &secret());
    }
}

#[test]
fn keys_named_by_the_token_itself_are_not_looked_at() {
    let header = r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"},"jku":"http://evil","x5u":"http://evil"}"#;
    let stolen = hmac(header, r#"{"sub":"eve"}"#, &[0, 0, 0], Algorithm::HS256);
    assert_forged(&stolen, &secret());
    assert_forged(&stolen, &pem(RSA));
}

#[test]
fn kid_chooses_the_key() {
    let set = br#"{"keys":[{"kty":"oct","kid":"a","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
                           {"kty":"oct","kid":"b","alg":"HS512","k":"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"}]}"#;
    let keys = jwks(set).unwrap();
    let (a, b) = ([0; 32], URL_SAFE_NO_PAD.decode("BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA").unwrap());
    let token = |header: &str, secret: &[u8], algorithm| hmac(header, r#"{"sub":"bob"}"#, secret, algorithm);
    let good = [
        token(r#"{"alg":"HS256","kid":"a"}"#, &a, Algorithm::HS256),
        token(r#"{"alg":"HS256"}"#, &a, Algorithm::HS256),
        token(r#"{"alg":"HS512","kid":"b"}"#, &b, Algorithm::HS512),
        token(r#"{"alg":"HS512"}"#, &b, Algorithm::HS512),
    ];
    let bad = [
        token(r#"{"alg":"HS256","kid":"c"}"#, &a, Algorithm::HS256),
        token(r#"{"alg":"HS512","kid":"b"}"#, &a, Algorithm::HS512),
        // `alg` in the set makes the key one for that algorithm alone.
        token(r#"{"alg":"HS256","kid":"b"}"#, &b, Algorithm::HS256),
    ];
    for token in &good {
        assert!(user(token, &keys).is_some(), "{token}");
    }
    for token in &bad {
        assert_forged(token, &keys);
    }
}

#[test]
fn keys_that_cannot_be_trusted_are_refused() {
    let why = |result: Result<Key, String>| result.map_or_else(|why| why, |_| "taken".to_owned());
    let private = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (bytes, word) in [
        (&b""[..], "not a public key"),
        (b"a secret", "not a public key"),
        (private, "private"),
        (certificate, "certificate"),
        (&[P256, P384].concat(), "several"),
        (RSA_1024, "1024 bits"),
        (P521, "not a point"),
    ] {
        assert!(why(Key::pem(bytes)).contains(word), "{}", why(Key::pem(bytes)));
    }
    assert!(why(Key::secret(b"")).contains("empty"));
    assert_eq!(user(signed().last().unwrap().2, &pem(RSA)), None);
}

/// What checking `token` took, and what came of it.
fn cost(token: &str, keys: &KeySet) -> (u32, Option<Flaw>) {
    let mut spent_us = 0;
    let flaw = match verify(token, keys, &Terms::default(), NOW * 1000, &mut spent_us) {
        Err(Denied::Invalid(flaw)) => Some(flaw),
        _ => None,
    };
    (spent_us, flaw)
}

#[test]
fn what_is_wrong_without_a_key_costs_no_check() {
    let (_, _, es384) = signed()[7];
    let (message, signature) = es384.rsplit_once('.').unwrap();
    let claims = message.split_once('.').unwrap().1;
    let with = |header: &str, signature: &str| format!("{}.{claims}.{signature}", encoded(header));
    let named = jwks(JWKS).unwrap();
    let cases = [
        ("bad".to_owned(), Flaw::Shape),
        ("x".repeat(MAX_TOKEN + 1), Flaw::Length),
        (with(r#"{"alg":"none"}"#, signature), Flaw::Header),
        (with(r#"{"alg":"ES384","crit":[]}"#, signature), Flaw::Crit),
        (with(r#"{"alg":"HS256"}"#, signature), Flaw::Algorithm),
        (with(r#"{"alg":"ES384","kid":"stranger"}"#, signature), Flaw::Kid),
        (with(r#"{"alg":"ES384","kid":"f"}"#, "bad"), Flaw::Signature),
        (with(r#"{"alg":"ES384","kid":"f"}"#, &signature[1..]), Flaw::Signature),
        (with(r#"{"alg":"ES384","kid":"f"}"#, &format!("{signature}A")), Flaw::Signature),
    ];
    for (token, flaw) in cases {
        assert_eq!(cost(&token, &named), (READ_US, Some(flaw)), "{token:.60}");
    }
}

#[test]
fn a_check_costs_by_its_algorithm_and_by_the_keys_that_are_tried() {
    let once = |index: usize, key: &[u8]| cost(signed()[index].2, &pem(key)).0;
    let (rs256, ps256, es256, es384, eddsa) =
        (once(0, RSA), once(3, RSA), once(6, P256), once(7, P384), once(8, ED25519));
    let hs256 = cost(&claiming(r#"{"sub":"a"}"#), &secret()).0;
    assert!(hs256 < eddsa && eddsa < es256 && es256 < es384 && rs256 < es384, "{rs256} {es256} {es384}");
    assert!(rs256.abs_diff(ps256) < rs256 / 2);
    // A token that names no key is tried against each, but not against more than four, and of the slowest two.
    for (header, pem, signature, most) in
        [(r#"{"alg":"ES384"}"#, P384, 128, 2), (r#"{"alg":"ES256"}"#, P256, 86, 4)]
    {
        let (header, claims) = (encoded(header), encoded(r#"{"sub":"eve"}"#));
        let forged = format!("{header}.{claims}.{}", "A".repeat(signature));
        let many = |keys: usize| {
            let mut set = KeySet::default();
            (0..keys).for_each(|_| set.add(Key::pem(pem).unwrap()));
            cost(&forged, &set)
        };
        let (one, flaw) = many(1);
        assert_eq!(flaw, Some(Flaw::Signature));
        assert_eq!(many(2).0 - READ_US, 2 * (one - READ_US));
        assert_eq!(many(100).0 - READ_US, most * (one - READ_US));
    }
    let long = claiming(&format!(r#"{{"sub":"a","x":"{}"}}"#, "x".repeat(6_000)));
    assert!(cost(&long, &secret()).0 > hs256);
}

#[test]
fn claims_are_compared_with_the_time_that_is_passed_in() {
    // Claims, the second, and whether the token is good then.
    let cases = [
        (r#"{"sub":"a"}"#, u64::MAX / 1000, "good"),
        (r#"{"sub":"a","exp":1700000000}"#, NOW - 1, "good"),
        (r#"{"sub":"a","exp":1700000000}"#, NOW, "expired"),
        (r#"{"sub":"a","exp":1700000000.5}"#, NOW, "good"),
        (r#"{"sub":"a","exp":1e300}"#, NOW, "good"),
        (r#"{"sub":"a","exp":-1}"#, 0, "expired"),
        (r#"{"sub":"a","exp":0}"#, 0, "expired"),
        (r#"{"sub":"a","nbf":1700000000}"#, NOW, "good"),
        (r#"{"sub":"a","nbf":1700000000}"#, NOW - 1, "invalid"),
        (r#"{"sub":"a","exp":null}"#, NOW, "invalid"),
        (r#"{"sub":"a","exp":"1800000000"}"#, NOW, "invalid"),
        (r#"{"sub":"a","exp":1800000000,"exp":1900000000}"#, NOW, "invalid"),
        (r#"{"sub":"a","nbf":null}"#, NOW, "invalid"),
        (r#"{"sub":"a","nbf":"0"}"#, NOW, "invalid"),
        (r#"{"exp":1800000000}"#, NOW, "invalid"),
        (r#"{"sub":""}"#, NOW, "invalid"),
        (r#"{"sub":"a\nb"}"#, NOW, "invalid"),
        (r#"{"sub":null}"#, NOW, "invalid"),
        (r#"{"sub":7}"#, NOW, "invalid"),
        (r#"["a"]"#, NOW, "invalid"),
        ("", NOW, "invalid"),
    ];
    for (claims, now, expected) in cases {
        let word = match at(&claiming(claims), &secret(), now * 1000) {
            Ok(_) => "good",
            Err(Denied::Expired) => "expired",
            Err(_) => "invalid",
        };
        assert_eq!(word, expected, "{claims} {now}");
    }
    let long = format!(r#"{{"sub":"{}"}}"#, "x".repeat(129));
    assert_forged(&claiming(&long), &secret());
}

#[test]
fn leeway_forgives_both_ways() {
    let terms = Terms { leeway: Duration::from_secs(30), ..Terms::default() };
    let at =
        |claims: &str, now: u64| verify(&claiming(claims), &secret(), &terms, now * 1000, &mut 0).is_ok();
    let (exp, nbf) = (r#"{"sub":"a","exp":1700000000}"#, r#"{"sub":"a","nbf":1700000000}"#);
    assert!(at(exp, NOW + 29) && !at(exp, NOW + 30) && at(nbf, NOW - 30) && !at(nbf, NOW - 31));
}

#[test]
fn audience_and_issuer_are_required_where_set() {
    let terms = Terms { audience: Some("us".into()), issuer: Some("app".into()), ..Terms::default() };
    let good = |claims: &str| verify(&claiming(claims), &secret(), &terms, NOW * 1000, &mut 0).is_ok();
    assert!(good(r#"{"sub":"a","aud":"us","iss":"app"}"#));
    assert!(good(r#"{"sub":"a","aud":["them","us"],"iss":"app"}"#));
    for bad in [
        r#"{"sub":"a"}"#,
        r#"{"sub":"a","aud":"us"}"#,
        r#"{"sub":"a","iss":"app"}"#,
        r#"{"sub":"a","aud":"US","iss":"app"}"#,
        r#"{"sub":"a","aud":[],"iss":"app"}"#,
        r#"{"sub":"a","aud":"us","iss":"other"}"#,
        r#"{"sub":"a","aud":null,"iss":"app"}"#,
        r#"{"sub":"a","aud":"us","iss":["app"]}"#,
    ] {
        assert!(!good(bad), "{bad}");
    }
    // Where none is set, a token for somebody in particular is taken as well.
    assert!(user(&claiming(r#"{"sub":"a","aud":"them","iss":"x"}"#), &secret()).is_some());
}

#[test]
fn what_a_token_says_of_rooms_is_kept() {
    let rooms = |claims: &str| at(&claiming(claims), &secret(), NOW * 1000).unwrap().rooms().cloned();
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(rooms(r#"{"sub":"a"}"#), None);
    assert_eq!(rooms(r#"{"sub":"a","rooms":["x:*","y"]}"#), Some(Permits::both(&texts(&["x:*", "y"]))));
    let each = Permits::each(&texts(&["x"]), &[]);
    assert_eq!(rooms(r#"{"sub":"a","rooms":{"join":["x"]}}"#), Some(each));
}

#[test]
fn a_huge_token_is_not_looked_at() {
    let padded = |n: usize| claiming(&format!(r#"{{"sub":"a","x":"{}"}}"#, "x".repeat(n)));
    assert!(user(&padded(6_000), &secret()).is_some());
    assert!(padded(6_200).len() > MAX_TOKEN);
    assert_forged(&padded(6_200), &secret());
    let rooms = format!(r#"{{"sub":"a","rooms":[{}"a"]}}"#, r#""a","#.repeat(999));
    assert!(claiming(&rooms).len() < MAX_TOKEN);
    assert_forged(&claiming(&rooms), &secret());
    let deep = format!(r#"{{"sub":"a","x":{}{}}}"#, "[".repeat(2_000), "]".repeat(2_000));
    // Nobody knows that claim, so it is passed over, and nothing grows with its depth.
    assert!(user(&claiming(&deep), &secret()).is_some());
}

#[test]
fn tokens_that_are_issued_here_are_taken_here() {
    use crate::auth::issue::{Grant, Rooms, token};
    let rooms = ["chat:*".to_owned()];
    let grant = Grant {
        user: "alice",
        rooms: Some(Rooms::Both(&rooms)),
        audience: Some("us"),
        issuer: Some("app"),
        now: Duration::from_secs(NOW),
        ttl: Duration::from_secs(60),
    };
    let terms = Terms { audience: Some("us".into()), issuer: Some("app".into()), ..Terms::default() };
    let token = token(&grant, SECRET).unwrap();
    let identity = verify(&token, &secret(), &terms, NOW * 1000, &mut 0).unwrap();
    assert_eq!((&*identity.user, identity.expires_ms()), ("alice", Some((NOW + 60) * 1000)));
    assert_eq!(identity.rooms(), Some(&Permits::both(&rooms)));
    let each = Rooms::Each { join: &rooms, publish: &[] };
    let token = crate::auth::issue::token(&Grant { rooms: Some(each), ..grant }, SECRET).unwrap();
    let identity = verify(&token, &secret(), &terms, NOW * 1000, &mut 0).unwrap();
    assert_eq!(identity.rooms(), Some(&Permits::each(&rooms, &[])));
    let refused = |grant: &Grant<'_>, secret| crate::auth::issue::token(grant, secret).unwrap_err();
    assert!(refused(&Grant { user: "", ..grant }, SECRET).contains("user id"));
    assert!(refused(&grant, b"").contains("empty"));
    for bad in ["", "a b", "a$", &"x".repeat(201)] {
        let bad = [bad.to_owned()];
        refused(&Grant { rooms: Some(Rooms::Both(&bad)), ..grant }, SECRET);
        refused(&Grant { rooms: Some(Rooms::Each { join: &[], publish: &bad }), ..grant }, SECRET);
    }
    let many = vec!["a".to_owned(); 1_000];
    assert!(refused(&Grant { rooms: Some(Rooms::Both(&many)), ..grant }, SECRET).contains("fewer than 1000"));
}
