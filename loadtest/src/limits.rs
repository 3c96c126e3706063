//! The limits of the machine, checked before the first connection.

use anyhow::{Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are no connections: standard streams, epoll, the timer, files being read.
const SPARE: u64 = 64;

/// Makes room for so many connections in this process and in the server that it starts.
///
/// # Errors
///
/// The hard limit is lower; the sentence says what to do.
pub(crate) fn make_room(connections: usize) -> Result<()> {
    let wanted = connections as u64 + SPARE;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if let Some(maximum) = maximum
        && maximum < wanted
    {
        bail!(
            "{connections} connections need {wanted} file descriptors, and this process may have {maximum} at most: \
             run `ulimit -n {wanted}` as root in this shell first, or ask for at most {} connections",
            maximum.saturating_sub(SPARE)
        );
    }
    // The server is started by this process and inherits the limit.
    let raised = Rlimit { current: Some(wanted), maximum };
    if setrlimit(Resource::Nofile, raised).is_err() {
        bail!(
            "{connections} connections need {wanted} file descriptors: run `ulimit -n {wanted}` in this shell first"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_fit_and_a_trillion_do_not() {
        assert!(make_room(3).is_ok());
        if getrlimit(Resource::Nofile).maximum.is_some() {
            let why = make_room(1_000_000_000_000).expect_err("no machine has so many").to_string();
            assert!(why.contains("ulimit -n 1000000000064"), "{why}");
        }
    }
}
