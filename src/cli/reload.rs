//! What SIGHUP does: it reloads key files, and logs which settings wait for a restart.

use std::path::PathBuf;

use switchboard::Handle;
use switchboard::program::config::{self, Input, Written};

/// The configuration at the start, to compare with the current one.
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

    /// Reloads the keys, and logs what has changed.
    pub(crate) fn run(&self, handle: &Handle) {
        self.read_keys(handle);
        self.compare();
    }

    /// A key file with an error may be half written, so the server keeps the old key in its place.
    fn read_keys(&self, handle: &Handle) {
        if self.keys.is_empty() {
            tracing::info!("nothing to reload: the configuration names no key files");
            return;
        }
        match handle.reload_keys() {
            Ok(()) => {
                let files: Vec<_> = self.keys.iter().map(|path| path.display().to_string()).collect();
                tracing::info!(files = files.join(", "), "keys reloaded");
            }
            Err(bad) => {
                bad.iter().for_each(|bad| tracing::error!(%bad, "not reloaded; its old keys stay in use"));
                if bad.iter().count() < self.keys.len() {
                    tracing::info!("all other keys reloaded");
                }
            }
        }
    }

    /// The configuration itself is read at the start only. This logs what has changed in it, and errors that would stop the
    /// next start.
    fn compare(&self) {
        let Some((path, before)) = &self.file else { return };
        let file = path.display();
        if let Err(problems) = config::read(&self.input) {
            for problem in problems.iter() {
                tracing::error!(
                    %problem,
                    "the configuration has an error: the running server is not affected, but a restart would fail"
                );
            }
            return;
        }
        let changed = config::written(path).map(|now| before.differences(&now)).unwrap_or_default();
        if changed.is_empty() {
            tracing::info!(%file, "the configuration has not changed since the start");
        } else {
            let keys = changed.join(", ");
            tracing::warn!(%file, keys, "the configuration has changed; these keys take effect after a restart");
        }
    }
}
