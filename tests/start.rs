//! How the built program starts, and what it says at its start and while it runs.

mod harness;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use harness::{built, program, wait};
use rustix::process::{Pid, Signal, kill_process};

/// The program in a directory of the tests.
fn switchboard(arguments: &[&str]) -> Command {
    let mut command = program();
    command.args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Writes `text` as a file of that name in the directory that the program is run in.
fn write(name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("the directory can be written");
    path
}

/// A server that is killed with its test: no failure leaves it behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail where it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first line of a program that may have so many descriptors, if that line is of a refusal; what is inherited counts.
fn refusal(descriptors: usize) -> Option<String> {
    let mut child = Running(
        Command::new("sh")
            .args(["-c", "ulimit -n \"$1\"; exec \"$2\" --listen 0 --shards 2 --log error", "sh"])
            .arg(descriptors.to_string())
            .arg(built::path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(child.0.stderr.take().unwrap()).lines();
    let first = lines.next().expect("it says something").unwrap();
    if first.contains(" listens on ") {
        return None;
    }
    assert!(lines.next().is_none(), "{descriptors}: {first}");
    assert_eq!(wait(&mut child.0).code(), Some(2), "{descriptors}: {first}");
    Some(first)
}

#[test]
fn too_few_descriptors_are_one_line() {
    // With fewer than 8 the program cannot even be loaded. How many are enough depends on what it inherits.
    let refusals: Vec<_> = (8..).map_while(refusal).collect();
    assert!(refusals.len() >= 3, "{refusals:?}");
    assert!(
        refusals.iter().all(|line| line.contains("open files") && line.contains("ulimit -n")),
        "{refusals:?}"
    );
}

/// Starts a server and reads the first `lines` that it logs.
fn start(arguments: &[&str], lines: usize) -> (Running, Vec<String>) {
    let mut child = Running(switchboard(arguments).stderr(Stdio::piped()).spawn().unwrap());
    let stderr = child.0.stderr.as_mut().unwrap();
    let told = BufReader::new(stderr).lines().take(lines).map(|line| line.unwrap()).collect();
    (child, told)
}

fn terminate(Running(child): &mut Running) -> Option<i32> {
    kill_process(Pid::from_child(child), Signal::TERM).expect("it still runs");
    wait(child).code()
}

#[test]
fn a_start_tells_where_and_what_to_try() {
    let (mut child, told) = start(&["--listen", "127.0.0.1:0", "--log", "warn"], 5);
    let address = told[0].rsplit("http://").next().unwrap();
    assert!(told[0].starts_with(concat!(
        "Switchboard ",
        env!("CARGO_PKG_VERSION"),
        " listens on http://127.0.0.1:"
    )));
    assert!(!address.ends_with(":0"), "{address}");
    assert!(told[1].ends_with(&format!("http://{address}")), "{told:?}");
    assert!(told[2].contains(&format!("ws://{address}/ws/lobby")), "{told:?}");
    assert!(told[3].contains(&format!("http://{address}/api/rooms/lobby/messages")), "{told:?}");
    assert!(told[4].contains("no key is set"), "{told:?}");
    assert_eq!(terminate(&mut child), Some(0));
}

#[test]
fn a_start_is_one_json_line_for_machines() {
    let (mut child, told) = start(&["--listen", "127.0.0.1:0", "--log", "error", "--log-format", "json"], 1);
    let line: serde_json::Value = serde_json::from_str(&told[0]).expect("a line of JSON");
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("listens on http://127.0.0.1:"), "{line}");
    assert!(line["publish"].as_str().unwrap().starts_with("curl "), "{line}");
    assert_eq!(terminate(&mut child), Some(0));
}

#[test]
fn insecure_listens_beyond_loopback() {
    let (mut child, told) = start(&["--listen", "0.0.0.0:0", "--insecure"], 4);
    assert!(told[3].contains("--insecure is given"), "{told:?}");
    assert_eq!(terminate(&mut child), Some(0));
}

/// The lines that a server logs until it says `last`.
fn until(lines: &mut impl Iterator<Item = std::io::Result<String>>, last: &str) -> Vec<String> {
    let mut told = Vec::new();
    while !told.last().is_some_and(|line: &String| line.contains(last)) {
        told.push(lines.next().expect("it goes on").expect("it is text"));
    }
    told
}

#[test]
fn a_hangup_says_what_was_read_and_what_was_not() {
    let secret = write("hup-secret", "a-secret-of-more-than-thirty-two-bytes");
    let config = |more: &str| format!("listen = 0\nauth.secret_file = \"hup-secret\"\n{more}");
    write("hup.toml", config(""));
    let mut child = Running(switchboard(&["-c", "hup.toml"]).stderr(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stderr.take().unwrap()).lines();
    until(&mut lines, "clients need a token");
    let process = Pid::from_child(&child.0);
    let mut hangup = |last: &str| {
        kill_process(process, Signal::HUP).unwrap();
        until(&mut lines, last)
    };
    let told = hangup("the configuration has not changed since the start");
    assert!(told[0].contains("keys reloaded") && told[0].contains("hup-secret"), "{told:?}");

    write("hup.toml", config("[limits]\nqueue = \"2MiB\"\n"));
    let told = hangup("take effect after a restart");
    assert!(told[1].contains("hup.toml") && told[1].contains("limits.queue"), "{told:?}");

    write("hup.toml", config("colour = 1\n"));
    fs::remove_file(secret).unwrap();
    let told = hangup("hup.toml:3: colour: unknown key");
    assert!(told[0].contains("its old keys stay in use") && told[0].contains("hup-secret"), "{told:?}");
    assert!(told.last().is_some_and(|last| last.contains("a restart would fail")), "{told:?}");
    assert_eq!(terminate(&mut child), Some(0));
}

/// The socket for the log is full and nobody reads it: a write to it would wait for ever.
#[cfg(target_os = "linux")]
#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let (mut log, mut unread) = UnixStream::pair().unwrap();
    log.set_nonblocking(true).unwrap();
    while log.write(&[b'x'; 512]).is_ok() {}
    log.set_nonblocking(false).unwrap();
    let mut command = switchboard(&["--listen", "127.0.0.1:0", "--log", "trace"]);
    let mut child = Running(command.stderr(OwnedFd::from(log)).spawn().unwrap());
    drop(command); // It holds an end of the log as well.
    while !has_thread(child.0.id(), "signals") {
        assert!(child.0.try_wait().unwrap().is_none(), "it runs until the signal");
        std::thread::yield_now();
    }
    assert_eq!(terminate(&mut child), Some(0));
    let mut logged = Vec::new();
    unread.read_to_end(&mut logged).unwrap();
    assert!(logged.iter().all(|byte| *byte == b'x'), "the log was full before the start");
}

/// Whether the process has started its thread of this name.
#[cfg(target_os = "linux")]
fn has_thread(process: u32, name: &str) -> bool {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok()).any(|comm| comm.trim() == name)
}
