//! How threads send to a reactor: a buffer that is swapped out whole, and a waker for when it was empty.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Registry, Token, Waker};

use crate::broker::post::Post;
use crate::settings::KIB;
use crate::shard::Common;

/// What a connection weighs while its reactor has not taken it: about what the kernel keeps for it.
const CONNECTION: usize = 4 * KIB;

/// What others can tell a reactor.
#[derive(Debug)]
pub enum Letter {
    /// A post for its shard.
    Post(Post),
    /// A connection that another reactor accepted, and its address.
    Connection(TcpStream, IpAddr),
    /// No descriptor is left for a waiting connection.
    Exhausted,
    /// Drain and stop within this time.
    Drain(Duration),
    /// Stop now.
    Stop,
}

/// The end of an inbox that others hold; cheap to clone.
#[derive(Clone)]
pub struct Inbox(Arc<Inner>);

struct Inner {
    letters: Mutex<Letters>,
    /// Whether there are any letters. This is read more often than letters are taken.
    any: AtomicBool,
    waker: Waker,
    shard: usize,
    common: Arc<Common>,
}

#[derive(Debug, Default)]
struct Letters {
    kept: Vec<Letter>,
    bytes: usize,
    /// The letters that were taken and not carried out: how many, and their bytes.
    owed: (usize, usize),
    /// No more letters are taken.
    closed: bool,
}

impl Letter {
    /// Bytes that it holds. The operator's own letters are few, and those about missing descriptors ten per second at
    /// most.
    fn bytes(&self) -> usize {
        match self {
            Self::Post(post) => post.weight(),
            Self::Connection(..) => CONNECTION,
            Self::Exhausted | Self::Drain(_) | Self::Stop => 0,
        }
    }
}

impl Inner {
    /// Shows all shards how much waits.
    fn show(&self, inside: &Letters) {
        let (letters, bytes) = inside.owed;
        self.common.pressure.set_inbox(self.shard, inside.kept.len() + letters, inside.bytes + bytes);
    }
}

/// An inbox into which letters are being put.
pub(super) struct Open<'a> {
    inside: MutexGuard<'a, Letters>,
    inbox: &'a Inbox,
    /// Whether its reactor may sleep and has to be woken.
    wakes: bool,
}

impl Open<'_> {
    /// Puts letters in, in order; returns whether they will be taken.
    pub(super) fn put(&mut self, letters: impl IntoIterator<Item = Letter>) -> bool {
        let (inside, inbox) = (&mut *self.inside, &self.inbox.0);
        if inside.closed {
            return false;
        }
        let was_empty = inside.kept.is_empty();
        for letter in letters {
            inside.bytes += letter.bytes();
            inside.kept.push(letter);
        }
        self.wakes = was_empty && !inside.kept.is_empty();
        if self.wakes {
            inbox.any.store(true, Ordering::Release);
        }
        inbox.show(inside);
        true
    }

    /// Lets its reactor take the letters in it.
    pub(super) fn shut(self) {
        let Self { inside, inbox, wakes } = self;
        drop(inside);
        if wakes && let Err(error) = inbox.0.waker.wake() {
            tracing::error!(%error, "cannot wake an event loop");
        }
    }
}

impl Wake for Inner {
    fn wake(self: Arc<Self>) {
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "cannot wake an event loop");
        }
    }
}

impl Inbox {
    /// Wakes its reactor, without a letter.
    pub(super) fn waker(&self) -> std::task::Waker {
        self.0.clone().into()
    }

    /// The inbox of `shard`, whose waker has the token `token`.
    ///
    /// # Errors
    ///
    /// If the system has no descriptor left for the waker.
    pub fn new(registry: &Registry, token: Token, shard: usize, common: Arc<Common>) -> io::Result<Self> {
        let waker = Waker::new(registry, token)?;
        Ok(Self(Arc::new(Inner {
            letters: Mutex::default(),
            any: AtomicBool::new(false),
            waker,
            shard,
            common,
        })))
    }

    /// Adds letters, in order. Returns whether they will be taken: always, unless the reactor has ended.
    pub fn put(&self, letters: impl IntoIterator<Item = Letter>) -> bool {
        let mut open = self.open();
        let taken = open.put(letters);
        open.shut();
        taken
    }

    /// Opens it: nobody takes anything until it is shut. To open several, open them by rising number of their shards.
    pub(super) fn open(&self) -> Open<'_> {
        Open { inside: self.lock(), inbox: self, wakes: false }
    }

    /// Drops all letters and takes no more.
    pub(super) fn close(&self) {
        let mut inside = self.lock();
        inside.closed = true;
        (inside.bytes, inside.owed) = (0, (0, 0));
        let kept = std::mem::take(&mut inside.kept);
        self.0.show(&inside);
        drop(inside);
        // Dropping letters may run other code, so it is done without the lock.
        drop(kept);
    }

    /// Whether a letter has come that is not taken yet.
    pub(super) fn has_letters(&self) -> bool {
        self.0.any.load(Ordering::Acquire)
    }

    /// Swaps the letters that have come with the empty `letters`.
    pub(super) fn take(&self, letters: &mut Vec<Letter>) {
        let mut inside = self.lock();
        self.0.any.store(false, Ordering::Relaxed);
        std::mem::swap(&mut inside.kept, letters);
        (inside.bytes, inside.owed) = (0, (0, 0));
        // The letters that the caller has now count no more, unless it owes them.
        self.0.common.pressure.set_inbox(self.0.shard, 0, 0);
    }

    /// These letters were taken and are not carried out yet. Until the next are taken, they weigh as if they were still
    /// in it.
    pub(super) fn owe(&self, letters: &VecDeque<Letter>) {
        let owed = (letters.len(), letters.iter().map(Letter::bytes).sum());
        let mut inside = self.lock();
        inside.owed = owed;
        self.0.show(&inside);
    }

    fn lock(&self) -> MutexGuard<'_, Letters> {
        // A thread that panicked while it put letters in has left whole letters.
        self.0.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use mio::Poll;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn nobody_takes_a_letter_before_the_others_have_theirs() {
        let polls = [0, 1].map(|_| Poll::new().unwrap());
        let common =
            Arc::new(Common::new(Settings::default(), crate::auth::access::Access::default(), 2, true));
        let inbox =
            |shard: usize| Inbox::new(polls[shard].registry(), Token(0), shard, common.clone()).unwrap();
        let [first, last] = [0, 1].map(inbox);
        for _ in 0..200 {
            let reader = thread::spawn({
                let (first, last) = (first.clone(), last.clone());
                move || {
                    let mut letters = Vec::new();
                    while letters.is_empty() {
                        first.take(&mut letters);
                    }
                    letters.clear();
                    last.take(&mut letters);
                    letters.len()
                }
            });
            let opened = [&first, &last].map(|inbox| {
                let mut open = inbox.open();
                assert!(open.put([Letter::Stop]));
                open
            });
            opened.into_iter().for_each(Open::shut);
            assert_eq!(reader.join().unwrap(), 1);
        }
    }
}
