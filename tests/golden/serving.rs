//! The program that a script starts: a server with its log, or a command that ends by itself.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{PATIENCE, program, wait};

/// What the log says about the machine, which no test can know.
const OF_THE_MACHINE: [&str; 2] = ["totals lowered to fit the memory", "too few file descriptors"];

/// A running server, killed when it is dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Receiver<String>,
    /// Lines that were read to find the address.
    read: VecDeque<String>,
}

impl Serving {
    /// A server in `directory` with `arguments`, and those of every script.
    pub(crate) fn start(
        directory: &Path,
        shards: usize,
        arguments: &[String],
        variables: &[(String, String)],
    ) -> Self {
        let shards = shards.to_string();
        let mut command = program();
        command.current_dir(directory).envs(variables.iter().cloned()).args(arguments);
        for (flag, value) in [("--listen", "127.0.0.1:0"), ("--shards", &shards), ("--log", "info")] {
            if !arguments.iter().any(|argument| argument == flag) {
                command.args([flag, value]);
            }
        }
        if directory.join("switchboard.toml").exists() {
            command.args(["--config", "switchboard.toml"]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let output = BufReader::new(child.stderr.take().expect("its standard error is a pipe"));
        let (told, log) = mpsc::channel();
        thread::spawn(move || {
            // Nobody reads the channel after the server is dropped.
            output.lines().map_while(Result::ok).for_each(|line| drop(told.send(line)));
        });
        let mut read = VecDeque::new();
        let address = loop {
            let Ok(line) = log.recv_timeout(PATIENCE) else {
                let _ = child.kill();
                panic!("it does not start: {read:?}");
            };
            let found = line
                .split("listens on http://")
                .nth(1)
                .and_then(|rest| rest.split(['"', ' ']).next()?.parse().ok());
            read.push_back(line);
            if let Some(address) = found {
                break address;
            }
        };
        Self { child, address, log, read }
    }

    /// The next line of its log.
    pub(crate) fn logged(&mut self) -> String {
        loop {
            let line = self.read.pop_front();
            let line = line.unwrap_or_else(|| self.log.recv_timeout(PATIENCE).expect("a line is logged"));
            if !OF_THE_MACHINE.iter().any(|what| line.contains(what)) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it still runs");
    }

    /// Waits for its end; its status.
    pub(crate) fn ended(&mut self) -> i32 {
        wait(&mut self.child).code().unwrap_or(-1)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the program with `arguments` to its end.
pub(crate) fn run(directory: &Path, arguments: &[String], variables: &[(String, String)]) -> Output {
    let mut command = program();
    command.current_dir(directory).envs(variables.iter().cloned()).args(arguments);
    command.env_remove("COLUMNS").output().expect("the program runs")
}
