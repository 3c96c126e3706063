//! What the body of a call asks.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::route::refusal;
use crate::dialect::native::fields::{self, Fields};
use crate::error::Fault;
use crate::http::Response;
use crate::id::{ConnectionNames, is_user};
use crate::message::Draft;
use crate::room_key::is_room_name;

/// Messages in one batch, at most.
pub const MAX_BATCH: usize = 1_000;

/// Requests in one call on behalf of a stream, at most.
pub const MAX_REQUESTS: usize = 100;

/// One message of a batch: where it goes, and what it says.
pub type Entry = Result<(String, Draft), Fault>;

/// The message that the body of a publish holds.
pub fn publish(body: &[u8], names: &ConnectionNames) -> Result<Draft, Fault> {
    let fields = Fields::read(utf8(body)?)?;
    draft(&fields, names)
}

/// The messages that the body of a batch holds, each with its own fault if it has one.
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

/// The requests that the body of a call on behalf of a stream holds, as they were written: one object alone, or an array
/// of 1 to [`MAX_REQUESTS`]. None is over `limit` bytes.
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
    let fields = Fields::read(text)?;
    if fields.user.is_some() || fields.all.is_some() {
        return Err(Fault::BadRequest("this server's batches go to a `room`"));
    }
    let room = fields::required(fields.room, "`room` is a string that every message of a batch has")?;
    if !is_room_name(&room) {
        return Err(Fault::BadRoom);
    }
    Ok((room.into_owned(), draft(&fields, names)?))
}

fn draft(fields: &Fields<'_>, names: &ConnectionNames) -> Result<Draft, Fault> {
    const FROM: &str = "`from` is a user id of 1 to 128 bytes without control characters";
    let from = fields::optional(fields.from, FROM)?;
    if from.as_ref().is_some_and(|from| !is_user(from)) {
        return Err(Fault::BadRequest(FROM));
    }
    let exclude = fields::optional(fields.exclude, "`exclude` is a connection, which is a string")?;
    Ok(Draft {
        from: from.map(|from| from.as_ref().into()),
        event: fields::event(fields.event)?,
        data: Bytes::copy_from_slice(fields::data(fields.data)?.as_bytes()),
        store: fields::flag(fields.store, true, "`store` is true or false")?,
        // A connection that is gone gets nothing anyway.
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
        let body = br#"{"messages":[{"room":"a","data":1},{"room":"$me","data":1},{"data":1},7,{"user":"u","data":1}]}"#;
        let codes: Vec<_> =
            batch(body, &names).unwrap().into_iter().map(|entry| entry.err().map(Fault::code)).collect();
        let expected =
            [None, Some("bad_room"), Some("bad_request"), Some("bad_request"), Some("bad_request")];
        assert_eq!(codes, expected);
        let many = format!(r#"{{"messages":[{}1]}}"#, "1,".repeat(1000));
        for body in ["{}", r#"{"messages":7}"#, &many] {
            assert!(matches!(batch(body.as_bytes(), &names), Err(Fault::BadRequest(_))));
        }
    }
}
