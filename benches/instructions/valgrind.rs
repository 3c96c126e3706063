//! Runs this program under valgrind.

use std::process::{Command, Output};

/// The cost of a run, its start and setup included.
pub(crate) struct Cost {
    /// Instructions that were executed.
    pub(crate) instructions: u64,
    /// Blocks that were allocated.
    pub(crate) allocations: u64,
}

impl Cost {
    /// The cost of `rounds` operations of a shape.
    ///
    /// # Panics
    ///
    /// If there is no valgrind, or its output has another form.
    pub(crate) fn of(shape: &str, rounds: u32) -> Self {
        // "Collected : 1234", and "Total: 1,234 bytes in 56 blocks".
        let instructions = number(&run("callgrind", shape, rounds), "Collected : ", "");
        let allocations = number(&run("dhat", shape, rounds), "Total: ", " bytes in ");
        Self { instructions, allocations }
    }
}

fn run(tool: &str, shape: &str, rounds: u32) -> String {
    let program = std::env::current_exe().expect("a running program has a file");
    let Output { status, stderr, .. } = Command::new("valgrind")
        .arg(format!("--tool={tool}"))
        .arg(format!("--{tool}-out-file=/dev/null"))
        .arg(program)
        .args([shape, &rounds.to_string()])
        .output()
        .expect("valgrind is to be installed");
    let text = String::from_utf8_lossy(&stderr).into_owned();
    assert!(status.success(), "{text}");
    text
}

/// The number after `mark`, and after `then` in the same line.
fn number(text: &str, mark: &str, then: &str) -> u64 {
    let found = text.lines().find_map(|line| line.split_once(mark)?.1.split_once(then));
    let digits = found.map_or("", |(_, rest)| rest);
    let digits: String =
        digits.chars().take_while(|c| !c.is_whitespace()).filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no figure behind {mark:?} in: {text}"))
}
