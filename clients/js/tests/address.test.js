/** Where the client dials, on any platform. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../switchboard.js';
import { FakeFetch, FakeSocket, WELCOME, settle, start } from './harness.js';

/** The address that a client for `url` dials. */
async function dialled(url, options) {
  await start();
  const before = FakeSocket.all.length;
  const client = connect(url, { WebSocket: FakeSocket, fetch: null, ...options });
  await settle();
  client.close();
  assert.equal(FakeSocket.all.length, before + 1);
  return FakeSocket.all.at(-1).url;
}

/** Runs `task` where the global `name` is `value`. */
async function having(name, value, task) {
  const old = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  try {
    return await task();
  } finally {
    if (old) Object.defineProperty(globalThis, name, old);
    else delete globalThis[name];
  }
}

test('what is behind # is the page\'s own', async () => {
  for (const [given, expected] of [
    ['https://a.test/#/inbox', 'wss://a.test/ws'],
    ['https://a.test/?x=1#y', 'wss://a.test/ws?x=1'],
    ['https://a.test/push#?user=bob', 'wss://a.test/push/ws'],
    ['ws://a.test/ws#z', 'ws://a.test/ws'],
    ['http://a.test/#', 'ws://a.test/ws'],
    ['http://a.test#/a/ws', 'ws://a.test/ws'],
  ]) {
    assert.equal(await dialled(given), expected);
  }
});

test('an address has any scheme, port, path and query', async () => {
  for (const [given, expected, options] of [
    ['HTTPS://a.test', 'wss://a.test/ws'],
    [' http://[::1]:8000/ ', 'ws://[::1]:8000/ws'],
    ['http://a.test/news', 'ws://a.test/news/ws'],
    ['http://a.test/a/ws/', 'ws://a.test/a/ws'],
    ['http://a.test?', 'ws://a.test/ws'],
    ['http://a.test?user=bob&x=1', 'ws://a.test/ws?x=1&user=ann', { user: 'ann' }],
    ['http://a.test?user=bob', 'ws://a.test/ws?user=bob', { user: '' }],
    ['http://a.test', 'ws://a.test/ws?user=%C3%A4nn%20%26%20b%F0%9D%84%9E', { user: 'änn & b𝄞' }],
    ['http://a.test', 'ws://a.test/ws?user=%EF%BF%BD', { user: '\ud800' }],
    [new URL('http://a.test/x/#y'), 'ws://a.test/x/ws'],
  ]) {
    assert.equal(await dialled(given, options), expected);
  }
});

test('on a page, an address may begin where the page is', async () => {
  await having('location', { href: 'https://page.test/app/index.html?room=7#/inbox' }, async () => {
    assert.equal(await dialled('/'), 'wss://page.test/ws');
    assert.equal(await dialled(), 'wss://page.test/ws');
    assert.equal(await dialled('/push'), 'wss://page.test/push/ws');
    assert.equal(await dialled('//other.test/x'), 'wss://other.test/x/ws');
    assert.equal(await dialled('http://other.test'), 'ws://other.test/ws');
    assert.throws(() => connect('localhost:8000'), /"localhost:8000" is not the address of a server/);
  });
});

test('what is no address is said at once', async () => {
  for (const bad of ['localhost:8000', 'push.example.com', '', '/', 'ftp://a.test', 'http://', 'http:a', undefined, null, 7]) {
    assert.throws(() => connect(bad), { name: 'TypeError', message: /is not the address of a server, which would begin with/ });
  }
  await having('location', { href: 'about:blank' }, () => assert.throws(() => connect('/'), TypeError));
});

test('a platform whose URL cannot be changed, and that has neither streams nor a page, uses a WebSocket', async () => {
  class Frozen {
    constructor() {
      throw new Error('not implemented');
    }
  }
  const bare = ['URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'TextDecoderStream', 'navigator', 'EventSource'];
  const within = bare.reduce(
    (task, name) => () => having(name, name.startsWith('URL') ? Frozen : undefined, task),
    async () => {
      await start();
      class Response {}
      await having('Response', Response, async () => {
        const client = connect('https://a.test/#/x', { WebSocket: FakeSocket, user: 'ann' });
        await settle();
        const socket = FakeSocket.all.at(-1);
        // It gives neither a code nor a reason with its close events.
        socket.onclose({});
        await settle();
        assert.deepEqual([client.state, FakeSocket.all.length], ['waiting', 2]);
        client.close();
        const online = connect('https://a.test', { WebSocket: FakeSocket });
        await settle();
        const room = online.join('lobby');
        FakeSocket.all.at(-1).onmessage({ data: JSON.stringify(WELCOME) });
        room.publish('€');
        assert.equal(FakeSocket.all.at(-1).sent.length, 2);
        online.close();
      });
    },
  );
  await within();
});

test('a stream is asked for and posted to with the credentials that the app wants', async () => {
  for (const credentials of ['include', 'omit', undefined]) {
    const seen = [];
    const http = new FakeFetch();
    const fetch = (url, options) => {
      seen.push(['credentials' in options, options.credentials]);
      return http.fetch(url, options);
    };
    const { client } = await start({ socket: false, credentials });
    client.close();
    const streaming = connect('https://a.test', { WebSocket: null, fetch, credentials, rooms: ['a', 'b'] });
    await settle();
    await http.streams[0].open();
    await http.streams[0].say(WELCOME);
    assert.deepEqual(seen, Array(2).fill([credentials !== undefined, credentials]));
    streaming.close();
  }
});
