/** The client in Chromium, on a page of its own, against the real server. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { serve, skip as noServer, tunnel } from './relay.js';

const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const skip = noServer || (!existsSync(BROWSER) && `there is no browser at ${BROWSER}`);
const options = { skip, timeout: 120_000 };
// A browser of this machine's own, that speaks to nobody else.
const ARGUMENTS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking ' +
  '--disable-component-update --disable-sync';

const PAGE = `<!doctype html><meta charset="utf-8"><title>Switchboard</title><script type="module">
  import { connect } from '/switchboard.js';
  const seen = (window.seen = []);
  window.enter = (url, user) => {
    const client = (window.client = connect(url, { user }));
    client.on('state', (state, detail) => seen.push([state, detail?.code]));
    const room = (window.room = client.join('lobby'));
    room.on('message', ({ from, data }) => seen.push(['message', data, from]));
    room.on('recovered', (recovered) => seen.push(['recovered', recovered]));
    return room.joined;
  };
</script>`;

let browser;
let site;

before(async () => {
  if (skip) return;
  const module = await readFile(new URL('../switchboard.js', import.meta.url));
  site = createServer((incoming, response) => {
    const { url } = incoming;
    if (url.startsWith('/sse')) return forward(incoming, response);
    const script = url === '/switchboard.js';
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.end(script ? module : PAGE);
  });
  await new Promise((resolve) => site.listen(0, 'localhost', resolve));
  browser = await chromium.launch({ executablePath: BROWSER, args: ARGUMENTS.split(' ') });
});

after(async () => {
  await browser?.close();
  site?.close();
});

/** Passes a request on to the server `site.relay`, as a proxy does that knows nothing of WebSockets. */
function forward(incoming, response) {
  const { url: path, method, headers } = incoming;
  const outgoing = request({ host: '127.0.0.1', port: site.relay.port, path, method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  outgoing.on('error', () => response.destroy());
  response.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

/** A page that has the client; the test fails on any error of it. */
async function open(t) {
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error));
  t.after(async () => {
    await page.close();
    assert.deepEqual(errors, []);
  });
  await page.goto(`http://localhost:${site.address().port}/`);
  await page.waitForFunction(() => window.enter);
  return page;
}

async function start(t, settings) {
  const server = await serve(settings);
  t.after(() => server.stop());
  return server;
}

const enter = (page, url, user) => page.evaluate(([url, user]) => window.enter(url, user), [url, user]);

/** Waits until the page has seen `event`, and forgets what came before. */
const sees = (page, ...event) =>
  page.waitForFunction((event) => {
    const at = window.seen.findIndex((seen) => event.every((value, index) => value === seen[index]));
    return at >= 0 && window.seen.splice(0, at + 1);
  }, event);

test('two pages talk in a room', options, async (t) => {
  const server = await start(t);
  const [ann, bob] = [await open(t), await open(t)];
  await enter(ann, server.url, 'ann');
  await enter(bob, server.url.replace('http', 'ws'), 'bob');
  await ann.evaluate(() => window.room.publish('hello'));
  await sees(bob, 'message', 'hello', 'ann');
  await server.publish('lobby', 'from the app');
  await sees(ann, 'message', 'from the app', null);
});

test('a page that was cut off misses nothing', options, async (t) => {
  const server = await start(t);
  const way = await tunnel(server.port);
  t.after(() => way.close());
  const page = await open(t);
  await enter(page, way.url, 'ann');
  await server.publish('lobby', 1);
  await sees(page, 'message', 1);
  way.cut();
  await server.publish('lobby', 2);
  await sees(page, 'waiting', 1006);
  await sees(page, 'recovered', true);
  await sees(page, 'message', 2);
});

test('a page that hears nothing notices, when its network comes back', options, async (t) => {
  const server = await start(t);
  const way = await tunnel(server.port);
  t.after(() => way.close());
  const page = await open(t);
  await enter(page, way.url, 'ann');
  way.silence();
  await server.publish('lobby', 1);
  // The browser's own `online` would never come on a machine without any network. It is told again as long as an answer
  // that was on its way before the silence may have come after it.
  const noticed = () => window.seen.some(([state]) => state === 'waiting') || void dispatchEvent(new Event('online'));
  await page.waitForFunction(noticed, undefined, { polling: 4_000 });
  await sees(page, 'waiting', 1006);
  await sees(page, 'recovered', true);
  await sees(page, 'message', 1);
});

test('a page finds a server again that was killed, and sends what waited', options, async (t) => {
  const first = await start(t);
  const page = await open(t);
  await enter(page, first.url, 'ann');
  await first.stop();
  await sees(page, 'waiting', 1006);
  await page.evaluate(() => void window.room.publish('waited'));
  await start(t, { port: first.port });
  await sees(page, 'recovered', false);
  await sees(page, 'message', 'waited', 'ann');
});

test('a page leaves a server that drains, and comes back', options, async (t) => {
  const first = await start(t, { SWITCHBOARD_DRAIN: '1s' });
  const page = await open(t);
  await enter(page, first.url, 'ann');
  const stopped = first.stop('SIGTERM');
  await sees(page, 'waiting', 1001);
  assert.equal(await stopped, 0);
  await start(t, { port: first.port });
  await sees(page, 'online');
});

test('a page that was gone back to resumes', options, async (t) => {
  const server = await start(t);
  const page = await open(t);
  await enter(page, server.url, 'ann');
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
  await sees(page, 'waiting', 1000);
  await server.publish('lobby', 1);
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  await sees(page, 'recovered', true);
  await sees(page, 'message', 1);
});

test('a page behind a proxy without WebSockets streams, and misses nothing', options, async (t) => {
  site.relay = await start(t);
  const page = await open(t);
  await enter(page, '/', 'ann');
  await sees(page, 'online');
  await page.evaluate(() => window.room.publish('posted'));
  await sees(page, 'message', 'posted', 'ann');
  site.closeAllConnections();
  await site.relay.publish('lobby', 'missed');
  await sees(page, 'recovered', true);
  await sees(page, 'message', 'missed');
});
