//! A Server-Sent Events stream, as in the HTML standard (section 9.2.6).

use super::response::{self, Body};
use super::{Heard, WireError};

/// Reads the body of an event stream.
#[derive(Debug)]
pub(crate) struct EventStream {
    chunked: bool,
    /// Content whose event is not complete yet, from `at` on.
    text: Vec<u8>,
    at: usize,
    fields: Fields,
}

/// The fields of the event that is being read.
#[derive(Debug, Default)]
struct Fields {
    name: String,
    id: String,
    data: String,
    any: bool,
    told: bool,
}

impl EventStream {
    pub(crate) fn new(body: Body) -> EventStream {
        EventStream { chunked: body == Body::Chunked, text: Vec::new(), at: 0, fields: Fields::default() }
    }

    /// Takes what `input` has, and returns the next complete event. If it uses no bytes and returns no event, it needs
    /// more input.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<(usize, Option<Heard<'_>>), WireError> {
        let used = self.take(input)?;
        self.fields.clear_told();
        while let Some(line_end) = self.line_end() {
            let line = std::str::from_utf8(&self.text[self.at..line_end]).map_err(|_| WireError::Utf8)?;
            let line = line.strip_suffix('\r').unwrap_or(line);
            let complete = line.is_empty() && self.fields.any;
            self.fields.line(line);
            self.at = line_end + 1;
            if complete {
                self.fields.told = true;
                let Fields { name, id, data, .. } = &self.fields;
                return Ok((used, Some(Heard::Event { name, id, data })));
            }
        }
        self.text.drain(..self.at);
        self.at = 0;
        Ok((used, None))
    }

    fn take(&mut self, input: &[u8]) -> Result<usize, WireError> {
        if !self.chunked {
            self.text.extend_from_slice(input);
            return Ok(input.len());
        }
        let mut used = 0;
        while let Some((length, content)) = response::chunk(&input[used..])? {
            used += length;
            self.text.extend_from_slice(content);
        }
        Ok(used)
    }

    /// Where the next line ends. A lone CR is not a line end here, because no server writes one.
    fn line_end(&self) -> Option<usize> {
        self.text[self.at..].iter().position(|byte| *byte == b'\n').map(|at| self.at + at)
    }
}

impl Fields {
    fn line(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "id" => value.clone_into(&mut self.id),
            "data" => {
                if self.any {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.any = true;
            }
            // `retry`, comments and unknown fields.
            _ => {}
        }
    }

    /// Forgets an event that was returned. The last id stays, as in the standard.
    fn clear_told(&mut self) {
        if std::mem::take(&mut self.told) {
            self.name.clear();
            self.data.clear();
            self.any = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(stream: &mut EventStream, pieces: [&[u8]; 2]) -> Vec<(String, String, String)> {
        let (mut tail, mut heard) = (Vec::new(), Vec::new());
        for piece in pieces {
            tail.extend_from_slice(piece);
            loop {
                let (used, said) = stream.step(&tail).expect("a good stream");
                let nothing = said.is_none();
                if let Some(Heard::Event { name, id, data }) = said {
                    heard.push((name.to_owned(), id.to_owned(), data.to_owned()));
                }
                tail.drain(..used);
                if nothing && used == 0 {
                    break;
                }
            }
        }
        heard
    }

    fn expected() -> Vec<(String, String, String)> {
        let event = |name: &str, id: &str, data: &str| (name.to_owned(), id.to_owned(), data.to_owned());
        vec![event("welcome", "", "{}"), event("message", "e:1", "a\nb"), event("", "e:1", "c")]
    }

    #[test]
    fn events_cut_at_every_point() {
        let text = b"retry: 5\n\n: hello\nevent: welcome\ndata: {}\n\nid: e:1\r\nevent: message\r\ndata: a\r\ndata:b\r\n\r\ndata: c\n\n";
        for cut in 0..=text.len() {
            let mut stream = EventStream::new(Body::UntilClose);
            assert_eq!(all(&mut stream, [&text[..cut], &text[cut..]]), expected(), "cut at {cut}");
        }
    }

    #[test]
    fn chunks_need_not_end_with_events() {
        let text = b"16\r\nevent: welcome\ndata: {\r\n3\r\n}\n\n\r\n36\r\nid: e:1\nevent: message\ndata: a\ndata: b\n\ndata: c\n\n: xx\n\r\n";
        for cut in 0..=text.len() {
            let mut stream = EventStream::new(Body::Chunked);
            assert_eq!(all(&mut stream, [&text[..cut], &text[cut..]]), expected(), "cut at {cut}");
        }
    }
}
