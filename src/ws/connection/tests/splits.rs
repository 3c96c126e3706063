//! The same bytes tell the same, however they are cut.

use super::rules::{Case, cases};
use super::{Told, tell};

/// Streams above this size are cut near both ends only.
const SHORT: usize = 300;

/// The places where a stream of `len` bytes is cut.
fn places(len: usize) -> impl Iterator<Item = usize> {
    (0..=len).filter(move |&place| len <= SHORT || place < 30 || place + 30 > len)
}

#[test]
fn a_stream_cut_at_any_place_tells_the_same() {
    for Case { rule, bytes, told } in cases() {
        for place in places(bytes.len()) {
            let (left, right) = bytes.split_at(place);
            assert_eq!(tell([left, right]), told, "{rule}, cut at {place}");
        }
    }
}

#[test]
fn a_short_stream_cut_at_any_two_places_tells_the_same() {
    for Case { rule, bytes, told } in cases().into_iter().filter(|case| case.bytes.len() <= 60) {
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(tell(pieces), told, "{rule}, cut at {first} and {second}");
            }
        }
    }
}

#[test]
fn a_stream_in_small_pieces_tells_the_same() {
    for Case { rule, bytes, told } in cases() {
        for size in [1, 2, 3, 5, 7, 64] {
            assert_eq!(tell(bytes.chunks(size)), told, "{rule}, {size} at a time");
        }
    }
}

/// All streams that leave a connection between messages, behind one another: each finds the state that the
/// one before left.
#[test]
fn a_long_life_cut_at_every_place_tells_the_same() {
    let kept: Vec<Case> = cases().into_iter().filter(lives_on).collect();
    assert!(kept.len() >= 12, "only {} streams to join", kept.len());
    let bytes: Vec<u8> = kept.iter().flat_map(|case| case.bytes.clone()).collect();
    let told: Vec<Told> = kept.into_iter().flat_map(|case| case.told).collect();
    for place in 0..=bytes.len() {
        let (left, right) = bytes.split_at(place);
        assert_eq!(tell([left, right]), told, "cut at {place}");
    }
    assert_eq!(tell(bytes.chunks(1)), told);
}

/// Whether a short stream ends where the next may begin: with neither a close nor a violation, nor within a
/// frame.
fn lives_on(case: &Case) -> bool {
    let ended = case.told.iter().any(|told| matches!(told, Told::Close(_) | Told::Violation(..)));
    !ended && !case.told.is_empty() && case.bytes.len() <= SHORT
}
