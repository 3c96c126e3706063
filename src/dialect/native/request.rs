//! What a client asks, read from one text frame.

use std::borrow::Cow;

use super::fields::{self, Fields};
use crate::broker::post::{Page, Span};
use crate::dialect::request::{Refused, Request, Token, What};
use crate::error::Fault;
use crate::id::is_user;
use crate::position::Position;
use crate::room_key::is_joinable;

/// People that one answer lists unless the client says otherwise, and at most.
pub const PEOPLE: (usize, usize) = (100, 1_000);

/// Reads a request.
pub fn read(text: &str) -> Result<Request<'_>, Refused<'_>> {
    let fields = Fields::read(text).map_err(|fault| Refused { fault, id: None })?;
    let id = fields::id(fields.id).map_err(|fault| Refused { fault, id: None })?;
    match what(&fields) {
        Ok(what) => Ok(Request { id, what }),
        Err(fault) => Err(Refused { fault, id }),
    }
}

fn what<'a>(fields: &Fields<'a>) -> Result<What<'a>, Fault> {
    match &*fields::required(fields.kind, "every request needs `type`, a string")? {
        "auth" => {
            let token = fields::required(fields.token, "this request needs `token`, a string")?;
            Ok(What::Auth { token: Token(token) })
        }
        "join" => Ok(What::Join { room: room(fields)?, span: join_span(fields)? }),
        "leave" => Ok(What::Leave { room: room(fields)? }),
        "publish" => Ok(What::Publish {
            room: room(fields)?,
            event: fields::event(fields.event)?,
            data: fields::data(fields.data)?,
            echo: fields::flag(fields.echo, true, "`echo` is true or false")?,
            store: fields::flag(fields.store, true, "`store` is true or false")?,
            key: fields::key(fields.key)?,
        }),
        "direct" => Ok(What::Direct {
            to: user(fields)?,
            event: fields::event(fields.event)?,
            data: fields::data(fields.data)?,
            key: fields::key(fields.key)?,
        }),
        "typing" => Ok(What::Typing {
            room: room(fields)?,
            active: fields::flag(fields.active, true, "`active` is true or false")?,
        }),
        "history" => Ok(What::History { room: room(fields)?, span: history_span(fields)? }),
        "members" => Ok(What::Members { room: room(fields)?, page: page(fields)? }),
        "ping" => Ok(What::Ping),
        _ => Err(Fault::UnknownType),
    }
}

fn room<'a>(fields: &Fields<'a>) -> Result<Cow<'a, str>, Fault> {
    let room = fields::required(fields.room, "this request needs `room`, a string")?;
    if is_joinable(&room) { Ok(room) } else { Err(Fault::BadRoom) }
}

fn user<'a>(fields: &Fields<'a>) -> Result<Cow<'a, str>, Fault> {
    const TO: &str = "`to` is a user id of 1 to 128 bytes without control characters";
    let to = fields::required(fields.to, TO)?;
    if is_user(&to) { Ok(to) } else { Err(Fault::BadRequest(TO)) }
}

/// A position is opaque to clients, so one that no server wrote is not an error: nothing can be recovered from it.
fn since(fields: &Fields<'_>) -> Result<Option<Option<Position>>, Fault> {
    let since = fields::optional(fields.since, "`since` is a position, a string")?;
    Ok(since.map(|since| since.parse().ok()))
}

fn join_span(fields: &Fields<'_>) -> Result<Span, Fault> {
    let history = fields::number(fields.history, "`history` is a number of messages")?;
    Ok(match (since(fields)?, history) {
        (Some(since), most) => Span::Since(since, most.unwrap_or(usize::MAX)),
        (None, Some(limit)) => Span::Newest(limit),
        (None, None) => Span::Nothing,
    })
}

fn history_span(fields: &Fields<'_>) -> Result<Span, Fault> {
    let limit = fields::number(fields.limit, "`limit` is a number of messages")?.unwrap_or(usize::MAX);
    Ok(match since(fields)? {
        Some(since) => Span::After(since, limit),
        None => Span::Newest(limit),
    })
}

fn page(fields: &Fields<'_>) -> Result<Page, Fault> {
    let after = fields::optional(fields.after, "`after` is a user id")?.unwrap_or_default();
    let limit = fields::number(fields.limit, "`limit` is a number of users")?.unwrap_or(PEOPLE.0);
    Ok(Page { after: after.into(), limit: limit.min(PEOPLE.1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> &'static str {
        read(text).map_or_else(|refused| refused.fault.code(), |_| "fine")
    }

    #[test]
    fn requests_are_read() {
        let text =
            r#"{"type":"publish","room":"a","data": {"x":1} ,"event":"e","echo":false,"id":7,"more":[]}"#;
        let what = What::Publish {
            room: "a".into(),
            event: Some("e".into()),
            data: r#"{"x":1}"#,
            echo: false,
            store: true,
            key: None,
        };
        assert_eq!(read(text), Ok(Request { id: Some("7"), what }));
        let join = |text| read(text).map(|request| request.what);
        let span = |span| Ok(What::Join { room: "a/b".into(), span });
        assert_eq!(join(r#"{"type":"join","room":"a\/b"}"#), span(Span::Nothing));
        assert_eq!(join(r#"{"type":"join","room":"a/b","history":3}"#), span(Span::Newest(3)));
        let since = Position { epoch: 10, offset: 4 };
        let after = Span::Since(Some(since), 3);
        assert_eq!(join(r#"{"type":"join","room":"a/b","since":"0000000a:4","history":3}"#), span(after));
        assert_eq!(
            join(r#"{"type":"join","room":"a/b","since":"rubbish"}"#),
            span(Span::Since(None, usize::MAX))
        );
        assert_eq!(read(r#"{"type":"ping","id":"x"}"#), Ok(Request { id: Some("\"x\""), what: What::Ping }));
    }

    #[test]
    fn every_fault_has_its_code() {
        let cases = [
            ("", "bad_json"),
            ("[]", "bad_request"),
            ("{}", "bad_request"),
            (r#"{"type":7}"#, "bad_request"),
            (r#"{"type":"dance"}"#, "unknown_type"),
            (r#"{"type":"ping","id":null}"#, "bad_request"),
            (r#"{"type":"join"}"#, "bad_request"),
            (r#"{"type":"join","room":7}"#, "bad_request"),
            (r#"{"type":"join","room":""}"#, "bad_room"),
            (r#"{"type":"join","room":"$other"}"#, "bad_room"),
            (r#"{"type":"join","room":"$me"}"#, "fine"),
            (r#"{"type":"direct","data":1}"#, "bad_request"),
            (r#"{"type":"direct","to":"","data":1}"#, "bad_request"),
            (r#"{"type":"direct","to":"\n","data":1}"#, "bad_request"),
            (r#"{"type":"direct","to":"ann"}"#, "bad_request"),
            (r#"{"type":"direct","to":"ann","data":1}"#, "fine"),
            (r#"{"type":"typing","room":"a","active":1}"#, "bad_request"),
            (r#"{"type":"typing","room":"a"}"#, "fine"),
            (r#"{"type":"join","room":"a b"}"#, "bad_room"),
            (r#"{"type":"join","room":"a","since":7}"#, "bad_request"),
            (r#"{"type":"join","room":"a","history":-1}"#, "bad_request"),
            (r#"{"type":"publish","room":"a"}"#, "bad_request"),
            (r#"{"type":"publish","room":"a","data":1,"event":"a b"}"#, "bad_request"),
            (r#"{"type":"publish","room":"a","data":1,"event":""}"#, "bad_request"),
            (r#"{"type":"publish","room":"a","data":1,"echo":0}"#, "bad_request"),
            (r#"{"type":"publish","room":"a","data":1,"store":"no"}"#, "bad_request"),
            (r#"{"type":"publish","room":"a","data":1,"idempotency_key":""}"#, "bad_request"),
            (r#"{"type":"publish","room":"a","data":1,"data":2}"#, "bad_request"),
            (r#"{"type":"history","room":"a","limit":"x"}"#, "bad_request"),
            (r#"{"type":"members","room":"a","after":1}"#, "bad_request"),
        ];
        for (text, code) in cases {
            assert_eq!(fault(text), code, "{text}");
        }
    }

    #[test]
    fn a_refusal_carries_the_id_if_it_could_be_read() {
        assert_eq!(read(r#"{"type":"x","id":9}"#), Err(Refused { fault: Fault::UnknownType, id: Some("9") }));
        assert_eq!(read("{").map_err(|refused| refused.id), Err(None));
    }
}
