//! How a message is kept: as the frame in which most members read it, with a few bytes that say where its parts lie.
//!
//! ```text
//!   {"type":"message","event":"line","room":"a","position":"0000beef:7","from":"ann","time":"2024-…Z","data":{…}}
//!           kind              event                                          from            time         data
//! ```
//!
//! So a message costs its frame and no more, and every dialect finds what it was: nothing is parsed for that, because all
//! parts but `event`, `from` and `data` have a length that is known.

use std::borrow::Cow;
use std::io::Write;

use bytes::Bytes;

use super::native::json::{self, OrNull, Quoted};
use super::speaks::framed;
use crate::message::{Draft, Kind, Message, Parts};
use crate::position::Position;
use crate::room_key::{RoomKey, Space};

/// Bytes of a time: `2024-05-06T07:08:09.123Z`.
const TIME: usize = 24;

/// The message that `draft` becomes in `room`, where it has this position.
pub fn compose(room: RoomKey, position: Option<Position>, draft: Draft, wall_ms: u64) -> Message {
    match room.space() {
        Space::Native | Space::User | Space::Beside => written(room, position, draft, wall_ms),
        // It is a whole frame already.
        Space::Raw => Message::new(room, None, draft.exclude, draft.data, 0),
    }
}

fn written(room: RoomKey, position: Option<Position>, draft: Draft, wall_ms: u64) -> Message {
    let mut frame = Vec::with_capacity(draft.data.len() + room.name().len() + 160);
    let (mut payload, mut data) = (0, 0);
    framed(&mut frame, |out| {
        let start = out.len();
        json::begin(draft.kind.word(), draft.event.as_deref(), out);
        // Writing to a buffer cannot fail.
        if draft.kind == Kind::Message {
            drop(write!(out, r#","room":"{}""#, room.name()));
        }
        if let Some(position) = position {
            drop(write!(out, r#","position":"{position}""#));
        }
        if draft.kind != Kind::Notification {
            drop(write!(out, r#","from":{}"#, OrNull(draft.from.as_deref().map(Quoted))));
        }
        json::end(wall_ms, &draft.data, out);
        payload = out.len() - start;
        data = payload - 1 - draft.data.len();
    });
    // How long the frame's header is depends on its payload, so it is counted from the end.
    let header = frame.len() - payload;
    let event = draft.event.map_or(0, |event| event.len() as u8);
    let parts = Parts { kind: draft.kind, event, data: data as u16 };
    Message::new(room, position, draft.exclude, Bytes::from(frame), header).with(parts)
}

/// What a message was: one of a native room or of an inbox.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a>(pub &'a Message);

impl<'a> Kept<'a> {
    /// Its sender and receiver.
    pub fn kind(self) -> Kind {
        self.0.parts().kind
    }

    /// The publisher's word for what kind of message it is.
    pub fn event(self) -> Option<&'a str> {
        let length = usize::from(self.0.parts().event);
        let start = self.behind_kind() + r#","event":""#.len();
        self.text(start, length).filter(|event| !event.is_empty())
    }

    /// The user that sent it; `None` for guests and the app.
    pub fn from(self) -> Option<Cow<'a, str>> {
        let end = self.behind_from();
        let quoted = self.text(self.before_from(), end.checked_sub(self.before_from())?)?;
        let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') { serde_json::from_str(quoted).ok() } else { Some(Cow::Borrowed(inner)) }
    }

    /// When its room took it, in the form of RFC 3339.
    pub fn time(self) -> &'a str {
        self.text(self.behind_from() + r#","time":""#.len(), TIME).unwrap_or_default()
    }

    /// What was said: JSON as it was written.
    pub fn data(self) -> &'a [u8] {
        let json = self.json();
        json.get(usize::from(self.0.parts().data)..json.len().saturating_sub(1)).unwrap_or_default()
    }

    /// The whole of it as JSON.
    pub fn json(self) -> &'a [u8] {
        self.0.payload()
    }

    fn text(self, start: usize, length: usize) -> Option<&'a str> {
        std::str::from_utf8(self.json().get(start..start + length)?).ok()
    }

    fn behind_kind(self) -> usize {
        r#"{"type":"""#.len() + self.kind().word().len()
    }

    fn before_from(self) -> usize {
        let event = match usize::from(self.0.parts().event) {
            0 => 0,
            length => r#","event":"""#.len() + length,
        };
        let room = match self.kind() {
            Kind::Message => r#","room":"""#.len() + self.0.room.name().len(),
            Kind::Direct | Kind::Notification => 0,
        };
        let position = self.0.position.map_or(0, |position| r#","position":"""#.len() + position.text_len());
        self.behind_kind() + event + room + position + r#","from":"#.len()
    }

    fn behind_from(self) -> usize {
        let behind = r#","time":"","data":"#.len() + TIME;
        usize::from(self.0.parts().data).saturating_sub(behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room_key::RoomKeys;

    #[test]
    fn all_that_a_message_was_is_found_in_it() {
        let keys = RoomKeys::default();
        let (room, inbox) = (keys.key(Space::Native, "a:b"), keys.key(Space::User, "bob"));
        let at = |offset| Some(Position { epoch: 7, offset });
        for kind in [Kind::Message, Kind::Direct, Kind::Notification] {
            for position in [None, at(0), at(9), at(10), at(u64::MAX)] {
                for from in [None, Some("ann"), Some("a\"\\nn"), Some("é")] {
                    for (event, data) in [(None, "1"), (Some("e.x"), r#"{"data":"\"event\":\"y\""}"#)] {
                        let from = from.filter(|_| kind != Kind::Notification);
                        let draft = Draft {
                            from: from.map(Into::into),
                            event: event.map(Into::into),
                            ..Draft::new(kind, data.to_owned().into())
                        };
                        let room = if kind == Kind::Message { &room } else { &inbox };
                        let message = compose(room.clone(), position, draft, 1_715_000_000_123);
                        let kept = Kept(&message);
                        assert_eq!((kept.kind(), kept.event(), kept.from().as_deref()), (kind, event, from));
                        assert_eq!((kept.time(), kept.data()), ("2024-05-06T12:53:20.123Z", data.as_bytes()));
                        let json: serde_json::Value = serde_json::from_slice(kept.json()).unwrap();
                        assert_eq!(json["from"].as_str(), from);
                        assert_eq!(json["time"], kept.time());
                    }
                }
            }
        }
    }

    #[test]
    fn the_longest_heads_and_the_longest_data_are_found() {
        let name = "r".repeat(crate::room_key::MAX_NAME);
        let room = RoomKeys::default().key(Space::Native, &name);
        let from = "\\".repeat(crate::id::MAX_USER);
        let event = "e".repeat(64);
        for length in [1, 125, 126, 65_535, 65_536, 100_000] {
            let data = "1".repeat(length);
            let draft = Draft {
                from: Some(from.as_str().into()),
                event: Some(event.as_str().into()),
                ..Draft::new(Kind::Message, data.clone().into())
            };
            let message =
                compose(room.clone(), Some(Position { epoch: 1, offset: u64::MAX }), draft, u64::MAX);
            let kept = Kept(&message);
            assert_eq!((kept.event(), kept.from().as_deref()), (Some(&*event), Some(&*from)));
            assert!(kept.data() == data.as_bytes() && kept.time() == "9999-12-31T23:59:59.999Z");
        }
    }
}
