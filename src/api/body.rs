//! Reads the bodies of calls.

use arcstr::ArcStr;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::route::refusal;
use super::sent::To;
use crate::dialect::native::fields::{self, Fields};
use crate::error::Fault;
use crate::http::Response;
use crate::id::{ConnectionNames, is_user};
use crate::message::{Draft, Kind};
use crate::room_key::is_room_name;

/// Messages in one batch, at most.
pub const MAX_BATCH: usize = 1_000;

/// Requests in one call for a stream, at most.
pub const MAX_REQUESTS: usize = 100;

/// The longest reason that a close frame holds, in bytes (RFC 6455 section 5.5).
pub const MAX_REASON: usize = 123;

/// One message of a batch: where it goes, and what it says.
pub type Entry = Result<(Address, Draft), Fault>;

/// Where a message of a batch goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// To a room.
    Room(String),
    /// To a user.
    User(ArcStr),
    /// To everybody.
    All,
}

impl Address {
    /// Who receives such a message.
    pub fn to(&self) -> To {
        match self {
            Self::Room(_) => To::Room,
            Self::User(_) => To::User,
            Self::All => To::All,
        }
    }
}

/// The message that the body of a publish holds.
pub fn publish(body: &[u8], names: &ConnectionNames) -> Result<Draft, Fault> {
    let fields = Fields::read(utf8(body)?)?;
    draft(&fields, names)
}

/// The message to a user, or to everybody, that a body holds.
pub fn notification(body: &[u8]) -> Result<Draft, Fault> {
    notice(&Fields::read(utf8(body)?)?)
}

/// The reason in a body. A call may have no reason, and no body.
pub fn reason(body: &[u8]) -> Result<Option<Box<str>>, Fault> {
    const REASON: &str = "`reason` is a string";
    if body.is_empty() {
        return Ok(None);
    }
    let fields = Fields::read(utf8(body)?)?;
    Ok(fields::optional(fields.reason, REASON)?.map(Into::into))
}

/// As much of `reason` as a close frame can hold, in whole characters.
pub fn fitting(reason: &str) -> &str {
    let mut end = reason.len().min(MAX_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

/// The messages in the body of a batch, or the fault of each that has one.
pub fn batch(body: &[u8], names: &ConnectionNames) -> Result<Vec<Entry>, Fault> {
    const FAULT: Fault = Fault::BadRequest("`messages` is an array of up to 1,000 messages");
    let fields = Fields::read(utf8(body)?)?;
    let messages = fields.messages.ok_or(FAULT)?;
    let messages: Vec<&RawValue> = serde_json::from_str(messages.get()).map_err(|_| FAULT)?;
    if messages.len() > MAX_BATCH {
        return Err(FAULT);
    }
    Ok(messages.iter().map(|message| entry(message.get(), names)).collect())
}

/// The requests in the body of a call for a stream, as they were written: one object, or an array of 1 to [`MAX_REQUESTS`].
/// None may be over `limit` bytes.
pub fn requests(body: &[u8], limit: usize) -> Result<(bool, Vec<Box<str>>), Response> {
    const COUNT: Fault = Fault::BadRequest("the body is a request or an array of 1 to 100 requests");
    let bad_json = |_| refusal(Fault::BadJson);
    let whole: &RawValue = serde_json::from_str(utf8(body).map_err(refusal)?).map_err(bad_json)?;
    let alone = whole.get().starts_with('{');
    let requests: Vec<&RawValue> =
        if alone { vec![whole] } else { serde_json::from_str(whole.get()).map_err(|_| refusal(COUNT))? };
    if !(1..=MAX_REQUESTS).contains(&requests.len()) {
        return Err(refusal(COUNT));
    }
    if limit > 0 && requests.iter().any(|request| request.get().len() > limit) {
        let message = format!("a request is over {limit} bytes");
        return Err(Response::new(413).error("content_too_large", &message));
    }
    Ok((alone, requests.iter().map(|request| request.get().into()).collect()))
}

fn entry(text: &str, names: &ConnectionNames) -> Entry {
    const ONE: Fault =
        Fault::BadRequest("a message of a batch needs exactly one of `room`, `user` and `all`");
    let fields = Fields::read(text)?;
    match (fields.room, fields.user, fields.all) {
        (Some(_), None, None) => {
            let room = fields::required(fields.room, "`room` is a string")?;
            if !is_room_name(&room) {
                return Err(Fault::BadRoom);
            }
            Ok((Address::Room(room.into_owned()), draft(&fields, names)?))
        }
        (None, Some(_), None) => {
            const USER: &str = "`user` is a user id of 1 to 128 bytes without control characters";
            let user = fields::required(fields.user, USER)?;
            if !is_user(&user) {
                return Err(Fault::BadRequest(USER));
            }
            Ok((Address::User(user.as_ref().into()), notice(&fields)?))
        }
        (None, None, Some(_)) if fields::flag(fields.all, false, "`all` is true")? => {
            Ok((Address::All, notice(&fields)?))
        }
        _ => Err(ONE),
    }
}

/// A message of the app to a user, or to everybody.
fn notice(fields: &Fields<'_>) -> Result<Draft, Fault> {
    let data = Bytes::copy_from_slice(fields::data(fields.data)?.as_bytes());
    Ok(Draft {
        event: fields::event(fields.event)?,
        store: true,
        key: fields::key(fields.key)?,
        ..Draft::new(Kind::Notification, data)
    })
}

fn draft(fields: &Fields<'_>, names: &ConnectionNames) -> Result<Draft, Fault> {
    const FROM: &str = "`from` is a user id of 1 to 128 bytes without control characters";
    let from = fields::optional(fields.from, FROM)?;
    if from.as_ref().is_some_and(|from| !is_user(from)) {
        return Err(Fault::BadRequest(FROM));
    }
    let exclude = fields::optional(fields.exclude, "`exclude` is the name of a connection, a string")?;
    Ok(Draft {
        kind: Kind::Message,
        from: from.map(|from| from.as_ref().into()),
        event: fields::event(fields.event)?,
        data: Bytes::copy_from_slice(fields::data(fields.data)?.as_bytes()),
        store: fields::flag(fields.store, true, "`store` is true or false")?,
        // A connection that has ended gets nothing anyway.
        exclude: exclude.and_then(|name| names.id(&name)),
        key: fields::key(fields.key)?,
    })
}

fn utf8(body: &[u8]) -> Result<&str, Fault> {
    simdutf8::basic::from_utf8(body).map_err(|_| Fault::BadJson)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;

    #[test]
    fn a_publish_is_read_as_written() {
        let names = ConnectionNames::new();
        let id = SessionId { shard: 0, key: 1, generation: 2 };
        let text =
            format!(r#"{{"data": [1e400 ] ,"from":"ann","event":"e","exclude":"{}","x":0}}"#, names.name(id));
        let draft = publish(text.as_bytes(), &names).unwrap();
        assert_eq!((&draft.data[..], draft.store, draft.exclude), (&b"[1e400 ]"[..], true, Some(id)));
        assert_eq!((draft.from.as_deref(), draft.event.as_deref()), (Some("ann"), Some("e")));
    }

    #[test]
    fn a_reason_is_cut_to_what_fits() {
        let long = "\u{20ac}".repeat(100);
        assert_eq!((fitting("short"), fitting(&long).len()), ("short", 123));
        assert_eq!(fitting(&format!("x{long}")).len(), 121);
    }

    #[test]
    fn bad_bodies_have_their_faults() {
        let names = ConnectionNames::new();
        let code = |body: &[u8]| publish(body, &names).map_or_else(Fault::code, |_| "fine");
        assert_eq!(code(b""), "bad_json");
        assert_eq!(code(b"\xff"), "bad_json");
        assert_eq!(code(b"{}"), "bad_request");
        assert_eq!(code(b"{\"data\":1,\"from\":\"\"}"), "bad_request");
        assert_eq!(code(b"{\"data\":1,\"from\":null}"), "bad_request");
        assert_eq!(code(b"{\"data\":1,\"exclude\":7}"), "bad_request");
        assert_eq!(code(b"{\"data\":1,\"exclude\":\"gone\"}"), "fine");
    }

    #[test]
    fn a_batch_has_a_fault_for_each_bad_message() {
        let names = ConnectionNames::new();
        let body = br#"{"messages":[{"room":"a","data":1},{"room":"$me","data":1},{"data":1},7,{"user":"u","data":1},
            {"all":true,"data":1},{"all":false,"data":1},{"room":"a","user":"u","data":1},{"user":"","data":1}]}"#;
        let codes: Vec<_> =
            batch(body, &names).unwrap().into_iter().map(|entry| entry.err().map(Fault::code)).collect();
        let bad = Some("bad_request");
        let expected = [None, Some("bad_room"), bad, bad, None, None, bad, bad, bad];
        assert_eq!(codes, expected);
        let many = format!(r#"{{"messages":[{}1]}}"#, "1,".repeat(1000));
        for body in ["{}", r#"{"messages":7}"#, &many] {
            assert!(matches!(batch(body.as_bytes(), &names), Err(Fault::BadRequest(_))));
        }
    }
}
