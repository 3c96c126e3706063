//! How long the check of a token takes, by its algorithm. The figures of `src/auth/cost.rs` are from here.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use switchboard::auth::issue::{self, Grant};
use switchboard::auth::key::Key;
use switchboard::auth::key_set::KeySet;
use switchboard::auth::token::{Terms, verify};

const SECRET: &[u8] = b"a secret of more than thirty-two bytes";

/// The public keys of the tests, by their names in the tokens.
const KEYS: [(&str, &[u8]); 4] = [
    ("rsa", include_bytes!("../../src/auth/fixtures/rsa.pem")),
    ("p256", include_bytes!("../../src/auth/fixtures/p256.pem")),
    ("p384", include_bytes!("../../src/auth/fixtures/p384.pem")),
    ("ed25519", include_bytes!("../../src/auth/fixtures/ed25519.pem")),
];

/// A token of every algorithm; for secrets a short one and a long one.
pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("token check");
    let mut measure = |name: &str, token: &str, key: Key| {
        let mut keys = KeySet::default();
        keys.add(key);
        let terms = Terms::default();
        group.bench_function(BenchmarkId::new(name, token.len()), |bencher| {
            bencher.iter(|| verify(black_box(token), &keys, &terms, 1_700_000_000_000, &mut 0).is_ok());
        });
    };
    for line in include_str!("../../src/auth/fixtures/tokens.txt").lines() {
        let [algorithm, key, token] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
        if let Some((_, pem)) = KEYS.iter().find(|(name, _)| *name == key) {
            measure(algorithm, token, Key::pem(pem).expect("the fixture is a key"));
        }
    }
    for patterns in [1, 100] {
        let rooms = vec!["a room with a long name:*".replace(' ', "-"); patterns];
        let grant = Grant {
            user: "alice",
            rooms: Some(issue::Rooms::Both(&rooms)),
            audience: None,
            issuer: None,
            now: Duration::from_secs(1_700_000_000),
            ttl: Duration::from_secs(60),
        };
        let token = issue::token(&grant, SECRET).expect("the grant is good");
        measure("HS256", &token, Key::secret(SECRET).expect("the secret is one"));
    }
    group.finish();
}
