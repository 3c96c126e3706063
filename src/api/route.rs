//! Which path and method mean what.

use std::time::Duration;

use arcstr::ArcStr;

use super::call::Call;
use super::cors;
use super::stream::{self, Subscription};
use crate::auth::access::Access;
use crate::auth::api_key::Scope;
use crate::auth::denied::Denied;
use crate::broker::post::{self, Listing, Span};
use crate::console::{self, Page};
use crate::dialect::Dialect;
use crate::dialect::speaks::Rooms;
use crate::error::Fault;
use crate::http::{Asker, Head, Method, Response};
use crate::id::is_user;
use crate::room_key::is_room_name;

/// Rooms or users that one page of a list holds unless the caller says otherwise, and at most.
pub const PAGE: (usize, usize) = (100, 1_000);

const READ: &[Method] = &[Method::Get, Method::Head];

/// What decides the meaning of a request besides its head.
#[derive(Clone, Copy, Debug)]
pub struct Offers<'a> {
    /// The console and `/echo` are served.
    pub console: bool,
    /// The server is about to stop.
    pub draining: bool,
    /// Who may come in.
    pub access: &'a Access,
    /// Why this server does not answer the request, see [`foreign`].
    pub foreign: Option<Denied>,
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
    /// Nothing: this page, or this `Host`, may not use the server.
    Foreign(Denied),
}

impl Route {
    /// Whether it only asks for the server's health, as balancers do, who may share their address with other clients. Some of
    /// them ask for `/`, whether the console is there or not.
    pub fn is_probe(&self) -> bool {
        match self {
            Self::Call(call) => matches!(call, Call::Health | Call::Ready),
            Self::Page(page) => page.path().is_empty(),
            _ => false,
        }
    }
}

/// A request for a WebSocket.
#[derive(Debug)]
pub struct Upgrade {
    /// The dialect that it speaks.
    pub dialect: Dialect,
    /// The rooms to join at once, as they were written.
    pub rooms: Vec<String>,
    /// Whether the client wants its own messages back, where its dialect has no other word for that.
    pub echo: bool,
    /// The user that the client names. It counts in open mode only.
    pub user: Option<ArcStr>,
    /// Why this page, or this `Host`, may not open it.
    pub foreign: Option<Denied>,
}

/// Decides what `head` asks for.
pub fn route(head: &Head, offers: Offers<'_>) -> Result<Route, Response> {
    let segments: Vec<&str> = head.target.segments().collect();
    let foreign = offers.foreign;
    let unnamed = is_unnamed(head, offers.access).then_some(Denied::Origin);
    if let Some((dialect, rooms)) = spoken(head, &segments, offers.console)? {
        allow(head, &[Method::Get])?;
        let user = if offers.access.is_open() { user(head)? } else { None };
        let echo = head.target.query("echo") == Some("1");
        return Ok(Route::Upgrade(Upgrade { dialect, rooms, echo, user, foreign: foreign.or(unnamed) }));
    }
    let page = console::find(&segments, offers.console);
    if let Some(denied) = foreign
        && page.is_none_or(|page| !page.is_public())
    {
        return Ok(Route::Foreign(denied));
    }
    if let Some(denied) = unnamed
        && matches!(segments[..], ["api" | "sse" | "metrics", ..])
    {
        return Ok(Route::Foreign(denied));
    }
    if cors::is_preflight(head) {
        return Err(cors::preflight(head));
    }
    if head.method == Method::Options && matches!(segments[..], [] | ["healthz"] | ["readyz"]) {
        return options(&segments, offers.draining);
    }
    if let Some(page) = page {
        return allow(head, READ).map(|()| Route::Page(page));
    }
    match segments[..] {
        ["sse"] => {
            allow(head, READ)?;
            stream::subscription(head, None, offers.access.is_open()).map(Route::Stream)
        }
        ["sse", room] if head.method != Method::Post => {
            allow(head, &[Method::Get, Method::Head, Method::Post])?;
            stream::subscription(head, Some(room), offers.access.is_open()).map(Route::Stream)
        }
        [] => allow(head, READ).map(|()| Route::Call(Call::Ready)),
        _ => call(head, &segments).map(Route::Call),
    }
}

/// The dialect that is spoken at a path, and the rooms that a client names there.
fn spoken(head: &Head, segments: &[&str], console: bool) -> Result<Option<(Dialect, Vec<String>)>, Response> {
    let Some(dialect) = segments.first().and_then(|first| Dialect::at(first)) else { return Ok(None) };
    let manners = dialect.manners();
    if manners.echoes && !console {
        return Ok(None);
    }
    let rooms = match (manners.rooms, segments) {
        (Rooms::None, [_]) => Vec::new(),
        (Rooms::One, [_, room]) => vec![named(room)?],
        (Rooms::Any, [_]) => head.target.queries("room").map(str::to_owned).collect(),
        (Rooms::Any, [_, room]) => vec![(*room).to_owned()],
        _ => return Ok(None),
    };
    Ok(Some((dialect, rooms)))
}

/// Whether a token decides about the WebSocket or stream at this path.
pub fn asks_for_token(head: &Head) -> bool {
    let first = head.target.segments().next();
    let dialect = first.and_then(Dialect::at);
    first == Some("sse") || dialect.is_some_and(|dialect| !dialect.manners().echoes)
}

/// The response to a page, or to a `Host`, that may not use the server.
pub fn foreigner(access: &Access) -> Response {
    let open = "without keys this server takes only pages and `Host` names of its own machine";
    let message = if access.is_open() { open } else { "pages of this origin may not use this server" };
    Response::new(403).error("forbidden", message)
}

/// Balancers send `OPTIONS /` by default. The answer says as much as a GET: a server that drains is not ready.
fn options(segments: &[&str], draining: bool) -> Result<Route, Response> {
    if draining && segments != ["healthz"] {
        return Ok(Route::Call(Call::Ready));
    }
    Err(Response::new(204).allow(&[Method::Get, Method::Head, Method::Options]))
}

/// Whether a browser sends `head` for a page of another site without naming that page. Browsers send no `Origin` when a page
/// loads a picture or a script, and such a request could still begin a stream or a call. But they send `Sec-Fetch-Site`
/// (Fetch Metadata). A page on another host of the same site is allowed only where any page is.
fn is_unnamed(head: &Head, access: &Access) -> bool {
    let elsewhere = |site: &str| match site {
        "cross-site" => true,
        "same-site" => access.judges_pages(),
        _ => false,
    };
    head.field("origin").is_none() && head.fields("sec-fetch-site").any(elsewhere)
}

/// Whether the page that a refused request came from may read why.
pub fn may_read(asker: &Asker, access: &Access) -> bool {
    let host = asker.host.as_deref();
    asker.origin.as_deref().is_some_and(|origin| access.welcomes(origin, Some("http"), host))
        && asker.host.as_deref().is_none_or(|host| access.answers_to(host))
}

/// Why this server does not answer `head`, sent by `scheme` if that is known: its `Host` is not this server's, or its page
/// may not use the server. No browser sends two origins.
pub fn foreign(head: &Head, access: &Access, scheme: Option<&'static str>) -> Option<Denied> {
    let host = head.host();
    if host.is_some_and(|host| !access.answers_to(host)) {
        return Some(Denied::Host);
    }
    let mut pages = head.fields("origin");
    match (pages.next(), pages.next()) {
        (None, _) => None,
        (Some(page), None) if access.welcomes(page, scheme, host) => None,
        _ => Some(Denied::Origin),
    }
}

fn call(head: &Head, segments: &[&str]) -> Result<Call, Response> {
    match *segments {
        ["sse", connection] => Ok(Call::Requests { stream: connection.to_owned(), user: None }),
        ["healthz"] => allow(head, READ).map(|()| Call::Health),
        ["readyz"] => allow(head, READ).map(|()| Call::Ready),
        ["metrics"] => allow(head, READ).map(|()| Call::Metrics),
        ["api", "stats"] => allow(head, READ).map(|()| Call::Stats),
        ["api", "openapi.json"] => allow(head, READ).map(|()| Call::Description),
        ["api", "batch"] => allow(head, &[Method::Post]).map(|()| Call::Batch(Scope::ALL)),
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
        ["api", "rooms", room, "members", user] => {
            allow(head, &[Method::Delete])?;
            Ok(Call::Remove(named(room)?, user_id(user)?))
        }
        ["api", "broadcast"] => allow(head, &[Method::Post]).map(|()| Call::Broadcast),
        ["api", "users", user] => {
            allow(head, READ)?;
            Ok(Call::User(user_id(user)?, page(head, "`limit` is a number of rooms")?))
        }
        ["api", "users", user, "messages"] => {
            allow(head, &[Method::Post])?;
            Ok(Call::Notify(user_id(user)?))
        }
        ["api", "users", user, "connections"] => {
            allow(head, &[Method::Delete])?;
            let reason = head.target.query("reason").map(Into::into);
            Ok(Call::Disconnect(user_id(user)?, reason))
        }
        ["api", "rooms", room, "members"] => {
            allow(head, READ)?;
            Ok(Call::Members(named(room)?, page(head, "`limit` is a number of users")?))
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

/// A fault as a response.
pub fn refusal(fault: Fault) -> Response {
    let response = Response::new(fault.status()).error(fault.code(), fault.message());
    // These faults pass with time.
    let wait_ms = u64::from(fault.retry_after_ms().unwrap_or(1_000));
    if matches!(fault.status(), 429 | 503) {
        response.retry_after(Duration::from_millis(wait_ms))
    } else {
        response
    }
}

pub(super) fn bad_request(what: &'static str) -> Response {
    refusal(Fault::BadRequest(what))
}

fn user_id(user: &str) -> Result<ArcStr, Response> {
    if is_user(user) {
        Ok(user.into())
    } else {
        Err(bad_request("a user id is 1 to 128 bytes without control characters"))
    }
}

/// The user that a client names: 1 to 128 bytes of UTF-8 without control characters.
pub(super) fn user(head: &Head) -> Result<Option<ArcStr>, Response> {
    let Some(user) = head.target.query("user") else { return Ok(None) };
    if is_user(user) {
        Ok(Some(user.into()))
    } else {
        Err(bad_request("`user` is 1 to 128 bytes without control characters"))
    }
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
    Ok(Listing { prefix: text("prefix"), after: text("after"), limit: limit.min(PAGE.1), rooms: None })
}

fn page(head: &Head, fault: &'static str) -> Result<post::Page, Response> {
    let after = head.target.query("after").unwrap_or_default().into();
    let limit = number(head, "limit", fault)?.unwrap_or(PAGE.0);
    Ok(post::Page { after, limit: limit.min(PAGE.1) })
}

fn span(head: &Head) -> Result<Span, Response> {
    let limit = number(head, "limit", "`limit` is a number of messages")?.unwrap_or(usize::MAX);
    Ok(match head.target.query("since") {
        Some(since) => Span::After(since.parse().ok(), limit),
        None => Span::Newest(limit),
    })
}
