//! The sockets of a reactor's sessions, by the keys of the sessions.
//!
//! They are read and written by the system calls themselves: in a process with threads the C library's wrappers prepare
//! for the thread being cancelled, which costs a thirtieth of an echo.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::net::Shutdown;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustix::io::{Errno, writev};
use rustix::net::{RecvFlags, recv, send};
use slab::Slab;

use super::budget::Budget;
use super::options::QUIET;
use crate::shard::outlet::{Outlet, Taken};

/// Sessions read in one turn. With more, what the kernel keeps of the first has left the processor's cache before they are
/// written; with fewer, less goes out in one write.
const READS: usize = 128;

/// One connection, and what the kernel last said of it. Edge-triggered: it says so once.
struct Socket {
    stream: TcpStream,
    readable: bool,
    /// The peer has finished, or the connection failed: reads go on until they say so.
    read_closed: bool,
    listed: bool,
    /// The last read filled the buffer, and the next may do so as well.
    full: bool,
}

/// What a read came to.
pub(super) enum Input {
    /// So many bytes; whether there may be more.
    Bytes(usize, bool),
    /// Nothing for now.
    Nothing,
    /// The peer has finished.
    Eof,
    /// The connection failed.
    Broken,
}

/// All connections of a reactor: a slab in step with the shard's slab of sessions. Both give a place to the same connections
/// in the same order, and take it back in the same order, so a session's key is its socket's.
#[derive(Default)]
pub(super) struct Sockets {
    sockets: Slab<Socket>,
    ready: Ready,
}

/// Sessions that may have something to read, whoever has waited longest in front. Those whose last read filled the buffer
/// stand in a line of their own, and the two are served in turn: who says a word does not wait for a thousand who send all
/// that they can.
#[derive(Default)]
struct Ready {
    few: VecDeque<u32>,
    full: VecDeque<u32>,
    /// Whose turn it is.
    full_next: bool,
}

impl Ready {
    fn line(&mut self, full: bool) -> &mut VecDeque<u32> {
        if full { &mut self.full } else { &mut self.few }
    }

    fn next(&mut self) -> Option<u32> {
        let full = self.full_next;
        self.full_next = !full;
        self.line(full).pop_front().or_else(|| self.line(!full).pop_front())
    }
}

impl Sockets {
    /// Takes in the connection of session `key`, registered both ways once and for all.
    ///
    /// # Errors
    ///
    /// If the system cannot watch one more. The connection has its place all the same, until its session is reaped.
    ///
    /// # Panics
    ///
    /// If the slab of sessions gave its place as another: a session would write to somebody else's socket.
    pub(super) fn insert(
        &mut self,
        registry: &Registry,
        key: u32,
        mut stream: TcpStream,
    ) -> std::io::Result<()> {
        let place = self.sockets.vacant_entry();
        assert_eq!(place.key(), key as usize, "sockets lie where their sessions do");
        let both = Interest::READABLE | Interest::WRITABLE;
        let watched = registry.register(&mut stream, Token(place.key()), both);
        place.insert(Socket { stream, readable: false, read_closed: false, listed: false, full: false });
        watched
    }

    /// Closes the connection of session `key`, which has just been reaped. That takes it out of the poll, too.
    pub(super) fn remove(&mut self, key: u32) {
        self.sockets.remove(key as usize);
    }

    /// The kernel says that session `key` can be read.
    pub(super) fn readable(&mut self, key: u32, read_closed: bool) {
        if let Some(socket) = self.get(key) {
            socket.readable = true;
            socket.read_closed |= read_closed;
            self.list(key);
        }
    }

    /// Puts session `key` on the list of those to read, if there may be something.
    pub(super) fn list(&mut self, key: u32) {
        if let Some(socket) = self.get(key)
            && socket.readable
            && !std::mem::replace(&mut socket.listed, true)
        {
            let full = socket.full;
            self.ready.line(full).push_back(key);
        }
    }

    /// Whether some session may have something to read.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.few.is_empty() || !self.ready.full.is_empty()
    }

    /// The sessions to read in this turn.
    pub(super) fn take_ready(&mut self, into: &mut Vec<u32>) {
        into.extend(std::iter::from_fn(|| self.ready.next()).take(READS));
        for &key in into.iter() {
            if let Some(socket) = self.get(key) {
                socket.listed = false;
            }
        }
    }

    /// Sessions for which this turn had no time are the first of the next.
    pub(super) fn put_back(&mut self, keys: impl DoubleEndedIterator<Item = u32>) {
        for key in keys.rev() {
            if let Some(socket) = self.get(key)
                && !std::mem::replace(&mut socket.listed, true)
            {
                let full = socket.full;
                self.ready.line(full).push_front(key);
            }
        }
    }

    /// Reads what session `key` has sent.
    pub(super) fn read(&mut self, key: u32, buffer: &mut [u8]) -> Input {
        let Some(socket) = self.get(key) else { return Input::Nothing };
        loop {
            match recv(&socket.stream, &mut *buffer, RecvFlags::empty()) {
                Ok((_, 0)) => {
                    socket.readable = false;
                    return Input::Eof;
                }
                Ok((_, n)) => {
                    // A short read has emptied the socket, which saves asking again; but data and FIN together give one
                    // edge, and behind them nothing would tell of the end.
                    socket.full = n == buffer.len();
                    socket.readable = socket.full || socket.read_closed;
                    return Input::Bytes(n, socket.readable);
                }
                Err(Errno::INTR) => {}
                Err(errno) => {
                    socket.readable = false;
                    return if errno == Errno::WOULDBLOCK { Input::Nothing } else { Input::Broken };
                }
            }
        }
    }

    /// The keys of all that are here.
    #[cfg(test)]
    pub(super) fn keys(&self) -> impl Iterator<Item = u32> {
        self.sockets.iter().map(|(key, _)| key as u32)
    }

    fn get(&mut self, key: u32) -> Option<&mut Socket> {
        self.sockets.get_mut(key as usize)
    }
}

/// The sockets as a shard writes to them within one turn.
pub(super) struct Writer<'a> {
    pub(super) sockets: &'a mut Sockets,
    pub(super) budget: Budget,
}

impl Outlet for Writer<'_> {
    fn write(&mut self, key: u32, slices: &[IoSlice<'_>]) -> Taken {
        let Some(socket) = self.sockets.get(key) else { return Taken::Broken };
        loop {
            let result = match slices {
                [one] => send(&socket.stream, one, QUIET),
                many => writev(&socket.stream, many),
            };
            match result {
                Ok(n) => return Taken::Some(n),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => return Taken::Some(0),
                Err(_) => return Taken::Broken,
            }
        }
    }

    fn finish(&mut self, key: u32) {
        if let Some(socket) = self.sockets.get(key) {
            // It fails where the peer is gone already, and then there is nobody to tell.
            drop(socket.stream.shutdown(Shutdown::Write));
        }
    }

    fn is_spent(&mut self) -> bool {
        self.budget.is_spent()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use mio::Poll;

    use super::*;

    /// Connections of a reactor, by their numbers, and their other ends.
    fn sockets(poll: &Poll, count: u32) -> (Sockets, Vec<std::net::TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sockets = Sockets::default();
        let connect = |key| {
            let peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, _) = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            sockets.insert(poll.registry(), key, TcpStream::from_std(stream)).unwrap();
            peer
        };
        let peers = (0..count).map(connect).collect();
        (sockets, peers)
    }

    fn taken(sockets: &mut Sockets) -> Vec<u32> {
        let mut taken = Vec::new();
        sockets.take_ready(&mut taken);
        taken
    }

    #[test]
    fn who_says_a_word_does_not_wait_for_all_who_send_much() {
        let poll = Poll::new().unwrap();
        let (mut sockets, mut peers) = sockets(&poll, 6);
        for (key, peer) in (0..4).zip(&mut peers) {
            peer.write_all(&[0; 8]).unwrap();
            sockets.readable(key, false);
        }
        assert_eq!(taken(&mut sockets), [0, 1, 2, 3]);
        for key in 0..4 {
            assert!(matches!(sockets.read(key, &mut [0; 4]), Input::Bytes(4, true)));
            sockets.list(key);
        }
        [4, 5].into_iter().for_each(|key| sockets.readable(key, false));
        let mut order = taken(&mut sockets);
        assert_eq!(order.iter().position(|&key| key == 4).map(|at| at < 2), Some(true), "{order:?}");
        assert!(!sockets.has_ready());
        // What there was no time for is first the next time, in the same order.
        let rest = order.split_off(1);
        sockets.put_back(rest.iter().copied());
        let again = taken(&mut sockets);
        let line = |keys: &[u32], full: bool| -> Vec<u32> {
            keys.iter().copied().filter(|key| (*key < 4) == full).collect()
        };
        for full in [false, true] {
            assert_eq!(line(&again, full), line(&rest, full));
        }
    }

    /// With eight bytes for the number of the next free place, its place in the slab is 16 bytes. Debug builds of mio note the
    /// poll in each socket, too.
    #[test]
    fn a_socket_is_small() {
        assert!(size_of::<Socket>() <= if cfg!(debug_assertions) { 24 } else { 8 });
    }

    /// Whoever is told the wrong key would write to somebody else.
    #[test]
    #[should_panic = "sockets lie where their sessions do"]
    fn a_socket_lies_nowhere_else_than_its_session() {
        let poll = Poll::new().unwrap();
        let (mut sockets, peers) = sockets(&poll, 2);
        sockets.remove(0);
        let again = TcpStream::from_std(peers[0].try_clone().unwrap());
        drop(sockets.insert(poll.registry(), 2, again));
    }

    #[test]
    fn a_session_stands_in_one_line_once() {
        let poll = Poll::new().unwrap();
        let (mut sockets, mut peers) = sockets(&poll, 1);
        peers[0].write_all(&[0; 8]).unwrap();
        sockets.readable(0, false);
        sockets.readable(0, true);
        assert_eq!(taken(&mut sockets), [0]);
        assert!(matches!(sockets.read(0, &mut [0; 8]), Input::Bytes(8, true)));
        (0..2).for_each(|_| sockets.list(0));
        assert_eq!(taken(&mut sockets), [0]);
        assert!(matches!(sockets.read(0, &mut [0; 8]), Input::Nothing));
        sockets.list(0);
        assert!(!sockets.has_ready());
    }
}
