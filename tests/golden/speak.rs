//! What the connections of a script do, and what they read.

use super::literal;
use super::peer::{Form, Peer, Piece};
use super::player::{Player, count};
use super::script::{Answer, fields, word};
use crate::harness::until;
use crate::harness::wire::{Wire, masked};

impl Player {
    /// What the connection called `name` does.
    pub(crate) fn speak(&mut self, name: &str, rest: &str) {
        let rest = self.mask.fill(rest);
        let (verb, rest) = word(&rest);
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
                let body = literal::bytes(body);
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
                let bytes = literal::bytes(rest);
                self.send(name, &bytes);
                let peer = self.peer(name);
                peer.is_deaf = verb == ">>";
                if !peer.is_deaf && peer.form == Form::Http {
                    self.read(name, 1);
                }
            }
            "text" => {
                let frame = text_frame(rest);
                self.send(name, &frame);
            }
            "frame" => {
                let (first, payload) = word(rest);
                let payload = literal::bytes(payload);
                let first = u8::from_str_radix(first, 16).expect("two digits");
                self.send(name, &masked(first, &payload));
            }
            // Bytes that are written together are read at one time of the server's clock, however slow the machine is.
            "and" => {
                let frame = text_frame(rest);
                self.peer(name).unsent.extend(frame);
            }
            "times" => {
                let (times, payload) = word(rest);
                let frames = text_frame(payload).repeat(count(times));
                self.send(name, &frames);
            }
            "deaf" => self.peer(name).is_deaf = true,
            "hears" => self.peer(name).is_deaf = false,
            "read" => self.read(name, count(rest)),
            "until" => {
                let (what, path) = word(rest);
                self.read_until(name, &literal::bytes(what), path);
            }
            "find" => self.find(name, |bytes| {
                let what = literal::bytes(rest);
                bytes.windows(what.len()).any(|window| window == what)
            }),
            "last" => self.find(name, |_| false),
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

    pub(crate) fn send(&mut self, name: &str, bytes: &[u8]) {
        let peer = self.peer(name);
        peer.asks_for_head = bytes.starts_with(b"HEAD ");
        let unsent = std::mem::take(&mut peer.unsent);
        peer.wire.offer([&unsent, bytes].concat());
    }

    /// The connection called `name`, which opens when it is first used.
    pub(crate) fn peer(&mut self, name: &str) -> &mut Peer {
        let at = self.peers.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
            let address = self.serving.as_ref().expect("a server runs").address;
            self.peers.push((name.to_owned(), Peer::new(Wire::connect(address))));
            self.peers.len() - 1
        });
        &mut self.peers[at].1
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.peers.iter().any(|(other, _)| other == name)
    }

    fn piece(&mut self, name: &str) -> Option<Piece> {
        let with_beats = self.with_beats;
        self.peer(name).piece(with_beats)
    }

    /// Reads so many pieces, and the end after a piece that the server declares the last.
    pub(crate) fn read(&mut self, name: &str, pieces: usize) {
        for _ in 0..pieces {
            if let Some(piece) = self.piece(name) {
                self.show(name, piece);
            }
        }
    }

    /// Asks for `path` on one connection after another until `what` is in the answer.
    pub(crate) fn read_until(&mut self, name: &str, what: &[u8], path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = until(|| {
            self.peers.retain(|(other, _)| other != name);
            self.send(name, request.as_bytes());
            let piece = self.piece(name);
            piece.filter(|piece| {
                let Piece::Response { bytes, .. } = piece else { return false };
                bytes.windows(what.len()).any(|window| window == what)
            })
        });
        self.show(name, answer.expect("it comes to that"));
    }

    /// Reads to the piece that `is_it` accepts, or to the close, and shows only that: what comes before depends on the
    /// machine.
    pub(crate) fn find(&mut self, name: &str, is_it: impl Fn(&[u8]) -> bool) {
        while self.has(name) {
            let Some(piece) = self.piece(name) else { continue };
            let found = match &piece {
                Piece::Frame { payload, .. } => is_it(payload) || self.peer(name).is_closing,
                Piece::Response { bytes, .. } | Piece::Event(bytes) => is_it(bytes),
                Piece::End(_) => true,
            };
            if found {
                return self.show(name, piece);
            }
        }
    }

    /// Reads what the server has for everybody who reads.
    pub(crate) fn settle(&mut self) {
        let names: Vec<_> = self.peers.iter().map(|(name, _)| name.clone()).collect();
        for name in names {
            let peer = self.peer(&name);
            if peer.form != Form::WebSocket || peer.is_deaf {
                continue;
            }
            peer.barrier();
            while self.has(&name)
                && let Some(piece) = self.piece(&name)
            {
                if !self.is_ignored(&piece) {
                    self.show(&name, piece);
                }
            }
        }
    }

    /// Whether it comes by the clock and not because of a step.
    pub(crate) fn is_ignored(&self, piece: &Piece) -> bool {
        let Piece::Frame { payload, .. } = piece else { return false };
        let payload = String::from_utf8_lossy(payload);
        self.ignored.iter().any(|ignored| payload.contains(ignored))
    }

    /// Reads what comes on WebSockets by the transcript.
    pub(crate) fn hear(&mut self, recorded: &[Answer]) {
        for Answer { who, what } in recorded {
            let is_frame = what.starts_with('[');
            if is_frame && self.has(who) && self.peer(who).form == Form::WebSocket && !self.peer(who).is_deaf
            {
                self.read(who, 1);
            }
        }
    }
}

/// The frame of a text message.
fn text_frame(payload: &str) -> Vec<u8> {
    masked(0x81, &literal::bytes(payload))
}
