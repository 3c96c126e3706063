/** The dashboard: real figures, there at once. */

import assert from 'node:assert/strict';
import { pbkdf2 } from 'node:crypto';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { options, picture, play, relayOf, sees, visit } from './stage.js';

/** How many points the processor's chart has. */
const points = () => document.querySelector('#cpu polyline').points.length;

/** Gives the machine something to do, now more and now less. */
async function work(page) {
  for (let effort = 1; (await page.evaluate(points)) < 60; effort = (effort * 7) % 11) {
    await promisify(pbkdf2)('secret', 'salt', 200_000 * effort, 32, 'sha256');
    await fetch(page.url());
  }
}

test('figures of this machine move', options, async (t) => {
  const { url } = await play(t, 'dashboard', { INTERVAL: '0.25' });
  const page = await visit(t, url, { width: 960, height: 560 });
  await sees(page, '#state', 'live');
  await sees(page, '#host', hostname());
  await page.waitForFunction(`(${points})() >= 3`);
  for (const tile of ['cpu', 'memory', 'network', 'disk']) {
    assert.match(await page.locator(`#${tile} output`).innerText(), /^[\d.]+ (%|[KMG]?i?B(\/s)?)$/);
  }
  if (process.env.PICTURES) await work(page);
  await picture('dashboard', page);
});

test('who comes late has the last figures, though no more are coming', options, async (t) => {
  const { url } = await play(t, 'dashboard', { INTERVAL: '86400' });
  const first = await visit(t, url);
  await sees(first, '#memory aside', 'GiB');
  const second = await visit(t, url);
  await sees(second, '#memory aside', 'GiB');
  assert.equal(await second.locator('#uptime').innerText(), await first.locator('#uptime').innerText());
});

test('the page goes on with a relay that was restarted', options, async (t) => {
  const relay = await relayOf(t, 'dashboard');
  const { url } = await play(t, 'dashboard', { RELAY: relay.url, INTERVAL: '0.1' });
  const page = await visit(t, url);
  await page.waitForFunction(`(${points})() >= 2`);
  await relay.stop('SIGKILL');
  await sees(page, '#state', 'no connection');
  const before = await page.evaluate(`(${points})()`);
  await relay.restart();
  await sees(page, '#state', 'live');
  await page.waitForFunction(`(${points})() > ${before}`);
});
