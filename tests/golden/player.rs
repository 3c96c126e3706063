//! Plays a script against the program and writes down what that says.
//!
//! Behind each step every WebSocket that reads is asked for a pong, and what comes before it is the answer: so nothing has to
//! be counted, and nothing can come unseen. Where the order of connections is not promised, with several shards, a
//! step is answered with as much as the transcript has instead, and only the end is looked at in that way.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustix::process::Signal;

use super::literal;
use super::mask::Mask;
use super::peer::{Form, Peer, Piece};
use super::script::{Answer, Step, fields, word};
use super::serving::{Serving, run};
use crate::harness::wire::{Wire, masked};

/// What is written so far; it outlives a player that fails.
pub(crate) type Written = Arc<Mutex<Vec<String>>>;

/// Plays one script.
pub(crate) struct Player {
    directory: PathBuf,
    shards: usize,
    mask: Mask,
    serving: Option<Serving>,
    peers: Vec<(String, Peer)>,
    variables: Vec<(String, String)>,
    /// The file that is being written.
    file: PathBuf,
    /// A frame with this in it is shown only where it is waited for.
    ignored: Vec<String>,
    written: Written,
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
            ignored,
            written,
        }
    }

    /// Plays all steps.
    pub(crate) fn play(mut self, steps: &[Step]) {
        for (index, step) in steps.iter().enumerate() {
            self.write(step.line.clone());
            let (who, rest) = word(&step.line);
            let goes_on =
                steps.get(index + 1).is_some_and(|next| next.line.starts_with(&format!("{who} > ")));
            self.step(who, rest, goes_on && rest.starts_with("> "));
            if self.shards == 1 { self.settle() } else { self.hear(&step.recorded) }
        }
        self.settle();
    }

    fn step(&mut self, who: &str, rest: &str, goes_on: bool) {
        match who {
            "" | "#" => {}
            "file" => {
                self.file = self.directory.join(rest);
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
                prefix => self.mask.numbers.push(prefix.trim_matches('"').replace("\\\"", "\"")),
            },
            "ignore" => self.ignored.push(rest.to_owned()),
            "serve" => self.serve(rest),
            "$" => self.run(&arguments(rest)),
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
            name => self.speak(name, rest, goes_on),
        }
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

    /// What the connection called `name` does.
    fn speak(&mut self, name: &str, rest: &str, goes_on: bool) {
        let (verb, rest) = word(rest);
        match verb {
            "open" => {
                let (fields, path) = fields(rest);
                let request = format!(
                    "GET {path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{fields}\r\n"
                );
                self.send(name, request.as_bytes());
                self.read(name, 1);
            }
            "get" | "head" | "options" | "post" | "put" | "patch" | "delete" => {
                let (fields, rest) = fields(rest);
                let (path, body) = word(rest);
                let body = literal::bytes(&self.mask.fill(body));
                let path = self.mask.fill(path);
                let length = match verb {
                    "post" | "put" | "patch" => format!("Content-Length: {}\r\n", body.len()),
                    _ if !body.is_empty() => format!("Content-Length: {}\r\n", body.len()),
                    _ => String::new(),
                };
                let method = verb.to_uppercase();
                let head = format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}{length}\r\n");
                self.send(name, &[head.as_bytes(), &body].concat());
                self.read(name, 1);
            }
            ">" | ">>" => {
                let bytes = literal::bytes(&self.mask.fill(rest));
                self.send(name, &bytes);
                let peer = self.peer(name);
                peer.is_deaf = verb == ">>" || goes_on;
                if !peer.is_deaf && peer.form == Form::Http {
                    self.read(name, 1);
                }
            }
            "text" => {
                let frame = self.framed_text(rest);
                self.send(name, &frame);
            }
            "frame" => {
                let (first, payload) = word(rest);
                let payload = literal::bytes(&self.mask.fill(payload));
                let first = u8::from_str_radix(first, 16).expect("two digits");
                self.send(name, &masked(first, &payload));
            }
            // What is written at once is read at one time of the server's clock, however slow the machine is.
            "and" => {
                let frame = self.framed_text(rest);
                self.peer(name).unsent.extend(frame);
            }
            "times" => {
                let (times, payload) = word(rest);
                let frames = self.framed_text(payload).repeat(count(times));
                self.send(name, &frames);
            }
            "deaf" => self.peer(name).is_deaf = true,
            "hears" => self.peer(name).is_deaf = false,
            "read" => self.read(name, count(rest)),
            "last" => self.read_last(name),
            "finish" => {
                self.peer(name).wire.finish();
                while self.has(name) {
                    self.read(name, 1);
                }
            }
            "drop" => self.peers.retain(|(other, _)| other != name),
            _ => panic!("{name} does what nobody knows: {verb}"),
        }
    }

    /// The frame of a text message.
    fn framed_text(&self, payload: &str) -> Vec<u8> {
        masked(0x81, &literal::bytes(&self.mask.fill(payload)))
    }

    fn send(&mut self, name: &str, bytes: &[u8]) {
        let peer = self.peer(name);
        peer.asks_for_head = bytes.starts_with(b"HEAD ");
        let unsent = std::mem::take(&mut peer.unsent);
        peer.wire.offer([&unsent, bytes].concat());
    }

    /// The connection called `name`, which begins when it is first spoken of.
    fn peer(&mut self, name: &str) -> &mut Peer {
        let at = self.peers.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
            let address = self.serving.as_ref().expect("a server runs").address;
            self.peers.push((name.to_owned(), Peer::new(Wire::connect(address))));
            self.peers.len() - 1
        });
        &mut self.peers[at].1
    }

    fn serving(&mut self) -> &mut Serving {
        self.serving.as_mut().expect("a server runs")
    }

    fn has(&self, name: &str) -> bool {
        self.peers.iter().any(|(other, _)| other == name)
    }

    /// Reads so many pieces, and the end behind one that the server has said is the last.
    fn read(&mut self, name: &str, pieces: usize) {
        for _ in 0..pieces {
            if let Some(piece) = self.peer(name).piece() {
                self.show(name, piece);
            }
        }
    }

    /// Reads to the close, of which alone it tells: how much comes before depends on the machine.
    fn read_last(&mut self, name: &str) {
        while self.has(name) {
            match self.peer(name).piece() {
                Some(piece @ Piece::Frame { .. }) if self.peer(name).is_closing => self.show(name, piece),
                Some(piece @ Piece::End(_)) => self.show(name, piece),
                _ => {}
            }
        }
    }

    /// Reads what the server has for everybody who reads.
    fn settle(&mut self) {
        let names: Vec<_> = self.peers.iter().map(|(name, _)| name.clone()).collect();
        for name in names {
            let peer = self.peer(&name);
            if peer.form != Form::WebSocket || peer.is_deaf {
                continue;
            }
            peer.barrier();
            while self.has(&name)
                && let Some(piece) = self.peer(&name).piece()
            {
                if !self.is_ignored(&piece) {
                    self.show(&name, piece);
                }
            }
        }
    }

    /// Whether it comes by the clock and not for what was done.
    fn is_ignored(&self, piece: &Piece) -> bool {
        let Piece::Frame { payload, .. } = piece else { return false };
        let payload = String::from_utf8_lossy(payload);
        self.ignored.iter().any(|ignored| payload.contains(ignored))
    }

    /// Reads what the transcript says that comes on WebSockets.
    fn hear(&mut self, recorded: &[Answer]) {
        for Answer { who, what } in recorded {
            let is_frame = what.starts_with('[');
            if is_frame && self.has(who) && self.peer(who).form == Form::WebSocket && !self.peer(who).is_deaf
            {
                self.read(who, 1);
            }
        }
    }

    fn show(&mut self, name: &str, piece: Piece) {
        match piece {
            Piece::Response { bytes, is_text } => self.response(name, &bytes, is_text),
            Piece::Frame { header, payload } => self.framed(name, &header, &payload),
            Piece::Event(bytes) => bytes
                .split_inclusive(|byte| *byte == b'\n')
                .for_each(|line| self.answer(name, &literal::show(line))),
            Piece::End(rest) => {
                if !rest.is_empty() {
                    self.answer(name, &literal::show(&rest));
                }
                self.answer(name, "end");
                self.peers.retain(|(other, _)| other != name);
            }
        }
        if self.has(name) && self.peer(name).is_closing {
            self.read(name, 1);
        }
    }

    fn response(&mut self, name: &str, bytes: &[u8], is_text: bool) {
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
        let (head, body) = bytes.split_at(head);
        for line in head.split_inclusive(|byte| *byte == b'\n') {
            self.answer(name, &literal::show(line));
        }
        if is_text {
            body.split_inclusive(|byte| *byte == b'\n')
                .for_each(|line| self.answer(name, &literal::show(line)));
        } else if !body.is_empty() {
            self.answer(name, &literal::show(body));
        }
    }

    fn framed(&mut self, name: &str, header: &[u8], payload: &[u8]) {
        let (code, text) = match payload.split_first_chunk() {
            Some((code, reason)) if header[0] == 0x88 => (format!(" {}", u16::from_be_bytes(*code)), reason),
            _ => (String::new(), payload),
        };
        let (text, varies) = self.mask.hide(&literal::show(text));
        let header = header.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let header = if varies { format!("{} {{length}}", &header[..2]) } else { header };
        let text = literal::shorten(text);
        let space = if text.is_empty() { "" } else { " " };
        self.write(format!("{name} < [{header}]{code}{space}{text}"));
    }

    fn answer(&mut self, who: &str, what: &str) {
        let (what, _) = self.mask.hide(what);
        let what = literal::shorten(what);
        let space = if what.is_empty() { "" } else { " " };
        self.write(format!("{who} <{space}{what}"));
    }

    fn write(&self, line: String) {
        self.written.lock().expect("nobody panics with it").push(line);
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn count(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("a number and not {text:?}"))
}

/// Arguments are written with a space between them; one within is `\x20`.
fn arguments(text: &str) -> Vec<String> {
    let one = |word: &str| String::from_utf8(literal::bytes(word)).expect("an argument is text");
    text.split(' ').filter(|word| !word.is_empty()).map(one).collect()
}
