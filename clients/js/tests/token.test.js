/** Tokens: when a fresh one is asked for, whatever this device's clock says, and what is told where there is none. */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { JOINED, WELCOME, outcome, pass, settle, start, token } from './harness.js';

/** Hours that this device's clock is wrong by, and the server's time when the test begins. */
const WRONG = [0, -5, 5];
const BEGIN = Date.parse('2026-06-01T00:00:00Z');

/** The server's clock, which only `pass` moves. */
const clock = () => {
  const zero = Date.now();
  return (ahead = 0) => new Date(BEGIN + Date.now() - zero + ahead).toISOString();
};

/** Answers what the client asks about its token; gives the other frames. */
async function answer(frames, say, at, seconds) {
  const rest = [];
  for (const frame of frames) {
    if (frame.type === 'auth') await say({ type: 'auth_ok', id: frame.id, user: 'ann', expires: at(seconds * 1000) });
    else if (frame.type === 'ping' && frame.id) await say({ type: 'pong', id: frame.id, time: at() });
    else rest.push(frame);
  }
  return rest;
}

for (const hours of WRONG) {
  test(`a token is renewed before it ends, with a clock that is ${hours} hours off`, async () => {
    let asked = 0;
    const { client, socket } = await start({ inbox: false, getToken: () => token(++asked) });
    mock.timers.setTime(BEGIN + hours * 3_600_000);
    const at = clock();
    await socket().welcome({ ping_interval_s: 1000 });
    for (const round of [1, 2, 3]) {
      const [auth] = socket().sent;
      assert.equal(auth.token, token(round));
      await answer(socket().take(), (frame) => socket().say(frame), at, 100);
      await answer(socket().take(), (frame) => socket().say(frame), at, 100);
      await pass(79_999);
      assert.deepEqual(socket().sent, []);
      await pass(1);
    }
    assert.deepEqual([client.user, client.state], ['ann', 'online']);
  });
}

test('a stream renews its token, posts with the new one and comes back with it', async () => {
  let asked = 0;
  const { client, http } = await start({
    socket: false,
    stream: true,
    rooms: ['lobby'],
    inbox: false,
    getToken: () => token(++asked),
  });
  const at = clock();
  const used = ({ url }) => url.searchParams.get('token');
  await http.streams[0].open();
  await http.streams[0].say({ ...WELCOME, user: 'ann' });
  await http.streams[0].say(JOINED);
  assert.equal(client.state, 'online');
  const reply = async (frame) => {
    const post = http.posts.at(-1);
    assert.equal(post.frames[0].type, frame.type === 'auth_ok' ? 'auth' : 'ping');
    await post.reply(200, [frame]);
  };
  await answer(http.posts.at(-1).frames, reply, at, 100);
  await answer(http.posts.at(-1).frames, reply, at, 100);
  assert.equal(http.posts.length, 2);
  // Comments keep the stream.
  for (let tens = 0; tens < 8; tens++) {
    await http.streams[0].write(': ping\n');
    await pass(10_000);
  }
  const renewal = http.posts.at(-1);
  assert.deepEqual([renewal.frames[0].token, used(renewal)], [token(2), token(1)]);
  await answer(renewal.frames, reply, at, 100);
  await answer(http.posts.at(-1).frames, reply, at, 100);
  client.rooms.get('lobby').publish(1);
  assert.equal(used(http.posts.at(-1)), token(2));
  await http.streams[0].end();
  await pass(1_000);
  assert.equal(used(http.streams[1]), token(2));
});

test('a renewal that fails or never comes is tried again while the token is good', async () => {
  const given = [() => token(1), () => Promise.reject(new Error('no network')), () => new Promise(() => {}), () => token(4)];
  const { client, log, socket } = await start({ inbox: false, getToken: () => given.shift()() });
  const at = clock();
  await socket().welcome({ ping_interval_s: 1000 });
  for (const _ of ['auth', 'ping']) await answer(socket().take(), (frame) => socket().say(frame), at, 100);
  await pass(80_000);
  assert.equal(log.at(-1)[1].message, 'no network');
  await pass(16_000);
  assert.deepEqual(socket().take(), []);
  await pass(3_200);
  assert.equal(socket().take()[0].token, token(4));
  assert.equal(client.state, 'online');
});

test('a fresh token that is refused is told, and is not the one to come back with', async () => {
  let asked = 0;
  const { log, socket } = await start({ inbox: false, getToken: () => token(++asked) });
  const at = clock();
  await socket().welcome({ ping_interval_s: 1000 });
  for (const _ of ['auth', 'ping']) await answer(socket().take(), (frame) => socket().say(frame), at, 100);
  await pass(80_000);
  await socket().say({ type: 'error', id: socket().take()[0].id, code: 'forbidden', message: 'another user' });
  assert.equal(log.at(-1)[1].code, 'forbidden');
  await socket().end(1006);
  await pass(1_000);
  await socket().welcome();
  assert.equal(socket().take()[0].token, token(1));
});

/** Everything that an app is told when the server wants a token, by what it was doing. */
async function everything(refuse, options) {
  const all = await start(options);
  const room = all.client.join('lobby');
  const told = [];
  room.on('left', ({ reason }) => told.push(reason));
  const replies = [room.joined, room.publish(1), room.members(), all.client.direct('bob', 1)];
  await settle();
  await refuse(all);
  replies.push(room.publish(2), all.client.join('late').joined);
  const codes = replies.map(outcome);
  const words = (await Promise.allSettled(replies)).map(({ reason }) => reason.message);
  await settle();
  const dropped = all.log.filter(([type]) => type === 'dropped').map(([, { reason }]) => reason);
  const [state, detail] = all.log.find(([type]) => type === 'closed');
  assert.equal(all.client.state, state);
  return { words: new Set(words), codes: new Set([...codes.map(({ code }) => code), ...dropped, ...told]), detail };
}

for (const reason of ['token required', 'first message must be auth', 'auth timeout']) {
  test(`a forgotten token is told in one word, where the server says ${reason}`, async () => {
    const { words, codes, detail } = await everything(async ({ socket }) => {
      if (reason !== 'token required') await socket().welcome();
      await socket().end(1008, reason);
    });
    assert.deepEqual([...codes], ['unauthorized']);
    assert.deepEqual(detail, { code: 1008, reason: 'token required' });
    assert(words.has('closed: token required'));
  });
}

test('a forgotten token is told in the same word by a stream', async () => {
  const refuse = ({ http }) => http.streams[0].reply(401, { error: { code: 'unauthorized', message: 'token required' } });
  const { codes, detail } = await everything(refuse, { socket: false, stream: true });
  assert.deepEqual([...codes], ['unauthorized']);
  assert.deepEqual(detail, { code: 1008, reason: 'token required' });
});

test('another end is another word', async () => {
  const { codes, detail } = await everything(({ socket }) => socket().end(4000, 'enough'));
  assert.deepEqual([[...codes], detail], [['closed'], { code: 4000, reason: 'enough' }]);
  const bad = await everything(({ socket }) => socket().end(1008, 'invalid token'), { token: 'a.b.c' });
  assert.deepEqual([[...bad.codes], bad.detail.reason], [['unauthorized'], 'invalid token']);
});
