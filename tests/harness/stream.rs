//! A client of Server-Sent Events, as in WHATWG HTML section 9.2.

use serde_json::Value;

use super::wire::{Response, Wire};

/// An open stream.
pub struct Stream {
    wire: Wire,
    /// The head of the response.
    pub head: Response,
    /// The id from which the client would resume.
    pub last_event_id: String,
    /// How long it would wait, in milliseconds.
    pub retry: Option<u64>,
}

/// An event.
#[derive(Debug)]
pub struct Event {
    pub name: String,
    pub data: Value,
}

impl Stream {
    /// Opens a stream at `path`; `fields` are those of the request.
    pub fn open(mut wire: Wire, path: &str, fields: &str) -> Self {
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
        let head = wire.head();
        Self { wire, head, last_event_id: String::new(), retry: None }
    }

    /// The next event.
    pub fn event(&mut self) -> Event {
        let (mut name, mut data) = (String::from("message"), Vec::new());
        loop {
            let line = self.wire.line();
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "" if line.is_empty() && !data.is_empty() => break,
                "event" => name = value.into(),
                "data" => data.push(value.to_owned()),
                "id" => self.last_event_id = value.into(),
                "retry" => self.retry = value.parse().ok(),
                _ => {}
            }
        }
        let data = data.join("\n");
        let data = serde_json::from_str(&data).unwrap_or_else(|_| panic!("{data}"));
        Event { name, data }
    }

    /// The `data` of the next event, which is called `name`.
    #[track_caller]
    pub fn expect(&mut self, name: &str) -> Value {
        let event = self.event();
        assert_eq!(event.name, name, "{event:?}");
        event.data
    }

    /// Asserts that nothing more comes and the server ends the connection.
    pub fn ends(&mut self) {
        self.wire.ends();
    }
}
