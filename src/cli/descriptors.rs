//! File descriptors: one for each connection, and some for the server itself.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that no connection gets: listeners, pollers, wakers, the log.
const OWN: u64 = 64;
/// With no limit on connections set, fewer descriptors than this are worth a warning.
const FEW: u64 = 1024;

/// Raises the soft limit of this process to the hard one, and warns when it is low for that many `connections` (0: as
/// many as there are descriptors).
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
    fn without_a_limit_warns_of_few() {
        assert_eq!(short_of(0, 64), Some(1024));
        assert_eq!(short_of(0, 1024), None);
    }
}
