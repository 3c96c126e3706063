//! A user with a known name.

use std::time::Duration;

use arcstr::ArcStr;

use crate::broker::permit::Permits;

/// The user of a connection, with its rights and their end. Every session has one, so it is two words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's id.
    pub user: ArcStr,
    /// `None`: a name that an open server believes, or a token without an end and without rooms.
    grant: Option<Box<Grant>>,
}

/// What a token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grant {
    expires_ms: Option<u64>,
    rooms: Option<Permits>,
}

impl Identity {
    /// A user whose name an open server believes.
    pub fn named(user: &str) -> Self {
        Self { user: user.into(), grant: None }
    }

    /// A user with a token that ends at `expires_ms`, or never, and has `rooms`, or no such claim.
    pub fn by_token(user: &str, expires_ms: Option<u64>, rooms: Option<Permits>) -> Self {
        let says_more = expires_ms.is_some() || rooms.is_some();
        Self { user: user.into(), grant: says_more.then(|| Box::new(Grant { expires_ms, rooms })) }
    }

    /// When the token ends, in milliseconds since 1970 by the wall clock. `None`: never.
    pub fn expires_ms(&self) -> Option<u64> {
        self.grant.as_ref()?.expires_ms
    }

    /// The rooms in the token. `None`: it has no `rooms`.
    pub fn rooms(&self) -> Option<&Permits> {
        self.grant.as_ref()?.rooms.as_ref()
    }

    /// When the connection ends, in milliseconds since 1970. Clocks may differ by `leeway`.
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
