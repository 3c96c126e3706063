//! Requests that are refused before they are read to the end.

use std::borrow::Cow;

use crate::http::asker::Asker;

/// The response to a request that cannot be served. The connection closes after it, because the next request may not
/// begin where it seems to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The `code` of the JSON error body, a word in snake case.
    pub code: &'static str,
    /// The `message` of the JSON error body, for people.
    pub message: Cow<'static, str>,
    /// Fields that a status needs, such as `Allow` with 405 or `Upgrade` with 426.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// Who sent the request, if a head was refused.
    pub asker: Option<Box<Asker>>,
}

impl Refusal {
    /// A refusal without further fields.
    pub fn new(status: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), headers: Vec::new(), asker: None }
    }

    /// The same with one more field.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same, for a request whose head began like this.
    #[must_use]
    pub(crate) fn of(self, head: &[u8]) -> Self {
        Self { asker: Some(Box::new(Asker::of(head))), ..self }
    }

    /// 400: the bytes are not a request, or another server may understand them as a different one.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "bad_request", message)
    }

    /// 411: the method has a body, but nothing says where it ends.
    pub fn length_required() -> Self {
        Self::new(411, "length_required", "a body needs Content-Length or Transfer-Encoding: chunked")
    }

    /// 413: the body is over `limit` bytes.
    pub fn content_too_large(limit: usize) -> Self {
        Self::new(413, "content_too_large", format!("the body is over {limit} bytes"))
    }

    /// 414: the request line is too long or the target in too many parts.
    pub fn uri_too_long(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(414, "uri_too_long", message)
    }

    /// 415: the body is encoded. By RFC 9110 12.5.3 the response names the encodings that are accepted.
    pub fn unsupported_encoding() -> Self {
        Self::new(415, "unsupported_media_type", "Content-Encoding must be identity or absent")
            .header("Accept-Encoding", "identity")
    }

    /// 417: something other than `100-continue` is expected.
    pub fn expectation_failed() -> Self {
        Self::new(417, "expectation_failed", "Expect may only be 100-continue")
    }

    /// 431: too many fields, or too many bytes of them.
    pub fn header_too_large(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(431, "header_too_large", message)
    }

    /// 501: a transfer coding that this server does not know.
    pub fn unknown_transfer_coding() -> Self {
        Self::new(501, "not_implemented", "Transfer-Encoding may only be chunked")
    }

    /// 505: a version of HTTP other than 1.0 and 1.1.
    pub fn version_not_supported() -> Self {
        Self::new(505, "version_not_supported", "this server supports HTTP/1.1 and HTTP/1.0 only")
    }
}
