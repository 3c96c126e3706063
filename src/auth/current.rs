//! The current [`Access`]: the one place where it is kept and replaced.
//!
//! Nobody else keeps an [`Access`] for longer than a turn, so nobody uses one that was replaced.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::access::Access;

/// The current access, and how often it has been replaced.
#[derive(Debug, Default)]
pub struct Current {
    access: Mutex<Arc<Access>>,
    replaced: AtomicU64,
    /// Held while a new one is made.
    replacing: Mutex<()>,
}

impl Current {
    /// Begins with `access`.
    pub fn new(access: Access) -> Self {
        Self { access: Mutex::new(Arc::new(access)), ..Self::default() }
    }

    /// The current access. Use it at once; do not keep it.
    pub fn get(&self) -> Arc<Access> {
        self.lock().clone()
    }

    /// Replaces it with the result of `make`, unless that fails. Another replacement waits meanwhile, so an older reading
    /// never replaces a newer one.
    ///
    /// # Errors
    ///
    /// If `make` fails. Then nothing changes.
    pub fn replace<E>(&self, make: impl FnOnce() -> Result<Access, E>) -> Result<Arc<Access>, E> {
        let _alone = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let access = Arc::new(make()?);
        *self.lock() = access.clone();
        self.replaced.fetch_add(1, Ordering::Release);
        Ok(access)
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Access>> {
        // The content is valid at any time.
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The access that a shard uses during one turn.
#[derive(Debug)]
pub struct Snapshot {
    access: Arc<Access>,
    replaced: u64,
}

impl Snapshot {
    /// The current access.
    pub fn of(current: &Current) -> Self {
        // Read the count first: if the access is replaced in between, the next look notices.
        let replaced = current.replaced.load(Ordering::Acquire);
        Self { access: current.get(), replaced }
    }

    /// Catches up with `current`. Every turn does this at its beginning. It costs one load if nothing was replaced.
    pub fn renew(&mut self, current: &Current) {
        if current.replaced.load(Ordering::Acquire) != self.replaced {
            *self = Self::of(current);
        }
    }

    /// A clone of the access, to use beyond a borrow of the shard.
    pub fn share(&self) -> Arc<Access> {
        self.access.clone()
    }
}

impl std::ops::Deref for Snapshot {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.access
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::access::Sources;
    use crate::settings::{Secret, Settings};

    fn access(key: &str) -> Access {
        let mut settings = Settings::default();
        settings.auth.secret = Some(Secret::new(key));
        let sources = Sources { secrets: vec![("auth.secret", key.into())], ..Sources::default() };
        Access::new(&settings, &sources).unwrap()
    }

    #[test]
    fn who_looks_sees_the_last() {
        let current = Current::new(access("one"));
        let mut snapshot = Snapshot::of(&current);
        assert_eq!(snapshot.signing(), Some(&b"one"[..]));
        current.replace(|| Ok::<_, ()>(access("two"))).unwrap();
        assert_eq!(snapshot.signing(), Some(&b"one"[..]), "a turn goes by one");
        snapshot.renew(&current);
        assert_eq!((snapshot.signing(), current.get().signing()), (Some(&b"two"[..]), Some(&b"two"[..])));
        assert_eq!(current.replace(|| Err("wrong")).unwrap_err(), "wrong");
        snapshot.renew(&current);
        assert_eq!(snapshot.signing(), Some(&b"two"[..]));
    }
}
