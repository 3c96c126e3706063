/** Links that do not last, and what is left of a client that is closed. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { JOINED, joined, message, outcome, pass, settle, start, token, WELCOME } from './harness.js';

const MINUTES = 60_000;

test('a link that is welcomed and lost again and again is dialled ever more seldom', async () => {
  for (const lives of [0, 1_000, 14_000]) {
    const { socket, sockets } = await start();
    let seen = 0;
    for (let time = 0; time < 5 * MINUTES; time += 500) {
      if (sockets() > seen) {
        seen = sockets();
        const one = socket();
        await one.welcome();
        setTimeout(() => one.onclose({ code: 1006, reason: '' }), lives);
      }
      await pass(500);
    }
    assert(seen > 5 && seen < 30, `${seen} links that live ${lives} ms`);
  }
});

test('where a proxy welcomes and cuts, a stream is tried after three more failures, and at once', async () => {
  for (const code of [1006, 1005]) {
    const { client, http, socket, sockets } = await start({ stream: true, rooms: ['lobby'] });
    for (let link = 1; link <= 4; link++) {
      assert.deepEqual([sockets(), http.streams.length], [link, 0]);
      await socket().welcome();
      await socket().end(code);
      if (link < 4) await pass(30_000);
    }
    assert.equal(http.streams.length, 1);
    await http.streams[0].open();
    await http.streams[0].say(WELCOME);
    assert.equal(client.state, 'online');
    // It is kept, and where streams do not last either, WebSockets are tried again.
    await http.streams[0].end();
    await pass(30_000);
    assert.deepEqual([sockets(), http.streams.length], [5, 1]);
    client.close();
  }
});

test('a server that goes away by its own word says nothing about WebSockets', async () => {
  const { http, socket } = await start({ stream: true });
  for (let link = 0; link < 8; link++) {
    await socket().welcome();
    await socket().end([1001, 1013, 4100, 4101][link % 4]);
    await pass(30_000);
  }
  assert.equal(http.streams.length, 0);
});

test('who is sent away again and again comes ever more seldom, and never sooner than told', async () => {
  const { log, socket } = await start();
  const delays = [];
  for (const told of [5, 5, 5, 5, 5, 60_000]) {
    await socket().welcome();
    await socket().end(1001, `retry in ${told} ms`);
    delays.push(log.at(-1)[1].delay);
    await pass(60_000);
  }
  assert.deepEqual(delays, [5, 5, 5, 4_000, 8_000, 60_000]);
});

test('a room that the server cannot take now is asked for ever more seldom', async () => {
  const { client, socket } = await start();
  client.join('lobby');
  await socket().welcome({ ping_interval_s: 1000 });
  const waits = [];
  for (let round = 0; round < 7; round++) {
    await socket().say({ type: 'error', id: socket().take()[0].id, code: 'unavailable', message: '' });
    let wait = 0;
    for (; !socket().sent.length; wait += 500) await pass(500);
    waits.push(wait);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 15000, 15000]);
});

test('a full room that a stream begins with does not keep the others out', async () => {
  const { client, http } = await start({ socket: false, stream: true, rooms: ['full', 'lobby'] });
  const full = outcome(client.rooms.get('full').joined);
  await http.streams[0].open();
  await http.streams[0].say(WELCOME);
  await http.streams[0].say({ type: 'error', code: 'room_full', message: 'full', room: 'full' });
  await http.streams[0].say({ type: 'close', code: 1013, reason: 'the room cannot be joined now' }, 'close');
  assert.equal(full.code, 'room_full');
  await pass(1_000);
  assert.equal(http.streams[1].url.searchParams.get('room'), 'lobby');
});

test('a stream posts no more requests at once than the server takes', async () => {
  const rooms = Array.from({ length: 128 }, (_, number) => `r${number}`);
  const { http } = await start({ socket: false, stream: true, rooms });
  await http.streams[0].open();
  await http.streams[0].say(WELCOME);
  // The first goes out alone, what waits meanwhile goes out together.
  let posts = 0;
  for (; posts < http.posts.length; posts++) {
    const { frames, reply } = http.posts[posts];
    assert(frames.length <= 100, `${frames.length} at once`);
    await reply(200, frames.map(({ id, room }) => ({ ...JOINED, id, room })));
  }
  assert.equal(http.posts.reduce((sum, { frames }) => sum + frames.length, 0), 127);
});

test('a refusal of a post in a proxy\'s words is the refusal of its requests alone', async () => {
  const { client, http } = await start({ socket: false, stream: true, rooms: ['lobby'] });
  await http.streams[0].open();
  await http.streams[0].say(WELCOME);
  await http.streams[0].say(JOINED);
  const late = client.join('late');
  await http.posts[0].reply(503, 'busy', { 'retry-after': '2' });
  await pass(1_999);
  assert.equal(http.posts.length, 1);
  await pass(1);
  assert.deepEqual(http.posts[1].frames.map(({ type, room }) => [type, room]), [['join', 'late']]);
  await http.posts[1].reply(200, [{ ...JOINED, room: 'late', id: http.posts[1].frames[0].id }]);
  const reply = client.rooms.get('lobby').publish(1);
  await http.posts[2].reply(403, 'no');
  await assert.rejects(reply, { code: 'http_403' });
  assert.deepEqual([client.state, (await late.joined).room], ['online', 'late']);
});

const CLOSING = {
  connecting: async () => {},
  'a token asked for': async () => {},
  welcomed: async ({ socket }) => socket().welcome(),
  online: async ({ client, socket }) => {
    client.join('a');
    await socket().welcome();
    client.rooms.get('a').publish(1);
  },
  'a busy room': async ({ client, socket }) => {
    client.join('a');
    await socket().welcome();
    await socket().say({ type: 'error', id: socket().take()[0].id, code: 'unavailable' });
  },
  waiting: async ({ client, socket }) => {
    await socket().end(1006);
    client.join('a').publish(1);
    client.rooms.get('a').members();
  },
};

for (const [state, reach] of Object.entries(CLOSING)) {
  test(`closed while ${state}, a client leaves no timer and no promise behind`, async (t) => {
    const timers = new Set();
    const all = await start(state === 'a token asked for' ? { getToken: () => new Promise(() => {}) } : {}, 0.5, () => {});
    const [set, clear] = [globalThis.setTimeout, globalThis.clearTimeout];
    t.mock.method(globalThis, 'setTimeout', (what, ...rest) => {
      const timer = set(() => (timers.delete(timer), what()), ...rest);
      timers.add(timer);
      return timer;
    });
    t.mock.method(globalThis, 'clearTimeout', (timer) => (timers.delete(timer), clear(timer)));
    await reach(all);
    const room = all.client.join('late');
    room.typing();
    const replies = [room.publish(1), room.publish(1, { idempotencyKey: 'k' }), room.members(), room.history(), room.joined];
    const ends = replies.map(outcome);
    const iterated = (async () => {
      for await (const _ of room);
    })();
    all.client.close();
    await iterated;
    await settle();
    assert(ends.every(({ code }) => code === 'closed' || code === 'disconnected'), JSON.stringify(ends));
    await room.leave();
    room.typing();
    all.client.join('later', null).typing();
    all.client.close();
    assert.equal(timers.size, 0);
    assert.equal(all.client.state, 'closed');
  });
}

const LISTENERS = {
  connecting: ({ client }) => client.on('state', (state) => state === 'connecting' && client.close()),
  waiting: ({ client }) => client.on('state', (state) => state === 'waiting' && client.close()),
  online: ({ client }) => client.on('state', (state) => state === 'online' && client.close()),
  closed: ({ client }) => client.on('state', (state) => state === 'closed' && client.close()),
  dropped: ({ client }) => client.on('dropped', () => client.close()),
  error: ({ client, room }) => room.on('error', () => client.close()),
  joined: ({ client, room }) => room.on('joined', () => client.close()),
  message: ({ client, room }) => room.on('message', () => client.close()),
  left: ({ client, room }) => room.on('left', () => client.close()),
};

for (const [event, listen] of Object.entries(LISTENERS)) {
  test(`a client that its listener for ${event} closes stays closed`, async () => {
    const all = await start();
    const { client, socket } = all;
    const room = client.join('lobby');
    const bad = client.join('bad');
    listen({ client, room, bad });
    client.on('state', () => {});
    const replies = [room.publish('x'.repeat(70_000)), room.publish(2), room.members()].map(outcome);
    const one = socket();
    await one.welcome();
    const join = one.sent.find(({ room }) => room === 'lobby');
    if (!one.closed) await one.say({ ...JOINED, id: join?.id, history: [message(3), message(4)] }, message(5));
    if (!one.closed) await one.say({ type: 'error', room: 'lobby', code: 'forbidden' }, { type: 'left', room: 'lobby' });
    room.publish(3);
    if (!one.closed) await one.end(1006);
    for (let round = 0; round < 5; round++) await pass(30_000);
    client.close();
    await settle();
    assert.equal(client.state, 'closed');
    assert(replies.every(({ code }) => code), JSON.stringify(replies));
  });
}

test('a client that is closed by who hears what was lost stays closed', async () => {
  const { client, room, socket, sockets } = await joined();
  const reply = outcome(room.publish(1));
  client.on('dropped', () => client.close());
  await socket().end(1006);
  for (let round = 0; round < 5; round++) await pass(30_000);
  assert.deepEqual([client.state, sockets(), reply.code], ['closed', 1, 'disconnected']);
});

test('a thousand links later a room is in order, and nothing has grown', async () => {
  const all = await joined();
  const { client, room, socket } = all;
  const heard = [];
  room.on('message', ({ data }) => heard.push(data));
  let last = 4;
  for (let link = 0; link < 1_000; link++) {
    await socket().say(message(++last));
    await socket().end(1006);
    await pass(30_000);
    await socket().welcome();
    const [join, ...rest] = socket().take();
    assert.deepEqual([join.since, rest], [`e:${last}`, []]);
    const missed = [message(++last), message(++last)];
    await socket().say({ ...JOINED, id: join.id, recovered: true, position: `e:${last}`, history: missed });
  }
  assert.deepEqual(heard, Array.from({ length: 3_000 }, (_, at) => at + 5));
  assert.equal(client.rooms.size, 1);
});

test('a page that opens and closes clients keeps no listeners', async (t) => {
  const kept = new Set();
  const listen = (type, listener, { signal }) => {
    kept.add(listener);
    signal.addEventListener('abort', () => kept.delete(listener));
  };
  globalThis.addEventListener = listen;
  t.after(() => delete globalThis.addEventListener);
  for (let round = 0; round < 100; round++) {
    const { client, socket } = await start();
    if (round % 2) await socket().end(1008, 'token required');
    else client.close();
  }
  assert.equal(kept.size, 0);
});

test('a process ends by itself once its client is closed, whatever the client was doing', { timeout: 60_000 }, async (t) => {
  const mute = createServer(() => {}).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.after(() => mute.close());
  const url = `http://127.0.0.1:${mute.address().port}`;
  const code = `
    import { connect } from ${JSON.stringify(new URL('../switchboard.js', import.meta.url).href)};
    import { WebSocket } from ${JSON.stringify(import.meta.resolve('ws'))};
    const clients = [null, WebSocket].flatMap((WebSocket) => [${JSON.stringify(url)}, 'http://127.0.0.1:1'].map(
      (url) => connect(url, { WebSocket, token: ${JSON.stringify(token('t'))} })));
    for (const client of clients) client.join('a').publish(1);
    setTimeout(() => clients.forEach((client) => client.close()), 200);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  t.after(() => child.kill());
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
