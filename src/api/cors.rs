//! What lets a web page of another origin read an answer (the Fetch standard's CORS protocol).
//!
//! Which pages those are is the same list that lets them open a WebSocket.

use crate::http::{Head, Method, Response};

/// How long a browser may remember what a preflight said, in seconds.
const REMEMBERED: &str = "600";

/// Whether `head` only asks if the page could send a request.
pub fn is_preflight(head: &Head) -> bool {
    head.method == Method::Options
        && head.field("origin").is_some()
        && head.field("access-control-request-method").is_some()
}

/// The answer to a preflight of a page that may use the server.
pub fn preflight() -> Response {
    Response::new(204)
        .header("Access-Control-Allow-Methods", "GET, POST, DELETE")
        .header("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID")
        .header("Access-Control-Max-Age", REMEMBERED)
}

/// Lets a page of `origin` read `response`; with `credentials` also where the request carried a cookie. What every page may
/// read says so itself.
pub fn grant(response: Response, origin: &str, credentials: bool) -> Response {
    if response.has("Access-Control-Allow-Origin") {
        return response;
    }
    let response = response
        .header("Access-Control-Allow-Origin", origin)
        // Pages see none of the fields that say when to come back, unless they are named.
        .header("Access-Control-Expose-Headers", "Retry-After")
        .header("Vary", "Origin");
    if credentials { response.header("Access-Control-Allow-Credentials", "true") } else { response }
}
