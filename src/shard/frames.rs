//! WebSockets: the upgrade, and what clients mean by their frames.

use std::net::IpAddr;

use tungstenite::protocol::frame::coding::{Control, OpCode};

use super::Shard;
use super::admit::NEWCOMER_MESSAGE;
use super::users::Next;
use crate::api::route::Upgrade;
use crate::auth::access::Admission;
use crate::auth::denied::Denied;
use crate::broker::post::{Span, Ticket};
use crate::dialect::speaks::{Payload, Said};
use crate::dialect::told::Told;
use crate::error::{Close, Fault};
use crate::http::{Head, Method, Response, Version};
use crate::out_queue::Class;
use crate::room_key::is_joinable;
use crate::session::facts::Fact;
use crate::session::{Phase, Session};
use crate::settings::Reject;
use crate::ws::connection::{Connection, Event, Limits};
use crate::ws::{frame, handshake};

/// Frames that one visit reads: about 50 µs of the smallest messages. A session that sent more goes on at its next turn. Of
/// frames above 1 KiB one read has no more anyway.
const FRAMES: usize = 64;

impl Shard {
    /// Turns an HTTP connection into a WebSocket, or returns why not.
    pub(super) fn upgrade(&mut self, key: u32, head: &Head, wanted: Upgrade) -> Result<(), Response> {
        let manners = wanted.dialect.manners();
        let (get, http11) = (head.method == Method::Get, head.version == Version::Http11);
        if head.has_body() {
            // RFC 6455 section 4.1 has no body. One reader could take for a body what another takes for frames.
            let response = Response::new(400).closing();
            return Err(response.error("bad_request", "a WebSocket handshake has no body"));
        }
        let upgrade = handshake::judge(get, http11, head, manners.subprotocols).map_err(refused)?;
        self.refuse_while_full_or_draining()?;
        self.count_in(key)?;
        let admission = self.admission(key, head, wanted.foreign, wanted.user.as_deref(), manners.replies);
        if let (Err(denied), Reject::Http) = (admission.as_ref(), self.common.settings.auth.reject) {
            return Err(denied.response());
        }
        let address = self.address_of(key, head);
        self.push(key, Class::Asked, |out| handshake::response(&upgrade, out));
        let Some(session) = self.session(key) else { return Ok(()) };
        session.phase = Phase::Open(Connection::default());
        session.dialect = wanted.dialect;
        session.facts.set(Fact::Echo, wanted.echo);
        self.opened(key);
        match admission {
            Err(denied) => self.close(key, denied.close()),
            Ok(admission) => self.welcome(key, address, admission, wanted),
        }
        Ok(())
    }

    fn welcome(&mut self, key: u32, address: Option<IpAddr>, admission: Admission, wanted: Upgrade) {
        let rooms = self.admit(key, admission, wanted.rooms);
        let manners = wanted.dialect.manners();
        if !manners.replies && rooms.iter().any(|room| !self.may_join(key, manners.space, room)) {
            self.note_denied_room(key, address);
            return self.close(key, Denied::Room.close());
        }
        self.first_beat(key);
        self.arrive(key, Next::Welcome(rooms));
    }

    /// Joins the room of a client whose dialect has no replies.
    pub(super) fn enter_unanswered(&mut self, key: u32, rooms: &[String]) {
        let space = self.space(key);
        for room in rooms {
            // Somebody may have closed an open server meanwhile.
            if !self.may_join(key, space, room) {
                return self.turn_away(key, Denied::Room);
            }
            self.join(key, Ticket::default(), room, Span::Nothing);
            // There is no reply for "not joined yet", so what the client says waits until it has joined.
            if let Some(session) = self.session(key) {
                session.awaiting = true;
            }
        }
    }

    /// Joins the rooms that a client named when it connected.
    pub(super) fn enter(&mut self, key: u32, rooms: &[String]) {
        for (index, room) in rooms.iter().enumerate() {
            if rooms[..index].contains(room) {
                continue;
            }
            if is_joinable(room) {
                self.join(key, Ticket::default(), room, Span::Nothing);
            } else {
                self.error(key, Ticket::default(), Some(room), Fault::BadRoom);
            }
        }
    }

    /// Sends the first message.
    pub(super) fn greet(&mut self, key: u32) {
        let settings = &self.common.settings;
        let (ping_interval_s, max_message_bytes) =
            (settings.heartbeat.interval.as_secs(), settings.limits.message);
        let connection = self.common.names.name(self.id(key));
        let user = self.user_of(key);
        let user = user.as_deref();
        self.tell_of(key, &Told::Welcome { connection, user, ping_interval_s, max_message_bytes });
    }

    /// Reads frames until the input is used up, has to wait, or is enough for one visit. Returns how much was used.
    pub(super) fn read_frames(&mut self, key: u32, input: &mut [u8]) -> usize {
        let Some(session) = self.session(key) else { return input.len() };
        let Some(connection) = session.connection() else { return input.len() };
        let mut connection = std::mem::take(connection);
        let used = self.read_events(key, &mut connection, input);
        if let Some(place) = self.session(key).and_then(Session::connection) {
            connection.release();
            *place = connection;
        }
        used
    }

    fn read_events(&mut self, key: u32, connection: &mut Connection, input: &mut [u8]) -> usize {
        let mut at = 0;
        let mut frames = 0;
        while at < input.len() {
            let Some(session) = self.sessions.get(key as usize) else { return input.len() };
            if matches!(session.phase, Phase::Lingering(_) | Phase::Over) {
                return input.len();
            }
            if frames == FRAMES || self.is_held_up(key, session) {
                break;
            }
            frames += 1;
            let limits = Limits { message: self.message_limit(session) };
            match connection.read(&mut input[at..], &limits) {
                Err(violation) => {
                    self.violated(key, Close::fixed(violation.code, violation.reason));
                    return input.len();
                }
                Ok(step) => {
                    at += step.used;
                    if let Some(event) = step.event {
                        self.event(key, event);
                        self.carry();
                    }
                }
            }
        }
        at
    }

    /// Bytes that the next message of a session may have.
    fn message_limit(&self, session: &Session) -> usize {
        let limits = &self.common.settings.limits;
        match session.dialect.manners().echoes {
            true => limits.echo_message,
            _ if session.facts.has(Fact::Newcomer) => limits.message.min(NEWCOMER_MESSAGE),
            _ => limits.message,
        }
    }

    fn event(&mut self, key: u32, event: Event<'_>) {
        let Some(session) = self.session(key) else { return };
        let (open, dialect) = (session.is_open(), session.dialect);
        match event {
            Event::Close(reason) => return self.close_received(key, reason.map(|(code, _)| code)),
            // RFC 6455 section 5.5.1: nothing follows a close frame.
            _ if !open => return,
            Event::Ping(payload) => {
                let pong = OpCode::Control(Control::Pong);
                return self.own(key, |out| frame::encode(pong, payload, out));
            }
            Event::Pong(_) => return,
            Event::Text(_) | Event::Binary(_) => {}
        }
        let payload = match event {
            Event::Text(text) => Payload::Text(text),
            Event::Binary(bytes) => Payload::Binary(bytes),
            _ => return,
        };
        let said = dialect.hear(payload);
        if let Said::Message | Said::Echo = said {
            self.slow_down(key, payload.bytes().len());
        }
        match said {
            Said::Request(text) => {
                if self.is_heard(key, text, None) {
                    self.text(key, text);
                }
            }
            Said::Message => self.say_unanswered(key, payload),
            Said::Echo => self.own(key, |out| frame::encode(payload.opcode(), payload.bytes(), out)),
            Said::Foreign(close) => self.close(key, close),
        }
    }
}

fn refused(refused: handshake::Refused) -> Response {
    let status = refused.status();
    let code = if status == 426 { "upgrade_required" } else { "bad_request" };
    let response = Response::new(status).error(code, refused.message());
    let field = |response: Response, (name, value): &(&'static str, &str)| match *name {
        "Upgrade" => response.upgrade("websocket"),
        // The response writes it together with `Upgrade`.
        "Connection" => response,
        name => response.header(name, value.to_string()),
    };
    refused.fields().iter().fold(response, field)
}

impl handshake::Fields for Head {
    fn field(&self, name: &str) -> Option<&str> {
        Self::field(self, name)
    }

    fn has_token(&self, name: &str, token: &str) -> bool {
        Self::has_token(self, name, token)
    }

    fn count(&self, name: &str) -> usize {
        self.fields(name).count()
    }
}
