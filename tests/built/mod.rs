//! Which program the tests run.

use std::path::PathBuf;

/// The program that `PROGRAM` names, such as one built for another target, or the one that was built with the tests.
#[allow(dead_code, reason = "each test program compiles this anew")]
pub fn path() -> PathBuf {
    std::env::var_os("PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_switchboard").into(), PathBuf::from)
}
