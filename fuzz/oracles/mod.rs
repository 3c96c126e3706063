//! What must hold for any bytes at all: plain functions, which cargo-fuzz drives where there is a nightly compiler and
//! which `cargo test` feeds with the corpus and with seeded bytes everywhere.
//!
//! The oracle of the wire is that cutting changes nothing: bytes mean the same however a network delivers them.

pub mod http_head;
pub mod native_request;
pub mod ws_frames;

use std::fmt::Debug;

/// SplitMix64: numbers that a seed decides, so that a failure can be seen again.
#[derive(Clone, Debug)]
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Feeds `bytes` whole, byte by byte, and in pieces that depend on the bytes themselves, so that a file alone says all
/// of a case; each must tell the same. Gives what was told.
pub fn cut_anywhere<T: Debug + PartialEq>(bytes: &[u8], tell: impl Fn(&[&[u8]]) -> T) -> T {
    let told = tell(&[bytes]);
    let mut seed = Numbers(bytes.len() as u64);
    for byte in bytes {
        seed.0 = (seed.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    for pieces in [single, pieces(bytes, 3, &mut seed), pieces(bytes, 40, &mut seed)] {
        let cut = tell(&pieces);
        assert!(cut == told, "whole: {told:?}\ncut as {pieces:?}: {cut:?}");
    }
    told
}

/// `bytes` in pieces of up to `most` bytes, some of them empty.
fn pieces<'a>(mut bytes: &'a [u8], most: usize, numbers: &mut Numbers) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(numbers.below(most + 1).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}
