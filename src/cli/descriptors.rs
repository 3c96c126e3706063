//! File descriptors: one for each connection, and some for the server itself.

use std::io;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors of the server itself: listeners, pollers, wakers, the log.
const OWN: u64 = 64;
/// Without a limit on connections, fewer descriptors than this bring a warning.
const FEW: u64 = 1024;
/// The most descriptors that the kernel's table is enlarged for at the start. Each takes 8 bytes.
const ROOM: u64 = 65_536;

/// Raises the soft limit of this process to the hard one. Warns when it is too low for that many `connections` (0: as many as
/// there are descriptors).
///
/// It also enlarges the kernel's table of descriptors. In a process with threads the kernel waits for every core, up to 20
/// ms, each time that this table doubles. A burst of connections would overflow meanwhile.
pub(crate) fn raise(connections: usize) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    // `None` is no limit at all.
    let Some(descriptors) = (if raised.is_ok() { maximum } else { current }) else {
        return;
    };
    if let Some(wanted) = short_of(connections, descriptors) {
        tracing::warn!(descriptors, "too few file descriptors: raise `ulimit -Hn` to at least {wanted}");
    }
    make_room(room(connections, descriptors));
}

/// Makes the kernel's table hold descriptor `highest`, by using that number for a moment. If this fails, only the first
/// connections are slower.
fn make_room(highest: u64) {
    drop(i32::try_from(highest).map(|highest| fcntl_dupfd_cloexec(io::stderr(), highest)));
}

/// The highest descriptor that the table is enlarged for.
fn room(connections: usize, descriptors: u64) -> u64 {
    let wanted = if connections == 0 { ROOM } else { (connections as u64).saturating_add(OWN) };
    wanted.min(ROOM).min(descriptors).saturating_sub(1)
}

/// How many descriptors are needed, if there are fewer.
fn short_of(connections: usize, descriptors: u64) -> Option<u64> {
    let wanted = match connections {
        0 => FEW,
        limit => (limit as u64).saturating_add(OWN),
    };
    (descriptors < wanted).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_one_for_each_connection_and_some_more() {
        assert_eq!(short_of(10_000, 10_063), Some(10_064));
        assert_eq!(short_of(10_000, 10_064), None);
        assert_eq!(short_of(usize::MAX, u64::MAX), None);
    }

    #[test]
    fn makes_room_for_what_may_come() {
        assert_eq!(room(0, 1_048_576), 65_535);
        assert_eq!(room(0, 20_000), 19_999);
        assert_eq!(room(1_000, 20_000), 1_063);
        assert_eq!(room(usize::MAX, 0), 0);
    }

    #[test]
    fn without_a_limit_warns_of_few() {
        assert_eq!(short_of(0, 64), Some(1024));
        assert_eq!(short_of(0, 1024), None);
    }
}
