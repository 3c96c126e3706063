//! A server as a process: started on its core, its CPU time and memory read, and stopped.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, setpriority_process};
use rustix::thread::{CpuSet, sched_setaffinity};

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(20);

/// How long a server may take to stop before it is killed.
const STOP: Duration = Duration::from_secs(3);

/// The cores of server and load under `--pin`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pin {
    pub(crate) server: usize,
    pub(crate) load: usize,
}

/// A server that this load test has started. It stops when the value is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Its command, to start it again.
    command: Vec<String>,
    pin: Option<Pin>,
    /// Its standard error, which is shown if it does not start.
    log: PathBuf,
    pub(crate) address: SocketAddr,
}

/// A port of loopback that was free a moment ago.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Puts this process on one core.
pub(crate) fn pin_self(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).with_context(|| format!("core {core} cannot be pinned to"))
}

/// Sets this thread to the lowest priority: others come first when a core is busy.
pub(crate) fn take_what_is_left() -> Result<()> {
    // On Linux a process of id 0 is the calling thread, and its niceness is its own (sched(7)).
    setpriority_process(None, 19).context("the priority cannot be lowered")
}

impl Server {
    /// Starts `command` (a program and its arguments), waits until it listens at `address`, and puts both on their
    /// cores.
    pub(crate) fn start(command: &[String], address: SocketAddr, pin: Option<Pin>) -> Result<Server> {
        let log =
            std::env::temp_dir().join(format!("loadtest-{}-{}.log", std::process::id(), address.port()));
        let child = spawn(command, pin, &log)?;
        let mut server = Server { child, command: command.to_vec(), pin, log, address };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM: the server should end in order.
    pub(crate) fn terminate(&self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("no SIGTERM reaches the server")
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Sends SIGKILL and starts the same command at the same address. Returns when it listens.
    pub(crate) fn kill_and_start_again(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = spawn(&self.command, self.pin, &self.log)?;
        self.wait_until_it_listens()
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let program = self.command.first().map_or("the server", String::as_str);
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                bail!("{program} ended at once: {status}\n{said}");
            }
            if begun.elapsed() > START {
                bail!("{program} does not listen at {} after {START:?}", self.address);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// Starts `command` on its core.
fn spawn(command: &[String], pin: Option<Pin>, log: &Path) -> Result<Child> {
    let Some((program, arguments)) = command.split_first() else { bail!("the target has no command") };
    let errors = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
    // A child inherits the affinity of its parent, so none of its threads ever runs on another core.
    if let Some(pin) = pin {
        pin_self(pin.server)?;
    }
    let mut command = Command::new(program);
    let spawned = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn();
    if let Some(pin) = pin {
        pin_self(pin.load)?;
    }
    spawned.with_context(|| format!("{program} cannot be started"))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.log);
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < STOP {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads `/proc` for a process and its children.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    pid: u32,
    /// Count its child processes too: a server may have workers.
    children: bool,
}

impl Watch {
    pub(crate) fn on(pid: u32) -> Watch {
        Watch { pid, children: true }
    }

    /// This process alone: the server may be its child.
    pub(crate) fn on_self() -> Watch {
        Watch { pid: std::process::id(), children: false }
    }

    /// User and system time since the process began, in microseconds, by ticks of 10 ms.
    pub(crate) fn cpu(&self) -> Result<u64> {
        let ticks: u64 = self.family().iter().map(|pid| ticks(*pid).unwrap_or(0)).sum();
        Ok(ticks * 1_000_000 / rustix::param::clock_ticks_per_second())
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        Ok(self.family().iter().map(|pid| resident(*pid).unwrap_or(0)).sum())
    }

    fn family(&self) -> Vec<u32> {
        if self.children { family(self.pid) } else { vec![self.pid] }
    }
}

/// The process and all its descendants.
fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut at = 0;
    while let Some(&pid) = family.get(at) {
        at += 1;
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
            continue;
        };
        for task in tasks.flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            family.extend(children.split_ascii_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    family
}

fn ticks(pid: u32) -> Option<u64> {
    ticks_of(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// `utime` and `stime` of a line of `/proc/PID/stat`: fields 14 and 15. The name in field 2 may hold spaces.
fn ticks_of(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// From `smaps_rollup`, which is exact; `status` may be off by some pages a thread.
fn resident(pid: u32) -> Option<u64> {
    let smaps = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("smaps_rollup")).ok()?;
    kibibytes(&smaps, "Rss:").map(|kib| kib * 1024)
}

fn kibibytes(text: &str, field: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix("kB")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 100 0 0 0 17 5 0 0 20 0 1 0 1000 1 1";
        assert_eq!(ticks_of(stat), Some(22));
        assert_eq!(ticks_of("42 (a) S 1"), None);
    }

    #[test]
    fn resident_memory_from_its_line() {
        assert_eq!(
            kibibytes("5500-7ff [rollup]\nRss:                1234 kB\nPss: 1 kB\n", "Rss:"),
            Some(1234)
        );
        assert_eq!(kibibytes("Pss: 1 kB\n", "Rss:"), None);
    }

    #[test]
    fn this_process_has_memory_and_a_clock() {
        assert!(Watch::on_self().memory().expect("/proc is there") > 100_000);
        assert!(Watch::on_self().cpu().is_ok());
    }
}
