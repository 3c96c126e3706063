//! Keys of the HTTP API.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::broker::permit::{Pattern, is_any};
use crate::settings::Calls;

/// One key, and what it may do.
#[derive(Clone)]
pub struct ApiKey {
    /// What logs call it.
    pub name: Arc<str>,
    /// What it may do.
    pub scope: Scope,
    key: Box<[u8]>,
}

/// What a key allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The rooms that it is limited to. `None`: all rooms, users and figures.
    pub rooms: Option<Arc<[Pattern]>>,
    /// The kinds of calls.
    pub calls: Calls,
}

impl Scope {
    /// Everything, as in open mode.
    pub const ALL: Self = Self { rooms: None, calls: Calls::ALL };

    /// Whether the key allows the room called `name`.
    pub fn covers(&self, name: &str) -> bool {
        self.rooms.as_ref().is_none_or(|rooms| is_any(rooms, name))
    }
}

impl ApiKey {
    /// A key.
    ///
    /// # Errors
    ///
    /// If no client could send it.
    pub fn new(name: &str, key: &[u8], scope: Scope) -> Result<Self, String> {
        if key.is_empty() {
            return Err("is empty; make one with: switchboard key".to_owned());
        }
        if !key.iter().all(u8::is_ascii_graphic) {
            return Err("has characters that no header can carry; make one with: switchboard key".to_owned());
        }
        Ok(Self { name: name.into(), scope, key: key.into() })
    }
}

/// Shows the name, never the key.
impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("name", &self.name).field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// The key that `bearer` matches. The time does not depend on the result: it can reveal only lengths.
pub fn find<'a>(keys: &'a [ApiKey], bearer: &str) -> Option<&'a ApiKey> {
    let mut found = None;
    for key in keys {
        if bool::from(key.key.ct_eq(bearer.as_bytes())) {
            found = Some(key);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::permit::all;

    #[test]
    fn keys_are_found_whole() {
        let key = |name: &str, key: &str| ApiKey::new(name, key.as_bytes(), Scope::ALL).unwrap();
        let keys = [key("a", "secret-a"), key("b", "secret-b")];
        let name = |bearer| find(&keys, bearer).map(|key| &*key.name);
        assert_eq!((name("secret-a"), name("secret-b")), (Some("a"), Some("b")));
        for wrong in ["", "secret-", "secret-c", "secret-ab", "SECRET-A"] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
        assert!(!format!("{keys:?}").contains("secret"));
    }

    #[test]
    fn a_key_can_be_sent() {
        for bad in ["", "a b", "caf\u{e9}", "a\n"] {
            assert!(ApiKey::new("x", bad.as_bytes(), Scope::ALL).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_scope_covers_its_rooms() {
        let scope = Scope { rooms: Some(all(&["shop:*".to_owned()]).into()), calls: Calls::ALL };
        assert!(scope.covers("shop:1") && !scope.covers("chat:1") && Scope::ALL.covers("chat:1"));
    }
}
