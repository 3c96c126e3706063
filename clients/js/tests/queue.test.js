/** What is published while there is no link. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JOINED, joined, outcome, pass, settle, start } from './harness.js';

const dropped = (log) =>
  log.filter(([type]) => type === 'dropped').map(([, { data, reason, sent }]) => [data, reason, sent]);

test('what is published while away is sent in order behind the joins', async () => {
  const { client, room, log, socket } = await joined();
  await socket().end(1006);
  const replies = [room.publish('a'), client.direct('bob', 'b'), room.publish('c')].map(outcome);
  await pass(60_000);
  await socket().welcome();
  const sent = socket().take();
  assert.deepEqual(
    sent.map(({ type, data }) => [type, data]),
    [
      ['join', undefined],
      ['publish', 'a'],
      ['direct', 'b'],
      ['publish', 'c'],
    ],
  );
  await socket().say({ type: 'published', id: sent[1].id, room: 'lobby', position: 'e:5' });
  assert.equal(replies[0].value.position, 'e:5');
  assert.deepEqual(dropped(log), []);
});

test('with a token, what waits is sent when the server knows who it is from', async () => {
  const { client, socket } = await start({ token: 't', inbox: false });
  client.join('lobby').publish(1);
  await socket().welcome();
  const [auth, join] = socket().take();
  assert.deepEqual([auth.type, join.type, socket().sent.length], ['auth', 'join', 0]);
  await socket().say({ type: 'auth_ok', id: auth.id, user: 'ann', expires: null });
  assert.deepEqual(socket().take().map(({ data }) => data), [1]);
});

test('the queue is bounded, and says what it refuses', async () => {
  const { room, log, socket } = await joined({ queue: 2 });
  await socket().end(1006);
  const replies = [1, 2, 3].map((data) => outcome(room.publish(data)));
  await settle();
  assert.deepEqual(replies.map(({ code }) => code), [undefined, undefined, 'queue_full']);
  assert.deepEqual(dropped(log), [[3, 'queue_full', false]]);
  await pass(500);
  await socket().welcome();
  assert.deepEqual(socket().take().map(({ data }) => data), [undefined, 1, 2]);
});

test('what is not stored does not wait', async () => {
  const { room, log, socket } = await joined();
  await socket().end(1006);
  const reply = outcome(room.publish('cursor', { store: false }));
  await settle();
  assert.equal(reply.code, 'offline');
  assert.deepEqual(dropped(log), [['cursor', 'offline', false]]);
});

test('what was sent without a reply is not sent twice, unless a key makes that safe', async () => {
  const { room, log, socket } = await joined();
  const [plain, keyed] = [room.publish('plain'), room.publish('keyed', { idempotencyKey: 'k' })].map(outcome);
  socket().take();
  await socket().end(1006);
  assert.equal(plain.code, 'disconnected');
  assert.deepEqual(dropped(log), [['plain', 'disconnected', true]]);
  // It waits longer than a reply may take.
  await pass(60_000);
  await socket().welcome();
  const [, again] = socket().take();
  assert.deepEqual([again.data, again.idempotency_key], ['keyed', 'k']);
  await socket().say({ type: 'published', id: again.id, room: 'lobby', position: 'e:5' });
  assert.equal(keyed.value.position, 'e:5');
});

test('questions are asked again, but not for ever', async () => {
  const { room, log, socket } = await joined();
  const asked = outcome(room.members());
  socket().take();
  await socket().end(1006);
  await pass(500);
  await socket().welcome();
  const [join, members] = socket().take();
  await socket().say({ ...JOINED, id: join.id }, { type: 'members', id: members.id, room: 'lobby', count: 1, users: [] });
  assert.equal(asked.value.count, 1);
  await socket().end(1006);
  const late = outcome(room.history());
  for (let wait = 0; wait < 10; wait++) {
    await pass(1_000);
    if (socket().onclose && !socket().closed) await socket().end(1006);
  }
  assert.equal(late.code, 'timeout');
  assert.deepEqual(dropped(log), []);
});

test('a message larger than the server takes is refused here', async () => {
  const { client, room, log, socket } = await joined();
  socket().take();
  // 21,800 characters of three bytes each.
  const reply = outcome(room.publish('€'.repeat(21_830)));
  await settle();
  assert.equal(reply.code, 'too_big');
  assert.equal(dropped(log)[0][1], 'too_big');
  assert.deepEqual(socket().take(), []);
  assert.equal(client.state, 'online');
  room.publish('€'.repeat(21_700));
  assert.equal(socket().take().length, 1);
});

test('closing says what will never be sent', async () => {
  const { client, room, log, socket } = await joined();
  const sent = outcome(room.publish('sent'));
  await settle();
  await socket().end(1006);
  const unsent = room.publish('waiting');
  const waiting = outcome(unsent);
  client.close();
  const after = outcome(room.publish('after'));
  await settle();
  assert.deepEqual([sent.code, waiting.code, after.code], ['disconnected', 'closed', 'closed']);
  await assert.rejects(unsent, { message: 'closed: closed by the client' });
  assert.deepEqual(dropped(log), [
    ['sent', 'disconnected', true],
    ['waiting', 'closed', false],
    ['after', 'closed', false],
  ]);
});
