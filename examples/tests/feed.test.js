/** The feed: an EventSource that is cut off, and a relay that forgets. */

import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tunnel } from '../../clients/js/tests/relay.js';
import { afterwards, folder, options, picture, play, relayOf, sees, visit } from './stage.js';

/** The feed behind a line that can be cut, following a log that the test writes. */
async function behindALine(t) {
  const relay = await relayOf(t, 'feed');
  const way = await tunnel(relay.port);
  afterwards(t, () => way.close());
  const log = join(await folder(t), 'test.log');
  await writeFile(log, '');
  const { url } = await play(t, 'feed', { RELAY: way.url, LOG: log });
  const page = await visit(t, url);
  await sees(page, '#state', 'live');
  const write = (from, to) =>
    appendFile(
      log,
      numbers(from, to)
        .map((line) => `${line}\n`)
        .join(''),
    );
  return { relay, way, page, write };
}

const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, at) => `entry ${from + at}.`);

/** The test's own lines, and the notes between them, as the page shows them. */
const shown = async (page) =>
  (await page.locator('#log li').allInnerTexts()).filter((line) => /entry|missing/.test(line));

test('three rooms come on one stream, and go on where they were', options, async (t) => {
  const { url } = await play(t, 'feed');
  const page = await visit(t, url, { height: 610 });
  await sees(page, '#prices td', 'Wheat');
  await sees(page, '#step', 'of');
  await sees(page, '#log li', 'run 1');
  if (process.env.PICTURES) {
    const points = () => document.querySelector('#prices polyline').points.length >= 50;
    await page.waitForFunction(points, null, { timeout: 60_000 });
  }
  await page.locator('#line').click();
  await sees(page, '#state', 'cut off');
  await page.locator('#line').click();
  for (const room of ['prices', 'job', 'log'])
    await sees(page, '#story li', `${room}: resumed, nothing missed`);
  await picture('feed', page);
});

test('a line that is cut loses nothing', options, async (t) => {
  const { way, page, write } = await behindALine(t);
  await write(1, 3);
  await sees(page, '#log li', 'entry 3.');
  way.cut();
  await write(4, 40);
  await sees(page, '#log li', 'entry 40.');
  await sees(page, '#story li', 'log: resumed, nothing missed');
  assert.deepEqual(await shown(page), numbers(1, 40));
});

test('a relay that was restarted says that it cannot know, and the page says so too', options, async (t) => {
  const { relay, page, write } = await behindALine(t);
  await write(1, 3);
  await sees(page, '#log li', 'entry 3.');
  await relay.stop('SIGKILL');
  await sees(page, '#story li', 'the connection is lost');
  await write(4, 6);
  await relay.restart();
  await sees(page, '#log li', 'entry 6.');
  const lines = await shown(page);
  const note = lines.indexOf('Lines may be missing here');
  assert.notEqual(note, -1);
  assert.deepEqual(lines.toSpliced(note, 1), numbers(1, 6));
});

test('a relay that shuts down says goodbye, and the page waits for the next one', options, async (t) => {
  const { relay, page, write } = await behindALine(t);
  await write(1, 3);
  await sees(page, '#log li', 'entry 3.');
  await relay.stop('SIGTERM');
  await sees(page, '#story li', 'the relay says goodbye');
  await relay.restart();
  await write(4, 6);
  await sees(page, '#log li', 'entry 6.');
  await sees(page, '#story li', 'log: not everything could be recovered');
});
