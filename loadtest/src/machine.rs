//! The machine on which the figures were measured.

use std::fmt;
use std::fs;

/// What a reader needs to know to compare figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    kernel: String,
}

impl Machine {
    pub(crate) fn here() -> Machine {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        Machine {
            processor: processor(&cpuinfo),
            cores: cores(&cpuinfo),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

/// All cores of the machine: this process may be pinned to one.
fn cores(cpuinfo: &str) -> usize {
    cpuinfo.lines().filter(|line| line.starts_with("processor")).count()
}

fn processor(cpuinfo: &str) -> String {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map_or("an unknown processor", |(_, name)| name);
    name.trim().to_owned()
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { processor, cores, kernel } = self;
        write!(f, "Measured over loopback on {cores} cores of {processor}, Linux {kernel}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_of_its_line() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: A 5\nflags\t: x\n"), "A 5");
        assert_eq!(cores("processor\t: 0\nmodel name\t: A 5\nprocessor\t: 1\n"), 2);
        assert_eq!(processor(""), "an unknown processor");
        assert!(Machine::here().to_string().starts_with("Measured over loopback on "));
    }
}
