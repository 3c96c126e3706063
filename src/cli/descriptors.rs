//! File descriptors: one for each connection, and some for the server itself.

use std::io;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that no connection gets: listeners, pollers, wakers, the log.
const OWN: u64 = 64;
/// With no limit on connections set, fewer descriptors than this are worth a warning.
const FEW: u64 = 1024;
/// The most descriptors that room is made for at the start: the kernel takes 8 bytes for each.
const ROOM: u64 = 65_536;

/// Raises the soft limit of this process to the hard one, and warns when it is low for that many `connections` (0: as
/// many as there are descriptors).
///
/// It also makes room for the descriptors: in a process with threads the kernel waits for every core, up to 20 ms, each time
/// that its table of them doubles, and a burst of connections would overflow meanwhile.
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

/// Has the kernel's table hold descriptor `highest`, by using that number for a moment. Without it all goes on as well, only
/// slower at first.
fn make_room(highest: u64) {
    drop(i32::try_from(highest).map(|highest| fcntl_dupfd_cloexec(io::stderr(), highest)));
}

/// The highest descriptor that room is made for.
fn room(connections: usize, descriptors: u64) -> u64 {
    let wanted = if connections == 0 { ROOM } else { (connections as u64).saturating_add(OWN) };
    wanted.min(ROOM).min(descriptors).saturating_sub(1)
}

/// The descriptors that are wanted, if there are fewer.
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
