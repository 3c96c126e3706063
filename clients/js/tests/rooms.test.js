/** Rooms on one link and from link to link: joining, messages, replies, resuming. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SwitchboardError } from '../switchboard.js';
import { JOINED, joined, message, outcome, pass, record, settle, start } from './harness.js';

/** Loses the link and has the next one welcomed; gives what the client sent on it. */
async function relink({ socket }, fields) {
  await socket().end(1006);
  await pass(30_000);
  await socket().welcome(fields);
  return socket().take();
}

test('a room is joined on welcome, with the history asked for', async () => {
  const { client, socket } = await start({ rooms: ['news'] });
  const room = client.join('lobby', { history: 2 });
  const events = record(room);
  const reply = outcome(room.joined);
  await socket().welcome();
  const [news, lobby] = socket().take();
  assert.deepEqual(news, { type: 'join', room: 'news', id: news.id });
  assert.deepEqual(lobby, { type: 'join', room: 'lobby', history: 2, id: lobby.id });
  const frame = { ...JOINED, id: lobby.id, count: 3, history: [message(3), message(4)] };
  await socket().say(frame, message(5));
  assert.deepEqual(events, [
    ['joined', frame],
    ['message', message(3), true],
    ['message', message(4), true],
    ['message', message(5), false],
  ]);
  assert.deepEqual(reply.value, frame);
  assert.equal(room.position, 'e:5');
  assert.equal(room.count, 3);
});

test('a room is joined at once when there is a link, and once', async () => {
  const { client, socket } = await start();
  await socket().welcome();
  const room = client.join('lobby');
  assert.equal(client.join('lobby'), room);
  assert.deepEqual(
    socket().take().map(({ type, room }) => [type, room]),
    [['join', 'lobby']],
  );
});

test('a position of the app is where a first join begins', async () => {
  const { client, socket } = await start();
  const room = client.join('lobby', { since: 'e:1', history: 9 });
  const events = record(room);
  await socket().welcome();
  const [join] = socket().take();
  assert.deepEqual(join, { type: 'join', room: 'lobby', since: 'e:1', history: 9, id: join.id });
  const frame = { ...JOINED, id: join.id, recovered: false, history: [message(4)] };
  await socket().say(frame);
  assert.deepEqual(events, [
    ['joined', frame],
    ['recovered', false, frame],
    ['message', message(4), true],
  ]);
});

test('every room is resumed after the last message that came', async () => {
  const all = await joined();
  await all.socket().say(message(5), { ...message(6), position: undefined }, { type: 'gap', room: 'lobby', from: 'e:6', to: 'e:8' });
  const [join] = await relink(all);
  assert.deepEqual(join, { type: 'join', room: 'lobby', since: 'e:5', id: join.id });
  const frame = { ...JOINED, id: join.id, recovered: true, position: 'e:7', history: [message(6), message(7)] };
  all.events.length = 0;
  await all.socket().say(frame);
  assert.deepEqual(all.events, [
    ['joined', frame],
    ['recovered', true, frame],
    ['message', message(6), true],
    ['message', message(7), true],
  ]);
  assert.equal((await relink(all))[0].since, 'e:7');
});

test('a room is where its answer says, whatever of it was kept', async () => {
  const all = await joined({}, { position: 'e:9', history: [message(3)] });
  assert.equal(all.room.position, 'e:9');
  assert.equal((await relink(all))[0].since, 'e:9');
});

test('a room that was joined while away, or not answered yet, has nothing to resume', async () => {
  const { client, socket } = await start();
  client.join('a');
  await socket().welcome();
  await socket().end(1006);
  client.join('b');
  await pass(30_000);
  await socket().welcome();
  assert.deepEqual(
    socket().take().map(({ room, since }) => [room, since]),
    [
      ['a', undefined],
      ['b', undefined],
    ],
  );
});

test('a room that was left is not joined again', async () => {
  const all = await joined();
  const left = outcome(all.room.leave());
  const [{ type, id }] = all.socket().take();
  assert.equal(type, 'leave');
  assert.deepEqual(all.events.at(-1), ['left', { room: 'lobby' }]);
  // Joined anew before the answer: it is the old room that is left.
  const anew = all.client.join('lobby');
  assert.notEqual(anew, all.room);
  await all.socket().say(message(5), { type: 'left', room: 'lobby', id });
  assert('value' in left);
  assert.equal(anew.position, undefined);
  anew.leave();
  assert.deepEqual(await relink(all), []);
});

test('leaving while away needs no answer', async () => {
  const all = await joined();
  await all.socket().end(1006);
  const left = outcome(all.room.leave());
  await pass(30_000);
  await all.socket().welcome();
  assert.deepEqual(all.socket().take(), []);
  assert('value' in left);
});

test('leaving is done when the link is lost before the answer', async () => {
  const all = await joined();
  const left = outcome(all.room.leave());
  assert.deepEqual(await relink(all).then((frames) => frames), []);
  assert('value' in left);
  assert.equal(all.log.some(([type]) => type === 'dropped'), false);
});

test('a room that the app takes away is told and not joined again', async () => {
  const all = await joined();
  await all.socket().say({ type: 'left', room: 'lobby', reason: 'removed' });
  assert.deepEqual(all.events.at(-1), ['left', { room: 'lobby', reason: 'removed' }]);
  assert.deepEqual(await relink(all), []);
});

test('a refused join is told and not tried again', async () => {
  const all = await start();
  const room = all.client.join('secret');
  const events = record(room);
  const reply = outcome(room.joined);
  await all.socket().welcome();
  const [{ id }] = all.socket().take();
  await all.socket().say({ type: 'error', id, code: 'forbidden', message: 'no' });
  assert.deepEqual(
    events.map(([type, value]) => [type, value.code ?? value.reason]),
    [
      ['error', 'forbidden'],
      ['left', 'forbidden'],
    ],
  );
  assert.equal(reply.code, 'forbidden');
  assert.deepEqual(await relink(all), []);
});

for (const [code, fields, delay] of [
  ['unavailable', {}, 500],
  ['rate_limited', { retry_after_ms: 1234 }, 1234],
  ['rate_limited', {}, 1000],
]) {
  test(`a join that is ${code} is tried again after ${delay} ms`, async () => {
    const { client, socket } = await start();
    client.join('lobby');
    await socket().welcome();
    const refuse = () => socket().say({ type: 'error', id: socket().take()[0].id, code, ...fields });
    await refuse();
    await pass(delay - 1);
    assert.deepEqual(socket().take(), []);
    await pass(1);
    assert.equal(socket().sent[0].type, 'join');
    // Not if it was left meanwhile.
    await refuse();
    client.rooms.get('lobby').leave();
    socket().take();
    await pass(delay);
    assert.deepEqual(socket().take(), []);
  });
}

test('a join without an answer means that the link is useless', async () => {
  const { client, log, socket } = await start();
  client.join('lobby');
  await socket().welcome();
  await pass(10_000);
  assert.deepEqual(log.at(-1)[1].reason, 'no answer');
});

test('a publish is sent as asked and promises its reply', async () => {
  const { room, socket } = await joined();
  const reply = outcome(room.publish({ a: 1 }, { event: 'e', echo: false, store: false, idempotencyKey: 'k' }));
  room.publish();
  const [first, second] = socket().take();
  assert.deepEqual(first, {
    type: 'publish',
    room: 'lobby',
    data: { a: 1 },
    event: 'e',
    echo: false,
    store: false,
    idempotency_key: 'k',
    id: first.id,
  });
  assert.deepEqual(second, { type: 'publish', room: 'lobby', data: null, id: second.id });
  const published = { type: 'published', id: first.id, room: 'lobby', position: 'e:5' };
  await socket().say(published);
  assert.deepEqual(reply.value, published);
  assert.equal(room.position, 'e:4');
});

test('replies find their requests by id, in any order', async () => {
  const { client, room, socket } = await joined();
  const replies = [room.members({ limit: 1, after: 'a' }), room.history({ since: 'e:1', limit: 2 }), client.direct('bob', 'hi', { event: 'e' })];
  const outcomes = replies.map(outcome);
  const [members, history, direct] = socket().take();
  assert.deepEqual(members, { type: 'members', room: 'lobby', limit: 1, after: 'a', id: members.id });
  assert.deepEqual(history, { type: 'history', room: 'lobby', since: 'e:1', limit: 2, id: history.id });
  assert.deepEqual(direct, { type: 'direct', to: 'bob', data: 'hi', event: 'e', id: direct.id });
  await socket().say(
    { type: 'delivered', id: direct.id, to: 'bob', connections: 2 },
    { type: 'history', id: history.id, room: 'lobby', messages: [message(3)] },
    { type: 'members', id: members.id, room: 'lobby', count: 7, users: [] },
  );
  assert.deepEqual(
    outcomes.map(({ value }) => value.type),
    ['members', 'history', 'delivered'],
  );
  assert.equal(room.count, 7);
});

test('a refusal rejects the promise and is told', async () => {
  const { room, events, socket } = await joined();
  const reply = outcome(room.publish(1));
  const [{ id }] = socket().take();
  await socket().say({ type: 'error', id, room: 'lobby', code: 'rate_limited', message: 'slow down', retry_after_ms: 5 });
  assert.equal(reply.code, 'rate_limited');
  const [type, error] = events.at(-1);
  assert.equal(type, 'error');
  assert(error instanceof SwitchboardError);
  assert.deepEqual([error.message, error.room, error.retryAfter], ['slow down', 'lobby', 5]);
});

test('a request without a reply times out, and a late reply is nobody\'s', async () => {
  const { client, room, socket } = await joined();
  const reply = outcome(room.members());
  const [{ id }] = socket().take();
  await pass(9_999);
  assert.deepEqual(reply, {});
  await pass(1);
  assert.equal(reply.code, 'timeout');
  await socket().say({ type: 'members', id, room: 'lobby', count: 1, users: [] });
  assert.equal(client.state, 'online');
});

test('people, gaps and unknown frames reach their room, the rest the client', async () => {
  const { client, room, events, log, socket } = await joined();
  const news = [];
  client.on('news', (frame) => news.push(frame));
  room.on('news', (frame) => news.push(frame));
  const people = { type: 'user_joined', room: 'lobby', user: 'bob', count: 2 };
  const count = { type: 'count', room: 'lobby', count: 300 };
  const typing = { type: 'typing', room: 'lobby', user: 'bob', active: true };
  const gap = { type: 'gap', room: 'lobby', from: 'e:5', to: 'e:6' };
  events.length = 0;
  await socket().say(people, count, typing, gap, { type: 'news', room: 'lobby' }, { type: 'news' });
  assert.deepEqual(events, [people, count, typing, gap].map((frame) => [frame.type, frame]));
  assert.equal(room.count, 300);
  assert.deepEqual(news, [{ type: 'news', room: 'lobby' }, { type: 'news' }]);
  await socket().say({ type: 'announcement', data: 1 }, { type: 'error', code: 'bad_json', message: '' });
  assert.deepEqual(log.slice(-2).map(([type]) => type), ['announcement', 'error']);
});

test('what is not JSON is nothing', async () => {
  const { client, socket } = await joined();
  socket().onmessage({ data: '{' });
  socket().onerror();
  assert.equal(client.state, 'online');
});

test('typing is said at most every 2 s', async () => {
  const { room, socket } = await joined();
  const said = () => socket().take().map(({ type, active, id }) => [type, active, id]);
  room.typing(false);
  assert.deepEqual(said(), []);
  room.typing();
  room.typing();
  assert.deepEqual(said(), [['typing', true, undefined]]);
  await pass(2_000);
  room.typing();
  room.typing(false);
  room.typing(false);
  assert.deepEqual(said(), [
    ['typing', true, undefined],
    ['typing', false, undefined],
  ]);
  room.typing();
  room.publish('done');
  room.typing();
  assert.deepEqual(said().map(([type]) => type), ['typing', 'publish', 'typing']);
  await socket().end(1006);
  room.typing();
});

test('messages can be iterated until the room is left', async () => {
  const { room, socket } = await joined();
  const seen = [];
  const done = (async () => {
    for await (const { data } of room) seen.push(data);
  })();
  await socket().say(message(5), message(6));
  assert.deepEqual(seen, [5, 6]);
  await socket().say(message(7));
  room.leave();
  await done;
  assert.deepEqual(seen, [5, 6, 7]);
  for await (const _ of room) assert.fail('a room that was left says nothing');
});

test('iterating can stop before the room does', async () => {
  const { room, events, socket } = await joined();
  const first = (async () => {
    for await (const { data } of room) return data;
  })();
  await socket().say(message(5));
  assert.equal(await first, 5);
  await socket().say(message(6));
  assert.equal(events.at(-1)[1].data, 6);
});

test('listeners can be taken away, and one that throws does not stop the others', async (t) => {
  const { room, events, socket } = await joined();
  const thrown = [];
  t.mock.method(globalThis, 'queueMicrotask', (task) => {
    assert.throws(task, /mistake/);
    thrown.push(task);
  });
  const off = room.on('gap', () => {
    throw new Error('a mistake');
  });
  const later = [];
  room.on('gap', (frame) => later.push(frame));
  await socket().say({ type: 'gap', room: 'lobby' });
  off();
  await socket().say({ type: 'gap', room: 'lobby' });
  assert.equal(later.length, 2);
  assert.equal(thrown.length, 1);
  assert.equal(events.filter(([type]) => type === 'gap').length, 2);
});

test('the inbox is joined for who has a name, and resumed', async () => {
  const all = await start({ user: 'ann' });
  const { log, socket } = all;
  await socket().welcome({ user: 'ann' });
  const [join] = socket().take();
  assert.deepEqual(join, { type: 'join', room: '$me', id: join.id });
  const direct = { type: 'direct', from: 'bob', data: 1, position: 'm:1' };
  const note = { type: 'notification', data: 2, position: 'm:3' };
  await socket().say(direct);
  assert.deepEqual(log.at(-1), ['direct', direct]);
  await socket().say({ ...JOINED, room: '$me', id: join.id, position: 'm:2' }, note);
  assert.deepEqual(log.at(-1), ['notification', note]);
  const [again] = await relink(all, { user: 'ann' });
  assert.deepEqual(again, { type: 'join', room: '$me', since: 'm:3', id: again.id });
  // What comes before the answer is not in the answer, and newer than what is.
  const [missed, early] = [4, 5].map((data) => ({ ...note, data, position: `m:${data}` }));
  const inbox = all.client.rooms.get('$me');
  const recovered = [];
  inbox.on('recovered', (ok) => recovered.push(ok));
  log.length = 0;
  await socket().say(early, { ...JOINED, room: '$me', id: again.id, recovered: true, position: 'm:5', history: [missed] });
  assert.deepEqual(log, [['notification', missed], ['notification', early]]);
  assert.deepEqual(recovered, [true]);
  assert.equal(inbox.position, 'm:5');
});

test('an inbox that is refused after a loss is heard all the same', async () => {
  const all = await start({ user: 'ann' });
  const { log, socket } = all;
  await socket().welcome({ user: 'ann' });
  const [join] = socket().take();
  await socket().say({ ...JOINED, room: '$me', id: join.id, position: 'm:2' });
  const [again] = await relink(all, { user: 'ann' });
  log.length = 0;
  const note = { type: 'notification', data: 3, position: 'm:3' };
  await socket().say(note, { type: 'error', id: again.id, code: 'room_limit', message: '' });
  await socket().say(note);
  assert.deepEqual(log, [['notification', note], ['notification', note]]);
});

test('an inbox that is refused is no error of the app', async () => {
  const { log, socket } = await start({ user: 'ann' });
  await socket().welcome({ user: 'ann' });
  const [{ id }] = socket().take();
  await socket().say({ type: 'error', id, code: 'bad_room', message: '' });
  const note = { type: 'notification', data: 2, position: 'm:3' };
  await socket().say(note);
  assert.deepEqual(log.map(([type]) => type), ['online', 'notification']);
});

test('rooms end with the client, and none begins after it', async () => {
  const { client, room, events } = await joined();
  client.close();
  assert.deepEqual(events.at(-1), ['left', { room: 'lobby', reason: 'closed' }]);
  const late = outcome(client.join('late').joined);
  const asked = outcome(room.members());
  await settle();
  assert.equal(late.code, 'closed');
  assert.equal(asked.code, 'closed');
});
