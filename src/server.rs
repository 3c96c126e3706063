//! A listener that is bound and answers nothing: stands in for the server until the reactor is there.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::settings::Settings;

/// Listeners that are bound.
#[derive(Debug)]
pub struct Server {
    _listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    handle: Handle,
}

/// Stops a server from any thread.
#[derive(Clone, Debug, Default)]
pub struct Handle(Arc<(Mutex<bool>, Condvar)>);

/// Why a server could not start.
#[derive(Debug)]
pub struct StartError {
    address: SocketAddr,
    error: io::Error,
}

/// Why a running server ended.
#[derive(Debug)]
pub struct RunError;

impl Server {
    /// Binds every address of `settings`.
    ///
    /// # Errors
    ///
    /// The first address that cannot be bound.
    pub fn new(settings: Settings) -> Result<Self, StartError> {
        let bind = |address: &SocketAddr| {
            TcpListener::bind(address).map_err(|error| StartError { address: *address, error })
        };
        let listeners = settings.listen.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
        let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        Ok(Self { _listeners: listeners, addresses, handle: Handle::default() })
    }

    /// The addresses that are bound, with the ports that the system chose.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// A way to stop this server.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until the server is stopped.
    ///
    /// # Errors
    ///
    /// None.
    pub fn run(self) -> Result<(), RunError> {
        let (stopped, changed) = &*self.handle.0;
        let guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_while(guard, |stopped| !*stopped));
        Ok(())
    }
}

impl Handle {
    /// Ends the server after its connections were drained.
    pub fn shutdown(&self) {
        self.stop_now();
    }

    /// Ends the server at once.
    pub fn stop_now(&self) {
        let (stopped, changed) = &*self.0;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot listen on {}: {}", self.address, self.error)
    }
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the server ended")
    }
}

impl std::error::Error for StartError {}
impl std::error::Error for RunError {}
