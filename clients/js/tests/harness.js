/** A client between a clock that stands still and a server that says what the test says. */

import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { connect } from '../switchboard.js';

/** Lets everything that is due without the clock happen. */
export async function settle() {
  for (let turn = 0; turn < 8; turn++) await new Promise(setImmediate);
}

/** Moves the clock on. */
export async function pass(milliseconds) {
  mock.timers.tick(milliseconds);
  await settle();
}

export const WELCOME = {
  type: 'welcome',
  connection: 'c1',
  user: null,
  ping_interval_s: 25,
  max_message_bytes: 65536,
};

/** What looks like a token. */
export const token = (name) => `head.${name}.signature`;

/** The server's end of a WebSocket. */
export class FakeSocket {
  sent = [];
  closed = false;

  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
    FakeSocket.all.push(this);
  }

  send(text) {
    assert(!this.closed, 'nothing is sent on a closed socket');
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }

  /** What the client sent since the last call. */
  take() {
    return this.sent.splice(0);
  }

  async say(...frames) {
    for (const frame of frames) this.onmessage({ data: JSON.stringify(frame) });
    await settle();
  }

  async welcome(fields) {
    await this.say({ ...WELCOME, ...fields });
  }

  async end(code, reason = '') {
    this.onclose({ code, reason });
    await settle();
  }
}

/** A `fetch` whose streams and answers the test holds. */
export class FakeFetch {
  streams = [];
  posts = [];

  fetch = (url, { method = 'GET', body, signal }) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      const reply = (status, value, headers) => {
        resolve(new Response(JSON.stringify(value), { status, headers }));
        return settle();
      };
      const call = { url: new URL(url), signal, reply, fail: () => (reject(new TypeError('network')), settle()) };
      if (method === 'POST') this.posts.push({ ...call, frames: JSON.parse(body) });
      else this.streams.push({ ...call, ...this.#stream(signal, resolve) });
    });

  #stream(signal, resolve) {
    let controller;
    const source = new ReadableStream({ start: (it) => void (controller = it) });
    signal.addEventListener('abort', () => controller.error(signal.reason));
    const bytes = (values) => {
      controller.enqueue(Uint8Array.from(values));
      return settle();
    };
    const write = (text) => bytes(new TextEncoder().encode(text));
    return {
      open: () => (resolve(new Response(source)), settle()),
      bytes,
      write,
      say: (frame, event = frame.type) => write(`event: ${event}\ndata: ${JSON.stringify(frame)}\n\n`),
      end: () => (signal.aborted || controller.close(), settle()),
    };
  }
}

/**
 * Starts a client on fake transports; everything it tells is in `log`, as `[type, value]`. `socket` and `stream` say
 * which transports there are, the rest are the client's own options.
 */
export async function start(options = {}, random = 0.5, first = () => {}) {
  mock.timers.reset();
  mock.restoreAll();
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  mock.method(Math, 'random', () => random);
  FakeSocket.all = [];
  const http = new FakeFetch();
  const { socket = true, stream = false, ...rest } = options;
  const transports = { WebSocket: socket ? FakeSocket : null, fetch: stream ? http.fetch : null };
  const client = connect('https://push.test', { ...transports, ...rest });
  const log = [];
  client.on('state', (state, detail) => log.push([state, detail]));
  for (const type of ['error', 'dropped', 'direct', 'notification', 'announcement']) {
    client.on(type, (value) => log.push([type, value]));
  }
  first(client);
  await settle();
  return { client, log, http, socket: () => FakeSocket.all.at(-1), sockets: () => FakeSocket.all.length };
}

/** Starts a client over WebSocket that is in the room `lobby`. */
export async function joined(options, fields = {}) {
  const all = await start(options);
  const room = all.client.join('lobby');
  const events = record(room);
  await all.socket().welcome();
  const [join] = all.socket().take();
  await all.socket().say({ ...JOINED, id: join.id, ...fields });
  return { ...all, room, events };
}

export const JOINED = {
  type: 'joined',
  room: 'lobby',
  position: 'e:4',
  recovered: false,
  history: [],
  count: 1,
  users: [],
};

export const message = (offset, data = offset) => ({
  type: 'message',
  room: 'lobby',
  position: `e:${offset}`,
  from: 'bob',
  data,
  time: '2026-01-01T00:00:00.000Z',
});

/** Everything that a room tells from now on. */
export function record(room) {
  const events = [];
  for (const type of ['message', 'recovered', 'joined', 'gap', 'left', 'error', 'typing', 'user_joined', 'count']) {
    room.on(type, (...values) => events.push([type, ...values]));
  }
  return events;
}

/** How a promise ended: its value, or the code of its error; undefined while it has not. */
export function outcome(promise) {
  const result = {};
  promise.then(
    (value) => (result.value = value),
    (error) => (result.code = error.code),
  );
  return result;
}
