//! Which path and method mean what.

use std::sync::Arc;
use std::time::Duration;

use super::call::Call;
use super::origin;
use super::stream::{self, Subscription};
use crate::broker::post::{self, Listing, Span};
use crate::console::{self, Page};
use crate::dialect::Dialect;
use crate::error::Fault;
use crate::http::{Head, Method, Response};
use crate::room_key::is_room_name;

/// The longest user id, in bytes.
pub const MAX_USER: usize = 128;

/// Rooms or users that one page of a list holds unless the caller says otherwise, and at most.
pub const PAGE: (usize, usize) = (100, 1_000);

const READ: &[Method] = &[Method::Get, Method::Head];

/// What the server offers, as far as it decides what a request means.
#[derive(Clone, Copy, Debug)]
pub struct Offers {
    /// The console is there, and `/echo` with it.
    pub console: bool,
    /// Only pages of this machine may use the server.
    pub local_pages_only: bool,
    /// The server is about to stop.
    pub draining: bool,
}

/// What a request leads to.
#[derive(Debug)]
pub enum Route {
    /// A WebSocket.
    Upgrade(Upgrade),
    /// A stream of Server-Sent Events.
    Stream(Subscription),
    /// A call of the HTTP API.
    Call(Call),
    /// A page of the console, or the browser client.
    Page(&'static Page),
}

/// A WebSocket that is asked for.
#[derive(Debug)]
pub struct Upgrade {
    /// What it speaks.
    pub dialect: Dialect,
    /// The rooms to join at once, as they were written.
    pub rooms: Vec<String>,
    /// The user's name.
    pub user: Option<Arc<str>>,
    /// The page that asks is not one that may.
    pub foreign: bool,
}

/// Decides what `head` asks for.
pub fn route(head: &Head, offers: Offers) -> Result<Route, Response> {
    let segments: Vec<&str> = head.target.segments().iter().map(String::as_str).collect();
    let foreign = offers.local_pages_only && is_foreign(head);
    let upgrade = match segments[..] {
        ["ws"] => Some((Dialect::Native, head.target.queries("room").map(str::to_owned).collect())),
        ["ws", room] => Some((Dialect::Native, vec![room.to_owned()])),
        ["raw", room] => {
            Some((Dialect::Raw { echo: head.target.query("echo") == Some("1") }, vec![named(room)?]))
        }
        ["echo"] if offers.console => Some((Dialect::Echo, Vec::new())),
        _ => None,
    };
    if let Some((dialect, rooms)) = upgrade {
        allow(head, &[Method::Get])?;
        let user = user(head)?;
        return Ok(Route::Upgrade(Upgrade { dialect, rooms, user, foreign }));
    }
    let page = console::find(&segments, offers.console);
    if foreign && page.is_none_or(|page| !page.is_public()) {
        return Err(Response::new(403).error("forbidden", "an open server is for this machine: it takes no pages of this origin, and no other name as `Host`"));
    }
    if let Some(page) = page {
        return allow(head, READ).map(|()| Route::Page(page));
    }
    match segments[..] {
        ["sse"] => {
            allow(head, READ)?;
            stream::subscription(head, None).map(Route::Stream)
        }
        ["sse", room] if head.method != Method::Post => {
            allow(head, &[Method::Get, Method::Head, Method::Post])?;
            stream::subscription(head, Some(room)).map(Route::Stream)
        }
        _ => call(head, &segments).map(Route::Call),
    }
}

/// Whether a page of another site is behind a request, by the origin that the browser tells or the name that it asked.
fn is_foreign(head: &Head) -> bool {
    head.field("origin").is_some_and(|origin| !origin::is_local(origin))
        || head.host().is_some_and(|host| !origin::is_local_host(host))
}

fn call(head: &Head, segments: &[&str]) -> Result<Call, Response> {
    match *segments {
        ["sse", connection] => Ok(Call::Requests(connection.to_owned())),
        ["healthz"] => allow(head, READ).map(|()| Call::Health),
        ["api", "batch"] => allow(head, &[Method::Post]).map(|()| Call::Batch),
        ["api", "rooms"] => {
            allow(head, READ)?;
            Ok(Call::Rooms(listing(head)?))
        }
        ["api", "rooms", room] => {
            allow(head, READ)?;
            Ok(Call::Room(named(room)?))
        }
        ["api", "rooms", room, "messages"] if head.method == Method::Post => Ok(Call::Publish(named(room)?)),
        ["api", "rooms", room, "messages"] => {
            allow(head, &[Method::Get, Method::Head, Method::Post])?;
            Ok(Call::History(named(room)?, span(head)?))
        }
        ["api", "rooms", room, "members"] => {
            allow(head, READ)?;
            Ok(Call::Members(named(room)?, page(head)?))
        }
        _ => Err(Response::new(404).error("not_found", "there is nothing at this path")),
    }
}

fn allow(head: &Head, methods: &[Method]) -> Result<(), Response> {
    if methods.contains(&head.method) {
        return Ok(());
    }
    let response = Response::new(405).allow(methods);
    Err(response.error("method_not_allowed", "this path does not take that method"))
}

pub(super) fn named(room: &str) -> Result<String, Response> {
    if is_room_name(room) { Ok(room.to_owned()) } else { Err(refusal(Fault::BadRoom)) }
}

/// A fault as an answer.
pub fn refusal(fault: Fault) -> Response {
    let response = Response::new(fault.status()).error(fault.code(), fault.message());
    // Limits and bad moments pass.
    if matches!(fault.status(), 429 | 503) { response.retry_after(Duration::from_secs(1)) } else { response }
}

pub(super) fn bad_request(what: &'static str) -> Response {
    refusal(Fault::BadRequest(what))
}

/// The name that a client gives itself: 1 to 128 bytes of UTF-8 without control characters.
pub(super) fn user(head: &Head) -> Result<Option<Arc<str>>, Response> {
    let Some(user) = head.target.query("user") else { return Ok(None) };
    if is_user(user) {
        Ok(Some(user.into()))
    } else {
        Err(bad_request("`user` is 1 to 128 bytes without control characters"))
    }
}

/// Whether `user` may be a user's id.
pub fn is_user(user: &str) -> bool {
    (1..=MAX_USER).contains(&user.len()) && !user.chars().any(char::is_control)
}

pub(super) fn number(head: &Head, name: &str, fault: &'static str) -> Result<Option<usize>, Response> {
    let Some(digits) = head.target.query(name) else { return Ok(None) };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad_request(fault));
    }
    Ok(Some(digits.parse().unwrap_or(usize::MAX)))
}

fn listing(head: &Head) -> Result<Listing, Response> {
    let text = |name| head.target.query(name).unwrap_or_default().to_owned();
    let limit = number(head, "limit", "`limit` is a number of rooms")?.unwrap_or(PAGE.0);
    Ok(Listing { prefix: text("prefix"), after: text("after"), limit: limit.min(PAGE.1) })
}

fn page(head: &Head) -> Result<post::Page, Response> {
    let after = head.target.query("after").unwrap_or_default().into();
    let limit = number(head, "limit", "`limit` is a number of users")?.unwrap_or(PAGE.0);
    Ok(post::Page { after, limit: limit.min(PAGE.1) })
}

fn span(head: &Head) -> Result<Span, Response> {
    let limit = number(head, "limit", "`limit` is a number of messages")?.unwrap_or(usize::MAX);
    Ok(match head.target.query("since") {
        Some(since) => Span::After(since.parse().ok(), limit),
        None => Span::Newest(limit),
    })
}
