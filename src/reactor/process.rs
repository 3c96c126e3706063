//! What the system says about the whole process.

use std::fs;
use std::sync::atomic::Ordering;

use crate::shard::Common;

/// Measures the process, for the first shard that asks in each second.
#[derive(Default)]
pub(super) struct Process {
    /// Descriptors that are open beside connections, after they have been counted.
    others: Option<u64>,
}

impl Process {
    /// Measures, unless another shard has done so in this second. It costs about 10 µs per second, and nothing while no
    /// shard turns.
    pub(super) fn look(&mut self, common: &Common, second: u64) {
        let process = &common.board.process;
        let last = process.looked_s.load(Ordering::Relaxed);
        let mine = || process.looked_s.compare_exchange(last, second, Ordering::Relaxed, Ordering::Relaxed);
        // In most turns this is one load, of a value that no other core writes.
        if last == second || mine().is_err() {
            return;
        }
        let connections = common.connections.load(Ordering::Relaxed) as u64;
        process.memory_bytes.store(resident_bytes().unwrap_or(0), Ordering::Relaxed);
        process.open_fds.store(self.open_fds(connections).unwrap_or(0), Ordering::Relaxed);
    }

    /// Since 6.2 Linux says how many there are. Before that they have to be counted, which is slow when there are many.
    /// So that is done once, and connections are added to it.
    fn open_fds(&mut self, connections: u64) -> Option<u64> {
        let known = fs::metadata("/proc/self/fd").ok()?.len();
        if known > 0 {
            return Some(known);
        }
        let count =
            || Some((fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(connections + 1));
        self.others = self.others.or_else(count);
        Some(self.others? + connections)
    }
}

/// Resident memory; only Linux says it.
fn resident_bytes() -> Option<u64> {
    let pages = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse::<u64>().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_what_the_system_says() {
        let counted = fs::read_dir("/proc/self/fd").unwrap().count() as u64;
        let said = Process::default().open_fds(0).unwrap();
        assert!(said.abs_diff(counted) <= 16, "{said} descriptors, {counted} counted");
        let bytes = resident_bytes().unwrap();
        assert!((1 << 20..1 << 40).contains(&bytes), "{bytes}");
    }
}
