/** The console in headless Chromium, against a server of its own. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import WebSocket from 'ws';
import { connect } from '../../clients/js/switchboard.js';
import { serve, skip as noServer } from '../../clients/js/tests/relay.js';

const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const skip = noServer || (!existsSync(BROWSER) && `there is no browser at ${BROWSER}`);

/** What every test here is run with. */
export const options = { skip, timeout: 120_000 };

// A browser of this machine's own, that speaks to nobody else.
const ARGUMENTS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking ' +
  '--disable-component-update --disable-sync';

/** How long a page may take to show something, in milliseconds: far longer than it does on a busy machine. */
const PATIENCE = 20_000;

/** Chromium, one for the tests of a file. */
const launched = skip ? undefined : chromium.launch({ executablePath: BROWSER, args: ARGUMENTS.split(' ') });

after(async () => (await launched)?.close());

const endings = new WeakMap();

/** Lets `end` happen when the test is over: what began last ends first, so that no page misses its server. */
function atEnd(t, end) {
  if (!endings.has(t)) {
    endings.set(t, []);
    t.after(async () => {
      const ended = [];
      for (const end of endings.get(t).reverse()) ended.push(...(await Promise.allSettled([end()])));
      const failed = ended.find(({ status }) => status === 'rejected');
      if (failed) throw failed.reason;
    });
  }
  endings.get(t).push(end);
}

/** Starts a server that ends with the test. */
export async function start(t, settings) {
  const server = await serve(settings);
  atEnd(t, () => server.stop());
  return server;
}

/**
 * Opens the console of `server` at `path`, in a context of its own. The test fails if the page asks anybody else for
 * anything, throws, or logs an error that `expected` does not match.
 */
export async function open(t, server, path = '/', { expected, ...context } = {}) {
  const browser = await launched;
  const own = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...context });
  own.setDefaultTimeout(PATIENCE);
  const page = await own.newPage();
  const wrong = [];
  const local = `//127.0.0.1:${server.port}/`;
  page.on('pageerror', (error) => wrong.push(error.stack));
  page.on('console', (message) => {
    const bad = message.type() === 'error' && !expected?.test(message.text());
    if (bad) wrong.push(message.text());
  });
  for (const type of ['request', 'websocket']) {
    page.on(type, (made) => made.url().includes(local) || wrong.push(`outside: ${made.url()}`));
  }
  atEnd(t, async () => {
    await own.close();
    assert.deepEqual(wrong, []);
  });
  await page.goto(new URL(path, server.url).href);
  await page.locator('#theme', { hasText: 'Theme' }).waitFor();
  return page;
}

/** Waits until the element at `selector` shows `text`. */
export const shows = (page, selector, text) => page.locator(selector, { hasText: text }).first().waitFor();

/** Waits until the line of state at `id` says that the wire is `state`. */
export const is = (page, id, state) => page.locator(`${id}[data-state=${state}]`).waitFor();

/** Opens the console as `user`, who is in the rooms of the page's address, and waits until both wires are live. */
export async function enter(t, server, user, options) {
  const page = await open(t, server, `/?${new URLSearchParams({ user, room: 'lobby' })}`, options);
  await live(page);
  return page;
}

/** Waits until both wires are live. */
export async function live(page) {
  await is(page, '#socket-state', 'live');
  await is(page, '#stream-state', 'live');
}

/** Somebody else in `lobby`, from outside the browser. */
export async function guest(t, server, user) {
  const client = connect(server.url, { user, WebSocket, fetch: null });
  atEnd(t, () => client.close());
  const room = client.join('lobby');
  await room.joined;
  return { client, room };
}

/** Says whether the page is wider than its window. */
export const overflows = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
