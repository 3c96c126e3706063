//! Plays a script against the program and writes down what the program says.
//!
//! After each step every WebSocket that reads is asked for a pong, and everything before the pong is the answer. So
//! nothing has to be counted, and nothing is missed. With several shards, where the order of connections is not promised,
//! a step's answer is as long as in the transcript, and only the end is checked with a pong.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustix::process::Signal;

use super::literal;
use super::mask::Mask;
use super::peer::Peer;
use super::script::{Step, word};
use super::serving::{Serving, run};

/// The text so far, which stays when a player fails.
pub(crate) type Written = Arc<Mutex<Vec<String>>>;

/// Plays one script.
pub(crate) struct Player {
    pub(crate) directory: PathBuf,
    pub(crate) shards: usize,
    pub(crate) mask: Mask,
    pub(crate) serving: Option<Serving>,
    pub(crate) peers: Vec<(String, Peer)>,
    pub(crate) variables: Vec<(String, String)>,
    /// The file that is being written.
    pub(crate) file: PathBuf,
    /// Heartbeats are shown.
    pub(crate) with_beats: bool,
    /// A frame with this in it is shown only where it is waited for.
    pub(crate) ignored: Vec<String>,
    pub(crate) written: Written,
}

impl Player {
    /// A player whose files are in `directory`, which it makes and removes.
    pub(crate) fn new(directory: PathBuf, shards: usize, written: Written) -> Self {
        fs::create_dir_all(&directory).expect("the directory can be made");
        let (mask, file, ignored) = (Mask::default(), PathBuf::new(), Vec::new());
        Self {
            directory,
            shards,
            mask,
            serving: None,
            peers: Vec::new(),
            variables: Vec::new(),
            file,
            with_beats: false,
            ignored,
            written,
        }
    }

    /// Plays all steps.
    pub(crate) fn play(mut self, steps: &[Step]) {
        for step in steps {
            self.write(step.line.clone());
            let (who, rest) = word(&step.line);
            self.step(who, rest);
            if self.shards == 1 { self.settle() } else { self.hear(&step.recorded) }
        }
        self.settle();
    }

    fn step(&mut self, who: &str, rest: &str) {
        match who {
            "" | "#" => {}
            "file" => {
                let name = String::from_utf8(literal::bytes(rest)).expect("a name is text");
                self.file = self.directory.join(name);
                fs::write(&self.file, "").expect("the file can be written");
            }
            "|" => {
                let before = fs::read(&self.file).expect("a file was named");
                let text = [before, literal::bytes(rest), b"\n".into()].concat();
                fs::write(&self.file, text).expect("the file can be written");
            }
            "env" => {
                let (name, value) = rest.split_once('=').expect("NAME=value");
                let value = String::from_utf8(literal::bytes(value)).expect("a variable is text");
                self.variables.push((name.into(), value));
            }
            "mask" => match rest {
                "values" => self.mask.values = true,
                prefix => {
                    let prefix = String::from_utf8(literal::bytes(prefix)).expect("it is text");
                    self.mask.numbers.push(prefix);
                }
            },
            "let" => {
                let (name, value) = word(rest);
                self.mask.given.push((format!("{{{name}}}"), value.to_owned()));
            }
            "beats" => self.with_beats = true,
            "ignore" => self.ignored.push(rest.to_owned()),
            "serve" => self.serve(rest),
            "$" => {
                let address = self.mask.address.clone().unwrap_or_default();
                self.run(&arguments(&rest.replace("{address}", &address)));
            }
            "check" => {
                fs::write(self.directory.join("switchboard.toml"), literal::bytes(rest))
                    .expect("the file can be written");
                self.run(&arguments("check --config switchboard.toml"));
            }
            "signal" => {
                let signal = match rest {
                    "HUP" => Signal::HUP,
                    _ => Signal::TERM,
                };
                self.serving().signal(signal);
            }
            "log" => (0..count(rest)).for_each(|_| {
                let line = self.serving().logged();
                self.answer("log", &literal::show(line.as_bytes()));
            }),
            "stopped" => {
                let status = self.serving().ended();
                self.answer("exit", &status.to_string());
            }
            name => self.speak(name, rest),
        }
    }

    fn serving(&mut self) -> &mut Serving {
        self.serving.as_mut().expect("a server runs")
    }

    fn serve(&mut self, rest: &str) {
        let variables = std::mem::take(&mut self.variables);
        let serving = Serving::start(&self.directory, self.shards, &arguments(rest), &variables);
        self.mask.address = Some(serving.address.to_string());
        self.serving = Some(serving);
    }

    fn run(&mut self, arguments: &[String]) {
        let output = run(&self.directory, arguments, &std::mem::take(&mut self.variables));
        for (who, bytes) in [("out", &output.stdout), ("err", &output.stderr)] {
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                self.answer(who, &literal::show(line));
            }
        }
        self.answer("exit", &output.status.code().unwrap_or(-1).to_string());
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

pub(crate) fn count(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("a number and not {text:?}"))
}

/// Arguments are written with a space between them; one within is `\x20`.
fn arguments(text: &str) -> Vec<String> {
    let one = |word: &str| String::from_utf8(literal::bytes(word)).expect("an argument is text");
    text.split(' ').filter(|word| !word.is_empty()).map(one).collect()
}
