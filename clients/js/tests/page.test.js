/** Sleeping and waking with the page. */

import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { JOINED, WELCOME, joined, pass, settle, start } from './harness.js';

let page;

beforeEach(() => {
  page = { window: new EventTarget(), document: new EventTarget(), navigator: { onLine: true } };
  page.document.hidden = false;
  define('document', page.document);
  define('navigator', page.navigator);
  define('addEventListener', page.window.addEventListener.bind(page.window));
});

after(() => ['document', 'navigator', 'addEventListener'].forEach((name) => define(name, undefined)));

function define(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

async function fire(type, fields) {
  page.window.dispatchEvent(Object.assign(new Event(type), fields));
  await settle();
}

async function show(visible) {
  page.document.hidden = !visible;
  page.document.dispatchEvent(new Event('visibilitychange'));
  await settle();
}

test('a visible page comes back at once', async () => {
  const { socket, sockets } = await joined();
  await show(false);
  await socket().end(1006);
  assert.equal(sockets(), 1);
  await show(true);
  assert.equal(sockets(), 2);
});

test('a hidden page is in no hurry', async () => {
  const { log, socket } = await joined();
  await show(false);
  await socket().end(1006);
  assert.equal(log.at(-1)[1].delay, 15_000);
});

test('a page without a network tries as others do: the server may be on the same machine', async () => {
  const { log, socket } = await joined();
  page.navigator.onLine = false;
  await socket().end(1006);
  assert.equal(log.at(-1)[1].delay, 500);
});

test('the network coming back ends a wait', async () => {
  const { socket, sockets } = await joined();
  await socket().end(1006);
  await fire('online');
  assert.equal(sockets(), 2);
});

test('a stream is opened anew when the network comes back', async () => {
  const { client, log, http } = await start({ socket: false, stream: true, rooms: ['lobby'] });
  const [stream] = http.streams;
  await stream.open();
  await stream.say(WELCOME);
  assert.equal(client.state, 'online');
  await fire('online');
  assert.equal(stream.signal.aborted, true);
  assert.deepEqual(log.at(-2), ['waiting', { code: 1006, reason: 'the network changed', delay: 500 }]);
  assert.deepEqual([client.state, http.streams.length], ['connecting', 2]);
});

test('waking does not overrule when the server wants the client back', async () => {
  const { socket, sockets } = await joined();
  await socket().end(1001, 'retry in 5000 ms');
  await show(true);
  await fire('online');
  await fire('pageshow', { persisted: true });
  await pass(4_999);
  assert.equal(sockets(), 1);
  await pass(1);
  assert.equal(sockets(), 2);
});

for (const [what, wake] of [
  ['becoming visible', () => show(true)],
  ['the network coming back', () => fire('online')],
  ['the network going away', () => fire('offline')],
]) {
  test(`${what} makes sure of the link`, async () => {
    const { client, socket } = await joined();
    socket().take();
    await wake();
    assert.deepEqual(socket().take(), [{ type: 'ping' }]);
    await pass(2_999);
    await socket().say({ type: 'pong' });
    await pass(1);
    assert.equal(client.state, 'online');
    await wake();
    await pass(3_000);
    assert.equal(client.state, 'waiting');
  });
}

test('hiding changes nothing on a link that lives', async () => {
  const { client, socket, sockets } = await joined();
  socket().take();
  await show(false);
  await fire('pageshow', { persisted: false });
  assert.deepEqual([socket().take(), client.state, sockets()], [[], 'online', 1]);
});

test('a page that is put away lets go of its connection and resumes when it is shown', async () => {
  const { room, log, socket, sockets } = await joined();
  await fire('pagehide');
  assert.equal(socket().closed, true);
  assert.deepEqual(log.at(-1), ['waiting', { code: 1000, reason: 'the page sleeps' }]);
  await pass(3_600_000);
  assert.equal(sockets(), 1);
  await fire('pageshow', { persisted: true });
  await socket().welcome();
  const [join] = socket().take();
  assert.equal(join.since, 'e:4');
  const recovered = new Promise((resolve) => room.on('recovered', resolve));
  await socket().say({ ...JOINED, id: join.id, recovered: true });
  assert.equal(await recovered, true);
});

test('a client that is closed while its page is put away stays closed', async () => {
  const { client, room, sockets } = await joined();
  client.on('dropped', () => client.close());
  room.publish(1);
  await fire('pagehide');
  await fire('pageshow', { persisted: true });
  await pass(30_000);
  assert.deepEqual([client.state, sockets()], ['closed', 1]);
});

test('a page put away while waiting stays as it is', async () => {
  const { log, socket } = await joined();
  await socket().end(1006);
  await fire('pagehide');
  assert.equal(log.at(-1)[1].code, 1006);
});

test('a closed client does not hear the page', async () => {
  const { client, log, sockets } = await start();
  client.close();
  await fire('online');
  await fire('pagehide');
  await fire('pageshow', { persisted: true });
  await show(true);
  assert.equal(sockets(), 1);
  assert.equal(log.at(-1)[0], 'closed');
});
