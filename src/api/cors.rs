//! What lets a web page of another origin read an answer (the Fetch standard's CORS protocol).
//!
//! The same list decides which pages may open a WebSocket.

use std::borrow::Cow;

use crate::http::{Field, Head, Method, Response};

/// How long a browser may remember what a preflight said, in seconds.
const REMEMBERED: &str = "600";

/// Fields that this server reads and that a page may send only after a preflight.
const FIELDS: [&str; 3] = ["Authorization", "Content-Type", "Last-Event-ID"];

/// Further fields that one preflight may ask for. Together they are no longer than the head that names them.
const MOST_ASKED: usize = 64;

/// Fields that keep caches from storing a response, because a page of another origin gets another one. A response without a
/// grant has them too.
const ALONE: &[Field] = &[("Cache-Control", Cow::Borrowed("no-store")), ("Vary", Cow::Borrowed("Origin"))];

/// Whether `head` is a preflight: it asks whether the page may send a request.
pub fn is_preflight(head: &Head) -> bool {
    head.method == Method::Options
        && head.field("origin").is_some()
        && head.field("access-control-request-method").is_some()
}

/// The response to a preflight of a page that may use the server. The page may send the fields that it asks for: tracing
/// libraries add their own to every request, and they have no meaning here.
pub fn preflight(head: &Head) -> Response {
    let mut fields = FIELDS.join(", ");
    let asked = head.tokens("access-control-request-headers");
    for field in
        asked.filter(|asked| !FIELDS.iter().any(|known| known.eq_ignore_ascii_case(asked))).take(MOST_ASKED)
    {
        fields += ", ";
        fields += field;
    }
    Response::new(204)
        .header("Access-Control-Allow-Methods", "GET, POST, DELETE")
        .header("Access-Control-Allow-Headers", fields)
        .header("Access-Control-Max-Age", REMEMBERED)
        .header("Vary", "Origin, Access-Control-Request-Headers")
}

/// Keeps caches from storing a response, and lets `page` read it; with `credentials` also where the request carried a cookie.
/// A response that sets one of these fields itself keeps its own.
pub fn finish(response: Response, page: Option<&str>, credentials: bool) -> Response {
    if response.has("Access-Control-Allow-Origin") {
        return response;
    }
    let response = response.or_headers(ALONE);
    match page {
        Some(page) => grant(response, page, credentials),
        None => response,
    }
}

fn grant(response: Response, page: &str, credentials: bool) -> Response {
    let response = response
        .header("Access-Control-Allow-Origin", page.to_owned())
        // A page can read `Retry-After` only if it is named here.
        .header("Access-Control-Expose-Headers", "Retry-After");
    if credentials { response.header("Access-Control-Allow-Credentials", "true") } else { response }
}
