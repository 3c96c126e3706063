//! An `EventSource` as WHATWG HTML sections 9.2.5 and 9.2.6 have it, written apart from what it reads.

use serde_json::Value;

use crate::position::Position;

/// An event that was dispatched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
    pub(super) json: Value,
    pub(super) last_event_id: String,
}

impl Event {
    pub(super) fn text(&self, field: &str) -> &str {
        self.json[field].as_str().unwrap_or_default()
    }

    /// The room and position of a message that has one.
    fn place(&self) -> Option<(&str, Position)> {
        let position = self.text("position").parse().ok()?;
        (self.text("type") == "message").then(|| (self.text("room"), position))
    }
}

/// What a client has after it read some bytes of a body.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) events: Vec<Event>,
    pub(super) last_event_id: String,
    pub(super) retry: Option<u64>,
    pub(super) comments: usize,
    data: String,
    event: String,
    id: String,
}

impl Reader {
    /// Reads a body from its beginning to where it was cut off.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut reader = Self::default();
        // Half a character at the end is in half a line, which is forgotten.
        let text = String::from_utf8_lossy(body).replace("\r\n", "\n").replace('\r', "\n");
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next()
            && lines.peek().is_some()
        {
            reader.line(line);
        }
        reader
    }

    fn line(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => self.dispatch(),
            "" => self.comments += 1,
            "event" => self.event = value.into(),
            "data" => self.data += &format!("{value}\n"),
            "id" if !value.contains('\0') => self.id = value.into(),
            "retry" => self.retry = value.parse().ok().or(self.retry),
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        self.last_event_id = self.id.clone();
        let (data, event) = (std::mem::take(&mut self.data), std::mem::take(&mut self.event));
        let Some(data) = data.strip_suffix('\n') else { return };
        let name = if event.is_empty() { "message".into() } else { event };
        let json = serde_json::from_str(data).unwrap_or_default();
        let last_event_id = self.last_event_id.clone();
        self.events.push(Event { name, data: data.into(), json, last_event_id });
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.events.iter().map(|event| event.name.as_str()).collect()
    }

    /// Offsets of the messages that came from `room`.
    pub(super) fn offsets(&self, room: &str) -> Vec<u64> {
        let places = self.events.iter().filter_map(Event::place);
        places.filter(|(name, _)| *name == room).map(|(_, position)| position.offset).collect()
    }

    /// The `joined` of `room`.
    pub(super) fn joined(&self, room: &str) -> Option<&Value> {
        let joined = |event: &&Event| event.text("type") == "joined" && event.text("room") == room;
        self.events.iter().find(joined).map(|event| &event.json)
    }

    /// The name of the connection.
    pub(super) fn connection(&self) -> String {
        self.events.first().expect("a welcome comes first").text("connection").into()
    }
}

#[test]
fn a_reader_does_what_the_specification_shows() {
    let body = "data: YHOO\ndata: +2\r\ndata: 10\n\n: test\ndata: first\nid: 1\r\rdata:second\nid\n\ndata:  third\n\n\
                data\n\nid: 2\n\ndata: cut\nid: 3\n";
    let reader = Reader::read(body.as_bytes());
    let seen: Vec<_> = reader.events.iter().map(|event| (&*event.data, &*event.last_event_id)).collect();
    assert_eq!(seen, [("YHOO\n+2\n10", ""), ("first", "1"), ("second", ""), (" third", ""), ("", "")]);
    assert_eq!((reader.last_event_id.as_str(), reader.comments), ("2", 1));
}
