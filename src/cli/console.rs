//! Lines for the person at the terminal. Nothing here fails when the other end of a pipe is closed. Text from outside is
//! escaped, so it cannot control the terminal.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use switchboard::program::visible;

/// The exit status when the program cannot do what was asked.
const REFUSED: u8 = 2;

/// Prints to standard output.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{}", visible::lines(text));
}

/// Prints to standard error: something works but is dangerous.
pub(crate) fn warn(what: impl Display) {
    let _ = writeln!(io::stderr(), "warning: {}", visible::lines(&what.to_string()));
}

/// Prints to standard error why nothing was started. Returns the exit status for it.
pub(crate) fn refuse(why: impl Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "{}", visible::lines(&why.to_string()));
    ExitCode::from(REFUSED)
}

/// Like [`refuse`], for a reason that does not begin with its own place.
pub(crate) fn refuse_named(why: impl Display) -> ExitCode {
    refuse(format_args!("switchboard: {why}"))
}
