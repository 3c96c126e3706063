//! Responses, built as values and written at once.

use std::borrow::Cow;
use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use httpdate::HttpDate;
use serde_json::json;

use crate::http::head::{Head, Method, Version};
use crate::http::refusal::Refusal;
use crate::http::syntax::{is_text, is_token};

#[cfg(test)]
mod tests;

/// The interim response to `Expect: 100-continue`.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The last second that an HTTP date can show, 31 December 9999.
const LAST_SECOND: Duration = Duration::from_secs(253_402_300_799);

/// Space that is made for a head, in bytes. Most heads fit, so writing one does not grow the buffer again and again.
const HEAD: usize = 320;

/// A field of a response: its name and its value.
pub type Field = (&'static str, Cow<'static, str>);

/// A response to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: u16,
    headers: Cow<'static, [Field]>,
    content_type: Option<&'static str>,
    /// The `code` of the error.
    code: Option<&'static str>,
    body: Cow<'static, [u8]>,
    /// Whether a body of unknown length follows, which ends with the connection.
    streams: bool,
    /// Whether the connection ends after it, whatever the client asked for.
    closes: bool,
}

/// What a response depends on besides itself: the request that it answers, the connection and the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The request was HEAD: the response has the body's length, but no body.
    pub head_only: bool,
    /// The connection closes after this response.
    pub close: bool,
    /// The version that the client speaks. To HTTP/1.0 every response closes.
    pub version: Version,
    /// Wall time, for `Date`.
    pub now: SystemTime,
}

impl Envelope {
    /// For the response to `head`; `close` is what the client asked for.
    pub fn answering(head: &Head, now: SystemTime) -> Self {
        Self { head_only: head.method == Method::Head, close: !head.keep_alive, version: head.version, now }
    }

    /// For a response to an unknown request, after which the connection closes, as for a [`Refusal`].
    pub fn closing(now: SystemTime) -> Self {
        Self { head_only: false, close: true, version: Version::Http11, now }
    }

    /// Whether the connection closes after the response.
    pub fn closes(&self) -> bool {
        self.close || self.version == Version::Http10
    }
}

impl Response {
    /// A response without a body. A 401 names the authentication scheme, as it must (RFC 9110 15.5.2).
    pub fn new(status: u16) -> Self {
        let bare = Self {
            status,
            headers: Cow::default(),
            content_type: None,
            code: None,
            body: Cow::default(),
            streams: false,
            closes: false,
        };
        if status == 401 { bare.header("WWW-Authenticate", "Bearer") } else { bare }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The `code` of the error, if it is one.
    pub fn code(&self) -> Option<&'static str> {
        self.code
    }

    /// Adds a field, but not `Connection`, `Content-Length`, `Content-Type` or `Date`: those follow from the rest of the
    /// response.
    ///
    /// A character in `value` that could end the field, or that no field may have, is a fault of the caller. Outside of
    /// debug builds it becomes a space, so that nothing can be injected.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        debug_assert!(!name.is_empty() && name.bytes().all(is_token), "{name:?} is no field name");
        debug_assert!(!is_framing(name), "{name} is not set by hand");
        self.headers.to_mut().push((name, clean(value.into())));
        self
    }

    /// Adds those of `fields` that it does not have. Most responses have none of their own, and then nothing is copied.
    #[must_use]
    pub fn or_headers(mut self, fields: &'static [Field]) -> Self {
        if self.headers.is_empty() {
            self.headers = Cow::Borrowed(fields);
            return self;
        }
        let missing = fields.iter().filter(|(name, _)| !self.has(name)).cloned().collect::<Vec<_>>();
        self.headers.to_mut().extend(missing);
        self
    }

    /// Whether a field called `name` was added.
    pub fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(field, _)| field.eq_ignore_ascii_case(name))
    }

    /// Names the methods of a resource, as 405 must (RFC 9110 15.5.6).
    #[must_use]
    pub fn allow(self, methods: &[Method]) -> Self {
        let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
        self.header("Allow", names.join(", "))
    }

    /// Names the protocol that 101 switches to or 426 asks for, and adds `Connection: upgrade`.
    #[must_use]
    pub fn upgrade(self, protocol: &'static str) -> Self {
        self.header("Upgrade", protocol)
    }

    /// Says when to come back, in whole seconds and at least one, for 429 and 503.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
        self.header("Retry-After", seconds.to_string())
    }

    /// Gives it a body of any type.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        self.content_type = Some(content_type);
        self.body = body.into();
        self
    }

    /// Gives it a body that is JSON already.
    #[must_use]
    pub fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.body("application/json", body.into())
    }

    /// Gives it a body of plain text.
    #[must_use]
    pub fn text(self, body: &str) -> Self {
        self.body("text/plain; charset=utf-8", body.as_bytes().to_vec())
    }

    /// Gives it the body of every error here: `{"error":{"code","message"}}`.
    #[must_use]
    pub fn error(mut self, code: &'static str, message: &str) -> Self {
        self.code = Some(code);
        self.json(json!({"error": {"code": code, "message": message}}).to_string())
    }

    /// Announces a body that the caller writes in parts, and that ends with the connection.
    #[must_use]
    pub fn stream(mut self, content_type: &'static str) -> Self {
        self.content_type = Some(content_type);
        self.streams = true;
        self
    }

    /// Whether its body ends with the connection. The connection then closes even where the body is not sent.
    pub fn streams(&self) -> bool {
        self.streams
    }

    /// Ends the connection after it, because later bytes may not be what they seem.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// Whether the connection ends after it.
    pub fn closes(&self) -> bool {
        self.closes || self.streams
    }

    /// Appends the response to `out`: the whole of it, or only its head where the body is not to be sent.
    pub fn write(&self, to: &Envelope, out: &mut Vec<u8>) {
        let body = self.write_apart(to, out);
        out.extend_from_slice(body.unwrap_or_default());
    }

    /// The same without a body that is a static part of the program. That body is returned instead, and need not be
    /// copied.
    pub fn write_apart(&self, to: &Envelope, out: &mut Vec<u8>) -> Option<&'static [u8]> {
        let sent = !to.head_only && has_content(self.status);
        self.write_head(to, out);
        match &self.body {
            Cow::Borrowed(body) if sent => return Some(body),
            Cow::Owned(body) if sent => out.extend_from_slice(body),
            _ => {}
        }
        None
    }

    fn write_head(&self, to: &Envelope, out: &mut Vec<u8>) {
        out.reserve(HEAD + if let Cow::Owned(body) = &self.body { body.len() } else { 0 });
        // Writing to a Vec cannot fail. RFC 9110 6.2: the version is the sender's own, also towards HTTP/1.0.
        let _ = write!(out, "HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        if self.status >= 200 {
            let _ = write!(out, "Date: {}\r\n", date(to.now));
        }
        for (name, value) in self.headers.iter() {
            write_field(name, value, out);
        }
        self.write_connection(to, out);
        if let Some(content_type) = self.content_type {
            write_field("Content-Type", content_type, out);
        }
        if !self.streams && has_content(self.status) {
            let _ = write!(out, "Content-Length: {}\r\n", self.body.len());
        }
        out.extend_from_slice(b"\r\n");
    }

    /// RFC 9110 7.8: a message with `Upgrade` must name it in `Connection` as well.
    fn write_connection(&self, to: &Envelope, out: &mut Vec<u8>) {
        let upgrades = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("upgrade"));
        let closes = self.status >= 200 && (self.closes() || to.closes());
        match (upgrades, closes) {
            (true, true) => write_field("Connection", "upgrade, close", out),
            (true, false) => write_field("Connection", "upgrade", out),
            (false, true) => write_field("Connection", "close", out),
            (false, false) => {}
        }
    }
}

impl From<&Refusal> for Response {
    fn from(refusal: &Refusal) -> Self {
        let response = Self::new(refusal.status).error(refusal.code, &refusal.message);
        refusal.headers.iter().fold(response, |response, (name, value)| response.header(name, value.clone()))
    }
}

/// The reason phrase of a status, or nothing for one that this server does not use.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

/// Whether a response of this status has content (RFC 9110 6.4.1), and so a length.
fn has_content(status: u16) -> bool {
    status >= 200 && status != 204 && status != 304
}

/// Whether only [`Response::write`] sets the field `name`: two such fields would contradict each other.
fn is_framing(name: &str) -> bool {
    ["connection", "content-length", "content-type", "date", "transfer-encoding"]
        .iter()
        .any(|framing| name.eq_ignore_ascii_case(framing))
}

fn clean(value: Cow<'static, str>) -> Cow<'static, str> {
    let is_clean = value.bytes().all(is_text);
    debug_assert!(is_clean, "a field value has a control character");
    if is_clean { value } else { value.replace(|character: char| character.is_ascii_control(), " ").into() }
}

fn write_field(name: &str, value: &str, out: &mut Vec<u8>) {
    for part in [name, ": ", value, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// The date in the form of RFC 9110 5.6.7, with four digits for the year. A clock may be set to any time.
fn date(now: SystemTime) -> HttpDate {
    HttpDate::from(now.clamp(UNIX_EPOCH, UNIX_EPOCH + LAST_SECOND))
}
