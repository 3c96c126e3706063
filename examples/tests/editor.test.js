/** The editor: two browsers that write at the same time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tunnel } from '../../clients/js/tests/relay.js';
import { afterwards, options, picture, play, relayOf, sees, seesNo, visit } from './stage.js';

const small = { width: 620, height: 600 };
const content = '.cm-content';

const reads = (page, text) => sees(page, content, text);
/** The lines of the document, without the carets of others. */
const lines = (page) =>
  page.locator('.cm-line').evaluateAll((lines) =>
    lines.map((line) => {
      const copy = line.cloneNode(true);
      for (const caret of copy.querySelectorAll('.cm-ySelectionCaret')) caret.remove();
      return copy.textContent;
    }),
  );

async function writes(page, words) {
  await page.locator(content).focus();
  await page.keyboard.press('Control+End');
  await page.keyboard.insertText(words);
}

async function both(t, url) {
  const ada = await visit(t, `${url}?user=Ada`, small);
  const emmy = await visit(t, `${url}?user=Emmy`, small);
  await sees(ada, '#people li', 'E');
  await sees(emmy, '#people li', 'A');
  return [ada, emmy];
}

/** Both have what each wrote, in one order. */
async function converge(ada, emmy, ...words) {
  for (const word of words) {
    await reads(ada, word);
    await reads(emmy, word);
  }
  assert.deepEqual(await lines(ada), await lines(emmy));
}

test('two write at once, also while one of them is offline', options, async (t) => {
  const { url } = await play(t, 'editor');
  const [ada, emmy] = await both(t, url);
  await writes(ada, '# Launch of the new site\n\nWe go live on **Thursday at nine**. Who does what:\n\n');
  await reads(emmy, 'Thursday at nine');
  await writes(emmy, '## Before\n\n- Emmy moves the database, `pg_dump` first\n');
  await reads(ada, 'pg_dump');

  await emmy.locator('#line').click();
  await sees(emmy, '#state', 'Cut off');
  await seesNo(ada, '#people li', 'E');
  await seesNo(emmy, '#people li', 'A');
  await writes(emmy, '- Emmy tells support\n');
  await writes(ada, '- Ada warms the cache\n');
  await emmy.locator('#line').click();
  await converge(ada, emmy, 'Emmy tells support', 'Ada warms the cache');

  await writes(ada, '\n## After\n\nCake.');
  await emmy.locator(content).focus();
  await emmy.keyboard.press('Control+Home');
  await emmy.keyboard.press('Shift+End');
  await sees(ada, '.cm-ySelectionInfo', 'Emmy');
  await sees(emmy, '.cm-ySelectionInfo', 'Ada');
  await picture('editor', ada, emmy);
});

test('two that lost the relay converge when they find it again', options, async (t) => {
  const relay = await relayOf(t, 'editor');
  const way = await tunnel(relay.port);
  afterwards(t, () => way.close());
  const { url } = await play(t, 'editor', { RELAY: way.url });
  const [ada, emmy] = await both(t, url);
  await writes(ada, 'one ');
  await reads(emmy, 'one');
  await relay.stop('SIGKILL');
  await sees(ada, '#state', 'Cut off');
  await sees(emmy, '#state', 'Cut off');
  await writes(ada, 'two ');
  await writes(emmy, 'three ');
  await relay.restart();
  await converge(ada, emmy, 'two', 'three');
});

test('the document is still there when everybody was gone', options, async (t) => {
  const { url } = await play(t, 'editor');
  const page = await visit(t, url, small);
  await sees(page, '#state', 'In sync');
  await writes(page, 'to be kept');
  await page.waitForFunction(
    () =>
      new Promise((done) => {
        const opening = indexedDB.open('notes');
        opening.onsuccess = () => {
          const counting = opening.result.transaction('updates').objectStore('updates').count();
          counting.onsuccess = () => done(counting.result > 0);
        };
      }),
  );
  await page.reload();
  await reads(page, 'to be kept');
});
