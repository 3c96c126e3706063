/** When the client comes back, and when it does not: the contract's table, line by line. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pass, start, token } from './harness.js';

const HOUR = 3_600_000;

for (const code of [1000, 1002, 1003, 1007, 1008, 1009, 4000, 4050, 4099]) {
  test(`${code} is final`, async () => {
    const { client, log, socket, sockets } = await start();
    await socket().welcome();
    await socket().end(code, 'because');
    assert.deepEqual(log.at(-1), ['closed', { code, reason: 'because' }]);
    assert.equal(client.state, 'closed');
    await pass(HOUR);
    assert.equal(sockets(), 1);
  });
}

for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 1014, 3000, 4100, 4101, 4199, 4200]) {
  test(`${code} comes back with backoff`, async () => {
    const { log, socket, sockets } = await start();
    await socket().welcome();
    await socket().end(code);
    assert.deepEqual(log.at(-1), ['waiting', { code, reason: '', delay: 500 }]);
    await pass(499);
    assert.equal(sockets(), 1);
    await pass(1);
    assert.equal(sockets(), 2);
  });
}

test('1001 comes back when the reason says', async () => {
  const { log, socket, sockets } = await start();
  await socket().welcome();
  await socket().end(1001, 'retry in 7321 ms');
  assert.equal(log.at(-1)[1].delay, 7321);
  await pass(7320);
  assert.equal(sockets(), 1);
  await pass(1);
  assert.equal(sockets(), 2);
});

test('the bound of the backoff doubles from 1 s to 30 s and starts over after a success', async () => {
  const { log, socket } = await start({}, 0.9);
  const delays = [];
  for (let failure = 0; failure < 7; failure++) {
    await socket().end(1006);
    delays.push(log.at(-1)[1].delay);
    await pass(30_000);
  }
  assert.deepEqual(delays, [900, 1800, 3600, 7200, 14400, 27000, 27000]);
  // A link that is lost at once is none.
  await socket().welcome();
  await pass(14_999);
  await socket().end(1006);
  assert.equal(log.at(-1)[1].delay, 27000);
  await pass(30_000);
  await socket().welcome();
  await pass(15_000);
  await socket().end(1006);
  assert.equal(log.at(-1)[1].delay, 900);
});

test('the jitter is full', async () => {
  const { log, socket } = await start({}, 0);
  await socket().end(1006);
  assert.equal(log.at(-1)[1].delay, 0);
});

test('an expired token is replaced by a fresh one', async () => {
  const tokens = [token('old'), token('new')];
  const { log, socket, sockets } = await start({ getToken: async () => tokens.shift() });
  await socket().welcome();
  const [auth] = socket().take();
  assert.deepEqual(auth, { type: 'auth', token: token('old'), id: auth.id });
  await socket().say({ type: 'auth_ok', id: auth.id, user: 'ann', expires: null });
  assert.deepEqual(log.at(-1), ['online', {}]);
  await socket().end(1008, 'token expired');
  await pass(500);
  assert.equal(sockets(), 2);
  await socket().welcome();
  assert.equal(socket().take()[0].token, token('new'));
});

test('a fresh token that has expired is the end', async () => {
  const { client, socket, sockets } = await start({ token: 'stale', getToken: () => token('fresh') });
  await socket().welcome();
  await socket().end(1008, 'token expired');
  await pass(500);
  await socket().welcome();
  assert.equal(socket().take()[0].token, token('fresh'));
  await socket().end(1008, 'token expired');
  await pass(HOUR);
  assert.equal(client.state, 'closed');
  assert.equal(sockets(), 2);
});

test('a token that expires while the server is away is replaced again', async () => {
  const { client, socket } = await start({ getToken: () => token('fresh') });
  await socket().welcome();
  await socket().say({ type: 'auth_ok', id: socket().take()[0].id, user: 'ann', expires: null });
  await socket().end(1006);
  await pass(500);
  await socket().welcome();
  await socket().end(1008, 'token expired');
  assert.equal(client.state, 'waiting');
});

test('an expired token without a way to a fresh one is the end', async () => {
  const { client, socket } = await start({ token: 'stale' });
  await socket().welcome();
  await socket().end(1008, 'token expired');
  assert.equal(client.state, 'closed');
});

test('a token is kept from link to link', async () => {
  let asked = 0;
  const { socket } = await start({ getToken: async () => token(++asked) });
  for (let link = 0; link < 3; link++) {
    await socket().welcome();
    assert.equal(socket().take()[0].token, token(1));
    await socket().end(1006);
    await pass(30_000);
  }
});

test('a callback that fails is told and asked again', async () => {
  let asked = 0;
  const getToken = async () => {
    if (++asked === 1) throw new Error('no network');
    return token('late');
  };
  const { log, socket, sockets } = await start({ getToken });
  assert.equal(sockets(), 0);
  assert.equal(log.at(-1)[0], 'waiting');
  await pass(500);
  await socket().welcome();
  assert.equal(socket().take()[0].token, token('late'));
});

test('a callback that never answers is asked again', async () => {
  let asked = 0;
  await start({ getToken: () => (asked++, new Promise(() => {})) });
  await pass(10_000);
  await pass(500);
  assert.equal(asked, 2);
});

test('a refused token that leaves the connection open is told', async () => {
  const { client, log, socket } = await start({ token: 'of another server' });
  await socket().welcome();
  const [{ id }] = socket().take();
  await socket().say({ type: 'error', id, code: 'unauthorized', message: 'no' });
  assert.equal(log.at(-2)[1].code, 'unauthorized');
  assert.equal(client.state, 'online');
});

test('a server that does not welcome is given up', async () => {
  const { socket, sockets, log } = await start();
  await pass(9_999);
  assert.equal(socket().closed, false);
  await pass(1);
  assert.equal(socket().closed, true);
  assert.deepEqual(log.at(-1)[1], { code: 1006, reason: 'no answer', delay: 500 });
  await pass(500);
  assert.equal(sockets(), 2);
});

test('a silent connection is asked, then given up', async () => {
  const { client, socket, sockets } = await start();
  await socket().welcome();
  await pass(24_999);
  assert.deepEqual(socket().take(), []);
  await pass(1);
  assert.deepEqual(socket().take(), [{ type: 'ping' }]);
  await pass(9_999);
  assert.equal(client.state, 'online');
  await pass(1);
  assert.equal(client.state, 'waiting');
  assert.equal(socket().closed, true);
  await pass(500);
  assert.equal(sockets(), 2);
});

test('any frame shows that the server is alive', async () => {
  const { client, socket } = await start();
  await socket().welcome({ ping_interval_s: 5 });
  await pass(4_000);
  await socket().say({ type: 'announcement', data: 1 });
  await pass(4_999);
  assert.deepEqual(socket().take(), []);
  await pass(1);
  assert.deepEqual(socket().take(), [{ type: 'ping' }]);
  await pass(9_000);
  await socket().say({ type: 'pong', time: '' });
  await pass(4_000);
  assert.equal(client.state, 'online');
});

test('what a lost link still says is not heard', async () => {
  const { client, log, socket } = await start();
  const first = socket();
  await first.welcome();
  await first.end(1006);
  await pass(500);
  const before = log.length;
  await first.say({ type: 'announcement', data: 1 });
  await first.end(4000, 'late');
  assert.equal(log.length, before);
  assert.equal(client.state, 'connecting');
});

test('closing is final, closes the socket and stops a wait', async () => {
  const { client, log, socket, sockets } = await start();
  await socket().welcome();
  client.close();
  assert.equal(socket().closed, true);
  assert.deepEqual(log.at(-1), ['closed', { code: 1000, reason: 'closed by the client' }]);
  client.close();
  const waiting = await start();
  await waiting.socket().end(1006);
  waiting.client.close();
  await pass(HOUR);
  assert.equal(waiting.sockets(), 1);
  assert.equal(sockets(), 1);
});

test('the address is the server with any scheme, path and query', async () => {
  const url = async (address, options) => {
    const { connect } = await import('../switchboard.js');
    const urls = [];
    class Spy {
      constructor(url, protocols) {
        urls.push(url, protocols);
      }
      close() {}
    }
    const client = connect(address, { WebSocket: Spy, fetch: null, ...options });
    await pass(0);
    client.close();
    assert.deepEqual(urls[1], ['switchboard.v1']);
    return urls[0];
  };
  assert.equal(await url('https://a.test'), 'wss://a.test/ws');
  assert.equal(await url('ws://a.test:8000/ws'), 'ws://a.test:8000/ws');
  assert.equal(await url('http://a.test/push/', { user: 'ann b' }), 'ws://a.test/push/ws?user=ann%20b');
  assert.equal(await url('wss://a.test/push?x=1'), 'wss://a.test/push/ws?x=1');
});
