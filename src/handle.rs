//! The way to a running server from any thread.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::auth::access::BadKey;
use crate::broker::post::{Caller, Post};
use crate::config::credentials;
use crate::message::{Draft, Kind};
use crate::reactor::{Inbox, Letter};
use crate::room_key::{Space, is_room_name};
use crate::shard::Common;

/// Publishes to and stops a server; cheap to clone, and for any thread, async or not: no call ever waits.
#[derive(Clone)]
pub struct Handle {
    inboxes: Vec<Inbox>,
    common: Arc<Common>,
    drain: Duration,
}

/// Why something could not be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishError {
    /// A room name is 1 to 200 bytes of `A-Z a-z 0-9 _ - = @ , . ; : /`.
    BadRoom,
    /// The server has more on its way than it should; later it will take more.
    Busy,
}

impl Handle {
    pub(crate) fn new(inboxes: Vec<Inbox>, common: Arc<Common>, drain: Duration) -> Self {
        Self { inboxes, common, drain }
    }

    /// Says `data` in `room`, as the app: members get a message that is from nobody.
    ///
    /// Messages that one thread publishes in one room keep their order.
    ///
    /// # Errors
    ///
    /// If `room` cannot be a room's name, or if 64 MiB are on their way already.
    pub fn publish(&self, room: &str, data: &RawValue) -> Result<(), PublishError> {
        if !is_room_name(room) {
            return Err(PublishError::BadRoom);
        }
        if self.common.pressure.is_high(false) {
            return Err(PublishError::Busy);
        }
        let key = self.common.room_keys.key(Space::Native, room);
        let data = Bytes::copy_from_slice(data.get().as_bytes());
        let draft = Draft {
            kind: Kind::Message,
            from: None,
            event: None,
            data,
            store: true,
            exclude: None,
            key: None,
        };
        if let Some(home) = self.inboxes.get(key.home(self.common.shards)) {
            home.put([Letter::Post(Post::Publish(key, Caller::Nobody, draft))]);
        }
        Ok(())
    }

    /// Reads the files that hold keys again. What they hold now decides who comes in; whoever is in stays in.
    ///
    /// # Errors
    ///
    /// Every key that cannot be read or used. Then everything stays as it was.
    pub fn reload_keys(&self) -> Result<(), Vec<BadKey>> {
        let access = Arc::new(credentials::access(&self.common.settings)?);
        self.tell(|| Letter::Access(access.clone()));
        Ok(())
    }

    /// Ends the server in the configured time: connections are closed with 1001, spread over it.
    pub fn shutdown(&self) {
        self.tell(|| Letter::Drain(self.drain));
    }

    /// Ends the server at once.
    pub fn stop_now(&self) {
        self.tell(|| Letter::Stop);
    }

    fn tell(&self, letter: impl Fn() -> Letter) {
        for inbox in &self.inboxes {
            inbox.put([letter()]);
        }
    }
}

impl std::fmt::Display for PublishError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Busy => f.write_str("the server has too much on its way; publish again later"),
            Self::BadRoom => f.write_str("a room name is 1 to 200 bytes of A-Z a-z 0-9 _ - = @ , . ; : /"),
        }
    }
}

impl std::error::Error for PublishError {}
