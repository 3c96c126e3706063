//! A server that serves in the background.

use std::fmt;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use super::RunError;
use crate::handle::Handle;

/// A server that serves on its own threads until this is dropped. [`Server::spawn`](crate::Server::spawn) makes it.
///
/// Dropping it stops the server at once and waits until its threads have ended and its ports are closed, so a test or an
/// early `?` leaves nothing behind. [`shutdown`](Self::shutdown) drains it first.
#[must_use = "the server ends when this is dropped"]
pub struct Running {
    handle: Handle,
    addresses: Vec<SocketAddr>,
    thread: Option<JoinHandle<Result<(), RunError>>>,
}

impl Running {
    pub(super) fn new(
        handle: Handle,
        addresses: Vec<SocketAddr>,
        thread: JoinHandle<Result<(), RunError>>,
    ) -> Self {
        Self { handle, addresses, thread: Some(thread) }
    }

    /// The addresses that the server listens on, with the ports that the system chose.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// A handle to control it from any thread.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until the server has stopped, after [`Handle::shutdown`] or [`Handle::stop_now`].
    ///
    /// # Errors
    ///
    /// If it stopped because a shard failed.
    pub fn join(mut self) -> Result<(), RunError> {
        self.end()
    }

    /// Drains and stops it within `time`, as [`Handle::shutdown`] does, and waits for that.
    ///
    /// # Errors
    ///
    /// If it stopped before, because a shard failed.
    pub fn shutdown(self, time: Duration) -> Result<(), RunError> {
        self.handle.shutdown(time);
        self.join()
    }

    /// Waits for the thread, once.
    fn end(&mut self) -> Result<(), RunError> {
        let thread = self.thread.take();
        thread.map_or(Ok(()), |thread| thread.join().unwrap_or(Err(RunError::Panicked)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop_now();
        if let Err(error) = self.end() {
            tracing::error!(%error, "the server failed");
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
