/** Server-Sent Events where WebSockets do not work. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JOINED, WELCOME, message, outcome, pass, record, settle, start, token } from './harness.js';

const ONLY_STREAMS = { socket: false, stream: true };
const BOTH = { stream: true };

/** A client over a stream that is in `lobby`, which the stream itself brings. */
async function streaming(options) {
  const all = await start({ ...ONLY_STREAMS, rooms: ['lobby'], ...options });
  const room = all.client.join('lobby');
  const stream = await begin(all);
  const events = record(room);
  await stream.say({ ...JOINED, position: 'e:4' });
  return { ...all, room, events, stream };
}

async function begin({ http }, fields) {
  const stream = http.streams.at(-1);
  await stream.open();
  await stream.say({ ...WELCOME, ...fields });
  return stream;
}

const query = ({ url }) => Object.fromEntries(url.searchParams);

test('one room is in the address, the others join by post', async () => {
  const { client, http } = await start({ ...ONLY_STREAMS, rooms: ['a', 'b'], user: 'ann', token: 't' });
  assert.equal(http.streams[0].url.href, 'https://push.test/sse?user=ann&room=a&token=t');
  await begin({ http }, { user: 'ann', connection: 'c/1' });
  assert.equal(client.state, 'online');
  const [post] = http.posts;
  assert.equal(post.url.href, 'https://push.test/sse/c%2F1?user=ann&token=t');
  assert.deepEqual(
    post.frames.map(({ type, room }) => [type, room]),
    [['join', 'b']],
  );
  await post.reply(200, [{ ...JOINED, room: 'b', id: post.frames[0].id }]);
  assert.deepEqual(http.posts[1].frames.map(({ room }) => room), ['$me']);
});

test('without a room the inbox keeps the stream', async () => {
  const { http } = await start(ONLY_STREAMS);
  assert.deepEqual(query(http.streams[0]), { room: '$me' });
});

test('a stream is read in any pieces', async () => {
  const { client, http } = await start({ ...ONLY_STREAMS, rooms: ['lobby'] });
  const events = record(client.rooms.get('lobby'));
  const text =
    `retry: 3000\r\n\r\n: ping\n\nevent: welcome\nid: \ndata: ${JSON.stringify(WELCOME)}\r\n\r\n` +
    `event: joined\ndata:${JSON.stringify(JOINED)}\n\n` +
    `event: close\nid: e:5\ndata: {"type":"message","room":"lobby",\ndata: "position":"e:5","data":"€"}\n\n`;
  await http.streams[0].open();
  for (const byte of new TextEncoder().encode(text)) await http.streams[0].bytes([byte]);
  assert.equal(client.connection, 'c1');
  assert.deepEqual(
    events.map(([type, frame]) => [type, frame.data]),
    [
      ['joined', undefined],
      ['message', '€'],
    ],
  );
});

test('a stream resumes after the last message that came', async () => {
  const all = await streaming();
  await all.stream.say(message(5));
  await all.stream.end();
  assert.equal(all.log.at(-1)[1].code, 1006);
  await pass(500);
  assert.deepEqual(query(all.http.streams.at(-1)), { room: 'lobby', last_event_id: 'e:5' });
  const stream = await begin(all);
  await stream.say({ ...JOINED, recovered: true, position: 'e:7' });
  assert.deepEqual(all.events.at(-1).slice(0, 2), ['recovered', true]);
  // What was missed is still on its way, so the position is not that of `joined`.
  await stream.say(message(6));
  await stream.end();
  await pass(1000);
  assert.equal(query(all.http.streams.at(-1)).last_event_id, 'e:6');
});

test('a stream that could not resume goes on from where the room is', async () => {
  const all = await streaming();
  await all.stream.end();
  await pass(500);
  const stream = await begin(all);
  await stream.say({ ...JOINED, recovered: false, position: 'f:9' });
  assert.deepEqual(all.events.at(-1).slice(0, 2), ['recovered', false]);
  assert.equal(all.room.position, 'f:9');
});

test('the history of a first join is asked for in the address', async () => {
  const join = (client) => client.join('lobby', { history: 3 });
  const { http } = await start(ONLY_STREAMS, 0.5, join);
  assert.deepEqual(query(http.streams[0]), { room: 'lobby', history: '3' });
});

test('messages that overtake the answer to a post wait for it', async () => {
  const { client, http, stream } = await streaming();
  const room = client.join('b');
  const events = record(room);
  await stream.say({ ...message(2), room: 'b' });
  assert.deepEqual(events, []);
  const [{ frames, reply }] = http.posts;
  await reply(200, [{ ...JOINED, room: 'b', id: frames[0].id, position: 'e:1' }]);
  assert.deepEqual(events.map(([type]) => type), ['joined', 'message']);
  assert.equal(room.position, 'e:2');
});

test('requests are posted one body after the other', async () => {
  const { room, http } = await streaming();
  const replies = [room.publish(1), room.publish(2), room.publish('x'.repeat(40_000)), room.publish(3)].map(outcome);
  room.typing();
  assert.deepEqual(http.posts.map(({ frames }) => frames.map(({ data }) => data)), [[1]]);
  const answer = ({ frames }) =>
    frames.filter(({ id }) => id).map(({ id }) => ({ type: 'published', id, room: 'lobby', position: `e:${id}` }));
  await http.posts[0].reply(200, answer(http.posts[0]));
  await http.posts[1].reply(200, answer(http.posts[1])[0]);
  await http.posts[2].reply(200, answer(http.posts[2]));
  assert.deepEqual(
    http.posts.map(({ frames }) => frames.map(({ type, data }) => (type === 'typing' ? type : String(data).length))),
    [[1], [1], [40_000], [1, 'typing']],
  );
  await http.posts[3].reply(200, answer(http.posts[3]));
  assert(replies.every(({ value }) => value.type === 'published'));
});

test('a refused post refuses each of its requests', async () => {
  const { client, room, http } = await streaming();
  const reply = outcome(room.publish(1));
  await http.posts[0].reply(413, { error: { code: 'too_large', message: 'no' } });
  assert.equal(reply.code, 'too_large');
  assert.equal(client.state, 'online');
});

for (const [what, answer] of [
  ['that finds no stream', ({ reply }) => reply(404, { error: {} })],
  ['that fails', ({ fail }) => fail()],
  ['without JSON', ({ reply }) => reply(200, undefined)],
  ['without an answer', () => pass(10_000)],
]) {
  test(`a post ${what} means that the stream is lost`, async () => {
    const { client, room, http, stream } = await streaming();
    room.publish(1);
    await answer(http.posts[0]);
    assert.equal(client.state, 'waiting');
    assert.equal(stream.signal.aborted, true);
  });
}

test('a stream ends as its close event says', async () => {
  const all = await streaming();
  await all.stream.say({ type: 'close', code: 1001, reason: 'retry in 4321 ms' }, 'close');
  await all.stream.end();
  assert.deepEqual(all.log.at(-1)[1], { code: 1001, reason: 'retry in 4321 ms', delay: 4321 });
  await pass(4321);
  const stream = await begin(all);
  await stream.say({ type: 'close', code: 4000, reason: 'bye' }, 'close');
  assert.deepEqual(all.log.at(-1), ['closed', { code: 4000, reason: 'bye' }]);
});

test('a silent stream is given up, comments keep it', async () => {
  const { client, stream, http } = await streaming();
  await pass(25_000);
  await pass(9_000);
  await stream.write(': ping\n');
  await pass(25_000);
  await pass(9_999);
  assert.equal(client.state, 'online');
  await pass(1);
  assert.equal(client.state, 'waiting');
  assert.equal(http.posts.length, 0);
});

test('a stream that says something but no welcome is given up', async () => {
  const { client, http } = await start(ONLY_STREAMS);
  await http.streams[0].open();
  await pass(5_000);
  await http.streams[0].write(': ping\n\n');
  await pass(4_999);
  assert.equal(client.state, 'connecting');
  await pass(1);
  assert.equal(client.state, 'waiting');
});

test('a stream that nobody lets in is the end, unless a fresh token helps', async () => {
  const { client, http } = await start({ ...ONLY_STREAMS, token: token('old'), getToken: () => token('new') });
  await http.streams[0].reply(401, { error: { code: 'unauthorized', message: 'token expired' } });
  await pass(500);
  assert.equal(query(http.streams[1]).token, token('new'));
  await http.streams[1].reply(401, { error: { code: 'unauthorized', message: 'token expired' } });
  assert.equal(client.state, 'closed');
});

test('a refused room does not keep the others out', async () => {
  const { client, http } = await start({ ...ONLY_STREAMS, rooms: ['secret', 'bad', 'lobby'] });
  assert.equal(query(http.streams[0]).room, 'secret');
  const refusals = ['secret', 'bad'].map((name) => outcome(client.rooms.get(name).joined));
  await http.streams[0].reply(403, { error: { code: 'forbidden', message: 'no' } });
  await http.streams[1].reply(400, { error: { code: 'bad_room', message: 'no' } });
  assert.deepEqual(refusals.map(({ code }) => code), ['forbidden', 'bad_room']);
  await begin({ http });
  assert.deepEqual([client.state, [...client.rooms.keys()]], ['online', ['lobby']]);
});

test('who may not even have an inbox waits for a room', async () => {
  const { client, http } = await start(ONLY_STREAMS);
  await http.streams[0].reply(403, { error: { code: 'forbidden', message: 'no' } });
  await pass(3_600_000);
  assert.deepEqual([client.state, http.streams.length], ['waiting', 1]);
  client.join('lobby');
  await settle();
  assert.equal(query(http.streams[1]).room, 'lobby');
});

test('a server that is busy says when to come back', async () => {
  const { log, http } = await start(ONLY_STREAMS);
  await http.streams[0].reply(503, { error: {} }, { 'retry-after': '4' });
  assert.equal(log.at(-1)[1].delay, 6000);
  await pass(6000);
  await http.streams[1].reply(429, undefined);
  assert.deepEqual(log.at(-1)[1], { code: 1006, reason: '', delay: 1000 });
});

test('where WebSockets are blocked, a stream is tried at once, and kept', async () => {
  const { client, http, socket, sockets } = await start({ ...BOTH, rooms: ['lobby'] });
  await socket().end(1006);
  assert.equal(http.streams.length, 1);
  const stream = await begin({ http });
  assert.equal(client.state, 'online');
  await stream.end();
  await pass(500);
  assert.deepEqual([http.streams.length, sockets()], [2, 1]);
});

test('where a WebSocket opens and stays silent, a stream is tried', async () => {
  const { http } = await start({ ...BOTH, rooms: ['lobby'] });
  await pass(10_000);
  assert.equal(http.streams.length, 1);
});

test('where a page may not use WebSockets, a stream is tried', async () => {
  class Forbidden {
    constructor() {
      throw new Error('blocked by policy');
    }
  }
  const { http } = await start({ ...BOTH, rooms: ['lobby'], WebSocket: Forbidden });
  assert.equal(http.streams.length, 1);
});

test('where neither works, both are tried each time', async () => {
  const { log, http, socket, sockets } = await start(BOTH);
  for (const round of [1, 2, 3]) {
    await socket().end(1006);
    assert.deepEqual([sockets(), http.streams.length], [round, round]);
    await http.streams.at(-1).fail();
    assert.equal(log.at(-1)[0], 'waiting');
    await pass(30_000);
  }
  assert.equal(sockets(), 4);
});

test('where WebSockets worked before, a stream is tried only after three failures', async () => {
  const { http, socket, sockets } = await start(BOTH);
  await socket().welcome();
  await socket().end(1006);
  for (let failure = 0; failure < 3; failure++) {
    assert.equal(http.streams.length, 0);
    await pass(30_000);
    await socket().end(1006);
  }
  await pass(30_000);
  assert.deepEqual([sockets(), http.streams.length], [4, 1]);
  await http.streams[0].fail();
  await pass(30_000);
  assert.equal(sockets(), 5);
});

test('a link that was welcomed or refused says nothing about WebSockets', async () => {
  const { client, http, socket } = await start(BOTH);
  await socket().end(1008, 'invalid token');
  assert.deepEqual([client.state, http.streams.length], ['closed', 0]);
});

test('a callback that fails says nothing about WebSockets', async () => {
  let asked = 0;
  const { log } = await start({ ...BOTH, getToken: () => Promise.reject(new Error(`no ${++asked}`)) });
  assert.deepEqual([log.at(-1)[0], asked], ['waiting', 1]);
});
