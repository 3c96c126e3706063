/** People: direct messages, typing, and who may come in. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { enter, guest, is, live, open, options, shows, start } from './browser.js';

const SECRET = 'the console is tried with this secret';
const KEYS = { SWITCHBOARD_AUTH__SECRET: SECRET, SWITCHBOARD_CONSOLE: 'true' };

async function token(user) {
  const env = { ...process.env, SWITCHBOARD_AUTH__SECRET: SECRET };
  const { stdout } = await promisify(execFile)(process.env.SWITCHBOARD, ['token', '--user', user], { env });
  return stdout.trim();
}

test('direct messages go both ways', options, async (t) => {
  const server = await start(t);
  const page = await enter(t, server, 'ada');
  const grace = await guest(t, server, 'grace');
  const heard = new Promise((resolve) => grace.client.on('direct', resolve));
  await page.click('#members >> text=grace');
  await shows(page, '#place-title', 'Direct messages');
  await live(page);
  assert.equal(await page.inputValue('#to'), 'grace');
  await page.keyboard.type('between us');
  await page.keyboard.press('Enter');
  const { from, data } = await heard;
  assert.deepEqual([from, data], ['ada', 'between us']);
  await shows(page, '#socket-messages li', 'to grace');
  await shows(page, '#socket-messages li', '1 connection');
  await grace.client.direct('ada', { answer: 1 });
  await shows(page, '#socket-messages li', '{"answer":1}');
  await shows(page, '#stream-messages li', '{"answer":1}');
  await page.fill('#to', 'nobody');
  await page.fill('#text', 'anybody?');
  await page.click('#send');
  await shows(page, '#socket-messages li', 'not here now');
});

test('a direct message that comes meanwhile is counted', options, async (t) => {
  const server = await start(t);
  const page = await enter(t, server, 'ada');
  const grace = await guest(t, server, 'grace');
  await grace.client.direct('ada', 'psst');
  await shows(page, '[data-place="$me"] b', '1');
  await page.click('[data-place="$me"]');
  await shows(page, '#socket-messages li', 'psst');
  assert.equal(await page.locator('[data-place="$me"] b').count(), 0);
});

test('who types is shown to the others, until they have said it', options, async (t) => {
  const server = await start(t);
  const page = await enter(t, server, 'ada');
  const grace = await guest(t, server, 'grace');
  const typing = (active) =>
    new Promise((resolve) => {
      grace.room.on('typing', (told) => told.active === active && resolve(told.user));
    });
  const begins = typing(true);
  await page.locator('#text').pressSequentially('hel');
  assert.equal(await begins, 'ada');
  const ends = typing(false);
  await page.keyboard.press('Enter');
  assert.equal(await ends, 'ada');
  grace.room.typing();
  await shows(page, '#typing', 'grace is typing');
  await grace.room.publish('said');
  await shows(page, '#socket-messages li', 'said');
  await page.locator('#typing', { hasText: /^$/ }).waitFor({ state: 'attached' });
});

test('a server with keys says that it wants a token, and takes one', options, async (t) => {
  const server = await start(t, KEYS);
  const page = await open(t, server);
  await page.click('#connect');
  await is(page, '#socket-state', 'bad');
  await shows(page, '#identity-fault', 'This server needs a token');
  await page.locator('label', { hasText: /^Token$/ }).click();
  await page.fill('#token', 'no token');
  await page.click('#connect');
  await shows(page, '#identity-fault', 'does not accept this token');
  const good = await token('ada');
  await page.fill('#token', good);
  await page.click('#connect');
  await live(page);
  await shows(page, '#state', 'live as ada');
  await page.fill('#text', 'by token');
  await page.keyboard.press('Enter');
  await shows(page, '#stream-messages li', 'by token');
  await shows(page, '#frames li', '"auth"');
  const everything = await page.evaluate(() => document.body.textContent);
  assert(!everything.includes(good), 'a token is not shown, and so not copied');
  assert(!(await page.evaluate(() => JSON.stringify(localStorage))).includes(good));
  await shows(page, '#command', 'Authorization: Bearer $API_KEY');
});
