//! Somebody whose name is known.

use std::time::Duration;

use arcstr::ArcStr;

use crate::broker::permit::Permits;

/// Who a connection belongs to, and what for how long. It lies in every session, so it is two words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's id.
    pub user: ArcStr,
    /// None: a name that an open server takes at its word, or a token that neither ends nor names rooms.
    grant: Option<Box<Grant>>,
}

/// What a token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grant {
    expires_ms: Option<u64>,
    rooms: Option<Permits>,
}

impl Identity {
    /// A user whom an open server takes at their word.
    pub fn named(user: &str) -> Self {
        Self { user: user.into(), grant: None }
    }

    /// A user by a token that ends at `expires_ms`, or never, and names these rooms, or says nothing of rooms.
    pub fn by_token(user: &str, expires_ms: Option<u64>, rooms: Option<Permits>) -> Self {
        let says_more = expires_ms.is_some() || rooms.is_some();
        Self { user: user.into(), grant: says_more.then(|| Box::new(Grant { expires_ms, rooms })) }
    }

    /// When the token ends that said so, in milliseconds since 1970 by the wall clock; none: never.
    pub fn expires_ms(&self) -> Option<u64> {
        self.grant.as_ref()?.expires_ms
    }

    /// The rooms that the token named; none: it said nothing of rooms.
    pub fn rooms(&self) -> Option<&Permits> {
        self.grant.as_ref()?.rooms.as_ref()
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
    fn an_identity_is_two_words() {
        assert_eq!(size_of::<Option<Identity>>(), 2 * size_of::<usize>());
    }
}
