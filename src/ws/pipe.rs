//! The client's end of a connection in memory, for tests that drive tungstenite's client.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

/// What has been sent each way.
#[derive(Default)]
pub(super) struct Pipe {
    pub(super) to_client: VecDeque<u8>,
    pub(super) from_client: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.to_client.read(buf) {
            Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
            result => result,
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.from_client.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
