//! A request's head: its first line and its fields.

use std::fmt;

use crate::http::authority::is_authority;
use crate::http::fields::Fields;
use crate::http::framing::Framing;
use crate::http::refusal::Refusal;
use crate::http::request::Limits;
use crate::http::syntax::is_token;
use crate::http::target::Target;

/// The head of a request that follows the rules of HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The target.
    pub target: Target,
    /// The version that the client speaks.
    pub version: Version,
    /// Whether another request may follow on the connection. Never with HTTP/1.0.
    pub keep_alive: bool,
    /// Whether the client waits for [`CONTINUE`](crate::http::CONTINUE) before it sends its body.
    pub expects_continue: bool,
    fields: Fields,
    framing: Framing,
}

/// A request method (RFC 9110 section 9). Case matters: `get` is not `GET`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    Patch,
    /// Any other token.
    Other(String),
}

/// A version of HTTP that this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: answered, then closed.
    Http10,
    /// HTTP/1.1.
    Http11,
}

impl Head {
    /// Bytes of memory that it holds.
    pub fn held(&self) -> usize {
        size_of::<Self>() + self.target.held() + self.fields.held()
    }

    /// The value of the first field called `name`, in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.first(name)
    }

    /// The values of all fields called `name`, in any case.
    pub fn fields(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.all(name)
    }

    /// The members of the comma-separated list that all fields called `name` make together.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.list(name)
    }

    /// Those of them that are tokens (RFC 9110 5.6.2), which a response may repeat.
    pub fn tokens(&self, name: &str) -> impl Iterator<Item = &str> {
        self.list(name).filter(|member| member.bytes().all(is_token))
    }

    /// Whether that list has the member `token`, in any case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        has_token(&self.fields, name, token)
    }

    /// Whether a body of at least one byte is announced, or chunks, which may be empty.
    pub fn has_body(&self) -> bool {
        self.framing != Framing::Empty
    }

    /// The `host[:port]` that the client wants to reach: from an absolute target, else from `Host`. HTTP/1.0 need not say
    /// it.
    pub fn host(&self) -> Option<&str> {
        self.target.authority().or_else(|| self.field("host"))
    }

    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Reads a whole head, from the method to the final empty line, that has `fields` field lines.
    ///
    /// All lines must already be known to end in CRLF, because httparse also takes a bare LF (RFC 9112 2.2 allows it, and
    /// readers differ there).
    pub(crate) fn parse(bytes: &[u8], fields: usize, limits: &Limits) -> Result<Self, Refusal> {
        let mut slots = vec![httparse::EMPTY_HEADER; fields];
        let mut request = httparse::Request::new(&mut slots);
        let parsed = request.parse(bytes).map_err(|error| refuse_syntax(error, bytes))?;
        let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
        else {
            return Err(malformed_line());
        };
        if parsed != httparse::Status::Complete(bytes.len()) {
            return Err(Refusal::bad_request("the head ends before its last line"));
        }
        let version = if minor == 0 { Version::Http10 } else { Version::Http11 };
        Self::assemble(
            Method::from(method),
            target,
            version,
            Fields::copy(request.headers, bytes.len()),
            limits,
        )
    }

    fn assemble(
        method: Method,
        target: &str,
        version: Version,
        fields: Fields,
        limits: &Limits,
    ) -> Result<Self, Refusal> {
        let target = Target::parse(&method, target)?;
        check_host(version, &fields)?;
        let framing = Framing::of(&method, version, &fields, limits.body)?;
        check_content_encoding(&fields)?;
        let continues = check_expect(&fields)?;
        Ok(Self {
            keep_alive: version == Version::Http11 && !has_token(&fields, "connection", "close"),
            // RFC 9110 10.1.1: ignored in HTTP/1.0, and not needed without a body to wait for.
            expects_continue: continues && version == Version::Http11 && framing != Framing::Empty,
            method,
            target,
            version,
            fields,
            framing,
        })
    }
}

impl Method {
    /// The method as it is in the request line.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Other(name) => name,
        }
    }

    /// Whether a missing length more likely means a lost body than an empty one.
    pub(crate) fn needs_length(&self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

impl From<&str> for Method {
    fn from(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            "PATCH" => Self::Patch,
            _ => Self::Other(name.to_owned()),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn has_token(fields: &Fields, name: &str, token: &str) -> bool {
    fields.list(name).any(|member| member.eq_ignore_ascii_case(token))
}

/// RFC 9112 3.2: no `Host` in HTTP/1.1, several, or an invalid one must get 400. The RFC allows an empty one for URIs
/// without an authority, but an http URI always has one.
fn check_host(version: Version, fields: &Fields) -> Result<(), Refusal> {
    let mut hosts = fields.all("host");
    match (hosts.next(), hosts.next()) {
        (None, _) if version == Version::Http10 => Ok(()),
        (None, _) => Err(Refusal::bad_request("HTTP/1.1 needs a Host field")),
        (Some(_), Some(_)) => Err(Refusal::bad_request("Host is given more than once")),
        (Some(host), None) if is_authority(host) => Ok(()),
        (Some(_), None) => Err(Refusal::bad_request("Host is not a host with an optional port")),
    }
}

fn check_content_encoding(fields: &Fields) -> Result<(), Refusal> {
    let is_identity = |coding: &str| coding.eq_ignore_ascii_case("identity");
    if fields.list("content-encoding").all(is_identity) {
        Ok(())
    } else {
        Err(Refusal::unsupported_encoding())
    }
}

/// Whether `100-continue` is expected; RFC 9110 10.1.1 has 417 for anything else.
fn check_expect(fields: &Fields) -> Result<bool, Refusal> {
    let mut expectations = fields.list("expect").peekable();
    let expects = expectations.peek().is_some();
    let all_known = expectations.all(|expectation| expectation.eq_ignore_ascii_case("100-continue"));
    if all_known { Ok(expects) } else { Err(Refusal::expectation_failed()) }
}

fn refuse_syntax(error: httparse::Error, head: &[u8]) -> Refusal {
    match error {
        httparse::Error::Version if names_other_version(head) => Refusal::version_not_supported(),
        httparse::Error::HeaderName => {
            Refusal::bad_request("a field name is empty, or has whitespace or another forbidden character")
        }
        httparse::Error::HeaderValue => Refusal::bad_request("a field value has a control character"),
        httparse::Error::TooManyHeaders => Refusal::header_too_large("too many header fields"),
        _ => malformed_line(),
    }
}

fn malformed_line() -> Refusal {
    Refusal::bad_request("the request line must be a method, a target and a version, with one space between")
}

/// Whether the request line is complete and ends in `HTTP/` DIGIT `.` DIGIT (RFC 9112 2.3), so that only its version is
/// wrong.
fn names_other_version(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|&byte| byte == b' ').skip(2);
    match (words.next(), words.next()) {
        (Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor]), None) => {
            major.is_ascii_digit() && minor.is_ascii_digit()
        }
        _ => false,
    }
}
