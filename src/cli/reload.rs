//! What SIGHUP does, and what it tells: which keys were read again, and what waits for a restart.

use std::path::PathBuf;

use switchboard::Handle;
use switchboard::config::{self, Input, Written};

/// What a server was started with, to be compared with what is there when somebody asks.
pub(crate) struct Reload {
    input: Input,
    /// The configuration file as it was at the start.
    file: Option<(PathBuf, Written)>,
    keys: Vec<PathBuf>,
}

impl Reload {
    /// For a server that was started with `input` and has its keys in the files `keys`.
    pub(crate) fn new(input: &Input, keys: Vec<PathBuf>) -> Self {
        let file = input.config_file().ok().flatten();
        let file = file.and_then(|path| Some((path.clone(), config::written(&path).ok()?)));
        Self { input: input.clone(), file, keys }
    }

    /// Has the keys read again, and tells what became of everything that may have changed.
    pub(crate) fn run(&self, handle: &Handle) {
        self.read_keys(handle);
        self.compare();
    }

    /// A key that is wrong now may be half written, so the server goes on with the one that it has in its place.
    fn read_keys(&self, handle: &Handle) {
        if self.keys.is_empty() {
            tracing::info!("no key is in a file of its own, so there is nothing to read again");
            return;
        }
        match handle.reload_keys() {
            Ok(()) => {
                let files: Vec<_> = self.keys.iter().map(|path| path.display().to_string()).collect();
                tracing::info!(files = files.join(", "), "keys read again");
            }
            Err(bad) => {
                bad.iter().for_each(|bad| tracing::error!(%bad, "not read again; the old keys hold there"));
                if bad.iter().count() < self.keys.len() {
                    tracing::info!("all other keys read again");
                }
            }
        }
    }

    /// The configuration itself is read at a start only. What has changed in it is told, and what would keep the next start
    /// from coming up.
    fn compare(&self) {
        let Some((path, before)) = &self.file else { return };
        let file = path.display();
        if let Err(problems) = config::read(&self.input) {
            for problem in problems.iter() {
                tracing::error!(
                    %problem,
                    "the configuration is wrong now: the server goes on as it was started, and would not start again"
                );
            }
            return;
        }
        let changed = config::written(path).map(|now| before.differences(&now)).unwrap_or_default();
        if changed.is_empty() {
            tracing::info!(%file, "the configuration is what it was at the start");
        } else {
            let keys = changed.join(", ");
            tracing::warn!(%file, keys, "the configuration has changed; these take effect with a restart");
        }
    }
}
