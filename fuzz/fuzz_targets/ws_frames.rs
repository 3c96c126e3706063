//! `mkdir -p fuzz/target/found && cargo +nightly fuzz run ws_frames fuzz/target/found fuzz/corpus/ws_frames`
//!
//! What is found goes to the first directory; an input that fails, made small, belongs into the corpus.

#![no_main]

#[path = "../oracles/mod.rs"]
#[allow(dead_code)]
mod oracles;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    oracles::ws_frames::check(bytes);
});
