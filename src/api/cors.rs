//! What lets a web page of another origin read an answer (the Fetch standard's CORS protocol).
//!
//! Which pages those are is the same list that lets them open a WebSocket.

use std::borrow::Cow;

use crate::http::{Field, Head, Method, Response};

/// How long a browser may remember what a preflight said, in seconds.
const REMEMBERED: &str = "600";

/// Fields that mean something here and that a page may not send unasked.
const FIELDS: [&str; 3] = ["Authorization", "Content-Type", "Last-Event-ID"];

/// Further fields that one preflight may ask for; they are as long as the head that names them at most.
const MOST_ASKED: usize = 64;

/// What an answer says that is for one request alone: nothing between keeps it for another, and to a page of another origin it
/// would have said something else. That goes for an answer without a grant, too.
const ALONE: &[Field] = &[("Cache-Control", Cow::Borrowed("no-store")), ("Vary", Cow::Borrowed("Origin"))];

/// Whether `head` only asks if the page could send a request.
pub fn is_preflight(head: &Head) -> bool {
    head.method == Method::Options
        && head.field("origin").is_some()
        && head.field("access-control-request-method").is_some()
}

/// The answer to a preflight of a page that may use the server: the page may send the fields that it asks for. Tracing
/// libraries add some of their own to whatever a page sends, and none of them means anything here.
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

/// Makes an answer that of one request alone, and if `page` may read it, that page can; with `credentials` also where the
/// request carried a cookie. What every page may read says so itself, and a page of the console says how long it may be kept.
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
        // Pages see none of the fields that say when to come back, unless they are named.
        .header("Access-Control-Expose-Headers", "Retry-After");
    if credentials { response.header("Access-Control-Allow-Credentials", "true") } else { response }
}
