//! A text frame of the native dialect, and the message that it becomes.

use serde_json::value::RawValue;
use switchboard::dialect::kept;
use switchboard::dialect::native::{fields, request};
use switchboard::dialect::request::{Request, What};
use switchboard::message::{Draft, Kind};
use switchboard::room_key::{RoomKeys, Space};

/// Reads `bytes` as a text frame; gives the code of the error if it is refused, and none if it is no text at all.
pub fn check(bytes: &[u8]) -> Option<Result<(), &'static str>> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(match request::read(text) {
        Ok(request) => {
            accepted(text, request);
            Ok(())
        }
        Err(refused) => {
            refused.id.inspect(|id| is_id(text, id));
            let code = refused.fault.code();
            // What is no JSON is told so, and what is JSON is not, unless it is nested too deep.
            let is_json = serde_json::from_str::<&RawValue>(text).is_ok();
            let deep = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > fields::MAX_DEPTH;
            assert!((code == "bad_json") != is_json || deep, "{code}: {text}");
            assert!(!refused.fault.message().is_empty());
            Err(code)
        }
    })
}

fn accepted(text: &str, Request { id, what }: Request<'_>) {
    assert!(serde_json::from_str::<&RawValue>(text).is_ok(), "a request is JSON");
    id.inspect(|id| is_id(text, id));
    let What::Publish { room, event, data, .. } = what else { return };
    let piece: &RawValue = serde_json::from_str(data).expect("`data` is JSON");
    assert_eq!(piece.get(), data, "`data` has no space around it");
    assert!(is_within(text, data), "`data` is a piece of the frame");
    let key = RoomKeys::default().key(Space::Native, &room);
    let draft = Draft {
        kind: Kind::Message,
        from: None,
        event,
        data: data.to_owned().into(),
        store: true,
        exclude: None,
        key: None,
    };
    let message = kept::compose(key, None, draft, 0);
    // What goes out is one frame of one JSON object, `data` as it came in.
    let frame = message.frame();
    let payload = std::str::from_utf8(message.payload()).expect("a message is text");
    assert!(frame.ends_with(payload.as_bytes()) && frame.len() <= payload.len() + 10);
    assert!(serde_json::from_str::<&RawValue>(payload).is_ok(), "{payload}");
    assert!(payload.ends_with(&format!("\"data\":{data}}}")), "{payload}");
}

fn is_id(text: &str, id: &str) {
    assert!(id.len() <= fields::MAX_ID && is_within(text, id), "{id}");
    assert!(serde_json::from_str::<&RawValue>(id).is_ok(), "{id}");
}

/// Whether `piece` is memory of `text`, and no copy.
fn is_within(text: &str, piece: &str) -> bool {
    text.as_bytes().as_ptr_range().start <= piece.as_bytes().as_ptr_range().start
        && piece.as_bytes().as_ptr_range().end <= text.as_bytes().as_ptr_range().end
}
