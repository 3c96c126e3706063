//! The fuzz oracles with bytes that are the same for everybody: the corpus, seeded changes of it, and pieces put
//! together.
//!
//! A crash that the fuzzer finds becomes a file of the corpus, and so a test.

#[path = "../fuzz/oracles/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod oracles;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use oracles::{Numbers, cut_anywhere, http_head, native_request, ws_frames};

/// Changed inputs for each target.
const ROUNDS: u64 = 6_000;

/// The files of one target's corpus, by name.
fn corpus(target: &str) -> BTreeMap<String, Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = fs::read_dir(directory).expect("the corpus can be read").flatten();
    files
        .map(|file| {
            let bytes = fs::read(file.path()).expect("the file can be read");
            (file.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect()
}

/// Changes, drops, repeats and joins bytes of `all`.
fn spoil(all: &[&Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = all[numbers.below(all.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 if at < bytes.len() => {
                bytes[at] = [0, b'\r', b'\n', b' ', b'"', 0x7f, 0x80, 0xff][numbers.below(8)]
            }
            2 => bytes.insert(at, numbers.next() as u8),
            3 => drop(bytes.drain(at..(at + numbers.below(9)).min(bytes.len()))),
            4 => bytes.extend_from_slice(all[numbers.below(all.len())]),
            _ => {
                let other = all[numbers.below(all.len())];
                let from = numbers.below(other.len() + 1);
                bytes.splice(at..at, other[from..].iter().take(20).copied());
            }
        }
    }
    bytes
}

/// Runs `check` on the corpus and on seeded changes of it, and counts the results.
fn run<T: Debug + Ord>(target: &str, check: impl Fn(&[u8]) -> T) -> BTreeMap<T, usize> {
    let corpus = corpus(target);
    let mut seen = BTreeMap::new();
    for (name, bytes) in &corpus {
        let came = catch_unwind(AssertUnwindSafe(|| check(bytes)));
        *seen.entry(came.unwrap_or_else(|_| panic!("corpus file {name}"))).or_default() += 1;
    }
    let all: Vec<_> = corpus.values().collect();
    for seed in 0..ROUNDS {
        let bytes = spoil(&all, &mut Numbers(seed));
        let came = catch_unwind(AssertUnwindSafe(|| check(&bytes)));
        let came = came.unwrap_or_else(|_| panic!("seed {seed}: {:?}", bytes.escape_ascii().to_string()));
        *seen.entry(came).or_default() += 1;
    }
    seen
}

/// Asserts that each of `wanted` came out often enough.
#[track_caller]
fn assert_tried<T: Debug + Ord>(seen: &BTreeMap<T, usize>, wanted: impl IntoIterator<Item = T>) {
    for each in wanted {
        assert!(seen.get(&each).is_some_and(|count| *count >= 10), "{each:?} is hardly tried: {seen:?}");
    }
}

#[test]
fn http_heads() {
    let seen = run("http_head", |bytes| http_head::check(bytes).1);
    assert_tried(&seen, [None, Some(400), Some(411), Some(413), Some(414), Some(431), Some(501), Some(505)]);
}

#[test]
fn ws_frames_cut_anywhere() {
    let seen = run("ws_frames", |bytes| ws_frames::check(bytes).1);
    assert_tried(&seen, [None, Some(1002), Some(1007), Some(1008), Some(1009)]);
}

#[test]
fn native_requests() {
    let seen = run("native_request", native_request::check);
    let codes = ["bad_json", "bad_request", "bad_room", "unknown_type"];
    assert_tried(&seen, codes.map(|code| Some(Err(code))));
    assert_tried(&seen, [Some(Ok(())), None]);
}

#[test]
fn vectors_come_out_as_they_must() {
    let http = |name: &str| http_head::check(&corpus("http_head")[name]);
    for name in corpus("http_head").into_keys().filter(|name| name.starts_with("smuggle-")) {
        assert_eq!(http(&name), (0, Some(400)), "{name}");
    }
    for (name, status) in [
        ("cve-2019-16276-space-before-colon", 400),
        ("cve-2021-22959-space-before-colon", 400),
        ("cve-2021-22960-chunk-extension", 400),
        ("cve-2021-32714-chunk-size-overflow", 400),
        ("cve-2021-32715-length-with-plus", 400),
        ("cve-2022-32213-coding-not-last", 501),
        ("cve-2022-32214-bare-lf", 400),
        ("cve-2022-32215-folded-coding", 400),
        ("cve-2023-30589-bare-cr", 400),
        ("cve-2023-43669-endless-head", 431),
        ("cve-2024-37890-many-fields", 431),
        ("cve-2025-22871-chunk-line-lf", 400),
    ] {
        assert_eq!(http(name), (0, Some(status)), "{name}");
    }
    for (name, code) in [
        ("cve-2020-27813-length-overflow", 1009),
        ("cve-2022-35922-declared-length", 1009),
        ("top-bit-length", 1002),
        ("all-ones-length", 1002),
        ("length-wraps-32-bits", 1009),
        ("empty-fragments", 1008),
    ] {
        assert_eq!(ws_frames::check(&corpus("ws_frames")[name]), (0, Some(code)), "{name}");
    }
    assert_eq!(ws_frames::check(&corpus("ws_frames")["cve-2026-65623-many-fragments"]), (1, None));
    for (name, expected) in [
        ("cve-2017-12635-doubled-field", Err("bad_request")),
        ("doubled-by-escape", Err("bad_request")),
        ("doubled-in-data", Ok(())),
        ("deep-128", Ok(())),
        ("deep-129", Err("bad_json")),
        ("deep-elsewhere", Ok(())),
        ("deep-unclosed", Err("bad_json")),
        ("byte-order-mark", Err("bad_json")),
        ("two-values", Err("bad_json")),
    ] {
        assert_eq!(native_request::check(&corpus("native_request")[name]), Some(expected), "{name}");
    }
}

/// A reader that loses a part of a line at the end of its input: the fault that the oracle must find.
#[test]
fn a_reader_that_forgets_at_a_cut_is_found() {
    let forgetful = |pieces: &[&[u8]]| -> Vec<Vec<u8>> {
        let whole = |piece: &&&[u8]| piece.contains(&b'\n');
        pieces.iter().filter(whole).map(|piece| piece.to_vec()).collect()
    };
    let faithful = |pieces: &[&[u8]]| pieces.concat();
    assert_eq!(cut_anywhere(b"some\nlines\n", faithful), b"some\nlines\n");
    assert!(catch_unwind(|| cut_anywhere(b"some\nlines\n", forgetful)).is_err());
}
