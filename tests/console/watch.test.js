/** Watching the server live. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { violations } from './accessible.js';
import { guest, is, open, options, overflows, shows, start } from './browser.js';

const KEY = 'the-key-of-the-console-tests-which-is-long-enough';
const SECRET = 'the console is tried with this secret';
const LOCKED = { SWITCHBOARD_CONSOLE: 'true', SWITCHBOARD_AUTH__SECRET: SECRET };

/** What a browser says of an answer that is a refusal, and of a server that is not there. */
const REFUSED = /status of 40[134]/;
const GONE = /ERR_|WebSocket connection/;

/** What the chart called `title` says of itself to those who cannot see it. */
const told = (page, title) => page.locator('.chart', { hasText: title }).locator('svg');

/** Waits until that matches `words`. */
const tells = (page, title, words) =>
  page.waitForFunction(
    ([title, words]) =>
      [...document.querySelectorAll('.chart svg')].some((svg) => {
        const label = svg.getAttribute('aria-label') ?? '';
        return label.startsWith(`${title}:`) && new RegExp(words).test(label);
      }),
    [title, words.source],
  );

test('an open server is watched without a word', options, async (t) => {
  const server = await start(t);
  const page = await open(t, server, '/#watch');
  await shows(page, '#watch-state', 'from the room $stats');
  const grace = await guest(t, server, 'grace');
  await tells(page, 'Connections', /^Connections: [2-9],/);
  await tells(page, 'Memory', /: [\d.]+ MiB, between/);
  await tells(page, 'Messages in', /between 0\/s/);
  for (let number = 0; number < 20; number++) await grace.room.publish(number);
  await tells(page, 'Messages out', /and [1-9][\d.]*\/s in the last two minutes/);
  await shows(page, '#uptime', ' s');
  await shows(page, '#totals', 'Bytes out');
  assert(await page.isHidden('#missing'));
  assert.match(await told(page, 'Fan-out latency').getAttribute('aria-label'), /p50 .*, p99 /);
});

test('the busiest rooms come first', options, async (t) => {
  const server = await start(t);
  for (const room of ['quiet', 'lobby', 'aloud']) await server.publish(room, 1);
  await guest(t, server, 'grace');
  await guest(t, server, 'linus');
  const page = await open(t, server, '/#watch');
  await shows(page, '#busiest tr', 'quiet');
  await shows(page, '#busiest-note', 'The busiest of 3 rooms.');
  assert.deepEqual(await page.locator('#busiest th').allTextContents(), ['lobby', 'aloud', 'quiet']);
  const cells = await page.locator('#busiest tr >> nth=0 >> td').allTextContents();
  assert.deepEqual(cells.slice(0, 2), ['2', '2']);
});

test('a server that was killed is found again, and its figures begin anew', options, async (t) => {
  const first = await start(t);
  const page = await open(t, first, '/#watch', { expected: GONE });
  for (let number = 0; number < 10; number++) await first.publish('lobby', number);
  await tells(page, 'Messages in', /between/);
  await first.stop();
  await shows(page, '#watch-state', 'reconnecting');
  await start(t, { port: first.port });
  await is(page, '#watch-state', 'live');
  await tells(page, 'Messages in', /: 0\/s, between/);
  const labels = await page
    .locator('.chart svg')
    .evaluateAll((all) => all.map((svg) => svg.getAttribute('aria-label')));
  assert(!labels.some((label) => /-\d/.test(label)), `nothing grew by less than nothing: ${labels}`);
});

test('a server with an API key asks for it, and keeps it in the tab', options, async (t) => {
  const server = await start(t, { ...LOCKED, SWITCHBOARD_API__KEY: KEY });
  const page = await open(t, server, '/#watch', { expected: REFUSED });
  await shows(page, '#missing', '/api/stats does not answer: it needs an API key');
  await shows(page, '#missing', '/api/rooms does not answer: it needs an API key');
  await shows(page, '#missing', 'You cannot join the room $stats');
  await page.fill('#key', 'not the key');
  await page.keyboard.press('Enter');
  await shows(page, '#missing', 'it needs an API key');
  await page.fill('#key', KEY);
  await page.keyboard.press('Enter');
  await shows(page, '#watch-state', 'from /api/stats once a second');
  await tells(page, 'Messages in', /between/);
  await shows(page, '#busiest-note', 'There are no rooms yet.');
  assert(await page.isHidden('#missing'));
  const [session, local] = await page.evaluate(() =>
    [sessionStorage, localStorage].map((kept) => JSON.stringify(kept)),
  );
  assert(session.includes(KEY) && !local.includes(KEY));
  await page.reload();
  await is(page, '#watch-state', 'live');
  const other = await open(t, server, '/#watch', { expected: REFUSED });
  await shows(other, '#missing', 'it needs an API key');
});

test('a server without an API key says what to set', options, async (t) => {
  const page = await open(t, await start(t, LOCKED), '/#watch', { expected: REFUSED });
  await shows(page, '#missing', 'no API key is configured. Set SWITCHBOARD_API__KEY, or key in the section [api]');
});

test('a token for $stats is enough for the charts', options, async (t) => {
  const server = await start(t, LOCKED);
  const env = { ...process.env, ...LOCKED };
  const words = ['token', '--user', 'ops', '--room', '$stats'];
  const { stdout } = await promisify(execFile)(process.env.SWITCHBOARD, words, { env });
  const page = await open(t, server, '/#watch', { expected: REFUSED });
  await page.fill('#watch-token', stdout.trim());
  await page.keyboard.press('Enter');
  await shows(page, '#watch-state', 'from the room $stats');
  await tells(page, 'Connections', /: 1, /);
});

test('who looks away watches no longer', options, async (t) => {
  const server = await start(t);
  const page = await open(t, server, '/#watch');
  await is(page, '#watch-state', 'live');
  const closed = page.waitForEvent('websocket').catch(() => {});
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket));
  await page.reload();
  await closed;
  const ended = sockets[0].waitForEvent('close');
  await page.click('text=Try it');
  await ended;
});

for (const colorScheme of ['light', 'dark']) {
  for (const [width, height] of [
    [1440, 900],
    [320, 640],
  ]) {
    test(`axe finds nothing to watch with, ${colorScheme}, ${width} wide`, options, async (t) => {
      const look = { colorScheme, viewport: { width, height } };
      const open_server = await start(t);
      await open_server.publish('r'.repeat(200), 1);
      const page = await open(t, open_server, '/#watch', look);
      await shows(page, '#busiest', 'rrr');
      await tells(page, 'Messages out', /between/);
      assert.deepEqual(await violations(page), []);
      assert.equal(await overflows(page), false, 'it is wider than its window');
      const locked = await open(t, await start(t, LOCKED), '/#watch', { ...look, expected: REFUSED });
      await shows(locked, '#missing', 'no API key is configured');
      assert.deepEqual(await violations(locked), []);
      assert.equal(await overflows(locked), false, 'it is wider than its window');
    });
  }
}

test('figures are written as people read them', options, async (t) => {
  const page = await open(t, await start(t));
  const written = await page.evaluate(async () => {
    const { bytes, count, duration, micros } = await import('/console/format.js');
    return [
      [0, 7, 9_999, 12_345, 1_234_567].map(count),
      [0, 1023, 1024, 1536, 512 * 2 ** 20].map(bytes),
      [0.5, 85, 999, 1_500, 2_500_000].map(micros),
      [0, 59, 61, 3_600, 90_061].map(duration),
    ];
  });
  assert.deepEqual(written, [
    ['0', '7', '9,999', '12.3K', '1.23M'],
    ['0 B', '1023 B', '1 KiB', '1.5 KiB', '512 MiB'],
    ['0.5 µs', '85 µs', '999 µs', '1.5 ms', '2.5 s'],
    ['0 s', '59 s', '1 min 1 s', '1 h 0 min', '1 d 1 h'],
  ]);
});

test('scales are round, and hold what they are for', options, async (t) => {
  const page = await open(t, await start(t));
  const ticks = await page.evaluate(async () => {
    const { decades, linear } = await import('/console/scale.js');
    const all = [linear(4), linear(1024, 1024), decades(10, 10_000)];
    return all.map((scale) => [0, 100, 1_000, 1_001, 1_000_000].map((most) => scale(most).ticks));
  });
  assert.deepEqual(ticks[0], [
    [4, 2],
    [100, 50],
    [1_000, 500],
    [1_500, 750],
    [1_000_000, 500_000],
  ]);
  assert.deepEqual(ticks[1], [...Array(4).fill([1024, 512]), [2 ** 20, 2 ** 19]]);
  assert.deepEqual(ticks[2], [...Array(4).fill([10_000, 1_000, 100]), [1_000_000, 10_000, 100]]);
  const shares = await page.evaluate(async () => {
    const { decades, linear } = await import('/console/scale.js');
    return [...[0, 50, 100].map(linear(4)(100).share), ...[0, 10, 100, 10_000].map(decades(10, 10_000)(0).share)];
  });
  assert.deepEqual(shares, [0, 0.5, 1, 0, 0, 1 / 3, 1]);
});
