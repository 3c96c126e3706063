//! A message that the program sends.

use bytes::Bytes;
use serde::Serialize;

use super::SendError;
use crate::broker::keys::MAX_KEY;
use crate::dialect::native::fields::{is_event, is_too_deep};
use crate::id::{ConnectionNames, is_user};
use crate::message::{Draft, Kind};

/// A message that the program sends: data, and options.
///
/// Anything that serialises to JSON is a message by itself: [`Handle::publish`](crate::Handle::publish) takes `"text"` or
/// `&value`. Use this type to set more than the data. A message that is not valid is refused when it is sent.
///
/// ```
/// use switchboard::Message;
///
/// let joke = Message::new(&["knock", "knock"]).event("joke").from_user("ann").idempotency_key("joke-17");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a message goes nowhere by itself"]
pub struct Message {
    data: Result<Bytes, Box<str>>,
    event: Option<Box<str>>,
    from: Option<Box<str>>,
    exclude: Option<Box<str>>,
    store: bool,
    key: Option<Box<str>>,
}

impl Message {
    /// A message of `data`, serialised to JSON. A [`serde_json::value::RawValue`] is sent byte for byte.
    ///
    /// The JSON may be as long as a body of the HTTP API ([`Limits::api_body`](crate::settings::Limits), 1 MiB by default)
    /// and nested at most 128 deep.
    pub fn new<T: Serialize + ?Sized>(data: &T) -> Self {
        let data = serde_json::to_vec(data).map(Bytes::from);
        let data = data.map_err(|error| format!("its data cannot be made JSON: {error}").into());
        Self { data, event: None, from: None, exclude: None, store: true, key: None }
    }

    /// The kind of message, in the program's own word: 1 to 64 bytes of `A-Z a-z 0-9 _ . : -`. Streams of Server-Sent Events
    /// dispatch on it.
    pub fn event(self, event: &str) -> Self {
        Self { event: Some(event.into()), ..self }
    }

    /// The user that the message is from, 1 to 128 bytes. Without one it is from the app. For rooms only.
    pub fn from_user(self, user: &str) -> Self {
        Self { from: Some(user.into()), ..self }
    }

    /// A connection that does not get the message, by the name in its `welcome`: for example the one that caused it. A
    /// connection that has ended is ignored. For rooms only.
    pub fn exclude(self, connection: &str) -> Self {
        Self { exclude: Some(connection.into()), ..self }
    }

    /// Whether it gets a position and is kept in history. The default is true. A message that is not stored goes only to
    /// those who are connected now: a cursor, a progress bar.
    pub fn store(self, store: bool) -> Self {
        Self { store, ..self }
    }

    /// A key of 1 to 128 bytes. Messages with the same key within 5 minutes are sent once, and all get the first answer.
    pub fn idempotency_key(self, key: &str) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Its data and event, for everybody.
    pub(super) fn announcement(self, limit: usize) -> Result<(Option<Box<str>>, Bytes), SendError> {
        let plain = self.from.is_none() && self.exclude.is_none() && self.key.is_none() && self.store;
        if !plain {
            return Err(bad("an announcement has only data and an event"));
        }
        self.check(limit)?;
        Ok((self.event, self.data.map_err(SendError::BadMessage)?))
    }

    /// As a message to one user.
    pub(super) fn notification(self, limit: usize) -> Result<Draft, SendError> {
        if self.from.is_some() || self.exclude.is_some() {
            return Err(bad("a notification has no sender and excludes no connection"));
        }
        Ok(Draft { kind: Kind::Notification, ..self.draft(limit, None)? })
    }

    /// As a message to a room. `names` knows the connections' names.
    pub(super) fn publication(self, limit: usize, names: &ConnectionNames) -> Result<Draft, SendError> {
        self.draft(limit, Some(names))
    }

    fn draft(self, limit: usize, names: Option<&ConnectionNames>) -> Result<Draft, SendError> {
        self.check(limit)?;
        Ok(Draft {
            kind: Kind::Message,
            from: self.from.map(Into::into),
            event: self.event,
            data: self.data.map_err(SendError::BadMessage)?,
            store: self.store,
            exclude: self.exclude.and_then(|name| names?.id(&name)),
            key: self.key,
        })
    }

    fn check(&self, limit: usize) -> Result<(), SendError> {
        let data = self.data.as_ref().map_err(|why| SendError::BadMessage(why.clone()))?;
        let json = std::str::from_utf8(data).map_err(|_| bad("its data is not UTF-8"))?;
        if data.len() > limit {
            let why = format!("its data is {} bytes, more than the {limit} of limits.api_body", data.len());
            return Err(bad(&why));
        }
        if is_too_deep(json) {
            return Err(bad("its data is nested more than 128 deep"));
        }
        if self.event.as_deref().is_some_and(|event| !is_event(event)) {
            return Err(bad("an event is 1 to 64 bytes of A-Z a-z 0-9 _ . : -"));
        }
        if self.key.as_ref().is_some_and(|key| !(1..=MAX_KEY).contains(&key.len())) {
            return Err(bad("an idempotency key is 1 to 128 bytes"));
        }
        match &self.from {
            Some(user) if !is_user(user) => Err(SendError::BadUser(user.clone())),
            _ => Ok(()),
        }
    }
}

fn bad(why: &str) -> SendError {
    SendError::BadMessage(why.into())
}

impl<T: Serialize + ?Sized> From<&T> for Message {
    fn from(data: &T) -> Self {
        Self::new(data)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;
    use serde_json::value::RawValue;

    use super::*;
    use crate::id::SessionId;

    const LIMIT: usize = 1024;

    fn draft(message: impl Into<Message>) -> Result<Draft, SendError> {
        message.into().publication(LIMIT, &ConnectionNames::new())
    }

    #[test]
    fn whatever_serialises_is_data() {
        let data = |message| String::from_utf8(draft(message).unwrap().data.to_vec()).unwrap();
        assert_eq!(data(Message::from("a\n\"")), r#""a\n\"""#);
        assert_eq!(data(Message::from(&json!({"n": [1, null]}))), r#"{"n":[1,null]}"#);
        let raw = RawValue::from_string("[ 1e400 ]".to_owned()).unwrap();
        assert_eq!(data(Message::from(&*raw)), "[ 1e400 ]");
    }

    #[test]
    fn what_goes_with_it_is_kept() {
        let names = ConnectionNames::new();
        let id = SessionId { shard: 0, key: 1, generation: 2 };
        let message = Message::new(&1).event("e").from_user("ann").exclude(&names.name(id).to_string());
        let draft = message.store(false).idempotency_key("k").publication(LIMIT, &names).unwrap();
        assert_eq!((draft.event.as_deref(), draft.from.as_deref()), (Some("e"), Some("ann")));
        assert_eq!((draft.exclude, draft.store, draft.key.as_deref()), (Some(id), false, Some("k")));
    }

    #[test]
    fn what_cannot_be_sent_is_told() {
        let long = "x".repeat(LIMIT);
        let deep: serde_json::Value = (0..129).fold(json!(1), |inner, _| json!([inner]));
        let no_text = HashMap::from([([1u8], 1)]);
        let cases = [
            (Message::new(&long), "1026 bytes"),
            (Message::new(&deep), "128 deep"),
            (Message::new(&no_text), "JSON"),
            (Message::new(&1).event("a b"), "event"),
            (Message::new(&1).event(""), "event"),
            (Message::new(&1).idempotency_key(&long[..129]), "key"),
            (Message::new(&1).from_user("\n"), "user"),
        ];
        for (message, word) in cases {
            let error = draft(message).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn what_only_rooms_know_goes_to_rooms_only() {
        let with = || Message::new(&1).event("e");
        assert!(with().idempotency_key("k").notification(LIMIT).is_ok());
        assert!(with().announcement(LIMIT).is_ok());
        for message in [with().from_user("ann"), with().exclude("x")] {
            assert!(message.clone().notification(LIMIT).is_err());
            assert!(message.announcement(LIMIT).is_err());
        }
        for message in [with().idempotency_key("k"), with().store(false)] {
            assert!(message.announcement(LIMIT).is_err());
        }
    }
}
