/** A room that is left and joined anew in one breath, as when a page changes or a framework mounts twice. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { connect } from '../switchboard.js';
import { JOINED, WELCOME, joined, message, outcome, pass, record, settle, start, token } from './harness.js';
import { inbox, serve, skip } from './relay.js';

const kinds = (events) => events.map(([type, value]) => [type, value.data ?? value.position ?? value.reason]);

/** A client whose stream of another room is open, so that it joins the lobby by a post. */
const streaming = async () => {
  const { client, http } = await start({ socket: false, stream: true, rooms: ['other'] });
  const [stream] = http.streams;
  await stream.open();
  await stream.say(WELCOME);
  return { client, http, stream };
};

test('each answer is for the room that asked, over a socket', async () => {
  const { client, socket } = await start();
  await socket().welcome();
  const first = client.join('lobby', { history: 2 });
  const before = record(first);
  const left = outcome(first.leave());
  const second = client.join('lobby', { history: 2 });
  const events = record(second);
  const [one, two, three] = socket().take();
  assert.deepEqual([one.type, two.type, three.type], ['join', 'leave', 'join']);
  const history = [message(3), message(4)];
  const people = { type: 'user_joined', room: 'lobby', user: 'bob', count: 2 };
  await socket().say({ ...JOINED, id: one.id, history }, message(5), people, { type: 'left', room: 'lobby', id: two.id });
  assert.deepEqual([events, kinds(before)], [[], [['left', undefined]]]);
  assert('value' in left);
  await socket().say({ ...JOINED, id: three.id, position: 'e:5', history: [message(4), message(5)] }, message(6));
  assert.deepEqual(kinds(events), [['joined', 'e:5'], ['message', 4], ['message', 5], ['message', 6]]);
});

test('a refusal is for the room that asked', async () => {
  const { client, socket } = await start();
  await socket().welcome();
  client.join('lobby').leave();
  const second = client.join('lobby');
  const events = record(second);
  const [one, , three] = socket().take();
  await socket().say({ type: 'error', id: one.id, room: 'lobby', code: 'room_full', message: '' });
  assert.deepEqual([events, client.rooms.get('lobby')], [[], second]);
  await socket().say({ ...JOINED, id: three.id });
  assert.equal((await second.joined).position, 'e:4');
});

test('a room is left in the order of the joins, before the server knows the token too', async () => {
  const { client, socket } = await start({ token: token('t'), inbox: false });
  const first = client.join('lobby');
  await socket().welcome();
  first.leave();
  client.join('lobby');
  assert.deepEqual(socket().take().map(({ type }) => type), ['auth', 'join', 'leave', 'join']);
});

test('over a stream, what was on its way to the old room is not told to the new one', async () => {
  const { client, http, stream } = await streaming();
  client.join('lobby').leave();
  const room = client.join('lobby', { history: 1 });
  const events = record(room);
  const [one] = http.posts[0].frames;
  await http.posts[0].reply(200, [{ ...JOINED, id: one.id }]);
  await stream.say(message(5));
  const [leave, join] = http.posts[1].frames;
  await http.posts[1].reply(200, [
    { type: 'left', room: 'lobby', id: leave.id },
    { ...JOINED, id: join.id, position: 'e:7', history: [message(7)] },
  ]);
  // The first was missed by the history, the second is in it; the stream is slower than the post.
  await stream.say(message(6));
  await stream.say(message(7));
  await stream.say({ ...message(0, 'unstored'), position: undefined });
  await stream.say(message(8));
  assert.deepEqual(kinds(events), [['joined', 'e:7'], ['message', 7], ['message', 'unstored'], ['message', 8]]);
});

test('the room that a stream begins with can be left before it has begun', async () => {
  const { client, http } = await start({ socket: false, stream: true, rooms: ['lobby'] });
  const [stream] = http.streams;
  const first = client.rooms.get('lobby');
  await first.leave();
  const second = client.join('lobby', { history: 1 });
  const [before, events] = [record(first), record(second)];
  await stream.open();
  await stream.say(WELCOME);
  await stream.say(JOINED);
  await stream.say(message(5));
  const frames = http.posts.flatMap((post) => post.frames);
  assert.deepEqual(frames.map(({ type }) => type), ['leave']);
  await http.posts[0].reply(200, [{ type: 'left', room: 'lobby', id: frames[0].id }]);
  const [join] = http.posts[1].frames;
  await http.posts[1].reply(200, [{ ...JOINED, id: join.id, position: 'e:5', history: [message(5)] }]);
  await stream.say(message(6));
  assert.deepEqual([before, kinds(events)], [[], [['joined', 'e:5'], ['message', 5], ['message', 6]]]);
});

test('who comes and goes before the answer to a post is told behind it', async () => {
  const { client, http, stream } = await streaming();
  const room = client.join('lobby');
  const events = record(room);
  const { frames, reply } = http.posts[0];
  await stream.say({ type: 'user_joined', room: 'lobby', user: 'bob', count: 2 });
  await stream.say({ type: 'gap', room: 'lobby', from: 'e:5', to: 'e:6' });
  assert.deepEqual(events, []);
  await reply(200, [{ ...JOINED, id: frames[0].id }]);
  assert.deepEqual(events.map(([type]) => type), ['joined', 'user_joined', 'gap']);
  assert.equal(room.count, 2);
});

test('who is there may be told anew without having been asked, and nothing else changes', async () => {
  const all = await joined();
  await all.socket().end(1006);
  await pass(1_000);
  await all.socket().welcome();
  const [{ id }] = all.socket().take();
  await all.socket().say({ ...JOINED, id, recovered: true }, message(5));
  all.events.length = 0;
  const anew = { ...JOINED, position: 'e:5', count: 7 };
  await all.socket().say(anew);
  assert.deepEqual(all.events, [['joined', anew]]);
  assert.deepEqual([all.room.count, all.room.position], [7, 'e:5']);

  const { client, http, stream } = await streaming();
  const room = client.join('lobby');
  const events = record(room);
  await stream.say(anew);
  assert.deepEqual(events, []);
  await http.posts[0].reply(200, [{ ...JOINED, id: http.posts[0].frames[0].id }]);
  await stream.say(anew);
  assert.deepEqual(events.map(([type, { count }]) => [type, count]), [['joined', 1], ['joined', 7]]);
});

test('a message that its room\'s listener leaves at is the last', async () => {
  const { room, events, socket } = await joined();
  room.on('message', () => room.leave());
  await socket().say(message(5), message(6));
  assert.deepEqual(events.filter(([type]) => type === 'message').length, 1);
  const { client, socket: other } = await start();
  const left = client.join('lobby', { history: 2 });
  const heard = [];
  left.on('message', ({ data }) => (heard.push(data), left.leave()));
  await other().welcome();
  await other().say({ ...JOINED, id: other().take()[0].id, history: [message(3), message(4)] });
  await settle();
  assert.deepEqual(heard, [3]);
});

test('leaving settles when the link is lost', async () => {
  const { room, socket } = await joined();
  const left = outcome(room.leave());
  await socket().end(1006);
  await pass(0);
  assert('value' in left);
});

for (const kind of ['socket', 'stream']) {
  test(`the real server and a ${kind} agree on who is where`, { skip, timeout: 60_000 }, async (t) => {
    const server = await serve();
    t.after(() => server.stop());
    for (const data of ['old', 'older', 'oldest']) await server.publish('lobby', data);
    const client = connect(server.url, { user: 'ann', ...(kind === 'socket' ? { WebSocket, fetch: null } : { WebSocket: null }) });
    t.after(() => client.close());
    const states = inbox(client, 'state');
    client.join('other');
    for (const when of ['connecting', 'online']) {
      if (when === 'online') await states.next((_, state) => state === 'online');
      const first = client.join('lobby', { history: 3 });
      const told = [];
      first.on('message', ({ data }) => told.push(data));
      first.leave();
      for (let again = 0; again < 5; again++) client.join('lobby', { history: 3 }).leave();
      const last = client.join('lobby', { history: 3 });
      const heard = inbox(last, 'message');
      await last.joined;
      await server.publish('lobby', when);
      const data = [];
      while (data.at(-1) !== when) data.push((await heard.next())[1].data);
      assert.equal(data.length, 4);
      assert.equal(new Set(data).size, 4);
      assert.equal((await server.call('GET', '/api/rooms/lobby')).connections, 1);
      await last.leave();
      assert.equal((await server.call('GET', '/api/rooms/lobby')).connections, 0);
      assert.deepEqual(told, []);
    }
  });
}
