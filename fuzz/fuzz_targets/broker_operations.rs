//! `mkdir -p fuzz/target/found && cargo +nightly fuzz run broker_operations fuzz/target/found`
//!
//! What is found goes to that directory; an input that fails, made small, belongs into a test of what it breaks.

#![no_main]

#[path = "../../tests/simulation/main.rs"]
#[allow(dead_code)]
mod simulation;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    simulation::operations::broker_operations(bytes);
});
