/** Trying rooms out. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, guest, is, live, open, options, shows, start } from './browser.js';

const SOCKET = '#socket-messages';
const STREAM = '#stream-messages';

/** What a browser says of a server that is not there. */
const GONE = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|WebSocket connection|ERR_CONNECTION_RESET/;

/** Waits until both wires show `text`. */
async function both(page, text) {
  await shows(page, `${SOCKET} li`, text);
  await shows(page, `${STREAM} li`, text);
}

/** Presses Tab until the element called `id` has the focus. */
async function tab(page, id) {
  for (let press = 0; press < 60; press++) {
    if ((await page.evaluate(() => document.activeElement.id)) === id) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not lead to ${id}`);
}

test('the keyboard alone connects, joins and publishes', options, async (t) => {
  const page = await open(t, await start(t));
  await tab(page, 'user');
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('ada');
  await page.keyboard.press('Enter');
  await is(page, '#socket-state', 'live');
  await tab(page, 'room');
  await page.keyboard.type('desk');
  await page.keyboard.press('Enter');
  await shows(page, '#place-title', 'desk');
  await tab(page, 'text');
  await page.keyboard.type('from the keyboard');
  await page.keyboard.press('Enter');
  await both(page, 'from the keyboard');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'text', 'the next message can follow');
});

test('what is focused shows it', options, async (t) => {
  const page = await open(t, await start(t));
  const seen = new Set();
  for (let press = 0; press < 20; press++) {
    await page.keyboard.press('Tab');
    const [name, outline] = await page.evaluate(() => {
      const { activeElement: at } = document;
      // Of a choice the label beside it shows the focus.
      const shown = at.type === 'radio' ? at.nextElementSibling : at;
      return [at === document.body ? '' : at.id || at.textContent, getComputedStyle(shown).outlineStyle];
    });
    // Behind the last element the browser has the focus, not the page.
    if (!name) continue;
    seen.add(name);
    assert.notEqual(outline, 'none', `${name} has no outline`);
  }
  for (const name of ['theme', 'user', 'connect', 'room']) assert(seen.has(name), `${name} is not reached`);
});

test('the app and other users are heard over both wires', options, async (t) => {
  const server = await start(t);
  const page = await enter(t, server, 'ada');
  const grace = await guest(t, server, 'grace');
  await grace.room.publish({ task: 42 }, { event: 'task.moved' });
  await both(page, '{"task":42}');
  await both(page, 'task.moved');
  await server.publish('lobby', 'from the app');
  await both(page, 'from the app');
});

test('JSON goes out as it was written, and what is no JSON is told in place', options, async (t) => {
  const page = await enter(t, await start(t), 'ada');
  await page.locator('label', { hasText: /^JSON$/ }).click();
  await page.fill('#text', '{"a": [1, 2');
  await page.click('#send');
  await shows(page, '#composer-fault', 'This is not JSON');
  assert.equal(await page.inputValue('#text'), '{"a": [1, 2', 'it can be mended');
  await page.fill('#text', '{"a": [1, 2]}');
  await page.fill('#event', 'sum');
  await page.click('#send');
  await both(page, '{"a":[1,2]}');
  await both(page, 'sum');
  assert.equal(await page.textContent('#composer-fault'), '');
  assert.equal(await page.locator(`${SOCKET} li`).count(), 1);
});

test('people come and go, and are counted', options, async (t) => {
  const server = await start(t);
  const page = await enter(t, server, 'ada');
  const grace = await guest(t, server, 'grace');
  await shows(page, '#members', 'grace');
  await shows(page, '#place-facts', '2 people');
  grace.client.close();
  await page.locator('#members', { hasText: 'grace' }).waitFor({ state: 'detached' });
  await shows(page, '#place-facts', '1 person');
});

test('rooms are joined, looked at and left', options, async (t) => {
  const server = await start(t);
  const page = await enter(t, server, 'ada');
  await page.fill('#room', 'news');
  await page.keyboard.press('Enter');
  await shows(page, '#place-title', 'news');
  await server.publish('lobby', 'meanwhile');
  await shows(page, '[data-place=lobby]', '1');
  await page.click('[data-place=lobby]');
  await both(page, 'meanwhile');
  await page.click('[aria-label="Leave lobby"]');
  await shows(page, '#place-title', 'news');
  assert.equal(await page.locator('[data-place=lobby]').count(), 0);
  await shows(page, '#frames li', '"left"');
});

test('a room that cannot be joined is told in place', options, async (t) => {
  const page = await enter(t, await start(t), 'ada');
  await page.fill('#room', 'no room');
  await page.keyboard.press('Enter');
  await shows(page, '#join-fault', 'bad_room');
  await shows(page, '#place-title', 'lobby');
});

test('history is loaded once, in order', options, async (t) => {
  const server = await start(t);
  for (let number = 1; number <= 40; number++) await server.publish('lobby', `n${number}.`);
  const page = await enter(t, server, 'ada');
  await shows(page, SOCKET, 'n40.');
  assert.equal(await page.locator(`${SOCKET} li`).count(), 30);
  await page.fill('#last', '35');
  await page.click('text=Load history');
  await shows(page, SOCKET, 'n6.');
  const said = await page.locator(`${SOCKET} .said`).allTextContents();
  assert.deepEqual(
    said,
    Array.from({ length: 35 }, (_, index) => `n${index + 6}.`),
  );
});

test('a server that was killed is shown as such, and found again', options, async (t) => {
  const first = await start(t);
  const page = await enter(t, first, 'ada', { expected: GONE });
  await first.stop();
  await is(page, '#socket-state', 'waiting');
  await shows(page, '#socket-state', 'reconnecting');
  await shows(page, '#stream-state', 'reconnecting');
  await shows(page, '#state', 'the connection was lost (1006)');
  const second = await start(t, { port: first.port });
  await live(page);
  await shows(page, '#state', 'live as ada');
  await shows(page, SOCKET, 'some messages may be missing');
  await second.publish('lobby', 'back again');
  await both(page, 'back again');
});

test('every frame is in the log, and can be copied', options, async (t) => {
  const server = await start(t);
  const page = await enter(t, server, 'ada', { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.fill('#text', 'logged');
  await page.keyboard.press('Enter');
  await both(page, 'logged');
  const lines = page.locator('#frames li');
  const sent = lines.filter({ hasText: '"publish"' });
  assert.match(await sent.textContent(), /^→sentws/);
  assert.match(await lines.filter({ hasText: '"published"' }).textContent(), /^←receivedws/);
  const streamed = lines.filter({ hasText: 'event: message' });
  assert.match(await streamed.textContent(), /^←receivedsse.*event: message\ndata: .*\nid: /s);
  await sent.locator('button').click();
  await shows(page, '#frames-said', 'The frame copied');
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.deepEqual([copied.type, copied.room, copied.data], ['publish', 'lobby', 'logged']);
  await page.click('#frames-copy');
  await shows(page, '#frames-said', 'frames copied');
  const all = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(all, / ws ← \{"type":"welcome"/);
  await page.click('#frames-pause');
  const before = await lines.count();
  await server.publish('lobby', 'unseen');
  await both(page, 'unseen');
  assert.equal(await lines.count(), before);
  await page.click('#frames-pause');
  await shows(page, '#frames li', 'unseen');
  await page.click('#frames-clear');
  assert.equal(await lines.count(), 0);
});

test('the stream can be turned off, and goes on where it was', options, async (t) => {
  const server = await start(t);
  const page = await enter(t, server, 'ada');
  await server.publish('lobby', 'one.');
  await both(page, 'one.');
  await page.click('#streaming');
  await is(page, '#stream-state', 'off');
  await server.publish('lobby', 'two.');
  await shows(page, SOCKET, 'two.');
  assert.deepEqual(await page.locator(`${STREAM} .said`).allTextContents(), ['one.']);
  await page.click('#streaming');
  await shows(page, STREAM, 'two.');
  assert.deepEqual(await page.locator(`${STREAM} .said`).allTextContents(), ['one.', 'two.']);
});

test('who disconnects comes back to the same rooms', options, async (t) => {
  const page = await enter(t, await start(t), 'ada');
  await page.click('text=Disconnect');
  await shows(page, '#state', 'not connected');
  assert(await page.isDisabled('#text'));
  await page.fill('#user', 'grace');
  await page.click('#connect');
  await live(page);
  await shows(page, '#state', 'live as grace');
  await shows(page, '#place-title', 'lobby');
});
