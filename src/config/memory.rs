//! The memory that the process may use, and the totals that must fit into it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::settings::{KIB, Limits};

/// Bytes that this process may use: the machine's memory, or less if a control group limits it. `None` where neither can be
/// read, for example outside Linux.
#[must_use]
pub fn available() -> Option<usize> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| machine_total(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = group_files(&groups).iter().filter_map(|file| limit(&fs::read_to_string(file).ok()?)).min();
    machine.into_iter().chain(group).min()
}

/// Lowers the totals of `limits` to fit into `available` bytes, so that the server sheds load before the kernel kills it: a
/// quarter for queues, an eighth each for history and rooms, and a thirty-second for keys. Returns whether it lowered any.
pub fn fit(limits: &mut Limits, available: usize) -> bool {
    let totals =
        |limits: &Limits| (limits.queue_total, limits.history_total, limits.rooms_total, limits.keys_total);
    let before = totals(limits);
    limits.queue_total = limits.queue_total.min(available / 4);
    limits.history_total = limits.history_total.min(available / 8);
    limits.rooms_total = limits.rooms_total.min(available / 8);
    limits.keys_total = limits.keys_total.min(available / 32);
    before != totals(limits)
}

/// The line `MemTotal: 16318480 kB`, whose kB are 1,024 bytes.
fn machine_total(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(KIB)
}

/// A control group's limit; `max` is none.
fn limit(text: &str) -> Option<usize> {
    text.trim().parse().ok()
}

/// The files with the limits of the groups in `/proc/self/cgroup`, from each group up to the root. All of these limits apply.
fn group_files(groups: &str) -> Vec<PathBuf> {
    groups.lines().filter_map(group_of).flat_map(|(root, group, file)| up_from(root, group, file)).collect()
}

/// A line is `number:controllers:path`; version 2 has the one line `0::path`.
fn group_of(line: &str) -> Option<(&'static str, &str, &'static str)> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    if controllers.is_empty() {
        Some(("/sys/fs/cgroup", path, "memory.max"))
    } else if controllers.split(',').any(|name| name == "memory") {
        Some(("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"))
    } else {
        None
    }
}

fn up_from(root: &'static str, group: &str, file: &'static str) -> Vec<PathBuf> {
    let group = Path::new(group.trim_start_matches('/'));
    group.ancestors().map(|group| Path::new(root).join(group).join(file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::MIB;

    #[test]
    fn reads_the_machines_memory() {
        assert_eq!(machine_total("MemTotal:       16318480 kB\nMemFree: 1 kB\n"), Some(16_318_480 * KIB));
        assert_eq!(machine_total("MemTotal: lots kB\n"), None);
    }

    #[test]
    fn looks_at_every_group_above() {
        let files = |groups| group_files(groups).iter().map(|p| p.display().to_string()).collect::<Vec<_>>();
        assert_eq!(
            files("0::/user.slice/a.service\n"),
            [
                "/sys/fs/cgroup/user.slice/a.service/memory.max",
                "/sys/fs/cgroup/user.slice/memory.max",
                "/sys/fs/cgroup/memory.max"
            ]
        );
        assert_eq!(files("12:cpu,cpuacct:/x\n4:memory:/\n"), ["/sys/fs/cgroup/memory/memory.limit_in_bytes"]);
    }

    #[test]
    fn no_limit_is_none() {
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("268435456\n"), Some(256 * MIB));
    }

    #[test]
    fn fits_the_totals_into_what_there_is() {
        let mut limits = Limits::default();
        assert!(fit(&mut limits, 256 * MIB));
        let Limits { queue_total, history_total, rooms_total, keys_total, .. } = limits;
        assert_eq!(
            (queue_total, history_total, rooms_total, keys_total),
            (64 * MIB, 32 * MIB, 32 * MIB, 8 * MIB)
        );
        assert!(!fit(&mut limits, 256 * MIB));
    }
}
