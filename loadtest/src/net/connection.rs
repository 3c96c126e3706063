//! One socket with its decoder and the bytes still to send.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket, Type};

use crate::wire::decoder::Decoder;

/// A connection of the load test.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) stream: TcpStream,
    /// Taken out while its input is read, so that the listener can use the net meanwhile.
    pub(super) decoder: Option<Decoder>,
    /// Distinguishes a connection from an earlier one of the same number.
    pub(super) incarnation: u64,
    /// Input that is not complete yet.
    pub(super) tail: Vec<u8>,
    out: Vec<u8>,
    sent: usize,
    /// The handshake is over.
    pub(super) open: bool,
    /// In the list of connections to flush.
    pub(super) dirty: bool,
    /// Reads nothing: a slow consumer.
    pub(super) paused: bool,
}

/// The result of one `read`.
pub(super) enum Taken {
    Bytes(usize),
    Nothing,
    End(io::Result<()>),
}

impl Connection {
    /// Begins to connect to `server`, from `source` if it is given.
    pub(super) fn connect(
        server: SocketAddr,
        source: Option<SocketAddr>,
        decoder: Decoder,
        incarnation: u64,
    ) -> io::Result<Connection> {
        let socket =
            Socket::new(Domain::for_address(server), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        socket.set_tcp_nodelay(true)?;
        // A reset instead of TIME_WAIT. Otherwise a few runs of 10,000 would use up the ports.
        socket.set_linger(Some(Duration::ZERO))?;
        if let Some(source) = source {
            socket.bind(&source.into())?;
        }
        match socket.connect(&server.into()) {
            Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                Err(error)?
            }
            _ => {}
        }
        let stream = TcpStream::from_std(socket.into());
        Ok(Connection {
            stream,
            decoder: Some(decoder),
            incarnation,
            tail: Vec::new(),
            out: Vec::new(),
            sent: 0,
            open: false,
            dirty: false,
            paused: false,
        })
    }

    /// The buffer for the next flush, to append to.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Without a handshake of its own.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.decoder, Some(Decoder::Responses(_)))
    }

    pub(super) fn is_connected(&self) -> bool {
        self.stream.peer_addr().is_ok()
    }

    /// Writes what the socket takes.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(sent) => self.sent += sent,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.sent = 0;
        Ok(())
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Taken {
        loop {
            return match self.stream.read(buffer) {
                Ok(0) => Taken::End(Ok(())),
                Ok(taken) => Taken::Bytes(taken),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    Taken::Nothing
                }
                Err(error) => Taken::End(Err(error)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_connection_comes_from_the_source_it_was_given() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let source = SocketAddr::from(([127, 0, 0, 2], 0));
        let server = listener.local_addr().expect("bound");
        let decoder = Decoder::Responses(Default::default());
        let connection = Connection::connect(server, Some(source), decoder, 1).expect("connects");
        let (_, peer) = listener.accept().expect("accepts");
        assert_eq!(peer.ip().to_string(), "127.0.0.2");
        assert!(connection.is_plain() && connection.is_connected());
    }
}
