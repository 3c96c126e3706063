//! The floor: each message answered with one bare `write` a member, and nothing else.
//!
//! No queues, no batches, no timers, no checks beyond what finds the end of a frame. It is what any server on this
//! kernel must at least pay, and so the measure that a real one is held against. It is not a server to use.

use std::collections::HashMap;
use std::io::{self, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use peer_route::Route;
use slab::Slab;

mod wire;

/// The listener's token; connections have their place in the slab.
const LISTENER: Token = Token(usize::MAX);

/// One connection, in its handshake while `route` is `None`.
struct Connection {
    stream: TcpStream,
    route: Option<Path>,
    /// What came in and is not a whole frame yet.
    head: Vec<u8>,
    /// What a full socket did not take.
    tail: Vec<u8>,
}

/// Where the messages of a connection go.
#[derive(Clone, Copy)]
enum Path {
    Echo,
    Room { room: usize, echo: bool },
}

struct Floor {
    poll: Poll,
    listener: TcpListener,
    connections: Slab<Connection>,
    names: HashMap<String, usize>,
    rooms: Vec<Vec<usize>>,
}

fn main() -> io::Result<()> {
    let mut listener = TcpListener::bind(peer_route::listen_address())?;
    println!("listening on {}", listener.local_addr()?);
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let floor = Floor { poll, listener, connections: Slab::new(), names: HashMap::new(), rooms: Vec::new() };
    floor.run()
}

impl Floor {
    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                    continue;
                }
                let id = event.token().0;
                if event.is_writable() {
                    self.write(id, &[]);
                }
                if event.is_readable() && !self.read(id, &mut buffer, event.is_read_closed()) {
                    self.remove(id);
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Ok((mut stream, _)) = self.listener.accept() {
            stream.set_nodelay(true)?;
            let entry = self.connections.vacant_entry();
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(entry.key()), interest)?;
            entry.insert(Connection { stream, route: None, head: Vec::new(), tail: Vec::new() });
        }
        Ok(())
    }

    /// Reads once, or to the end when the peer has closed. False when the connection is over.
    fn read(&mut self, id: usize, buffer: &mut [u8], closed: bool) -> bool {
        loop {
            let Some(connection) = self.connections.get_mut(id) else {
                return true;
            };
            let taken = match connection.stream.read(buffer) {
                Ok(0) => return false,
                Ok(taken) => taken,
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            };
            let input = &buffer[..taken];
            let alive = if connection.head.is_empty() && connection.route.is_some() {
                self.frames(id, input)
            } else {
                connection.head.extend_from_slice(input);
                let head = std::mem::take(&mut connection.head);
                self.upgrade(id, head)
            };
            if !alive {
                return false;
            }
            // A short read has emptied the socket, unless its end waits behind it.
            if taken < buffer.len() && !closed {
                return true;
            }
        }
    }

    /// Goes on with a handshake, or with a frame that came in pieces.
    fn upgrade(&mut self, id: usize, head: Vec<u8>) -> bool {
        let Some(connection) = self.connections.get_mut(id) else {
            return false;
        };
        if connection.route.is_some() {
            return self.frames(id, &head);
        }
        let Some(end) = wire::head_end(&head) else {
            connection.head = head;
            return true;
        };
        let Some((route, answer)) = wire::accept(&head[..end]) else {
            return false;
        };
        let path = match route {
            Route::Raw { room, echo } => {
                let count = self.rooms.len();
                let room = *self.names.entry(room).or_insert(count);
                if room == count {
                    self.rooms.push(Vec::new());
                }
                self.rooms[room].push(id);
                Path::Room { room, echo }
            }
            Route::Echo | Route::Native => Path::Echo,
        };
        connection.route = Some(path);
        self.write(id, &answer);
        self.frames(id, &head[end..])
    }

    /// Answers every whole frame of `input`, and keeps the rest.
    fn frames(&mut self, id: usize, mut input: &[u8]) -> bool {
        let Some(path) = self.connections.get(id).and_then(|connection| connection.route) else {
            return false;
        };
        while let Some((used, frame)) = wire::answer(input) {
            input = &input[used..];
            let Some(frame) = frame else { return false };
            match path {
                Path::Echo => self.write(id, &frame),
                Path::Room { room, echo } => self.fan_out(room, &frame, (!echo).then_some(id)),
            }
        }
        if let Some(connection) = self.connections.get_mut(id) {
            connection.head = input.to_vec();
        }
        true
    }

    fn fan_out(&mut self, room: usize, frame: &[u8], except: Option<usize>) {
        for place in 0..self.rooms[room].len() {
            let member = self.rooms[room][place];
            if Some(member) != except {
                self.write(member, frame);
            }
        }
    }

    /// One `write`. What a full socket does not take waits for it to be writable.
    fn write(&mut self, id: usize, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if !connection.tail.is_empty() {
            connection.tail.extend_from_slice(bytes);
            let sent = connection.stream.write(&connection.tail).unwrap_or(0);
            connection.tail.drain(..sent);
            return;
        }
        if !bytes.is_empty() {
            let sent = connection.stream.write(bytes).unwrap_or(0);
            connection.tail.extend_from_slice(&bytes[sent..]);
        }
    }

    fn remove(&mut self, id: usize) {
        let connection = self.connections.remove(id);
        if let Some(Path::Room { room, .. }) = connection.route {
            self.rooms[room].retain(|member| *member != id);
        }
    }
}
