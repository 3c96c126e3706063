//! Questions of the program around the server. Shards hold one end until they have answered. The program waits at the other
//! end, on a thread or in a future of any runtime.
//!
//! A question is over when no shard holds its end any more: every shard has answered, or a shard has stopped and dropped it
//! with its inbox. So the program never waits in vain.

use std::fmt;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use super::post::{Line, Receipt, Roster, Standing};
use crate::error::Fault;
use crate::room_key::RoomKey;

/// One shard's part of an answer.
#[derive(Debug)]
pub enum Part {
    /// The result of a publish.
    Published(Result<Receipt, Fault>),
    /// How many connections got the message or were affected.
    Counted(u32),
    /// How many connections a user has there, and the rooms that those are in.
    Found(u32, Vec<RoomKey>),
    /// The rooms that are at home there.
    Listed(Vec<Line>),
    /// The state of a room; `None` if there is no such room.
    Looked(Result<Option<Box<Standing>>, Fault>),
    /// The people in a room; `None` if there is no such room.
    Rostered(Result<Option<Box<Roster>>, Fault>),
}

/// The end that shards hold.
#[derive(Clone)]
pub struct Question(Arc<Asked>);

/// The end that the program waits at.
pub struct Parts(Arc<Slot>);

/// One for each question. The question is over when it is dropped.
struct Asked(Arc<Slot>);

#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    over: Condvar,
}

#[derive(Default)]
struct State {
    parts: Vec<Part>,
    over: bool,
    waker: Option<Waker>,
}

/// A new question.
pub fn question() -> (Question, Parts) {
    let slot = Arc::<Slot>::default();
    (Question(Arc::new(Asked(slot.clone()))), Parts(slot))
}

impl Question {
    /// Adds a part of the answer.
    pub fn tell(&self, part: Part) {
        self.0.0.lock().parts.push(part);
    }
}

impl Parts {
    /// Waits for the end of the question, for at most `patience`, and returns the parts; `None` if it is not over.
    ///
    /// The parts are returned once.
    pub fn wait(&self, patience: Duration) -> Option<Vec<Part>> {
        let state = self.0.lock();
        let ended = self.0.over.wait_timeout_while(state, patience, |state| !state.over);
        let (mut state, _) = ended.unwrap_or_else(PoisonError::into_inner);
        state.over.then(|| mem::take(&mut state.parts))
    }

    /// The parts, once, if the question is over. Otherwise `waker` is woken when it is.
    pub fn poll(&self, waker: &Waker) -> Option<Vec<Part>> {
        let mut state = self.0.lock();
        if state.over {
            return Some(mem::take(&mut state.parts));
        }
        match &mut state.waker {
            Some(own) => own.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        None
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.over = true;
        let waker = state.waker.take();
        drop(state);
        self.0.over.notify_all();
        // Not under the lock: a waker may poll at once.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl PartialEq for Question {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Question {}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question")
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    use super::*;

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Bell(AtomicU32);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn it_is_over_when_nobody_holds_it() {
        let (question, parts) = question();
        let other = question.clone();
        question.tell(Part::Counted(1));
        drop(question);
        assert!(parts.wait(Duration::ZERO).is_none());
        other.tell(Part::Counted(2));
        drop(other);
        let said = parts.wait(Duration::ZERO).expect("it is over");
        assert!(matches!(said[..], [Part::Counted(1), Part::Counted(2)]), "{said:?}");
        assert!(parts.wait(Duration::ZERO).is_some_and(|rest| rest.is_empty()), "it is said once");
    }

    #[test]
    fn the_last_waker_is_woken_once() {
        let bells: [Arc<Bell>; 2] = Default::default();
        let (question, parts) = question();
        for bell in &bells {
            assert!(parts.poll(&Waker::from(bell.clone())).is_none());
        }
        question.tell(Part::Counted(1));
        assert_eq!(bells[1].0.load(Ordering::Relaxed), 0);
        drop(question);
        assert_eq!(bells.each_ref().map(|bell| bell.0.load(Ordering::Relaxed)), [0, 1]);
        assert_eq!(parts.poll(Waker::noop()).map(|said| said.len()), Some(1));
    }

    #[test]
    fn a_thread_that_waits_is_woken() {
        let (question, parts) = question();
        let asker = std::thread::spawn(move || parts.wait(Duration::from_secs(60)).map(|said| said.len()));
        question.tell(Part::Counted(1));
        drop(question);
        assert_eq!(asker.join().unwrap(), Some(1));
    }

    #[test]
    fn nobody_need_wait() {
        let (question, parts) = question();
        drop(parts);
        question.tell(Part::Counted(1));
    }
}
