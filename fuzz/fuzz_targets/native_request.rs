//! `mkdir -p fuzz/target/found && cargo +nightly fuzz run native_request fuzz/target/found fuzz/corpus/native_request`
//!
//! What is found goes to the first directory; an input that fails, made small, belongs into the corpus.

#![no_main]

#[path = "../oracles/mod.rs"]
#[allow(dead_code)]
mod oracles;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    oracles::native_request::check(bytes);
});
