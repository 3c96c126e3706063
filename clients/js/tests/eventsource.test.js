/** `EventSource`, npm's in Node and the browser's own in Chromium, cut off and on a server that is started anew. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { EventSource } from 'eventsource';
import { chromium } from 'playwright-core';
import { serve, skip as noServer, tunnel } from './relay.js';

const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const noBrowser = noServer || (!existsSync(BROWSER) && `there is no browser at ${BROWSER}`);
const ARGUMENTS = '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking';

/** Listens to a stream; runs in Node and in a page alike. */
function listen(EventSource, url) {
  const seen = [];
  const source = new EventSource(url);
  for (const type of ['joined', 'message']) {
    source.addEventListener(type, ({ data, lastEventId }) => seen.push({ id: lastEventId, ...JSON.parse(data) }));
  }
  /** The next event, of a type if one is named, if it is there; those before it are forgotten. */
  const take = (type) => {
    const at = seen.findIndex((event) => !type || event.type === type);
    return at < 0 ? undefined : seen.splice(0, at + 1).at(-1);
  };
  return { source, take };
}

/**
 * What must hold wherever a stream is read. `open` gives a stream whose `next(type)` is its next event of that type, or of any.
 *
 * Cut off, it goes on by itself and misses nothing; on a server that was started anew it is told that it may have.
 */
async function behave(t, open) {
  const server = await serve();
  const line = await tunnel(server.port);
  t.after(() => line.close());
  const stream = await open(line.url, '/sse?room=a&room=b');
  t.after(() => stream.close());
  const joined = async (recovered) => {
    for (const _ of ['a', 'b']) assert.equal((await stream.next('joined')).recovered, recovered);
  };
  await joined(false);
  await server.publish('a', 'one');
  const one = await stream.next('message');
  assert.equal(one.data, 'one');
  assert.match(one.id, new RegExp(`^${one.position},[0-9a-f]{8}:0$`));

  line.cut();
  await server.publish('b', 'two');
  await server.publish('a', { lines: '3\n4' });
  // Rooms may be interleaved; in each of them `joined` comes before what was missed.
  const told = { a: [], b: [] };
  for (let left = 4; left > 0; left--) {
    const { room, recovered, data } = await stream.next();
    told[room].push(recovered ?? data);
  }
  assert.deepEqual(told, { a: [true, { lines: '3\n4' }], b: [true, 'two'] });

  await server.stop();
  const again = await serve({ port: server.port });
  t.after(() => again.stop());
  await joined(false);
  await again.publish('b', [5]);
  assert.deepEqual((await stream.next('message')).data, [5]);
}

test("npm's EventSource goes on by itself", { skip: noServer, timeout: 60_000 }, async (t) => {
  const open = (base, path) => {
    const { source, take } = listen(EventSource, base + path);
    const next = async (type) => {
      for (;;) {
        const event = take(type);
        if (event) return event;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    return { next, close: () => source.close() };
  };
  await behave(t, open);
});

test("Chromium's EventSource goes on by itself", { skip: noBrowser, timeout: 120_000 }, async (t) => {
  const browser = await chromium.launch({ executablePath: BROWSER, args: ARGUMENTS.split(' ') });
  t.after(() => browser.close());
  const page = await browser.newPage();
  const open = async (base, path) => {
    // A page of the server itself, so that the stream is of the page's own origin.
    await page.goto(`${base}/healthz`);
    await page.evaluate(
      ([code, path]) => Object.assign(window, new Function(`return ${code}`)()(EventSource, path)),
      [listen.toString(), path],
    );
    const next = async (type) => (await page.waitForFunction((type) => window.take(type), type)).jsonValue();
    return { next, close: () => page.close() };
  };
  await behave(t, open);
});
