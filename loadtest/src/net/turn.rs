//! One turn of the loop: wait, read what has come, write what is due.

use std::io;

use mio::Token;

use super::connection::Taken;
use super::{ALARM, End, Listener, Net, coarse};
use crate::clock::Nanos;
use crate::wire::Heard;
use crate::wire::decoder::Decoder;

/// The watched connection is read after so many events.
const WATCH_EVERY: usize = 8;

/// The contents of an event, without its borrow.
#[derive(Clone, Copy)]
struct Ready {
    token: Token,
    readable: bool,
    writable: bool,
    closed: bool,
}

impl Net {
    /// Waits until something happens or `deadline` comes, and handles one batch of it.
    pub(crate) fn turn(&mut self, listener: &mut dyn Listener, deadline: Option<Nanos>) -> io::Result<()> {
        self.flush_dirty(listener);
        let before = self.now();
        if let Some(deadline) = deadline {
            self.alarm.set(deadline, before)?;
        }
        match self.poll.poll(&mut self.events, coarse(deadline, before)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        self.waited += self.now() - before;
        let ready: Vec<Ready> = self.events.iter().map(Ready::of).collect();
        for (at, ready) in ready.into_iter().enumerate() {
            if at % WATCH_EVERY == 0
                && let Some(watched) = self.watched
            {
                self.read(listener, watched, false);
                self.flush_dirty(listener);
            }
            self.handle(listener, ready);
        }
        self.flush_dirty(listener);
        Ok(())
    }

    fn handle(&mut self, listener: &mut dyn Listener, ready: Ready) {
        let Token(n) = ready.token;
        if ready.token == ALARM {
            self.alarm.went_off();
            return;
        }
        if ready.writable {
            self.writable(listener, n);
        }
        if ready.readable {
            self.read(listener, n, ready.closed);
        }
    }

    /// The connection is open, or a full socket has space again.
    fn writable(&mut self, listener: &mut dyn Listener, n: usize) {
        let Some(Some(connection)) = self.connections.get_mut(n) else {
            return;
        };
        if let Err(error) = connection.flush() {
            return self.end(listener, n, End::Broken(error));
        }
        // Plain HTTP has no handshake: it is open once it is connected.
        if connection.is_plain() && connection.is_connected() {
            self.mark_open(listener, n);
        }
    }

    fn mark_open(&mut self, listener: &mut dyn Listener, n: usize) {
        if let Some(Some(connection)) = self.connections.get_mut(n)
            && !connection.open
        {
            connection.open = true;
            self.connecting -= 1;
            self.open += 1;
            listener.opened(self, n);
        }
    }

    /// Reads once, or to the end when the server has closed: data and FIN together give one edge.
    pub(super) fn read(&mut self, listener: &mut dyn Listener, n: usize, closed: bool) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some(Some(connection)) = self.connections.get_mut(n) {
            if connection.paused {
                break;
            }
            let incarnation = connection.incarnation;
            match connection.read(&mut buffer) {
                Taken::Nothing => break,
                Taken::End(end) => {
                    self.end(listener, n, end.map_or_else(End::Broken, |()| End::Eof));
                    break;
                }
                Taken::Bytes(taken) => {
                    self.take(listener, n, &buffer[..taken]);
                    let same = self.get(n).is_some_and(|connection| connection.incarnation == incarnation);
                    if !same || (taken < buffer.len() && !closed) {
                        break;
                    }
                }
            }
        }
        self.buffer = buffer;
    }

    /// Decodes what has come, after what was left of the last time.
    fn take(&mut self, listener: &mut dyn Listener, n: usize, bytes: &[u8]) {
        let Some(Some(connection)) = self.connections.get_mut(n) else {
            return;
        };
        let Some(mut decoder) = connection.decoder.take() else {
            return;
        };
        let incarnation = connection.incarnation;
        let mut tail = std::mem::take(&mut connection.tail);
        let end = if tail.is_empty() {
            let (used, end) = self.decode(listener, n, &mut decoder, bytes);
            tail.extend_from_slice(&bytes[used..]);
            end
        } else {
            tail.extend_from_slice(bytes);
            let (used, end) = self.decode(listener, n, &mut decoder, &tail);
            tail.drain(..used);
            end
        };
        let Some(Some(connection)) = self.connections.get_mut(n) else {
            return;
        };
        if connection.incarnation == incarnation {
            connection.decoder = Some(decoder);
            connection.tail = tail;
            if let Some(end) = end {
                self.end(listener, n, end);
            }
        }
    }

    /// Tells the listener everything in `input`. Returns how much of it was complete, and whether it ends the connection.
    fn decode(
        &mut self,
        listener: &mut dyn Listener,
        n: usize,
        decoder: &mut Decoder,
        input: &[u8],
    ) -> (usize, Option<End>) {
        let now = self.now();
        let incarnation = self.get(n).map(|connection| connection.incarnation);
        let mut at = 0;
        // The listener may drop the connection, or open it again, in the middle of the input.
        while self.get(n).map(|connection| connection.incarnation) == incarnation {
            match decoder.step(&input[at..]) {
                Ok((0, None)) => break,
                Ok((used, heard)) => {
                    at += used;
                    if let Some(Heard::Close { code, reason }) = heard {
                        return (at, Some(End::Closed(code, reason.to_owned())));
                    }
                    if let Some(heard) = heard {
                        self.tell(listener, n, &heard, now);
                    }
                }
                Err(error) => return (at, Some(End::Wire(error))),
            }
        }
        (at, None)
    }

    fn tell(&mut self, listener: &mut dyn Listener, n: usize, heard: &Heard<'_>, now: Nanos) {
        match heard {
            Heard::Opened => self.mark_open(listener, n),
            Heard::Ping(payload) => self.pong(n, payload),
            heard => listener.heard(self, n, heard, now),
        }
    }

    fn flush_dirty(&mut self, listener: &mut dyn Listener) {
        while let Some(n) = self.dirty.pop() {
            let Some(Some(connection)) = self.connections.get_mut(n) else {
                continue;
            };
            connection.dirty = false;
            if let Err(error) = connection.flush() {
                self.end(listener, n, End::Broken(error));
            }
        }
    }

    fn end(&mut self, listener: &mut dyn Listener, n: usize, end: End) {
        self.drop_connection(n);
        listener.ended(self, n, end);
    }
}

impl Ready {
    fn of(event: &mio::event::Event) -> Ready {
        Ready {
            token: event.token(),
            readable: event.is_readable() || event.is_error(),
            writable: event.is_writable(),
            closed: event.is_read_closed() || event.is_error(),
        }
    }
}
