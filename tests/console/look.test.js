/** How the page looks and reads: in both colours, on a phone, to a screen reader, and without motion. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './accessible.js';
import { enter, guest, is, open, options, overflows, shows, start } from './browser.js';

for (const colorScheme of ['light', 'dark']) {
  for (const [width, height] of [
    [1440, 900],
    [900, 700],
    [320, 640],
  ]) {
    const look = { colorScheme, viewport: { width, height } };

    test(`axe finds nothing to try with, ${colorScheme}, ${width} wide`, options, async (t) => {
      const server = await start(t);
      const fresh = await open(t, server, '/', look);
      assert.deepEqual(await violations(fresh), []);
      const grace = await guest(t, server, 'grace');
      const page = await enter(t, server, 'ada', look);
      await grace.room.publish({ long: 'x'.repeat(300) }, { event: 'e'.repeat(64) });
      await shows(page, '#stream-messages', 'xxx');
      await page.fill('#room', 'r'.repeat(200));
      await page.keyboard.press('Enter');
      await shows(page, '#place-title', 'rrr');
      await page.fill('#room', 'no room');
      await page.keyboard.press('Enter');
      await shows(page, '#join-fault', 'bad_room');
      assert.deepEqual(await violations(page), []);
      assert.equal(await overflows(page), false, 'it is wider than its window');
      await page.click('[data-place=lobby]');
      await shows(page, '#place-title', 'lobby');
      assert.deepEqual(await violations(page), []);
      assert.equal(await overflows(page), false, 'it is wider than its window');
    });
  }
}

test('the system chooses the colours until the visitor does, for good', options, async (t) => {
  const server = await start(t);
  const page = await open(t, server, '/', { colorScheme: 'dark' });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await paper();
  assert.notEqual(light, dark);
  await page.click('#theme');
  assert.equal(await page.textContent('#theme'), 'Theme: light');
  await page.click('#theme');
  assert.equal(await page.textContent('#theme'), 'Theme: dark');
  assert.equal(await paper(), dark);
  await page.reload();
  await shows(page, '#theme', 'Theme: dark');
  assert.equal(await paper(), dark);
});

test('who wants no motion sees none', options, async (t) => {
  const first = await start(t);
  const expected = /ERR_|WebSocket/;
  for (const [reducedMotion, moving] of [
    ['no-preference', true],
    ['reduce', false],
  ]) {
    const server = moving ? first : await start(t);
    const page = await enter(t, server, 'ada', { reducedMotion, expected });
    await server.stop();
    await is(page, '#socket-state', 'waiting');
    const motions = await page.evaluate(() => document.getAnimations().length);
    assert.equal(motions > 0, moving, reducedMotion);
  }
});

test('changes are told to who cannot see them', options, async (t) => {
  const page = await enter(t, await start(t), 'ada');
  for (const [selector, role] of [
    ['#state', 'status'],
    ['[role=log]:has(#socket-messages)', 'log'],
    ['#composer-fault', 'alert'],
    ['#join-fault', 'alert'],
    ['#identity-fault', 'alert'],
  ]) {
    assert.equal(await page.getAttribute(selector, 'role'), role, selector);
  }
  // Both lists would tell each message twice.
  assert.equal(await page.getAttribute('[role=log]:has(#stream-messages)', 'aria-live'), 'off');
});
