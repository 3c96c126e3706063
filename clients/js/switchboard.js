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

/** A link that has lived this long was no accident: the waits begin anew with the next. */
const STEADY = 15_000;

/** How long a link that slept gets to show that it is still alive. */
const WAKING = 3_000;

/** `typing` ends by itself after 3 s of silence, so it is said again when 2 s have passed. */
const TYPING = 2_000;

/** The largest body of requests that a stream posts at once, in characters, unless one request alone is larger. */
const BODY = 32_768;

/** How many requests the server takes in one body. */
const BATCH = 100;

/** What a JSON Web Token looks like: nothing else can be a token here, a page of HTML least of all. */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** The user's inbox: where missed direct messages and notifications wait. */
const INBOX = '$me';

/** Whether a close code is the last word. */
const isFinal = (code) =>
  [1000, 1002, 1003, 1007, 1008, 1009].includes(code) || (code >= 4000 && code < 4100);

/** The object without the fields that are not there. */
const present = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

/** A request that failed: refused by the server or by the client, or never answered. */
export class SwitchboardError extends Error {
  name = 'SwitchboardError';

  constructor(code, message, { room, retry_after_ms: retryAfter, size, limit, cause } = {}) {
    super(message || code);
    Object.assign(this, present({ code, room, retryAfter, size, limit, cause }));
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
    if (typeof listener !== 'function') throw new TypeError(`the listener for ${type} is no function`);
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => this.off(type, listener);
  }

  off(type, listener) {
    this.#listeners.get(type)?.delete(listener);
  }
}

/**
 * The parts of the server's address, as the app or the page gives it. By hand: in React Native the parts of a `URL` cannot
 * be set. What is behind `#` is the page's own, and a `WebSocket` refuses it.
 */
const locate = (url) => {
  const page = globalThis.location?.href;
  let href = `${url}`.trim();
  try {
    if (page && !/^(http|ws)s?:/i.test(href)) href = new URL(href, page).href;
  } catch {
    // Told below.
  }
  const [, secure, host, path, query] = /^(?:http|ws)(s?):\/\/([^/?#]+)([^?#]*)\??([^#]*)/i.exec(href) ?? [];
  if (host) return { host, secure, path: path.replace(/(\/ws)?\/?$/, ''), query };
  const words = 'begin with http://, https://, ws:// or wss://, or on a page with /';
  throw new TypeError(`connect: "${url}" is not the address of a server, which would ${words}`);
};

/** Percent-encodes; half a surrogate pair, which cannot be, becomes what the platform writes for it elsewhere. */
const encode = (value) => encodeURIComponent(`${value}`.replace(/[\ud800-\udfff]/gu, '\ufffd'));

/** The address of `path` on the server, with the parameters that are known. */
const address = (scheme, { host, secure, path, query }, more, parameters) => {
  let pairs = query.split('&').filter(Boolean);
  for (const [name, value] of Object.entries(parameters)) {
    if (value == null) continue;
    pairs = pairs.filter((pair) => pair.split('=')[0] !== name);
    pairs.push(`${name}=${encode(value)}`);
  }
  return `${scheme}${secure.toLowerCase()}://${host}${path}${more}${pairs.length ? '?' : ''}${pairs.join('&')}`;
};

/** What the server said, as an object whatever it is. */
const parse = (text) => {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
};

/** The bytes of a text in UTF-8. Not every platform has a `TextEncoder`. */
const bytes = (text) => {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Each half of a surrogate pair stands for two of its four bytes.
    count += unit < 0x80 ? 1 : unit < 0x800 || (unit & 0xf800) === 0xd800 ? 2 : 3;
  }
  return count;
};

/**
 * Whether a position comes after another. To apps positions are opaque; this is the one place that looks into them, since
 * what a stream brings and what a post answers overtake each other. Of two lives of a room nobody can tell.
 */
const after = (position, other) => {
  const [[epoch, offset], [otherEpoch, otherOffset]] = [position, other].map((it) => `${it}`.split(':'));
  return epoch !== otherEpoch || !(+offset <= +otherOffset);
};

/** A transport over WebSocket. */
function openSocket(WebSocket, url, { heard, receive, ended }) {
  const socket = new WebSocket(url, ['switchboard.v1']);
  socket.onmessage = ({ data }) => {
    heard();
    receive(parse(data));
  };
  socket.onclose = ({ code, reason }) => ended(code ?? 1006, reason ?? '');
  // A close follows every error, and npm's `ws` throws errors that nobody listens to.
  socket.onerror = () => {};
  return {
    send(text) {
      try {
        socket.send(text);
      } catch {
        // Not within this call, which may be one of many.
        queueMicrotask(() => ended(1006, ''));
      }
    },
    close: () => socket.close(1000),
  };
}

/** The lines of a response body; `heard` is called for each piece of it, comments included. */
async function* readLines(body, heard) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop();
    for (const line of lines) yield line.replace(/\r$/, '');
  }
}

/**
 * A transport over Server-Sent Events; requests are posted, one body at a time so that they keep their order. `locate`
 * gives the address of a path with the token of the moment.
 */
function openStream({ fetch, credentials, timeout }, locate, query, { heard, receive, refused, ended }) {
  const abort = new AbortController();
  const options = present({ signal: abort.signal, cache: 'no-store', credentials });
  const ask = (url, request) => fetch(url, { ...options, ...request });
  const waiting = [];
  let connection;
  let posting = false;

  const listen = async () => {
    const response = await ask(locate('/sse', query), { headers: { accept: 'text/event-stream' } });
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

  /** What a refusal says; a proxy in between says it in its own words. */
  const problem = async (response) => {
    const { error } = await response.json().catch(() => ({}));
    const wait = +response.headers.get('retry-after') * 1000 || undefined;
    const code = response.status < 500 ? `http_${response.status}` : 'unavailable';
    return { code, retry_after_ms: wait, ...error };
  };

  const refuse = async (response) => {
    const error = await problem(response);
    const seconds = error.retry_after_ms / 1000;
    if (response.status === 401) ended(1008, error.message ?? 'unauthorized');
    else if (/^(bad_|forbidden|room_)/.test(error.code)) refused(error);
    // What is told to everybody at once must not bring everybody back at once.
    else if (seconds) ended(1013, `retry in ${Math.ceil(seconds * 1000 * (1 + Math.random()))} ms`);
    else ended(1006, '');
  };

  const post = async () => {
    posting = true;
    while (waiting.length) {
      const sent = [waiting.shift()];
      let size = sent[0].text.length;
      while (waiting.length && sent.length < BATCH && (size += waiting[0].text.length) < BODY) {
        sent.push(waiting.shift());
      }
      const timer = setTimeout(ended, timeout, 1006, 'no answer');
      const url = locate(`/sse/${encode(connection)}`, {});
      const body = `[${sent.map(({ text }) => text)}]`;
      try {
        const response = await ask(url, { method: 'POST', body });
        if (response.status === 404) ended(1006, '');
        else if (response.ok) [await response.json()].flat().forEach((answer) => receive(Object(answer)));
        else {
          const error = await problem(response);
          sent.forEach(({ id }) => id && receive({ ...error, type: 'error', id }));
        }
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

let joinFrame, asked, retry, take, unlink, end;

class Room extends Emitter {
  /** The last position that was delivered; what a resume begins after. */
  position;
  /** How many people are in the room, as far as is known. */
  count = 0;
  #client;
  #history;
  #since;
  /** Whether this link was asked to join, and whether it has; then, whether an old message can still come behind a new one. */
  #asked = false;
  #live = false;
  #mixed = false;
  #over = false;
  #early = [];
  #typing;
  #retry;
  #settle;

  static {
    joinFrame = (room) => room.#joinFrame();
    asked = (room) => (room.#asked = true);
    retry = (room, join, delay) => (room.#retry = setTimeout(join, delay));
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

  publish(data = null, options) {
    const { event, echo, store, idempotencyKey } = options ?? {};
    this.#typing = clearTimeout(this.#typing);
    const request = { type: 'publish', room: this.name, data, event, echo, store };
    return this.#client.request({ ...request, idempotency_key: idempotencyKey });
  }

  typing(active = true) {
    if (this.#over) return;
    if (active ? this.#typing : !this.#typing) return;
    this.#typing = clearTimeout(this.#typing);
    if (active) this.#typing = setTimeout(() => (this.#typing = 0), TYPING);
    this.#client.tell({ type: 'typing', room: this.name, active: !!active });
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
    this.#since = this.position;
    // Where nothing can be resumed, the newest come: no more than the app wants.
    return { type: 'join', room: this.name, since: this.position, history: this.#history };
  }

  #unlink() {
    this.#asked = this.#live = false;
    this.#early = [];
    this.#typing = clearTimeout(this.#typing);
    clearTimeout(this.#retry);
  }

  #take(frame, { stream, room }) {
    const { type, id } = frame;
    const inbox = this.name === INBOX;
    // Unasked, who is there is told anew. On a stream it may also be what was told to an older room of the name.
    if (type === 'joined' && id === undefined && this.#live) this.#hear(frame);
    else if (type === 'joined') (id !== undefined || !stream || room === this) && this.#joined(frame, stream);
    else if (id !== undefined) this.count = frame.count ?? this.count;
    else if (this.#live || (inbox && this.#since == null && !stream)) this.#hear(frame);
    // The answer to a post may be overtaken by what follows it on the stream, and a socket hears its inbox unasked: that
    // waits for what was missed before it. Anything else is from before the room was left and joined anew.
    else if (stream || inbox) this.#early.push(frame);
  }

  #hear(frame) {
    if (this.#over && this.name !== INBOX) return;
    const { type, data, position } = frame;
    this.count = frame.count ?? this.count;
    if (type === 'left') this.#end(frame.reason);
    else if (data === undefined) emit(this, type, frame);
    else if (!this.#mixed || position === undefined || after(position, this.position)) this.#deliver(frame, false);
  }

  #joined(frame, stream) {
    const since = this.#since;
    const posted = frame.id !== undefined;
    this.count = frame.count ?? this.count;
    this.#live = true;
    this.#mixed = posted && stream;
    // A stream's own rooms have no `id` here; what they missed comes behind `joined`, so the position is not there yet.
    if (posted || since == null || !frame.recovered) this.position = frame.position;
    this.#settle.resolve(frame);
    emit(this, 'joined', frame);
    if (since != null) emit(this, 'recovered', frame.recovered, frame);
    for (const message of frame.history ?? []) this.#deliver(message, true);
    this.#catchUp();
  }

  #catchUp() {
    for (const frame of this.#early.splice(0)) this.#hear(frame);
  }

  #deliver(frame, replayed) {
    if (this.#over && this.name !== INBOX) return;
    // History ends where `joined` says that the room is, whatever of it was kept.
    if (!replayed) this.position = frame.position ?? this.position;
    emit(this.name === INBOX ? this.#client : this, frame.type, frame, replayed);
  }

  #end(reason, error = new SwitchboardError('left', 'the room was left', { room: this.name })) {
    if (this.#over) return;
    // An inbox that cannot be joined anew is heard all the same.
    if (this.name === INBOX) this.#catchUp();
    this.#over = true;
    this.#unlink();
    if (this.#client.rooms.get(this.name) === this) this.#client.rooms.delete(this.name);
    this.#settle.reject(error);
    emit(this, 'left', present({ room: this.name, reason }));
  }
}

class Client extends Emitter {
  state = 'connecting';
  /** Who the server says this is; null for a guest. */
  user = null;
  /** The name of this connection, by which the app can leave it out of what it publishes. */
  connection = null;
  rooms = new Map();
  #server;
  #options;
  #token;
  #link;
  /** The one thing that the link waits for: `welcome`, the next frame, the answer to a probe, or the time to dial. */
  #timer;
  #renewal;
  /** Requests without a reply, in the order made. */
  #pending = new Map();
  #lastId = 0;
  /** Failures since a link that lasted, and when this one will have. */
  #failures = 0;
  #steady;
  /** Whether the next link is a stream, and whether a WebSocket ever worked. */
  #streaming;
  #worked = false;
  /** How the wait for the next link ends: at the time that the server set, or only when there is a room to join. */
  #ordered = false;
  #parked = false;
  /** What whoever still waits is told when the client is closed. */
  #why = { code: 'closed' };
  #page = new AbortController();

  constructor(url = '/', options = {}) {
    super();
    const { WebSocket, fetch, Response } = globalThis;
    // Where a response cannot be read while it comes, as in React Native, there are no streams.
    const streams = Response && 'body' in Response.prototype ? fetch : null;
    this.#options = { WebSocket, fetch: streams, timeout: 10_000, queue: 100, inbox: true, ...present(options) };
    this.#server = locate(url);
    this.#token = options.token;
    this.#streaming = !this.#options.WebSocket;
    this.#watchPage();
    this.#dial();
    for (const room of options.rooms ?? []) this.join(room);
  }

  join(name, options) {
    const known = this.rooms.get(name);
    if (known) return known;
    const room = new Room(this, name, options ?? {});
    if (this.state === 'closed' || typeof name !== 'string') {
      const why = this.state === 'closed' ? this.#why : { code: 'bad_room', message: 'a room has a string for a name' };
      end(room, why.code, new SwitchboardError(why.code, why.message, { room: String(name) }));
      return room;
    }
    this.rooms.set(name, room);
    if (this.#link?.welcomed) this.#join(room);
    else if (this.#parked) this.#dial();
    return room;
  }

  direct(to, data = null, options) {
    const { event, idempotencyKey } = options ?? {};
    return this.request({ type: 'direct', to, data, event, idempotency_key: idempotencyKey });
  }

  /** Sends a request, now or when there is a link again, and promises its reply. */
  request(frame) {
    const reply = new Promise((done, failed) => this.#request(frame, done, failed));
    // Who does not wait for the reply hears of a failure by `error` or `dropped`.
    reply.catch(() => {});
    return reply;
  }

  /** Sends a request that has no reply, if there is a link. */
  tell(frame) {
    const text = JSON.stringify(frame);
    // A message over the limit would end the connection for good.
    if (this.#link?.online && !(bytes(text) > this.#link.limit)) this.#link.transport.send(text);
  }

  close() {
    this.#close(1000, 'closed by the client');
  }

  // Requests and their replies.

  #request(frame, done, failed) {
    const { type, store, idempotency_key: key } = frame;
    const speaks = type === 'publish' || type === 'direct';
    const again = key !== undefined || type === 'members' || type === 'history';
    const request = this.#expect(frame, { speaks, again, done, failed });
    if (!request) return;
    if (this.state === 'closed') this.#fail(request, this.#why.code, this.#why.message);
    // A room is left in the order of the joins, which go out before anything else.
    else if (this.#link?.online || (type === 'leave' && this.#link?.welcomed)) this.#transmit(request);
    else if (!speaks) this.#limit(request);
    else if (store === false) this.#fail(request, 'offline', 'there is no connection, and this does not wait for one');
    else if (this.#unsent() > this.#options.queue) {
      this.#fail(request, 'queue_full', `${this.#options.queue} messages wait for a connection already`);
    }
  }

  #unsent() {
    return [...this.#pending.values()].filter(({ speaks, sent }) => speaks && !sent).length;
  }

  /** Keeps a request until it is settled, as the text that it is now; undefined if JSON cannot say it. */
  #expect(fields, how) {
    const frame = present({ ...fields, id: ++this.#lastId });
    const request = { frame, ...how };
    this.#pending.set(frame.id, request);
    try {
      if (how.speaks && JSON.stringify(frame.data) === undefined) throw new TypeError('JSON has nothing for it');
      request.text = JSON.stringify(frame);
      return request;
    } catch (cause) {
      this.#fail(request, 'bad_data', `this cannot be said in JSON: ${cause?.message ?? cause}`, { cause });
    }
  }

  #limit(request) {
    request.timer = setTimeout(
      () => this.#fail(request, 'timeout', `no answer came within ${this.#options.timeout} ms`),
      this.#options.timeout,
    );
  }

  #transmit(request) {
    const link = this.#link;
    const { text, frame } = request;
    // Somebody who was told something meanwhile may have closed the client.
    if (!link || !this.#pending.has(frame.id)) return;
    const size = bytes(text);
    // A message over the limit would end the connection for good.
    if (size > link.limit) {
      const words = `the message is ${size} bytes with its fields, and the server takes ${link.limit}`;
      return this.#fail(request, 'too_big', words, { size, limit: link.limit });
    }
    clearTimeout(request.timer);
    this.#limit(request);
    request.sent = true;
    link.transport.send(text, frame.id);
  }

  /** Forgets a request; whether there was one. */
  #settled(request) {
    clearTimeout(request?.timer);
    return this.#pending.delete(request?.frame.id);
  }

  #fail(request, reason, message, more) {
    if (!this.#settled(request)) return;
    const { id, idempotency_key: idempotencyKey, ...frame } = request.frame;
    request.failed(new SwitchboardError(reason, message, { room: frame.room, ...more }));
    if (!request.speaks) return;
    emit(this, 'dropped', present({ ...frame, idempotencyKey, reason, message, sent: !!request.sent }));
  }

  /** Decides what becomes of requests when their link is lost. */
  #unsend() {
    for (const request of [...this.#pending.values()]) {
      const { sent, again, bound } = request;
      if (bound) this.#settled(request);
      else if (sent && again) this.#queue(request);
      else if (sent) this.#fail(request, 'disconnected', 'the connection was lost before the answer');
    }
  }

  /** What is said waits as long as it must; whoever asks waits for an answer only so long. */
  #queue(request) {
    request.sent = false;
    if (request.speaks) clearTimeout(request.timer);
  }

  // The life of a link.

  #set(state, detail = {}) {
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
    this.#after(this.#options.timeout, () => this.#lost(link, 1006, 'no answer'));
    this.#set('connecting');
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
    if (link !== this.#link) return;
    const { getToken, WebSocket } = this.#options;
    const user = this.#options.user || undefined;
    if (!this.#token && getToken) {
      link.fresh = true;
      const token = await this.#fresh();
      if (link !== this.#link) return;
      this.#token = token;
    }
    link.token = this.#token;
    const events = {
      heard: () => link === this.#link && link.welcomed && this.#heard(link),
      receive: (frame) => link === this.#link && this.#receive(link, frame),
      refused: (error) => link === this.#link && this.#refused(link, error),
      ended: (code, reason) => this.#lost(link, code, reason),
    };
    link.dialled = true;
    try {
      if (link.stream) {
        const locate = (path, query) => address('http', this.#server, path, { user, ...query, token: link.token });
        link.transport = openStream(this.#options, locate, this.#anchor(link), events);
      } else link.transport = openSocket(WebSocket, address('ws', this.#server, '/ws', { user }), events);
    } catch {
      // A page's policy may forbid WebSockets, which the constructor tells by throwing.
      this.#lost(link, 1006, 'blocked');
    }
  }

  /** A token of the app's own callback, which may give anything: often the page that says that nobody is logged in. */
  async #fresh() {
    const given = await this.#options.getToken();
    if (given == null) return;
    const token = typeof given === 'string' && given.trim();
    if (token && TOKEN.test(token)) return token;
    const what = token === false ? `a value of type ${typeof given}` : token ? `"${token.slice(0, 24)}…"` : 'an empty text';
    throw new SwitchboardError('bad_token', `getToken gave ${what}, which is no JSON Web Token`);
  }

  /** The query of a stream: one room, so that one that is refused does not keep the others out. They join by post. */
  #anchor(link) {
    link.room = this.rooms.values().next().value;
    const { room, since, history } = link.room ? joinFrame(link.room) : { room: INBOX };
    return { room, last_event_id: since, history };
  }

  /** A stream's room was refused before the stream began. */
  #refused(link, { code, message }) {
    const { room } = link;
    this.#drop();
    if (room) this.#shut(room, new SwitchboardError(code, message, { room: room.name }));
    if (this.state === 'closed' || this.#link) return;
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
    this.#steady = setTimeout(() => {
      link.steady = true;
      this.#failures = 0;
    }, STEADY);
    this.#heard(link);
    const { room: anchor, stream } = link;
    // The token is not in the address, where proxies would log it; a stream has no other place for it. It is told once more
    // to learn when it ends.
    if (link.token && !stream) this.#authenticate(link.token, () => this.#online(link));
    else if (link.token && this.#options.getToken) this.#authenticate(link.token);
    // The stream's own room may have been left meanwhile, and joined anew by its name.
    const kept = anchor && this.rooms.get(anchor.name) === anchor;
    if (kept) asked(anchor);
    else if (anchor) this.request({ type: 'leave', room: anchor.name });
    for (const room of [...this.rooms.values()]) {
      if (!kept || room !== anchor) this.#join(room);
    }
    if (!link.token || stream) this.#online(link);
  }

  #authenticate(token, settled) {
    const link = this.#link;
    const done = ({ user, expires }) => {
      this.user = user;
      this.#token = link.token = token;
      if (expires && this.#options.getToken) this.#expires(Date.parse(expires));
      settled?.();
    };
    this.#ask({ type: 'auth', token }, done, () => settled?.());
  }

  /** Learns how long it is until `end` by the server's clock. The one of this device may be wrong by hours. */
  #expires(end) {
    this.#ask({ type: 'ping' }, ({ time }) => this.#renewLater(end - Date.parse(time)), () => {});
  }

  /**
   * Asks for a fresh token when four fifths of this one's time are over, and as long as none is there, again when four
   * fifths of the rest are.
   */
  #renewLater(left) {
    clearTimeout(this.#renewal);
    const delay = left * 0.8;
    // Over 24 days a timer would fire at once; not a number, or past, where there is nothing to renew.
    if (!(delay > 100 && delay < 2 ** 31)) return;
    const link = this.#link;
    this.#renewal = setTimeout(async () => {
      this.#renewLater(left - delay);
      try {
        const token = await this.#fresh();
        if (token && link === this.#link) this.#authenticate(token);
      } catch (error) {
        if (link === this.#link) emit(this, 'error', error);
      }
    }, delay);
  }

  #online(link) {
    if (link !== this.#link) return;
    link.online = true;
    if (this.user != null && this.#options.inbox && !this.rooms.has(INBOX)) this.join(INBOX);
    for (const request of [...this.#pending.values()]) {
      if (!request.sent) this.#transmit(request);
    }
    if (link === this.#link) this.#set('online');
  }

  #join(room, tries = 0) {
    const link = this.#link;
    if (!link) return;
    const again = () => link === this.#link && this.rooms.get(room.name) === room && this.#join(room, tries + 1);
    const refused = (error) => {
      if (this.rooms.get(room.name) !== room) return;
      const busy = Math.random() * Math.min(LONGEST, FIRST * 2 ** tries);
      if (error.code === 'unavailable') retry(room, again, error.retryAfter ?? busy);
      else if (error.code === 'rate_limited') retry(room, again, error.retryAfter ?? FIRST);
      else this.#shut(room, error);
    };
    asked(room);
    // What a join leads to is told by `joined`.
    this.#ask(joinFrame(room), () => {}, refused, room);
  }

  #shut(room, error) {
    end(room, error.code, error);
  }

  /** A request of the link itself: it ends with the link, and a link that does not answer it is useless. */
  #ask(frame, done, refused, room) {
    const link = this.#link;
    const failed = (error) => {
      if (error.code === 'timeout') this.#lost(link, 1006, 'no answer');
      else refused(error);
    };
    const request = this.#expect(frame, { bound: true, done, failed, room });
    if (request) this.#transmit(request);
  }

  #receive(link, frame) {
    const { type, id } = frame;
    if (type === 'welcome') return this.#welcome(link, frame);
    const request = this.#pending.get(id);
    const inbox = type === 'direct' || type === 'notification';
    const name = inbox ? INBOX : (frame.room ?? request?.frame.room);
    const room = this.rooms.get(name);
    // What answers a join is for the room that asked, and not for one that took its name since.
    const asker = request?.room ?? room;
    if (type === 'error') return this.#error(link, frame, request, asker === room && room);
    if (room && asker === room) take(room, frame, link);
    else if (id === undefined && !room) emit(this, type, frame);
    if (this.#settled(request)) request.done(frame);
  }

  #error(link, frame, request, room) {
    const name = frame.room ?? request?.frame.room;
    const error = new SwitchboardError(frame.code, frame.message, { ...frame, room: name });
    if (!request?.room || room) emit(room || this, 'error', error);
    if (this.#settled(request)) request.failed(error);
    // A stream ends when its own room refuses; coming back for it would keep the others out as well.
    else if (room && room === link.room && frame.code === 'room_full') this.#shut(room, error);
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
    clearTimeout(this.#steady);
    link?.transport?.close();
    for (const room of this.rooms.values()) unlink(room);
    this.#unsend();
  }

  #lost(link, code, reason) {
    if (link !== this.#link) return;
    const { getToken } = this.#options;
    // A token that was fresh and never let anybody in will not do so the next time.
    const stale = code === 1008 && /token expired/.test(reason) && getToken && !(link.fresh && !link.online);
    if (isFinal(code) && !stale) return this.#close(code, reason);
    if (stale) this.#token = undefined;
    this.#drop();
    // Whoever was told what is lost may have closed the client.
    if (this.state === 'closed' || this.#link) return;
    if (this.#turn(link, code)) return this.#dial();
    const [, ordered] = /retry in (\d+) ms/.exec(reason) ?? [];
    this.#ordered = ordered !== undefined;
    const wait = this.#backoff();
    // Whoever is sent away again and again does not come as often as it is told to.
    const delay = this.#failures > PATIENCE ? Math.max(ordered ?? 0, wait) : +(ordered ?? wait);
    this.#after(delay, () => this.#dial());
    this.#set('waiting', { code, reason, delay });
  }

  /** After a failure, chooses how to dial next; true if at once, because that way was not tried yet. */
  #turn(link, code) {
    const { WebSocket, fetch } = this.#options;
    if (!link.dialled || link.steady || (code !== 1006 && code !== 1005) || !WebSocket || !fetch) return false;
    const often = this.#failures >= PATIENCE;
    // A proxy may let the handshake through and then cut; once, that may have been anything.
    if (link.welcomed && !often) return false;
    this.#streaming = !link.stream && (!this.#worked || often);
    return this.#streaming && (!this.#worked || link.welcomed);
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
    const stranger = code === 1008 && /token|auth/.test(reason);
    // The server has several words for one thing, by what else it was waiting for.
    if (stranger && !this.#token) reason = 'token required';
    const word = stranger ? 'unauthorized' : 'closed';
    const message = `closed: ${reason || code}`;
    this.state = 'closed';
    this.#why = { code: word, message };
    const fail = () => [...this.#pending.values()].forEach((it) => it.bound || this.#fail(it, word, message));
    // What a stranger said was not done. What others sent may have been.
    if (stranger) fail();
    this.#drop();
    clearTimeout(this.#timer);
    this.#page.abort();
    this.#set('closed', { code, reason });
    fail();
    for (const room of [...this.rooms.values()]) {
      end(room, word, new SwitchboardError(word, message, { room: room.name }));
    }
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
    if (this.state === 'closed') return;
    this.#ordered = false;
    clearTimeout(this.#timer);
    this.#set('waiting', { code: 1000, reason: 'the page sleeps' });
  }
}

/**
 * Connects to the server at `url`: its address with `http`, `https`, `ws` or `wss`, or a path on the page's own. Throws a
 * `TypeError` if it is neither. The client connects at once and stays connected, until it is closed or the server says that
 * coming back is useless.
 */
export const connect = (url, options) => new Client(url, options);
