//! Lines for the person at the terminal. Nothing here fails when the other end of a pipe is gone, and nothing from outside
//! that is repeated here does anything to the terminal.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use switchboard::visible;

/// The status of a program that was asked for something it cannot do.
const REFUSED: u8 = 2;

/// Prints to standard output.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{}", visible::lines(text));
}

/// Prints to standard error what works and is a danger.
pub(crate) fn warn(what: impl Display) {
    let _ = writeln!(io::stderr(), "warning: {}", visible::lines(&what.to_string()));
}

/// Prints to standard error why nothing was started, and gives the status that says so.
pub(crate) fn refuse(why: impl Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "{}", visible::lines(&why.to_string()));
    ExitCode::from(REFUSED)
}

/// Like [`refuse`], for a reason that does not begin with a place of its own.
pub(crate) fn refuse_named(why: impl Display) -> ExitCode {
    refuse(format_args!("switchboard: {why}"))
}
