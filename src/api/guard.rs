//! Which calls an API key allows.

use super::call::Call;
use super::route::refusal;
use crate::auth::access::Access;
use crate::auth::api_key::Scope;
use crate::auth::presented;
use crate::broker::post::Listing;
use crate::error::Fault;
use crate::http::{Head, Response};

/// The call, limited to what the request's key allows: a call for several rooms is limited to the rooms of the key.
///
/// # Errors
///
/// The response, if the key does not allow it at all.
pub fn authorise(access: &Access, head: &Head, call: Call) -> Result<Call, Response> {
    if access.is_open() || matches!(call, Call::Health | Call::Ready | Call::Requests { .. }) {
        return Ok(call);
    }
    if !access.has_api_key() {
        return Err(Response::new(403).error("forbidden", "no api key configured"));
    }
    let key = presented::bearer(head).and_then(|bearer| access.api_key(bearer));
    let scope = &key.ok_or_else(unauthorized)?.scope;
    let kind = match call {
        Call::Health | Call::Ready | Call::Description | Call::Requests { .. } => true,
        Call::Stats | Call::Metrics => scope.calls.read && scope.rooms.is_none(),
        Call::Publish(_) | Call::Notify(_) | Call::Broadcast | Call::Batch(_) => scope.calls.publish,
        Call::Rooms(_) | Call::Room(_) | Call::Members(..) | Call::History(..) | Call::User(..) => {
            scope.calls.read
        }
        Call::Remove(..) | Call::Disconnect(..) => scope.calls.remove,
    };
    if !kind {
        return Err(Response::new(403).error("forbidden", "this key does not allow such calls"));
    }
    narrow(call, scope)
}

fn narrow(call: Call, scope: &Scope) -> Result<Call, Response> {
    match call {
        Call::Publish(room)
        | Call::Room(room)
        | Call::Members(room, _)
        | Call::Remove(room, _)
        | Call::History(room, _)
            if !scope.covers(&room) =>
        {
            Err(refusal(Fault::Forbidden))
        }
        Call::Notify(_) | Call::Broadcast | Call::User(..) | Call::Disconnect(..)
            if scope.rooms.is_some() =>
        {
            Err(Response::new(403).error("forbidden", "this key is limited to rooms"))
        }
        Call::Rooms(listing) => Ok(Call::Rooms(Listing { rooms: scope.rooms.clone(), ..listing })),
        Call::Batch(_) => Ok(Call::Batch(scope.clone())),
        call => Ok(call),
    }
}

fn unauthorized() -> Response {
    Response::new(401).error("unauthorized", "this call needs an API key: send Authorization: Bearer <key>")
}
