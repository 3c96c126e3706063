//! Somebody whose name is known.

use std::sync::Arc;
use std::time::Duration;

use crate::broker::permit::Permits;

/// Who a connection belongs to, and what for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's id.
    pub user: Arc<str>,
    /// When the token ends that said so, in milliseconds since 1970 by the wall clock; none: never.
    pub expires_ms: Option<u64>,
    /// The rooms that it named; none: it said nothing of rooms.
    pub rooms: Option<Permits>,
}

impl Identity {
    /// A user whom an open server takes at their word.
    pub fn named(user: &str) -> Self {
        Self { user: user.into(), expires_ms: None, rooms: None }
    }

    /// When the connection ends, in milliseconds since 1970: clocks may be `leeway` apart.
    pub fn ends_ms(&self, leeway: Duration) -> Option<u64> {
        Some(self.expires_ms?.saturating_add(leeway.as_millis() as u64))
    }
}
