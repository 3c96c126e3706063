//! A whole server: bound, then run with one thread per shard.

mod running;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::builder::Builder;
use crate::config::credentials;
use crate::handle::Handle;
use crate::id::ShardId;
use crate::reactor::{self, BindError, Bound, Inbox, Reactor};
use crate::settings::{self, BadSettings, Settings, is_loopback};
use crate::shard::Common;
use crate::watch::Watch;
pub use running::Running;

/// A server that has opened its ports but does not serve yet. Clients that connect wait.
///
/// [`run`](Self::run) serves on the calling thread and on one thread per shard, until the server is stopped.
/// [`spawn`](Self::spawn) does the same in the background.
pub struct Server {
    reactors: Vec<Reactor>,
    addresses: Vec<SocketAddr>,
    handle: Handle,
    watch: Watch,
}

/// Why a server could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    Bind(BindError),
    /// Settings that are wrong, or keys that cannot be read or used.
    Settings(BadSettings),
    /// The system refused a thread, a descriptor or another resource.
    System(io::Error),
}

/// Why a server stopped by itself.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// A system call failed that the server cannot do without.
    System(io::Error),
    /// A shard panicked, which is a bug. The server stops, because the rooms of that shard are lost.
    Panicked,
}

impl Server {
    /// Starts to configure a server.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Binds every address of `settings`. Connections wait until [`Server::run`] serves them.
    ///
    /// # Errors
    ///
    /// Every setting that is wrong, the first address that cannot be listened on, or a system without descriptors.
    pub fn new(settings: Settings) -> Result<Self, StartError> {
        settings::check(&settings).map_err(StartError::Settings)?;
        let watch = Watch::new(credentials::files(&settings));
        let unusable = |bad: Vec<_>| StartError::Settings(bad.into());
        let access = credentials::access(&settings).map_err(unusable)?;
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        let shards = if settings.shards == 0 { cores() } else { settings.shards };
        let Bound { listeners, addresses } =
            reactor::bind(&settings.listen, shards, settings.accept).map_err(StartError::Bind)?;
        let loopback = addresses.iter().all(is_loopback);
        let common = Arc::new(Common::new(settings, access, shards, loopback));
        let reactor = |(me, listeners)| Reactor::new(me as ShardId, common.clone(), listeners);
        let reactors: Vec<_> = listeners
            .into_iter()
            .enumerate()
            .map(reactor)
            .collect::<Result<_, _>>()
            .map_err(StartError::System)?;
        let inboxes = reactors.iter().map(Reactor::inbox).collect();
        let handle = Handle::new(inboxes, common);
        Ok(Self { reactors, addresses, handle, watch })
    }

    /// The addresses that the server listens on, with the ports that the system chose.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// A handle to control it from any thread.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Serves in the background, on its own threads, until the returned [`Running`] is dropped.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread.
    pub fn spawn(self) -> Result<Running, RunError> {
        let (handle, addresses) = (self.handle(), self.addresses.clone());
        let thread = thread::Builder::new().name("switchboard".to_owned()).spawn(|| self.run());
        Ok(Running::new(handle, addresses, thread.map_err(RunError::System)?))
    }

    /// Serves until [`Handle::shutdown`] or [`Handle::stop_now`].
    ///
    /// # Errors
    ///
    /// If a shard fails.
    pub fn run(self) -> Result<(), RunError> {
        let inboxes: Vec<Inbox> = self.reactors.iter().map(Reactor::inbox).collect();
        let (ended, endings) = mpsc::channel();
        let mut threads: Vec<Option<JoinHandle<io::Result<()>>>> = Vec::new();
        for (index, reactor) in self.reactors.into_iter().enumerate() {
            let (peers, ended) = (inboxes.clone(), ended.clone());
            let run = move || {
                let ending = Ending(index, ended);
                let result = reactor.run(peers);
                drop(ending);
                result
            };
            let thread = thread::Builder::new().name(format!("shard-{index}")).spawn(run);
            threads.push(Some(thread.inspect_err(|_| self.handle.stop_now()).map_err(RunError::System)?));
        }
        drop(ended);
        let _watching = self.watch.start(self.handle.clone()).map_err(RunError::System)?;
        let mut result = Ok(());
        // All threads end together: because the server is stopped, or because one of them failed.
        while let Ok(index) = endings.recv() {
            let Some(thread) = threads[index].take() else { continue };
            let this = thread.join().map_or(Err(RunError::Panicked), |end| end.map_err(RunError::System));
            if this.is_err() && result.is_ok() {
                result = this;
                self.handle.stop_now();
            }
        }
        result
    }
}

/// Reports when a thread has ended, also after a panic.
struct Ending(usize, mpsc::Sender<usize>);

impl Drop for Ending {
    fn drop(&mut self) {
        // Nobody receives any more once the server is gone.
        let _ = self.1.send(self.0);
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(error) => error.fmt(f),
            Self::Settings(bad) => bad.fmt(f),
            Self::System(error) => {
                write!(f, "cannot start: {error}; is the limit of open files too low (ulimit -n)?")
            }
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => write!(f, "a shard failed: {error}"),
            Self::Panicked => f.write_str("a shard panicked: this is a bug, please report it"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // The text has these errors already, so the source is the error behind them.
            Self::Bind(error) => error.source(),
            Self::Settings(_) => None,
            Self::System(error) => Some(error),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System(error) => Some(error),
            Self::Panicked => None,
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
