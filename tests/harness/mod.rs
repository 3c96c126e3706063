//! The built program under test, and ways to speak to it.
//!
//! Nothing here sleeps: whatever is waited for is a line, a byte, the end of a stream or of the process, and every wait
//! ends in a failure after [`PATIENCE`].

#![allow(dead_code, unreachable_pub, reason = "each test program compiles this anew and uses a part of it")]

#[path = "../built/mod.rs"]
pub mod built;
pub mod client;
pub mod stream;
pub mod wire;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

pub use client::Client;
use stream::Stream;
use wire::{Response, Wire};

/// How long anything may take before a test fails for it: far longer than it does on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Settings under which nobody is closed for a pong that it does not send: for clients that are not read for as long as the
/// machine takes for something else.
pub const NO_BEAT: &str = "[heartbeat]\ninterval = \"1h\"\n";

/// A running server, killed when it is dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
    log: Mutex<Receiver<String>>,
    config: Option<PathBuf>,
}

impl Server {
    /// A server on a port of its own, with one shard a core.
    pub fn start() -> Self {
        Self::configured(&[], "")
    }

    /// A server with `config` for its configuration file.
    pub fn with(config: &str) -> Self {
        Self::configured(&[], config)
    }

    /// A server with so many shards.
    pub fn sharded(shards: usize, config: &str) -> Self {
        Self::configured(&["--shards", &shards.to_string()], config)
    }

    /// A server with `arguments` beside its port, and `config` for its configuration file.
    pub fn configured(arguments: &[&str], config: &str) -> Self {
        Self::listening("127.0.0.1:0", arguments, config)
    }

    /// A server on `address`.
    pub fn listening(address: &str, arguments: &[&str], config: &str) -> Self {
        let file = config_file(config);
        let mut command = program();
        command.args(["--listen", address, "--log", "warn", "--config"]).arg(&file).args(arguments);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let log = lines(child.stderr.take().expect("its standard error is a pipe"));
        let first = log.recv_timeout(PATIENCE).expect("a start is told");
        let address = first.rsplit("http://").next().and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| {
            // A process that outlives its test holds on to the test's output, and who reads that waits for ever.
            let _ = child.kill();
            panic!("no address in {first:?}")
        });
        Self { child, address, log: Mutex::new(log), config: Some(file) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A TCP connection to it.
    pub fn wire(&self) -> Wire {
        Wire::connect(self.address)
    }

    /// A WebSocket at `path`.
    pub fn client(&self, path: &str) -> Client {
        Client::connect(self.address, path)
    }

    /// A WebSocket of the native dialect at `path`, past its `welcome`.
    pub fn native(&self, path: &str) -> Client {
        let mut client = self.client(path);
        client.expect("welcome");
        client
    }

    /// A member of the native room `room`, past its `joined`.
    pub fn member(&self, room: &str) -> Client {
        let mut client = self.native(&format!("/ws/{room}"));
        client.expect("joined");
        client
    }

    /// A stream of Server-Sent Events at `path`.
    pub fn stream(&self, path: &str) -> Stream {
        Stream::open(self.wire(), path, "")
    }

    /// The same, going on behind an event.
    pub fn resume(&self, path: &str, last_event_id: &str) -> Stream {
        Stream::open(self.wire(), path, &format!("Last-Event-ID: {last_event_id}\r\n"))
    }

    /// The answer to a GET of `path` on a connection of its own.
    pub fn get(&self, path: &str) -> Response {
        self.wire().request("GET", path, "", "")
    }

    /// The answer to a POST of `body` to `path` on a connection of its own.
    pub fn post(&self, path: &str, body: &str) -> Response {
        self.wire().request("POST", path, &format!("Content-Length: {}\r\n", body.len()), body)
    }

    /// The answer to a DELETE of `path`, with `body`, on a connection of its own.
    pub fn delete(&self, path: &str, body: &str) -> Response {
        self.wire().request("DELETE", path, &format!("Content-Length: {}\r\n", body.len()), body)
    }

    /// Publishes `data` in `room` as the app.
    pub fn publish(&self, room: &str, data: &str) -> Response {
        let response = self.post(&format!("/api/rooms/{room}/messages"), &format!("{{\"data\":{data}}}"));
        assert_eq!(response.status, 200, "{response:?}");
        response
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it still runs");
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }

    /// The next line that it logs.
    pub fn logged(&self) -> String {
        self.log.lock().expect("no reader panics").recv_timeout(PATIENCE).expect("a line is logged")
    }

    /// Anonymous memory that it has resident, in KiB.
    pub fn memory_kib(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it still runs");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line of RssAnon");
        line.trim().trim_end_matches(" kB").parse().expect("a number of kB")
    }

    /// Descriptors that it has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it still runs").count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking()
            && let Ok(log) = self.log.lock()
        {
            log.try_iter().for_each(|line| eprintln!("server: {line}"));
        }
        if let Some(file) = self.config.take() {
            let _ = fs::remove_file(file);
        }
    }
}

/// The program, with none of the variables that the test happens to run with.
pub fn program() -> Command {
    let mut command = Command::new(built::path());
    let own = std::env::vars_os().map(|(name, _)| name);
    for name in own.filter(|name| name.to_string_lossy().starts_with("SWITCHBOARD_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// What a process prints that ends by itself. One that runs on is killed, and the test fails.
pub fn output(command: &mut Command) -> Output {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the process starts");
    let process = Pid::from_child(&child);
    let (ended, end) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        let late = end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
        late && kill_process(process, Signal::KILL).is_ok()
    });
    let output = child.wait_with_output().expect("it can be waited for");
    drop(ended);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!watch.join().expect("the watch does not panic"), "the process does not end; it said: {told}");
    output
}

/// Waits for the end of a process, which is killed if it does not come.
pub fn wait(child: &mut Child) -> ExitStatus {
    let ended = until(|| child.try_wait().expect("it can be waited for"));
    ended.unwrap_or_else(|| {
        let _ = child.kill();
        panic!("the process does not end")
    })
}

/// Looks again and again until there is something to see, or patience ends.
pub fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let seen = look();
        if seen.is_some() {
            return seen;
        }
        thread::yield_now();
    }
    None
}

/// Waits until `holds`.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    assert!(until(|| holds().then_some(())).is_some(), "not within {PATIENCE:?}: {what}");
}

fn config_file(text: &str) -> PathBuf {
    static FILES: AtomicUsize = AtomicUsize::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let name = format!("config-{}-{number}.toml", std::process::id());
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("the directory can be written");
    path
}

/// Reads `output` to its end on a thread, so that the process never waits for a reader.
fn lines(output: ChildStderr) -> Receiver<String> {
    let (told, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Nobody listens any more once the server is dropped.
            let _ = told.send(line);
        }
    });
    lines
}
