//! One connection as its client sees it: the handshake, what it speaks, and how it ends.

use std::collections::BTreeMap;

use switchboard::position::Position;
use switchboard::room_key::Space;

use super::http::Http;
use super::native::Native;
use super::plan::{Plan, Role};
use super::random::Random;
use super::raw::Raw;
use super::socket::Socket;
use super::truth::ensure;
use super::truth::{Truth, Verdict};
use super::wire::{self, Input};

/// What a connection speaks.
pub enum Tongue {
    Native(Native),
    Raw(Raw),
    Http(Http),
}

/// One connection.
pub struct Conn {
    pub id: usize,
    pub tongue: Tongue,
    input: Input,
    upgraded: bool,
    /// The client has sent its close frame, or nothing more will follow its requests.
    pub done: bool,
    /// The server's close frame has come.
    pub closed: Option<u16>,
    /// The client has no more interest, or there is nothing more.
    pub over: bool,
}

impl Conn {
    /// A connection, and what it sends first.
    pub fn new(
        id: usize,
        role: Role,
        user: Option<String>,
        known: BTreeMap<usize, Position>,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> (Self, Vec<u8>) {
        let (tongue, first) = match role {
            Role::Native => {
                let mut native = Native::new(id, user, known);
                let target = native.target(plan, random);
                (Tongue::Native(native), wire::upgrade(&target))
            }
            Role::Raw { echo } => {
                let raws: Vec<_> =
                    (0..plan.rooms.len()).filter(|&room| plan.rooms[room].space == Space::Raw).collect();
                let raw = Raw::new(id, *random.one(&raws), echo, truth);
                let target = raw.target(plan);
                (Tongue::Raw(raw), wire::upgrade(&target))
            }
            Role::Http => (Tongue::Http(Http::new(id)), Vec::new()),
        };
        let upgraded = role == Role::Http;
        (
            Self { id, tongue, input: Input::default(), upgraded, done: false, closed: None, over: false },
            first,
        )
    }

    pub fn is_http(&self) -> bool {
        matches!(self.tongue, Tongue::Http(_))
    }

    /// What it knows, if it speaks the native dialect.
    pub fn native(&self) -> Option<&Native> {
        match &self.tongue {
            Tongue::Native(native) => Some(native),
            _ => None,
        }
    }

    /// Whether it can ask for something.
    pub fn is_open(&self) -> bool {
        !self.over && !self.done && self.closed.is_none()
    }

    /// Makes up something to send.
    pub fn ask(
        &mut self,
        names: &[(usize, String)],
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Vec<u8> {
        match &mut self.tongue {
            Tongue::Native(native) => native.ask(truth, plan, random),
            Tongue::Raw(raw) => raw.ask(truth, plan, random),
            Tongue::Http(http) => http.ask(names, truth, plan, random),
        }
    }

    /// Sends a close frame.
    pub fn close(&mut self, code: u16, random: &mut Random, socket: &mut Socket) {
        let mut out = Vec::new();
        wire::frame(0x80 | wire::CLOSE, &code.to_be_bytes(), random, &mut out);
        socket.send(&out);
        self.done = true;
    }

    /// Reads at most `most` bytes, judges what they complete, and answers pings and closes.
    pub fn read(
        &mut self,
        most: usize,
        socket: &mut Socket,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Verdict {
        self.input.push(&socket.read(most));
        if !self.upgraded
            && let Some((status, body)) = self.input.answer()?
        {
            ensure!(status == 101, "no upgrade but {status}: {}", String::from_utf8_lossy(&body));
            self.upgraded = true;
        }
        if let Tongue::Http(http) = &mut self.tongue {
            while let Some((status, body)) = self.input.answer()? {
                http.hear(status, &body, truth, plan)?;
            }
        } else if self.upgraded {
            while let Some((opcode, payload)) = self.input.frame()? {
                self.hear(opcode, &payload, socket, truth, plan, random)?;
            }
        }
        if socket.to_client.is_empty() && (socket.server_finished || socket.closed) {
            self.ended(socket, plan)?;
        }
        Ok(())
    }

    fn hear(
        &mut self,
        opcode: u8,
        payload: &[u8],
        socket: &mut Socket,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Verdict {
        truth.trace(|| format!("{} hears {opcode} {}", self.id, String::from_utf8_lossy(payload)));
        ensure!(self.closed.is_none(), "frame {opcode} behind a close");
        match (opcode, &mut self.tongue) {
            (wire::PING, _) => {
                let mut out = Vec::new();
                wire::frame(0x80 | wire::PONG, payload, random, &mut out);
                if !self.done {
                    socket.send(&out);
                }
                Ok(())
            }
            (wire::PONG, _) => {
                ensure!(payload == b"?", "a pong of {payload:?}");
                Ok(())
            }
            (wire::CLOSE, _) => self.hear_close(payload, socket, truth, plan, random),
            (wire::TEXT, Tongue::Native(native)) => native.hear(payload, truth, plan),
            (_, Tongue::Raw(raw)) => raw.hear(opcode, payload, truth, plan),
            _ => Err(format!("frame {opcode}")),
        }
    }

    fn hear_close(
        &mut self,
        payload: &[u8],
        socket: &mut Socket,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Verdict {
        let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
        self.closed = Some(code);
        match code {
            1000 if self.done => return Ok(()),
            1001 if plan.drains => truth.count("drained"),
            1013 => match &self.tongue {
                Tongue::Raw(raw) => raw.refused(truth, plan)?,
                _ => return Err("1013 for a client that is not raw".into()),
            },
            4100 if plan.slow => truth.count("slow"),
            _ => return Err(format!("closed with {code}")),
        }
        if !self.done {
            self.close(code, random, socket);
        }
        Ok(())
    }

    /// The server has sent its last byte.
    fn ended(&mut self, socket: &mut Socket, plan: &Plan) -> Verdict {
        ensure!(self.input.is_empty(), "connection {} ended within a frame", self.id);
        // An idle HTTP connection may be dropped when time has passed, or the server shuts down.
        let idle = self.is_http() && (self.done || plan.odds.is_some() || plan.drains);
        ensure!(self.closed.is_some() || idle, "connection {} was dropped", self.id);
        if let Tongue::Http(http) = &self.tongue {
            http.rest()?;
        }
        self.over = true;
        if !socket.client_finished {
            socket.finish(usize::MAX);
        }
        Ok(())
    }

    /// Whether an answer is due.
    pub fn waits(&self) -> bool {
        match &self.tongue {
            Tongue::Native(native) => native.waits(),
            Tongue::Raw(_) => false,
            Tongue::Http(http) => http.rest().is_err(),
        }
    }

    /// Everything is at rest and the connection lives.
    pub fn rest(&mut self, truth: &mut Truth, plan: &Plan) -> Verdict {
        ensure!(
            self.upgraded && self.input.is_empty(),
            "connection {} waits for the rest of a frame",
            self.id
        );
        match &mut self.tongue {
            Tongue::Native(native) => native.rest(truth),
            Tongue::Raw(raw) => raw.rest(truth, plan),
            Tongue::Http(http) => http.rest(),
        }
    }
}
