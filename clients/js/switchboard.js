/**
 * The Switchboard client: rooms over WebSocket, or over Server-Sent Events where WebSockets are blocked.
 *
 *     import { connect } from './switchboard.js';
 *
 *     const room = connect('https://push.example.com', { user: 'ann' }).join('lobby');
 *     room.on('message', ({ from, data }) => console.log(from, data));
 *     room.publish('hello');
 *
 * A `Client` keeps one *link* to the server alive: it dials, waits for `welcome`, joins its rooms, and when the link is
 * lost it decides by the close code whether and when to dial again. A link speaks through a *transport*, `openSocket` or
 * `openStream`. A `Room` knows its position, so that the next link can ask for what the last one missed.
 */

/** How long to wait before coming back: at most `FIRST` after the first failure, never more than `LONGEST`. */
const FIRST = 1_000;
const LONGEST = 30_000;

/** Failures in a row after which a link that once worked over WebSocket is tried over Server-Sent Events too. */
const PATIENCE = 3;

/** How long a link that slept gets to show that it is still alive. */
const WAKING = 3_000;

/** `typing` ends by itself after 3 s of silence, so it is said again when 2 s have passed. */
const TYPING = 2_000;

/** The largest body of requests that a stream posts at once, in characters, unless one request alone is larger. */
const BODY = 32_768;

/** The user's inbox: where missed direct messages and notifications wait. */
const INBOX = '$me';

/** Whether a close code is the last word. */
const isFinal = (code) =>
  [1000, 1002, 1003, 1007, 1008, 1009].includes(code) || (code >= 4000 && code < 4100);

/** A request that failed: refused by the server, or never answered. */
export class SwitchboardError extends Error {
  name = 'SwitchboardError';

  constructor(code, message, { room, retry_after_ms } = {}) {
    super(message || code);
    this.code = code;
    this.room = room;
    this.retryAfter = retry_after_ms;
  }
}

let emit;

class Emitter {
  #listeners = new Map();

  static {
    emit = (emitter, type, ...values) => {
      for (const listener of [...(emitter.#listeners.get(type) ?? [])]) {
        try {
          listener(...values);
        } catch (error) {
          // A listener's mistake is told like any other uncaught error, and does not stop the client.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    };
  }

  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => this.off(type, listener);
  }

  off(type, listener) {
    this.#listeners.get(type)?.delete(listener);
  }
}

/** The address of `path` on the server at `base`, with the parameters that are known. */
const locate = (base, path, parameters = {}) => {
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/$/, '') + path;
  for (const [name, value] of Object.entries(parameters)) {
    if (value != null) url.searchParams.set(name, value);
  }
  return url.href;
};

const parse = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
};

/** A transport over WebSocket. */
function openSocket(WebSocket, base, { heard, receive, ended }) {
  const socket = new WebSocket(locate(base, '/ws').replace('http', 'ws'), ['switchboard.v1']);
  socket.onmessage = ({ data }) => {
    heard();
    receive(parse(data));
  };
  socket.onclose = ({ code, reason }) => ended(code, reason);
  // A close follows every error, and npm's `ws` throws errors that nobody listens to.
  socket.onerror = () => {};
  return { send: (text) => socket.send(text), close: () => socket.close(1000) };
}

/** The lines of a response body; `heard` is called for each piece of it, comments included. */
async function* readLines(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) yield line.replace(/\r$/, '');
  }
}

/** A transport over Server-Sent Events; requests are posted, one body at a time so that they keep their order. */
function openStream(fetch, base, query, patience, { heard, receive, refused, ended }) {
  const abort = new AbortController();
  const ask = (url, request) => fetch(url, { signal: abort.signal, cache: 'no-store', ...request });
  const waiting = [];
  let connection;
  let posting = false;

  const listen = async () => {
    const response = await ask(locate(base, '/sse', query), { headers: { accept: 'text/event-stream' } });
    if (!response.ok) return refuse(response);
    let data = '';
    for await (const line of readLines(response.body, heard)) {
      if (line.startsWith('data:')) data += line.slice(5);
      if (line || !data) continue;
      const frame = parse(data);
      data = '';
      connection ??= frame.connection;
      if (frame.type === 'close') ended(frame.code, frame.reason);
      else receive(frame);
    }
    ended(1006, '');
  };

  const refuse = async (response) => {
    const { error = {} } = await response.json().catch(() => ({}));
    const seconds = +response.headers.get('retry-after');
    if (response.status === 401) ended(1008, error.message ?? '');
    else if (response.status === 400 || response.status === 403) refused(error);
    // What is told to everybody at once must not bring everybody back at once.
    else if (seconds) ended(1013, `retry in ${Math.ceil(seconds * 1000 * (1 + Math.random()))} ms`);
    else ended(1006, '');
  };

  const post = async () => {
    posting = true;
    while (waiting.length) {
      const sent = [waiting.shift()];
      let size = sent[0].text.length;
      while (waiting.length && (size += waiting[0].text.length) < BODY) sent.push(waiting.shift());
      const timer = setTimeout(ended, patience, 1006, 'no answer');
      const url = locate(base, `/sse/${encodeURIComponent(connection)}`, { token: query.token });
      const body = `[${sent.map(({ text }) => text)}]`;
      try {
        const response = await ask(url, { method: 'POST', body });
        const answer = await response.json();
        if (response.status === 404) ended(1006, '');
        else if (response.ok) [answer].flat().forEach(receive);
        else sent.forEach(({ id }) => receive({ ...answer.error, type: 'error', id }));
      } finally {
        clearTimeout(timer);
      }
    }
    posting = false;
  };

  const failed = () => ended(1006, '');
  listen().catch(failed);
  return {
    send(text, id) {
      waiting.push({ text, id });
      if (!posting) post().catch(failed);
    },
    close: () => abort.abort(),
  };
}

let joinFrame, take, unlink, end;

class Room extends Emitter {
  /** The last position that was delivered; what a resume begins after. */
  position;
  /** How many people are in the room, as far as is known. */
  count = 0;
  #client;
  #history;
  #since;
  /** Whether this link was asked to join, and whether it has. */
  #asked = false;
  #live = false;
  #over = false;
  #early = [];
  #typing;
  #settle;

  static {
    joinFrame = (room) => room.#joinFrame();
    take = (room, frame, link) => room.#take(frame, link);
    unlink = (room) => room.#unlink();
    end = (room, reason, error) => room.#end(reason, error);
  }

  constructor(client, name, { since, history } = {}) {
    super();
    this.name = name;
    this.position = since;
    this.#client = client;
    this.#history = history;
    this.joined = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.joined.catch(() => {});
  }

  publish(data = null, { event, echo, store, idempotencyKey } = {}) {
    this.#typing = clearTimeout(this.#typing);
    const request = { type: 'publish', room: this.name, data, event, echo, store };
    return this.#client.request({ ...request, idempotency_key: idempotencyKey });
  }

  typing(active = true) {
    if (active ? this.#typing : !this.#typing) return;
    this.#typing = clearTimeout(this.#typing);
    if (active) this.#typing = setTimeout(() => (this.#typing = 0), TYPING);
    this.#client.tell({ type: 'typing', room: this.name, active });
  }

  members({ limit, after } = {}) {
    return this.#client.request({ type: 'members', room: this.name, limit, after });
  }

  history({ since, limit } = {}) {
    return this.#client.request({ type: 'history', room: this.name, since, limit });
  }

  async leave() {
    const left = this.#asked && this.#client.request({ type: 'leave', room: this.name });
    this.#end();
    // A link that is lost on the way has left the room as well.
    if (left) await left.catch(() => {});
  }

  async *[Symbol.asyncIterator]() {
    const messages = [];
    let wake;
    const stops = [
      this.on('message', (message) => {
        messages.push(message);
        wake?.();
      }),
      this.on('left', () => wake?.()),
    ];
    try {
      for (;;) {
        while (messages.length) yield messages.shift();
        if (this.#over) return;
        await new Promise((resolve) => (wake = resolve));
      }
    } finally {
      stops.forEach((stop) => stop());
    }
  }

  #joinFrame() {
    this.#asked = true;
    this.#since = this.position;
    const fresh = this.position == null;
    return { type: 'join', room: this.name, since: this.position, history: fresh ? this.#history : undefined };
  }

  #unlink() {
    this.#asked = this.#live = false;
    this.#early = [];
    this.#typing = clearTimeout(this.#typing);
  }

  #take(frame, { stream }) {
    const { type, id, data } = frame;
    this.count = frame.count ?? this.count;
    if (type === 'joined') this.#joined(frame);
    else if (data !== undefined) this.#hear(frame, stream);
    else if (id !== undefined) return;
    else if (type === 'left') this.#end(frame.reason);
    else emit(this, type, frame);
  }

  #hear(frame, stream) {
    const inbox = this.name === INBOX;
    if (this.#live || (inbox && this.#since == null && !stream)) this.#deliver(frame, false);
    // The answer to a post may be overtaken by what follows it on the stream, and a socket hears its inbox unasked: that
    // waits for what was missed before it. Anything else is from before the room was left and joined anew.
    else if (stream || inbox) this.#early.push(frame);
  }

  #joined(frame) {
    const asked = this.#since;
    this.#live = true;
    // A stream's own rooms have no `id` here; what they missed comes behind `joined`, so the position is not there yet.
    if (frame.id !== undefined || asked == null || !frame.recovered) this.position = frame.position;
    this.#settle.resolve(frame);
    emit(this, 'joined', frame);
    if (asked != null) emit(this, 'recovered', frame.recovered, frame);
    for (const message of frame.history ?? []) this.#deliver(message, true);
    this.#catchUp();
  }

  #catchUp() {
    for (const message of this.#early.splice(0)) this.#deliver(message, false);
  }

  #deliver(frame, replayed) {
    // History ends where `joined` says that the room is, whatever of it was kept.
    if (!replayed) this.position = frame.position ?? this.position;
    emit(this.name === INBOX ? this.#client : this, frame.type, frame, replayed);
  }

  #end(reason, error = new SwitchboardError('left', '', { room: this.name })) {
    if (this.#over) return;
    // An inbox that cannot be joined anew is heard all the same.
    if (this.name === INBOX) this.#catchUp();
    this.#over = true;
    this.#live = false;
    this.#typing = clearTimeout(this.#typing);
    this.#client.rooms.delete(this.name);
    this.#settle.reject(error);
    emit(this, 'left', { room: this.name, reason });
  }
}

class Client extends Emitter {
  state = 'connecting';
  /** Who the server says this is; null for a guest. */
  user = null;
  /** The name of this connection, by which the app can leave it out of what it publishes. */
  connection = null;
  rooms = new Map();
  #base;
  #options;
  #token;
  #link;
  /** The one thing that the link waits for: `welcome`, the next frame, the answer to a probe, or the time to dial. */
  #timer;
  #renewal;
  /** Requests without a reply, in the order made. */
  #pending = new Map();
  #lastId = 0;
  #failures = 0;
  /** Whether the next link is a stream, and whether a WebSocket ever worked. */
  #streaming;
  #worked = false;
  /** How the wait for the next link ends: at the time that the server set, or only when there is a room to join. */
  #ordered = false;
  #parked = false;
  #why = '';
  #page = new AbortController();

  constructor(url = '/', options = {}) {
    super();
    const { WebSocket, fetch } = globalThis;
    this.#options = { WebSocket, fetch, timeout: 10_000, queue: 100, inbox: true, ...options };
    this.#base = new URL(url, globalThis.location?.href);
    this.#base.protocol = this.#base.protocol.replace('ws', 'http');
    this.#base.pathname = this.#base.pathname.replace(/\/ws\/?$/, '/');
    if (options.user) this.#base.searchParams.set('user', options.user);
    this.#token = options.token;
    this.#streaming = !this.#options.WebSocket;
    this.#watchPage();
    this.#dial();
    for (const room of options.rooms ?? []) this.join(room);
  }

  join(name, options) {
    const known = this.rooms.get(name);
    if (known) return known;
    const room = new Room(this, name, options);
    if (this.state === 'closed') {
      end(room, 'closed');
      return room;
    }
    this.rooms.set(name, room);
    if (this.#link?.welcomed) this.#join(room);
    else if (this.#parked) this.#dial();
    return room;
  }

  direct(to, data = null, { event, idempotencyKey } = {}) {
    return this.request({ type: 'direct', to, data, event, idempotency_key: idempotencyKey });
  }

  /** Sends a request, now or when there is a link again, and promises its reply. */
  request(frame) {
    const { type, store, idempotency_key: key } = frame;
    const speaks = type === 'publish' || type === 'direct';
    const again = key !== undefined || type === 'members' || type === 'history';
    let request;
    const reply = new Promise((done, failed) => (request = this.#expect(frame, { speaks, again, done, failed })));
    // Who does not wait for the reply hears of a failure by `error` or `dropped`.
    reply.catch(() => {});
    if (this.state === 'closed') this.#fail(request, 'closed');
    else if (this.#link?.online) this.#transmit(request);
    else if (!speaks) this.#limit(request);
    else if (store === false) this.#fail(request, 'offline');
    else if (this.#unsent() > this.#options.queue) this.#fail(request, 'queue_full');
    return reply;
  }

  /** Sends a request that has no reply, if there is a link. */
  tell(frame) {
    if (this.#link?.online) this.#link.transport.send(JSON.stringify(frame));
  }

  close() {
    this.#close(1000, 'closed by the client');
  }

  // Requests and their replies.

  #unsent() {
    return [...this.#pending.values()].filter(({ speaks, sent }) => speaks && !sent).length;
  }

  #expect(frame, how) {
    const id = ++this.#lastId;
    const request = { frame: { ...frame, id }, ...how };
    this.#pending.set(id, request);
    return request;
  }

  #limit(request) {
    request.timer = setTimeout(() => this.#fail(request, 'timeout'), this.#options.timeout);
  }

  #transmit(request) {
    const text = JSON.stringify(request.frame);
    // A message over the limit would end the connection for good.
    if (new TextEncoder().encode(text).length > this.#link.limit) return this.#fail(request, 'too_big');
    clearTimeout(request.timer);
    this.#limit(request);
    request.sent = true;
    this.#link.transport.send(text, request.frame.id);
  }

  /** Forgets a request; whether there was one. */
  #settled(request) {
    clearTimeout(request?.timer);
    return this.#pending.delete(request?.frame.id);
  }

  #fail(request, code) {
    if (!this.#settled(request)) return;
    const why = code === 'closed' && this.#why ? `closed: ${this.#why}` : '';
    request.failed(new SwitchboardError(code, why, request.frame));
    if (request.speaks) emit(this, 'dropped', { ...request.frame, reason: code, sent: !!request.sent });
  }

  /** Decides what becomes of requests when their link is lost. */
  #unsend() {
    for (const request of [...this.#pending.values()]) {
      const { sent, again, bound } = request;
      if (bound) this.#settled(request);
      else if (sent && again) this.#queue(request);
      else if (sent) this.#fail(request, 'disconnected');
    }
  }

  /** What is said waits as long as it must; whoever asks waits for an answer only so long. */
  #queue(request) {
    request.sent = false;
    if (request.speaks) clearTimeout(request.timer);
  }

  // The life of a link.

  #set(state, detail) {
    this.state = state;
    emit(this, 'state', state, detail);
  }

  #after(delay, what) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(what, Math.min(delay, 2 ** 31 - 1));
  }

  #dial() {
    const link = { stream: this.#streaming };
    this.#link = link;
    this.#parked = this.#ordered = false;
    this.#set('connecting');
    this.#after(this.#options.timeout, () => this.#lost(link, 1006, 'no answer'));
    const failed = (error) => {
      if (link !== this.#link) return;
      emit(this, 'error', error);
      this.#lost(link, 1006, 'no token');
    };
    // Not within this call: a stream wants to know the rooms that the app joins right behind `connect`.
    Promise.resolve()
      .then(() => this.#open(link))
      .catch(failed);
  }

  /** Opens a transport, with the token that was not refused yet or a fresh one. */
  async #open(link) {
    const { getToken, WebSocket, fetch, timeout } = this.#options;
    if (this.#token === undefined && getToken) {
      link.fresh = true;
      this.#token = await getToken();
    }
    if (link !== this.#link) return;
    link.token = this.#token;
    const events = {
      heard: () => link === this.#link && link.welcomed && this.#heard(link),
      receive: (frame) => link === this.#link && this.#receive(link, frame),
      refused: (error) => link === this.#link && this.#refused(link, error),
      ended: (code, reason) => this.#lost(link, code, reason),
    };
    link.dialled = true;
    try {
      if (link.stream) link.transport = openStream(fetch, this.#base, this.#anchor(link), timeout, events);
      else link.transport = openSocket(WebSocket, this.#base, events);
    } catch {
      // A page's policy may forbid WebSockets, which the constructor tells by throwing.
      this.#lost(link, 1006, 'blocked');
    }
  }

  /** The query of a stream: one room, so that one that is refused does not keep the others out. They join by post. */
  #anchor(link) {
    const room = this.rooms.values().next().value;
    link.anchor = room?.name ?? INBOX;
    const { since, history } = room ? joinFrame(room) : {};
    return { room: link.anchor, last_event_id: since, history, token: link.token };
  }

  /** A stream's room was refused before the stream began. */
  #refused(link, { code, message }) {
    const room = this.rooms.get(link.anchor);
    this.#drop();
    if (room) end(room, code, new SwitchboardError(code, message, { room: room.name }));
    if (this.rooms.size) return this.#dial();
    this.#parked = true;
    clearTimeout(this.#timer);
    this.#set('waiting', { code: 1008, reason: message });
  }

  #welcome(link, { connection, user, ping_interval_s: interval, max_message_bytes: limit }) {
    Object.assign(link, { welcomed: true, interval: (interval || 25) * 1000, limit });
    this.connection = connection;
    this.user = user;
    this.#worked ||= !link.stream;
    this.#heard(link);
    // The token is not in the address, where proxies would log it; a stream has no other place for it.
    if (link.token && !link.stream) this.#authenticate(link.token, () => this.#online(link));
    for (const room of this.rooms.values()) {
      if (room.name !== link.anchor) this.#join(room);
    }
    if (!link.token || link.stream) this.#online(link);
  }

  #authenticate(token, settled) {
    const done = ({ user, expires }) => {
      this.user = user;
      this.#renewLater(Date.parse(expires) - Date.now());
      settled?.();
    };
    this.#ask({ type: 'auth', token }, done, () => settled?.());
  }

  /** Asks for a fresh token when four fifths of this one's time are over. */
  #renewLater(left) {
    const { getToken } = this.#options;
    clearTimeout(this.#renewal);
    const delay = left * 0.8;
    // Over 24 days a timer would fire at once; not a number, or past, where there is nothing to renew.
    if (!getToken || !(delay > 0 && delay < 2 ** 31)) return;
    const { transport } = this.#link;
    this.#renewal = setTimeout(async () => {
      try {
        const token = await getToken();
        if (this.#link?.transport !== transport) return;
        this.#token = token;
        this.#authenticate(token);
      } catch (error) {
        emit(this, 'error', error);
      }
    }, delay);
  }

  #online(link) {
    link.online = true;
    this.#failures = 0;
    if (this.user != null && this.#options.inbox && !this.rooms.has(INBOX)) this.join(INBOX);
    for (const request of this.#pending.values()) {
      if (!request.sent) this.#transmit(request);
    }
    this.#set('online');
  }

  #join(room) {
    const link = this.#link;
    const retry = () => link === this.#link && this.rooms.get(room.name) === room && this.#join(room);
    const refused = (error) => {
      if (error.code === 'unavailable') setTimeout(retry, Math.random() * FIRST);
      else if (error.code === 'rate_limited') setTimeout(retry, error.retryAfter ?? FIRST);
      else end(room, error.code, error);
    };
    // What a join leads to is told by `joined`, which names the room.
    this.#ask(joinFrame(room), () => {}, refused);
  }

  /** A request of the link itself: it ends with the link, and a link that does not answer it is useless. */
  #ask(frame, done, refused) {
    const link = this.#link;
    const failed = (error) => {
      if (error.code === 'timeout') this.#lost(link, 1006, 'no answer');
      else refused(error);
    };
    this.#transmit(this.#expect(frame, { bound: true, done, failed }));
  }

  #receive(link, frame) {
    const { type, id } = frame;
    const request = this.#pending.get(id);
    const inbox = type === 'direct' || type === 'notification';
    const room = this.rooms.get(inbox ? INBOX : (frame.room ?? request?.frame.room));
    if (type === 'welcome') return this.#welcome(link, frame);
    if (type === 'error') {
      const error = new SwitchboardError(frame.code, frame.message, frame);
      emit(room ?? this, 'error', error);
      if (this.#settled(request)) request.failed(error);
      return;
    }
    if (room) take(room, frame, link);
    else if (id === undefined) emit(this, type, frame);
    if (this.#settled(request)) request.done(frame);
  }

  /** Something came: the server is alive, and has until the next ping to show it again. */
  #heard(link) {
    this.#after(link.interval, () => this.#probe(link, this.#options.timeout));
  }

  /** Asks whether the server is still there. A stream cannot be asked: an answer to a post says nothing about it. */
  #probe(link, patience) {
    if (!link.stream) link.transport.send('{"type":"ping"}');
    this.#after(patience, () => this.#lost(link, 1006, 'silent'));
  }

  #drop() {
    const link = this.#link;
    this.#link = undefined;
    clearTimeout(this.#renewal);
    link?.transport?.close();
    for (const room of this.rooms.values()) unlink(room);
    this.#unsend();
  }

  #lost(link, code, reason) {
    if (link !== this.#link) return;
    this.#drop();
    const { getToken } = this.#options;
    // A token that was fresh and never let anybody in will not do so the next time.
    const stale = code === 1008 && /token expired/.test(reason) && getToken && !(link.fresh && !link.online);
    if (stale) this.#token = undefined;
    else if (isFinal(code)) return this.#close(code, reason);
    if (this.#turn(link, code)) return this.#dial();
    const [, ordered] = /retry in (\d+) ms/.exec(reason) ?? [];
    this.#ordered = ordered !== undefined;
    const delay = +(ordered ?? this.#backoff());
    this.#after(delay, () => this.#dial());
    this.#set('waiting', { code, reason, delay });
  }

  /** After a failure, chooses how to dial next; true if at once, because that way was not tried yet. */
  #turn(link, code) {
    const { WebSocket, fetch } = this.#options;
    if (!link.dialled || link.welcomed || code !== 1006 || !WebSocket || !fetch) return false;
    this.#streaming = !link.stream && (!this.#worked || this.#failures >= PATIENCE);
    return this.#streaming && !this.#worked;
  }

  /**
   * Full jitter: anything up to a bound that doubles. A page that nobody looks at is in no hurry. `navigator.onLine` is
   * not asked: without a network there may still be a server on this machine.
   */
  #backoff() {
    const bound = globalThis.document?.hidden ? LONGEST : Math.min(LONGEST, FIRST * 2 ** this.#failures);
    this.#failures++;
    return Math.random() * bound;
  }

  #close(code, reason) {
    if (this.state === 'closed') return;
    this.#drop();
    clearTimeout(this.#timer);
    this.#page.abort();
    this.#why = reason;
    this.#set('closed', { code, reason });
    for (const request of [...this.#pending.values()]) this.#fail(request, 'closed');
    for (const room of [...this.rooms.values()]) end(room, 'closed');
  }

  // The page around the client.

  #watchPage() {
    const { document = {} } = globalThis;
    const { signal } = this.#page;
    const watch = (target, type, listener) => target.addEventListener?.(type, listener, { signal });
    watch(document, 'visibilitychange', () => document.hidden || this.#wake());
    watch(globalThis, 'pagehide', () => this.#sleep());
    watch(globalThis, 'pageshow', ({ persisted }) => persisted && this.#wake());
    watch(globalThis, 'offline', () => this.#check());
    watch(globalThis, 'online', () => {
      // Another network may let WebSockets through.
      this.#streaming = !this.#options.WebSocket;
      const link = this.#link;
      // A stream cannot be asked whether it outlived the change, and where it was second best there is better now.
      if (link?.online && link.stream) this.#lost(link, 1006, 'the network changed');
      this.#wake();
    });
  }

  /** Comes back at once, unless the server said when; a link may have died meanwhile. */
  #wake() {
    if (this.state === 'waiting' && !this.#ordered && !this.#parked) this.#dial();
    else this.#check();
  }

  #check() {
    if (this.#link?.online && !this.#link.stream) this.#probe(this.#link, WAKING);
  }

  /** A page that the browser keeps for the way back must not hold a connection. */
  #sleep() {
    if (!this.#link) return;
    this.#drop();
    this.#ordered = false;
    clearTimeout(this.#timer);
    this.#set('waiting', { code: 1000, reason: 'the page sleeps' });
  }
}

/**
 * Connects to the server at `url`: its address with `http`, `https`, `ws` or `wss`, or a path on the page's own. The
 * client connects at once and stays connected, until it is closed or the server says that coming back is useless.
 */
export const connect = (url, options) => new Client(url, options);
