//! How to find the end of a body.

use crate::http::fields::Fields;
use crate::http::head::{Method, Version};
use crate::http::refusal::Refusal;

/// How to find the end of a request's body (RFC 9112 section 6.3).
///
/// Where two readers find different ends, requests can be smuggled. So nothing is repaired here: a head with two possible
/// meanings is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is no body, or one of length zero.
    Empty,
    /// By `Content-Length`: this many bytes, never 0.
    Sized(usize),
    /// By chunks, the last of which is empty.
    Chunked,
}

impl Framing {
    /// Checks a head; `limit` bounds the body's bytes.
    pub(crate) fn of(
        method: &Method,
        version: Version,
        fields: &Fields,
        limit: usize,
    ) -> Result<Self, Refusal> {
        let coded = fields.first("transfer-encoding").is_some();
        let length = content_length(fields)?;
        match length {
            // RFC 9112 6.1: this "ought to be handled as an error", because requests are smuggled this way.
            Some(_) if coded => {
                Err(Refusal::bad_request("Content-Length and Transfer-Encoding may not be used together"))
            }
            Some(0) => Ok(Self::Empty),
            Some(length) if length > limit => Err(Refusal::content_too_large(limit)),
            Some(length) => Ok(Self::Sized(length)),
            None if coded => check_codings(version, fields).map(|()| Self::Chunked),
            None if method.needs_length() => Err(Refusal::length_required()),
            None => Ok(Self::Empty),
        }
    }
}

/// The value of the only `Content-Length`. RFC 9112 6.3 allows several equal ones. But a client that sends several is
/// broken or an attacker, and not all readers compare them.
fn content_length(fields: &Fields) -> Result<Option<usize>, Refusal> {
    let mut lengths = fields.all("content-length");
    match (lengths.next(), lengths.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(Refusal::bad_request("Content-Length is given more than once")),
        (Some(digits), None) => parse_length(digits).map(Some),
    }
}

/// RFC 9110 8.6 allows only digits; `usize::from_str` alone would accept a `+`.
fn parse_length(digits: &str) -> Result<usize, Refusal> {
    let malformed = || Refusal::bad_request("Content-Length is not a valid length");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed());
    }
    digits.parse().map_err(|_| malformed())
}

/// Accepts only `chunked`.
fn check_codings(version: Version, fields: &Fields) -> Result<(), Refusal> {
    // RFC 9112 6.1: such a message has faulty framing, since HTTP/1.0 does not know the field.
    if version == Version::Http10 {
        return Err(Refusal::bad_request("Transfer-Encoding is not part of HTTP/1.0"));
    }
    let mut values = fields.all("transfer-encoding");
    let (first, second) = (values.next(), values.next());
    if second.is_none() && first.is_some_and(is_chunked) {
        return Ok(());
    }
    let codings: Vec<&str> = fields.list("transfer-encoding").collect();
    match codings.iter().position(|coding| is_chunked(coding)) {
        None if !codings.is_empty() => Err(Refusal::unknown_transfer_coding()),
        Some(at) if at > 0 && at + 1 == codings.len() => Err(Refusal::unknown_transfer_coding()),
        // RFC 9112 6.3: if `chunked` is not last, the length cannot be known. 6.1: it may not be applied twice.
        _ => Err(Refusal::bad_request("Transfer-Encoding must be chunked, given once")),
    }
}

fn is_chunked(coding: &str) -> bool {
    coding.eq_ignore_ascii_case("chunked")
}
