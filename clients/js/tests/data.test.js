/** What JSON cannot say: it fails by itself, and nothing else does. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined, message, outcome, pass, settle, start, token } from './harness.js';

const cycle = {};
cycle.self = cycle;

const UNSAYABLE = {
  BigInt: 10n,
  cycle,
  'throwing toJSON': { toJSON: () => assert.fail('a mistake of the app') },
  'toJSON that throws nothing': {
    toJSON() {
      throw undefined;
    },
  },
  'toJSON without a value': { toJSON() {} },
  function: () => {},
  symbol: Symbol('s'),
};

const dropped = (log) => log.filter(([type]) => type === 'dropped').map(([, value]) => value);

for (const [what, data] of Object.entries(UNSAYABLE)) {
  test(`a ${what} is refused while there is a link`, async () => {
    const { client, room, log, socket } = await joined();
    const replies = [room.publish(data), client.direct('bob', data)].map(outcome);
    await settle();
    assert.deepEqual(replies.map(({ code }) => code), ['bad_data', 'bad_data']);
    assert.deepEqual(dropped(log).map(({ reason, sent }) => [reason, sent]), [['bad_data', false], ['bad_data', false]]);
    assert.deepEqual(socket().take(), []);
    room.publish('later');
    assert.equal(socket().take()[0].data, 'later');
  });

  test(`a ${what} is refused while there is none, and does not keep the next link`, async () => {
    const { client, room, socket } = await joined();
    await socket().end(1006);
    const replies = [room.publish(data), room.publish('later')].map(outcome);
    await pass(1_000);
    assert.equal(replies[0].code, 'bad_data');
    await socket().welcome();
    assert.equal(client.state, 'online');
    assert.equal(socket().take()[1].data, 'later');
  });
}

test('what is published is what it was then, and the app is told its own value', async () => {
  const { room, log, socket } = await joined();
  await socket().end(1006);
  const data = { n: 1 };
  room.publish(data, { event: 'e', idempotencyKey: 'k' });
  room.publish(data, { store: false });
  data.n = 2;
  assert.deepEqual(dropped(log), [
    {
      type: 'publish',
      room: 'lobby',
      data,
      store: false,
      reason: 'offline',
      message: 'there is no connection, and this does not wait for one',
      sent: false,
    },
  ]);
  await pass(1_000);
  await socket().welcome();
  assert.deepEqual(socket().take()[1].data, { n: 1 });
});

test('what is dropped can be published again as it is told', async () => {
  const { client, room, socket } = await joined({ queue: 0 });
  await socket().end(1006);
  const told = [];
  client.on('dropped', (it) => told.push(it));
  room.publish(1, { event: 'e', echo: false, idempotencyKey: 'k' });
  room.publish(2);
  const { message: words, ...second } = told[1];
  assert.deepEqual(second, { type: 'publish', room: 'lobby', data: 2, reason: 'queue_full', sent: false });
  assert.match(words, /0 messages wait/);
  await pass(1_000);
  await socket().welcome();
  socket().take();
  room.publish(told[0].data, told[0]);
  const [{ id, ...again }] = socket().take();
  assert.deepEqual(again, { type: 'publish', room: 'lobby', data: 1, event: 'e', echo: false, idempotency_key: 'k' });
});

test('options may be null, and fields that JSON cannot say are refused as data is', async () => {
  const { client, room, socket } = await joined();
  const reply = outcome(room.publish(1, null));
  assert.equal(socket().take()[0].data, 1);
  const bad = [room.publish(1, { event: 1n }), client.direct('b', 1, { idempotencyKey: 1n }), client.request(), client.request({ type: 'x', y: 1n })];
  const codes = bad.map(outcome);
  await settle();
  assert.deepEqual(codes.map(({ code }) => code), ['bad_data', 'bad_data', undefined, 'bad_data']);
  await assert.rejects(bad[2], TypeError);
  assert.deepEqual(reply, {});
  assert.throws(() => client.tell({ type: 'x', y: 1n }), TypeError);
  room.typing({ isTrusted: true });
  assert.deepEqual(socket().take(), [{ type: 'typing', room: 'lobby', active: true }]);
});

test('a room by something else than a name is over at once', async () => {
  const { client, socket } = await start();
  const replies = [undefined, null, 7, 7n, {}, Symbol('s')].map((name) => outcome(client.join(name).joined));
  await socket().welcome();
  assert(replies.every(({ code }) => code === 'bad_room'));
  assert.deepEqual([client.state, client.rooms.size, socket().take()], ['online', 0, []]);
});

test('a join that JSON cannot say ends its room, and no other', async () => {
  const { client, socket } = await start();
  const bad = outcome(client.join('a', { since: 1n }).joined);
  client.join('b');
  await socket().welcome();
  assert.equal(bad.code, 'bad_data');
  assert.deepEqual(socket().take().map(({ room }) => room), ['b']);
  assert.equal(client.state, 'online');
});

test('what is too big says how big, and what would not be', async () => {
  const { client, room, log, socket } = await joined();
  socket().take();
  const refused = room.publish('€𝄞'.repeat(20_000));
  await assert.rejects(refused, ({ code, message, size, limit }) => {
    assert.deepEqual([code, size, limit], ['too_big', 140_050, 65_536]);
    assert.match(message, /140050 bytes.*65536/);
    return true;
  });
  assert.match(dropped(log)[0].message, /140050/);
  client.tell({ type: 'x', y: 'z'.repeat(70_000) });
  assert.deepEqual(socket().take(), []);
});

test('an error names its room where the server could not', async () => {
  const { client, log, socket } = await start();
  const room = client.join('not a name');
  const errors = [];
  room.on('error', (error) => errors.push(error));
  await socket().welcome();
  await socket().say({ type: 'error', id: socket().take()[0].id, code: 'bad_room', message: 'no' });
  await assert.rejects(room.joined, { code: 'bad_room', room: 'not a name' });
  assert.equal(errors[0].room, 'not a name');
  assert.deepEqual(Object.keys(errors[0]).sort(), ['code', 'name', 'room']);
  assert.equal(log.some(([type]) => type === 'error'), false);
});

test('what the server says in no words of its own is nothing', async () => {
  const { client, room, socket } = await joined();
  for (const data of ['null', '7', '"x"', '[]', '[null]', 'true', '{', '', new Blob([])]) socket().onmessage({ data });
  await socket().say(message(5));
  assert.deepEqual([client.state, room.position], ['online', 'e:5']);
});

test('a listener is a function', async () => {
  const { client, room } = await joined();
  assert.throws(() => room.on('message'), /the listener for message is no function/);
  assert.throws(() => client.on('state', {}), TypeError);
});

test('a socket that refuses to send is lost, and nothing else is', async () => {
  const { client, room, socket } = await joined();
  socket().send = () => {
    throw new Error('not open');
  };
  const replies = [room.publish(1), room.members()].map(outcome);
  await settle();
  assert.equal(client.state, 'waiting');
  assert.equal(replies[0].code, 'disconnected');
  await pass(1_000);
  await socket().welcome();
  assert.deepEqual(socket().take().map(({ type }) => type), ['join', 'members']);
  assert.equal(client.state, 'online');
});

test('a token that comes as something else is no token', async () => {
  const page = '<!doctype html><title>401 Unauthorized</title>';
  for (const [given, words] of [
    [page, /gave "<!doctype html><title>40…", which is no JSON Web Token/],
    ['Unauthorized', /"Unauthorized…"/],
    ['', /an empty text/],
    [' \n', /an empty text/],
    [{ token: 'a.b.c' }, /a value of type object/],
    [7, /a value of type number/],
  ]) {
    const { log, sockets } = await start({ getToken: async () => given });
    const [, error] = log.find(([type]) => type === 'error');
    assert.equal(error.code, 'bad_token');
    assert.match(error.message, words);
    assert.deepEqual([log.at(-1)[0], sockets()], ['waiting', 0]);
  }
  const { socket } = await start({ token: '', getToken: async () => `${token('t')}\n` });
  await socket().welcome();
  assert.equal(socket().take()[0].token, token('t'));
  const guest = await start({ getToken: async () => undefined });
  await guest.socket().welcome();
  assert.equal(guest.client.state, 'online');
});
