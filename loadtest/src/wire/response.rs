//! HTTP responses (RFC 9112): the head, and a body with a length or in chunks.

use super::{Heard, WireError};

/// A response head longer than this is a broken server.
const HEAD_LIMIT: usize = 16 * 1024;

/// A body longer than this is more than any scenario asks for.
const BODY_LIMIT: u64 = 64 * 1024 * 1024;

/// How a response's body is delimited (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Length(u64),
    Chunked,
    UntilClose,
}

/// The fields that are needed from a response head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) length: usize,
    pub(crate) status: u16,
    pub(crate) body: Body,
    pub(crate) accept: Option<String>,
    pub(crate) content_type: Option<String>,
}

/// Reads a head; `None` until it is complete.
pub(crate) fn head(input: &[u8]) -> Result<Option<Head>, WireError> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(input).map_err(WireError::Head)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial if input.len() > HEAD_LIMIT => return Err(WireError::LongHead(HEAD_LIMIT)),
        httparse::Status::Partial => return Ok(None),
    };
    let status = response.code.unwrap_or(0);
    let field = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok()).map(str::to_owned)
    };
    let body = match (field("Transfer-Encoding"), field("Content-Length")) {
        // 1xx, 204 and 304 have none, whatever their fields say.
        _ if status < 200 || status == 204 || status == 304 => Body::Length(0),
        (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => Body::Chunked,
        (Some(_), _) => return Err(WireError::Body("an unknown transfer coding")),
        (None, Some(length)) => Body::Length(length.parse().map_err(|_| WireError::Body("a bad length"))?),
        (None, None) => Body::UntilClose,
    };
    if matches!(body, Body::Length(length) if length > BODY_LIMIT) {
        return Err(WireError::Body("longer than this client takes"));
    }
    Ok(Some(Head {
        length,
        status,
        body,
        accept: field("Sec-WebSocket-Accept"),
        content_type: field("Content-Type"),
    }))
}

/// The next piece of a chunked body (RFC 9112 section 7.1): how many bytes of `input` it takes and which of them are
/// content. Empty content means the last chunk. `None` until it is complete.
pub(crate) fn chunk(input: &[u8]) -> Result<Option<(usize, &[u8])>, WireError> {
    let (start, length) = match httparse::parse_chunk_size(input) {
        Ok(httparse::Status::Complete(found)) => found,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(WireError::Body("a bad chunk size")),
    };
    if length > BODY_LIMIT {
        return Err(WireError::Body("longer than this client takes"));
    }
    let end = start + length as usize;
    let Some(rest) = input.get(end..end + 2) else {
        return Ok(None);
    };
    if rest != b"\r\n" {
        return Err(WireError::Body("a chunk without its CRLF"));
    }
    Ok(Some((end + 2, &input[start..end])))
}

/// Reads the responses of a connection with keep-alive.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    /// Below so many bytes there is nothing new to find.
    wanted: usize,
    chunked: Vec<u8>,
}

impl Responses {
    /// The first complete response in `input`, and the bytes that it took. `None` while it is not complete.
    pub(crate) fn step<'a>(&'a mut self, input: &'a [u8]) -> Result<Option<(usize, Heard<'a>)>, WireError> {
        if input.is_empty() || input.len() < self.wanted {
            return Ok(None);
        }
        let Some(head) = head(input)? else { return Ok(None) };
        let after = &input[head.length..];
        match head.body {
            Body::Length(length) => {
                self.wanted = head.length + length as usize;
                let Some(body) = after.get(..length as usize) else {
                    return Ok(None);
                };
                let used = std::mem::take(&mut self.wanted);
                Ok(Some((used, Heard::Response { status: head.status, body })))
            }
            Body::Chunked => {
                let Some(used) = self.dechunk(after)? else {
                    return Ok(None);
                };
                Ok(Some((head.length + used, Heard::Response { status: head.status, body: &self.chunked })))
            }
            Body::UntilClose => Err(WireError::Body("no length on a connection to keep")),
        }
    }

    fn dechunk(&mut self, input: &[u8]) -> Result<Option<usize>, WireError> {
        self.chunked.clear();
        let mut at = 0;
        while let Some((used, content)) = chunk(&input[at..])? {
            at += used;
            if content.is_empty() {
                return Ok(Some(at));
            }
            self.chunked.extend_from_slice(content);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}\
        HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";

    #[test]
    fn two_pipelined_responses_cut_at_every_point() {
        for cut in 0..=TWO.len() {
            let mut responses = Responses::default();
            let (mut tail, mut heard) = (Vec::new(), Vec::new());
            for piece in [&TWO[..cut], &TWO[cut..]] {
                tail.extend_from_slice(piece);
                while let Some((used, said)) = responses.step(&tail).expect("good responses") {
                    let Heard::Response { status, body } = said else { panic!("{said:?}") };
                    heard.push((status, body.to_vec()));
                    tail.drain(..used);
                }
            }
            assert_eq!(heard, [(200, b"{}".to_vec()), (404, b"abcde".to_vec())], "cut at {cut}");
        }
    }

    #[test]
    fn no_content_has_no_body() {
        let mut responses = Responses::default();
        let step = responses.step(b"HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(step, Ok(Some((27, Heard::Response { status: 204, body: b"" }))));
    }

    #[test]
    fn bad_framing_is_an_error() {
        let of = |bytes: &[u8]| Responses::default().step(bytes).map(|_| ());
        assert_eq!(of(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), Err(WireError::Body("a bad length")));
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX";
        assert_eq!(of(chunked), Err(WireError::Body("a chunk without its CRLF")));
        assert!(matches!(of(b"SSH-2.0-x\r\n"), Err(WireError::Head(_))));
    }
}
