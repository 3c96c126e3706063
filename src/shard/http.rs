//! HTTP on a session: heads are judged, bodies gathered, answers written in the order of requests.

use std::time::{Duration, SystemTime};

use super::Shard;
use crate::api::call::Call;
use crate::api::cors;
use crate::api::route::{self, Offers, Route};
use crate::auth::denied::Denied;
use crate::http::{Asker, CONTINUE, Envelope, Head, Limits, Refusal, Response, Step};
use crate::out_queue::Class;
use crate::proxy::{self, Malformed};
use crate::session::exchange::{Exchange, Stage, Timer};
use crate::session::{Phase, Session};
use crate::settings;
use crate::time::Tick;

/// Requests that one visit takes: of the smallest some 50 µs. Many small chunks are enough for one, too. Whoever sends more at once goes on when its turn comes again.
const REQUESTS: usize = 16;

impl Shard {
    pub(super) fn exchange(&mut self, key: u32) -> Option<&mut Exchange> {
        match &mut self.session(key)?.phase {
            Phase::Http(exchange) => Some(exchange),
            _ => None,
        }
    }

    /// Reads requests until input runs out, one has to wait for its answer, or the connection is a WebSocket; or until they
    /// are enough for one visit.
    pub(super) fn read_http(&mut self, key: u32, input: &[u8]) -> usize {
        let limits = Limits::from(&self.common.settings.limits);
        let mut at = self.read_proxy(key, input);
        let mut requests = 0;
        while requests < REQUESTS && !self.holds(key) {
            let Some(exchange) = self.exchange(key) else { break };
            if let Stage::Proxied(_) = exchange.stage {
                break;
            }
            let (used, step) = exchange.reader.read(&input[at..], &limits);
            at += used;
            match step {
                Ok(Step::More) => break,
                Ok(Step::Head(head)) => self.head(key, head, at == input.len()),
                Ok(Step::Body(body)) => {
                    requests += 1;
                    self.body(key, &body);
                }
                Err(refusal) => self.refuse(key, &refusal),
            }
            self.carry();
        }
        self.time_exchange(key);
        at
    }

    /// Reads what a proxy says before the first request; says how much of the input that was.
    fn read_proxy(&mut self, key: u32, input: &[u8]) -> usize {
        let Some(exchange) = self.exchange(key) else { return 0 };
        let Stage::Proxied(reader) = &mut exchange.stage else { return 0 };
        let (used, header) = reader.read(input);
        match header {
            Ok(None) => {}
            Ok(Some(source)) => {
                exchange.peer = source.unwrap_or(exchange.peer);
                exchange.stage = Stage::Head;
                self.know_peer(key);
            }
            Err(Malformed) => {
                let message = "a trusted proxy begins with a header of the PROXY protocol";
                let response = Response::new(400).error("bad_request", message);
                self.respond(key, &Envelope::closing(self.wall()), response);
            }
        }
        used
    }

    /// Notes where a request comes from: the client's address, and the page that may read the answer, unless it is `foreign`.
    fn locate(&mut self, key: u32, head: &Head, foreign: Option<Denied>) {
        let page = head.field("origin").filter(|_| foreign.is_none());
        let trust = &self.common.settings.proxies.trust;
        let Some(Session { phase: Phase::Http(exchange), site, .. }) = self.sessions.get_mut(key as usize)
        else {
            return;
        };
        exchange.origin = page.map(Into::into);
        // Where no proxy speaks for others, all requests of a connection are of the client that the first was of.
        if *site != 0 && trust.is_empty() {
            return;
        }
        let peer = exchange.peer;
        let wanted = !trust.is_empty() || self.common.allowed.is_limit();
        let client = if wanted { proxy::client(head, peer, trust) } else { peer };
        *site = self.common.addresses.mark(client);
        if wanted {
            self.know_client(key, client);
        }
    }

    /// How the client of session `key` asked, if that is known.
    fn scheme(&self, key: u32, head: &Head) -> Option<&'static str> {
        let Phase::Http(exchange) = &self.sessions.get(key as usize)?.phase else { return None };
        proxy::scheme(head, exchange.peer, &self.common.settings.proxies.trust)
    }

    /// A head is complete. `last` says that nothing behind it has arrived.
    pub(super) fn head(&mut self, key: u32, head: Head, last: bool) {
        if self.brings_token(&head) && !self.may_check(key) {
            return self.keep_head(key, head);
        }
        let access = self.access.share();
        let foreign = route::foreign(&head, &access, self.scheme(key, &head));
        self.locate(key, &head, foreign);
        let crowded = self.count_request_in(key).err();
        let envelope = Envelope::answering(&head, self.wall());
        let envelope = Envelope { close: envelope.close || crowded.is_some(), ..envelope };
        // Whoever asks is not idle, and does not make room for itself; a body is waited for like a head.
        let idle = self.exchange(key).and_then(|exchange| exchange.idle.take()).filter(|_| head.has_body());
        let (console, draining) = (self.common.console, self.drain.is_some());
        let offers = Offers { console, draining, access: &access, foreign };
        let call = match self.lead(key, &head, offers, crowded) {
            Ok(Some(call)) => self.refuse_body(&head, &call).map(|()| call),
            // It lasts.
            Ok(None) => return,
            Err(response) => Err(response),
        };
        let waits = head.expects_continue && last && head.has_body();
        let call = match call {
            Err(response) if response.closes() => return self.respond(key, &envelope, response),
            // RFC 9110 section 10.1.1: a final answer instead of 100, and the body need not be read.
            Err(response) if waits => return self.respond(key, &envelope, response.closing()),
            // Who asked for another protocol may speak it already, and some proxies pass that on unread: it is no request.
            Err(response) if is_handshake(&head) => return self.respond(key, &envelope, response.closing()),
            call => call,
        };
        if waits {
            self.own(key, |out| out.extend_from_slice(CONTINUE));
        }
        let Some(exchange) = self.exchange(key) else { return };
        if !call.as_ref().is_ok_and(Call::reads_body) {
            exchange.reader.skip_body();
        }
        exchange.stage = Stage::Body(envelope, call);
        exchange.idle = idle;
    }

    /// Begins what a head asks for, if that lasts, or gives the call that its body completes. `crowded` is the answer if
    /// there is no place for its client.
    ///
    /// # Errors
    ///
    /// The answer, if there is one without the body.
    fn lead(
        &mut self,
        key: u32,
        head: &Head,
        offers: Offers<'_>,
        crowded: Option<Response>,
    ) -> Result<Option<Call>, Response> {
        let wanted = route::route(head, offers)?;
        if let Some(response) = crowded
            && !wanted.is_probe()
        {
            return Err(response);
        }
        match wanted {
            Route::Call(call) => self.authorise(key, head, call).map(Some),
            Route::Page(page) => Err(page.answer(head)),
            Route::Foreign(denied) => {
                self.note_denied(key, head, denied);
                Err(route::foreigner(offers.access))
            }
            Route::Stream(wanted) => self.open_stream(key, head, wanted).map(|()| None),
            Route::Upgrade(wanted) => self.upgrade(key, head, wanted).map(|()| None),
        }
    }

    /// A body that a call wants has to wait until it is whole, and so it needs room.
    fn refuse_body(&self, head: &Head, call: &Call) -> Result<(), Response> {
        if head.has_body() && call.reads_body() { self.refuse_while_overdrawn() } else { Ok(()) }
    }

    /// A request is complete.
    fn body(&mut self, key: u32, body: &[u8]) {
        let wall = self.wall();
        let Some(exchange) = self.exchange(key) else { return };
        let Stage::Body(envelope, call) = std::mem::replace(&mut exchange.stage, Stage::Head) else { return };
        exchange.idle = None;
        let envelope = Envelope { now: wall, ..envelope };
        match call {
            Ok(call) => self.call(key, envelope, call, body),
            Err(response) => self.respond(key, &envelope, response),
        }
    }

    fn refuse(&mut self, key: u32, refusal: &Refusal) {
        if let Some(asker) = &refusal.asker {
            self.overhear(key, asker);
        }
        let envelope = Envelope::closing(self.wall());
        self.respond(key, &envelope, Response::from(refusal));
    }

    /// Notes the page that may read the answer to a request whose head did not come whole, or was no good.
    fn overhear(&mut self, key: u32, asker: &Asker) {
        let page = asker.origin.clone().filter(|_| route::may_read(asker, &self.access));
        if let Some(exchange) = self.exchange(key) {
            exchange.origin = page;
        }
    }

    /// Answers a request of which only a part has come, and ends the connection.
    pub(super) fn cut_short(&mut self, key: u32, response: Response) {
        if let Some(asker) = self.exchange(key).and_then(|exchange| exchange.reader.asker()) {
            self.overhear(key, &asker);
        }
        self.respond(key, &Envelope::closing(self.wall()), response);
    }

    /// Writes an answer, and ends the connection behind it if it is to end.
    pub(super) fn respond(&mut self, key: u32, envelope: &Envelope, response: Response) {
        let close = envelope.close || self.drain.is_some() || response.closes();
        let envelope = Envelope { close, ..*envelope };
        self.push_response(key, &envelope, response);
        self.count_request_out(key);
        self.begin_idle(key);
        if let Some(exchange) = self.exchange(key) {
            exchange.stage = Stage::Head;
            exchange.timer = Timer::Off;
            exchange.kept_alive = true;
            self.deadlines.set(key, Tick::NEVER);
        }
        if envelope.closes() {
            self.linger(key);
        }
    }

    /// Queues an answer, or the head of one that does not end.
    pub(super) fn push_response(&mut self, key: u32, envelope: &Envelope, response: Response) {
        if let Some(code) = response.code() {
            self.place().refused(code);
        }
        let page = self.exchange(key).and_then(|exchange| exchange.origin.take());
        let response = cors::finish(response, page.as_deref(), self.access.cookie().is_some());
        let (now, mut fixed) = (self.now.tick(), None);
        self.push(key, Class::Asked, |out| fixed = response.write_apart(envelope, out));
        if let Some(body) = fixed {
            self.with_queue(key, |queue| queue.push_fixed(body, Class::Asked, now));
        }
    }

    /// The wall clock as HTTP wants it.
    pub(super) fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.now.wall_ms)
    }

    /// Sets the deadline of what the exchange waits for, unless it has waited for that before: a request that trickles
    /// in does not earn time by it.
    pub(super) fn time_exchange(&mut self, key: u32) {
        let now = self.now;
        let settings::Limits { handshake, body, http_idle, .. } = self.common.settings.limits;
        let Some(exchange) = self.exchange(key) else { return };
        let (timer, wait) = match &exchange.stage {
            Stage::Call(..) | Stage::Check(_) => (Timer::Off, None),
            Stage::Body(..) => (Timer::Body, Some(body)),
            Stage::Head if exchange.kept_alive && exchange.reader.is_idle() => (Timer::Idle, Some(http_idle)),
            Stage::Head | Stage::Proxied(_) => (Timer::Head, Some(handshake)),
        };
        if exchange.timer != timer {
            exchange.timer = timer;
            self.deadlines.set(key, wait.map_or(Tick::NEVER, |wait| now.after(wait)));
        }
    }

    /// The deadline of an exchange has passed.
    pub(super) fn exchange_late(&mut self, key: u32) {
        let Some(exchange) = self.exchange(key) else { return };
        let begun = !exchange.reader.is_idle() || matches!(exchange.stage, Stage::Body(..));
        if exchange.timer == Timer::Idle || !begun {
            return self.end(key);
        }
        let message = "the request did not arrive in time";
        self.cut_short(key, Response::new(408).error("request_timeout", message));
    }

    /// Carries out a call whose body is complete.
    fn call(&mut self, key: u32, envelope: Envelope, call: Call, body: &[u8]) {
        match self.begin_call(key, call, body) {
            Ok(pending) => {
                if let Some(exchange) = self.exchange(key) {
                    exchange.stage = Stage::Call(envelope, pending);
                }
                // Behind no other batch, a small one needs no turn of its own.
                self.begin_batch(key);
                self.finish_call(key);
            }
            Err(response) => self.respond(key, &envelope, response),
        }
    }
}

/// Whether a request asks to go on as a WebSocket.
fn is_handshake(head: &Head) -> bool {
    head.has_token("upgrade", "websocket")
}
