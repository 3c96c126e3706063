//! Somebody whose name is known.

use std::num::NonZero;
use std::time::Duration;

use arcstr::ArcStr;

use crate::broker::permit::Permits;

/// Who a connection belongs to, and what for how long. Every named connection has one, so it is small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's id.
    pub user: ArcStr,
    expires_ms: Option<NonZero<u64>>,
    rooms: Option<Box<Permits>>,
}

impl Identity {
    /// A user whom an open server takes at their word.
    pub fn named(user: &str) -> Self {
        Self { user: user.into(), expires_ms: None, rooms: None }
    }

    /// A user by a token that ends at `expires_ms`, or never, and names these rooms, or says nothing of rooms.
    pub fn by_token(user: &str, expires_ms: Option<u64>, rooms: Option<Permits>) -> Self {
        // What ended with the first moment of 1970 is as much over a millisecond later.
        let expires_ms = expires_ms.map(|ms| NonZero::new(ms).unwrap_or(NonZero::<u64>::MIN));
        Self { user: user.into(), expires_ms, rooms: rooms.map(Box::new) }
    }

    /// When the token ends that said so, in milliseconds since 1970 by the wall clock; none: never.
    pub fn expires_ms(&self) -> Option<u64> {
        self.expires_ms.map(NonZero::get)
    }

    /// The rooms that the token named; none: it said nothing of rooms.
    pub fn rooms(&self) -> Option<&Permits> {
        self.rooms.as_deref()
    }

    /// When the connection ends, in milliseconds since 1970: clocks may be `leeway` apart.
    pub fn ends_ms(&self, leeway: Duration) -> Option<u64> {
        Some(self.expires_ms()?.saturating_add(leeway.as_millis() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_small() {
        assert!(size_of::<Identity>() <= 24, "{}", size_of::<Identity>());
    }

    #[test]
    fn what_ended_in_1970_does_not_last_for_ever() {
        assert_eq!(Identity::by_token("ann", Some(0), None).expires_ms(), Some(1));
        assert_eq!(Identity::by_token("ann", None, None).expires_ms(), None);
    }
}
