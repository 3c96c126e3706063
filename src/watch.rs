//! Notices when a key file has changed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::handle::Handle;

/// How often files are checked. The kernel's notices would miss files on network and container mounts.
const EVERY: Duration = Duration::from_secs(2);

/// Files, and their state at the last check.
pub(crate) struct Watch {
    files: Vec<(PathBuf, Option<Stamp>)>,
}

/// What changes when a file is written or replaced: its place on the disk, its time and its length.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    written: Option<SystemTime>,
    length: u64,
}

/// Keeps a watching thread running until it is dropped.
pub(crate) type Watching = Option<Sender<()>>;

impl Watch {
    /// Watches `files`, beginning with their state now.
    pub(crate) fn new(files: Vec<PathBuf>) -> Self {
        Self { files: files.into_iter().map(|path| (path.clone(), Stamp::of(&path))).collect() }
    }

    /// Whether a file has changed since the last check.
    fn has_changed(&mut self) -> bool {
        let mut changed = false;
        for (path, last) in &mut self.files {
            let now = Stamp::of(path);
            // A file that is missing for a moment is being replaced.
            changed |= now.is_some() && now != *last;
            *last = now.or(*last);
        }
        changed
    }

    /// Reloads keys whenever their files change.
    ///
    /// # Errors
    ///
    /// If the system cannot start a thread.
    pub(crate) fn start(mut self, handle: Handle) -> io::Result<Watching> {
        if self.files.is_empty() {
            return Ok(None);
        }
        let (watching, ended) = mpsc::channel::<()>();
        thread::Builder::new().name("keys".to_owned()).spawn(move || {
            while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                if self.has_changed() {
                    reload(&handle);
                }
            }
        })?;
        Ok(Some(watching))
    }
}

/// A key file that is wrong now may be half written. When the rest is written, the file has changed again. All others are
/// reloaded even so.
fn reload(handle: &Handle) {
    match handle.reload_keys() {
        Ok(()) => tracing::info!("keys reloaded: a file has changed"),
        Err(bad) => {
            bad.iter().for_each(|bad| tracing::error!(%bad, "not reloaded; its old keys stay in use"))
        }
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self { place: (file.dev(), file.ino()), written: file.modified().ok(), length: file.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_written_or_replaced_has_changed() {
        let directory = std::env::temp_dir().join(format!("switchboard-watch-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (path, next) = (directory.join("key"), directory.join("next"));
        fs::write(&path, "one").unwrap();
        let mut watch = Watch::new(vec![path.clone(), directory.join("missing")]);
        assert!(!watch.has_changed());
        fs::write(&path, "longer").unwrap();
        assert!(watch.has_changed() && !watch.has_changed());
        fs::write(&next, "longer").unwrap();
        fs::rename(&next, &path).unwrap();
        assert!(watch.has_changed() && !watch.has_changed());
        fs::remove_file(&path).unwrap();
        assert!(!watch.has_changed());
        fs::remove_dir_all(&directory).unwrap();
    }
}
