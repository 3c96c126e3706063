//! What the tokio peers share: rooms with a queue for each member, and the session that feeds a socket from its
//! queue until that is empty and then flushes.
//!
//! Everything is generic over the library's message type, so that no peer converts anything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

mod session;

pub use session::{Handler, Session};

/// The rooms of a server, by name.
#[derive(Debug)]
pub struct Rooms<M> {
    by_name: Mutex<HashMap<String, Arc<Room<M>>>>,
}

/// The members of one room, each by the sending end of its queue.
#[derive(Debug)]
pub struct Room<M> {
    state: Mutex<State<M>>,
}

#[derive(Debug)]
struct State<M> {
    members: Vec<(u64, UnboundedSender<M>)>,
    published: u64,
}

impl<M> Default for Rooms<M> {
    fn default() -> Rooms<M> {
        Rooms { by_name: Mutex::default() }
    }
}

impl<M> Default for Room<M> {
    fn default() -> Room<M> {
        Room { state: Mutex::new(State { members: Vec::new(), published: 0 }) }
    }
}

impl<M: Clone> Rooms<M> {
    /// The room of that name, made where there is none yet.
    pub fn open(&self, name: &str) -> Arc<Room<M>> {
        let mut rooms = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.entry(name.to_owned()).or_default().clone()
    }
}

impl<M: Clone> Room<M> {
    fn state(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A member comes, known by a number that no other connection has; gives the offset of the last message and
    /// the count of members.
    pub fn join(&self, id: u64, queue: UnboundedSender<M>) -> (u64, usize) {
        let mut state = self.state();
        state.members.push((id, queue));
        (state.published, state.members.len())
    }

    /// A member goes.
    pub fn leave(&self, id: u64) {
        self.state().members.retain(|(member, _)| *member != id);
    }

    /// Queues a message for every member but `except`. `message` makes it once, from its offset in the room.
    pub fn publish(&self, except: Option<u64>, message: impl FnOnce(u64) -> M) -> u64 {
        let mut state = self.state();
        state.published += 1;
        let message = message(state.published);
        for (member, queue) in &state.members {
            if Some(*member) != except {
                // A member whose task has ended is about to leave: what it misses it never asked for.
                let _ = queue.send(message.clone());
            }
        }
        state.published
    }
}
