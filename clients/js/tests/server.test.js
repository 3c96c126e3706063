/** The client against the real server: killed, restarted, drained, cut off and gone silent. */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { connect } from '../switchboard.js';
import { inbox, serve, skip, tunnel } from './relay.js';

const options = { skip, timeout: 60_000 };

async function relay(t, settings) {
  const server = await serve(settings);
  t.after(() => server.stop());
  return server;
}

/** A way to the server that the test can cut. */
async function way(t, { port }) {
  const way = await tunnel(port);
  t.after(() => way.close());
  return way;
}

function enter(t, url, user, more) {
  const client = connect(url, { WebSocket, fetch: null, user, ...more });
  t.after(() => client.close());
  return client;
}

const online = (states) => states.next((_, state) => state === 'online');
const data = async (room) => (await room.next((type) => type === 'message'))[1].data;

test('two clients talk in a room', options, async (t) => {
  const { url } = await relay(t);
  const [ann, bob] = [enter(t, url, 'ann'), enter(t, url, 'bob')];
  const rooms = [ann.join('lobby'), bob.join('lobby')];
  const [anns, bobs] = rooms.map((room) => inbox(room, 'message', 'left'));
  await Promise.all(rooms.map(({ joined }) => joined));
  assert.equal(ann.user, 'ann');
  const { position } = await rooms[0].publish({ text: '€' }, { event: 'greeting', echo: false });
  const [, message] = await bobs.next();
  assert.deepEqual([message.from, message.event, message.data], ['ann', 'greeting', { text: '€' }]);
  assert.equal(message.position, position);
  rooms[1].publish('back');
  assert.equal(await data(anns), 'back');
  const { messages } = await rooms[1].history({ limit: 1 });
  assert.deepEqual(messages.map(({ data }) => data), ['back']);
  await rooms[0].leave();
  await assert.rejects(rooms[0].publish('late'), { code: 'not_joined' });
});

test('history comes first, and an answer to a refused join', options, async (t) => {
  const server = await relay(t);
  for (const number of [1, 2, 3]) await server.publish('lobby', number);
  const client = enter(t, server.url);
  const room = client.join('lobby', { history: 2 });
  const events = inbox(room, 'message');
  assert.deepEqual([(await events.next())[1].data, (await events.next())[1].data], [2, 3]);
  await assert.rejects(client.join('not a name').joined, { code: 'bad_room' });
});

test('a position that is lost brings no more than the history that was asked for', options, async (t) => {
  const server = await relay(t);
  for (const number of [1, 2, 3, 4]) await server.publish('lobby', number);
  for (const transport of [{}, { WebSocket: null, fetch: globalThis.fetch }]) {
    const room = enter(t, server.url, 'ann', transport).join('lobby', { since: 'lost:1', history: 2 });
    const events = inbox(room, 'recovered', 'message');
    assert.equal((await events.next())[1], false);
    assert.deepEqual([await data(events), await data(events)], [3, 4]);
  }
});

test('a server that was killed is found again, and says that something was missed', options, async (t) => {
  const first = await relay(t);
  const client = enter(t, first.url, 'ann');
  const states = inbox(client, 'state');
  const room = client.join('lobby');
  const events = inbox(room, 'recovered', 'message');
  await room.joined;
  await room.publish('before');
  assert.equal(await data(events), 'before');
  await first.stop();
  await states.next((_, state) => state === 'waiting');
  const waiting = room.publish('meanwhile');
  const second = await relay(t, { port: first.port });
  await online(states);
  assert.equal((await events.next())[1], false);
  assert.equal(await data(events), 'meanwhile');
  await waiting;
  await second.publish('lobby', 'after');
  assert.equal(await data(events), 'after');
});

test('a server that drains is left and found again when it said', options, async (t) => {
  const first = await relay(t, { SWITCHBOARD_DRAIN: '1s' });
  const client = enter(t, first.url, 'ann');
  const states = inbox(client, 'state');
  await client.join('lobby').joined;
  const stopped = first.stop('SIGTERM');
  const [, , { code, reason, delay }] = await states.next((_, state) => state === 'waiting');
  assert.equal(code, 1001);
  assert.equal(reason, `retry in ${delay} ms`);
  const left = Date.now();
  assert.equal(await stopped, 0);
  await relay(t, { port: first.port });
  await online(states);
  // A timer counts from where its loop last looked at the clock, which may be a millisecond early.
  assert(Date.now() - left >= delay - 1);
});

test('a connection that was cut misses nothing', options, async (t) => {
  const server = await relay(t);
  const path = await way(t, server);
  const client = enter(t, path.url, 'ann');
  const room = client.join('lobby');
  const events = inbox(room, 'recovered', 'message');
  await room.joined;
  await server.publish('lobby', 1);
  assert.equal(await data(events), 1);
  path.cut();
  for (const number of [2, 3, 4]) await server.publish('lobby', number);
  assert.deepEqual((await events.next((type) => type === 'recovered'))[1], true);
  await server.publish('lobby', 5);
  assert.deepEqual([await data(events), await data(events), await data(events), await data(events)], [2, 3, 4, 5]);
});

test('a connection that fell silent is noticed and misses nothing', options, async (t) => {
  const server = await relay(t, { SWITCHBOARD_HEARTBEAT__INTERVAL: '1s' });
  const path = await way(t, server);
  const client = enter(t, path.url, 'ann', { timeout: 2_000 });
  const states = inbox(client, 'state');
  const room = client.join('lobby');
  const events = inbox(room, 'recovered', 'message');
  await room.joined;
  await client.rooms.get('$me').joined;
  path.silence();
  await server.publish('lobby', 'unheard');
  assert.equal((await states.next((_, state) => state === 'waiting'))[2].reason, 'silent');
  await online(states);
  assert.equal((await events.next())[1], true);
  assert.equal(await data(events), 'unheard');
});

test('a message that is too large is refused before it is sent', options, async (t) => {
  const { url } = await relay(t);
  const client = enter(t, url);
  const room = client.join('lobby');
  await room.joined;
  await assert.rejects(room.publish('x'.repeat(70_000)), { code: 'too_big' });
  await room.publish('x'.repeat(65_000));
});

test('a stream does what a socket does', options, async (t) => {
  const server = await relay(t);
  const path = await way(t, server);
  const client = enter(t, path.url, 'ann', { WebSocket: null, fetch: globalThis.fetch });
  const rooms = ['lobby', 'news'].map((name) => client.join(name));
  const events = rooms.map((room) => inbox(room, 'recovered', 'message'));
  await Promise.all(rooms.map(({ joined }) => joined));
  const { position } = await rooms[0].publish('one');
  assert.equal((await events[0].next())[1].position, position);
  await rooms[1].publish('two');
  assert.equal(await data(events[1]), 'two');
  path.cut();
  await server.publish('lobby', 'three');
  await server.publish('news', 'four');
  for (const [room, missed] of [
    [0, 'three'],
    [1, 'four'],
  ]) {
    assert.deepEqual((await events[room].next((type) => type === 'recovered'))[1], true);
    assert.equal(await data(events[room]), missed);
  }
  const { messages } = await rooms[1].history();
  assert.deepEqual(messages.map(({ data }) => data), ['two', 'four']);
});

const SECRET = 'a secret of at least thirty-two bytes';

/** A token for `user` that is good for some seconds. */
function mint(user, seconds) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: user, exp: Math.floor(Date.now() / 1000) + seconds };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

test('a token lets in, and a fresh one replaces one that expired', options, async (t) => {
  const { url } = await relay(t, { SWITCHBOARD_AUTH__SECRET: SECRET });
  const stranger = inbox(enter(t, url, 'ann', { rooms: ['lobby'] }), 'state');
  const [, , ended] = await stranger.next((_, state) => state === 'closed');
  assert.deepEqual(ended, { code: 1008, reason: 'token required' });

  const tokens = [mint('ann', -60), mint('ann', 60), mint('ann', 60)];
  const client = enter(t, url, undefined, { token: tokens.shift(), getToken: () => tokens.shift() });
  const states = inbox(client, 'state');
  assert.equal((await states.next((_, state) => state === 'waiting'))[2].reason, 'token expired');
  await online(states);
  assert.equal(client.user, 'ann');
  assert.equal((await client.join('lobby').joined).room, 'lobby');

  const forged = inbox(enter(t, url, undefined, { token: mint('ann', 60).slice(0, -4) + 'AAAA' }), 'state');
  const [, , refused] = await forged.next((_, state) => state === 'closed');
  assert.deepEqual(refused, { code: 1008, reason: 'invalid token' });
});

test('people see each other', options, async (t) => {
  const { url } = await relay(t);
  const [ann, bob] = [enter(t, url, 'ann'), enter(t, url, 'bob')];
  const room = ann.join('lobby');
  const events = inbox(room, 'user_joined', 'user_left', 'typing');
  await room.joined;
  const others = bob.join('lobby');
  await others.joined;
  assert.equal((await bob.direct('nobody', 1)).connections, 0);
  const { users } = await room.members();
  assert.deepEqual(users.map(({ user }) => user).sort(), ['ann', 'bob']);
  assert.deepEqual((await events.next())[1].user, 'bob');
  assert.equal(room.count, 2);
  others.typing();
  assert.deepEqual((await events.next())[1].active, true);
  const got = inbox(ann, 'direct');
  await ann.rooms.get('$me').joined;
  assert.equal((await bob.direct('ann', 'psst')).connections, 1);
  assert.equal((await got.next())[1].data, 'psst');
  await others.leave();
  assert.equal((await events.next((type) => type === 'user_left'))[1].count, 1);
});

test('what is sent to a user comes in order, wherever the connection was cut', options, async (t) => {
  const server = await relay(t);
  const path = await way(t, server);
  const requests = [];
  let held = false;
  // A link whose requests can be kept from the server: from `welcome` on, the inbox is heard unasked.
  class Held extends WebSocket {
    send(text) {
      if (held) requests.push(() => super.send(text));
      else super.send(text);
    }
  }
  const client = enter(t, path.url, 'ann', { WebSocket: Held });
  const [notes, states] = [inbox(client, 'notification'), inbox(client, 'state')];
  await online(states);
  const inboxRoom = client.rooms.get('$me');
  await inboxRoom.joined;
  await server.notify('ann', 1);
  assert.equal((await notes.next())[1].data, 1);
  held = true;
  path.cut();
  await states.next((_, state) => state === 'waiting');
  while ((await server.notify('ann', 2)).connections > 0);
  await online(states);
  await server.notify('ann', 3);
  held = false;
  requests.forEach((send) => send());
  const seen = new Set();
  while (!seen.has(3)) {
    const { data } = (await notes.next())[1];
    assert(data >= Math.max(...seen), `${data} after ${[...seen]}`);
    seen.add(data);
  }
  assert.deepEqual([...seen], [2, 3]);
});

test('the app reaches everybody, and shows the door', options, async (t) => {
  const server = await relay(t);
  const ann = enter(t, server.url, 'ann');
  const stream = enter(t, server.url, 'bob', { WebSocket: null, fetch: globalThis.fetch });
  for (const client of [ann, stream]) {
    const [told, states, room] = [inbox(client, 'announcement'), inbox(client, 'state'), client.join('lobby')];
    const left = inbox(room, 'left');
    await room.joined;
    await server.call('POST', '/api/broadcast', { data: 'hear ye', event: 'town' });
    const [, { event, data }] = await told.next();
    assert.deepEqual([event, data], ['town', 'hear ye']);
    await server.call('DELETE', `/api/rooms/lobby/members/${client.user}`);
    assert.equal((await left.next())[1].reason, 'removed by the app');
    await server.call('DELETE', `/api/users/${client.user}/connections`, { reason: 'enough' });
    const [, , ended] = await states.next((_, state) => state === 'closed');
    assert.deepEqual(ended, { code: 4000, reason: 'enough' });
  }
});
