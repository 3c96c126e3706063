/** Every page on a phone, and in the dark. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { folder, options, play, sees, visit } from './stage.js';

const PHONE = { width: 360, height: 740, isMobile: true, hasTouch: true, colorScheme: 'dark' };

const EMBED = ['cargo', 'run', '--quiet', '--locked', '--package', 'embed'];
const LONG = 'a-word-that-is-longer-than-any-telephone-is-wide-and-then-some';

/** How each example is started, what is done until its page is full, and what is seen then. */
const EXAMPLES = {
  chat: {
    begin: (page) => page.getByLabel('Your name').fill('Ada'),
    async fill(page) {
      await page.keyboard.press('Enter');
      await page.getByLabel('Message').fill(LONG);
      await page.keyboard.press('Enter');
      await sees(page, '.said li', LONG);
      await sees(page, '#members button', 'Ada');
    },
  },
  dashboard: { fill: (page) => sees(page, '#memory aside', 'GiB') },
  editor: {
    async fill(page) {
      await sees(page, '#state', 'In sync');
      await page.locator('.cm-content').focus();
      await page.keyboard.insertText(`# Notes\n\n${LONG} and \`${LONG}\``);
      await sees(page, '.cm-content', LONG);
    },
  },
  embed: { command: EMBED, fill: (page) => sees(page, 'button', 'Ghent') },
  feed: {
    async fill(page) {
      await sees(page, '#log li', 'run 1');
      await sees(page, '#prices td', 'Wheat');
      await page.locator('#line').click();
      await sees(page, '#story li', 'you cut');
    },
  },
  taskboard: {
    async fill(page) {
      await page.getByRole('button', { name: 'Ada', exact: true }).click();
      await sees(page, 'main li');
      await page.getByLabel('Add a task').fill(LONG);
      await page.keyboard.press('Enter');
      await sees(page, 'main li', LONG);
    },
  },
};

/** The address of the page, by number: the other tests use the name. The chat's says where the relay is. */
function address(name, { url, relay }) {
  const page = url.replace('localhost', '127.0.0.1');
  return name === 'chat' ? `${page}?port=${new URL(relay).port}` : page;
}

async function start(t, name) {
  const variables = name === 'taskboard' ? { DB: join(await folder(t), 'board.db') } : {};
  return address(name, await play(t, name, variables, EXAMPLES[name].command));
}

/** What is wider than its place: the page itself, or a part of it that would have to be moved sideways. */
const tooWide = () =>
  [document.documentElement, ...document.querySelectorAll('body, body *')]
    .filter((part) => part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).overflowX !== 'visible')
    .concat(document.documentElement.scrollWidth > innerWidth ? [document.documentElement] : [])
    .map((part) => `${part.tagName} ${part.id} ${part.className}: ${part.scrollWidth} in ${part.clientWidth}`);

/** Buttons and inputs that a thumb misses, or that make a browser zoom in when they are typed into. */
const tooSmall = () =>
  [...document.querySelectorAll('button, input')]
    .filter((part) => part.checkVisibility({ visibilityProperty: true }))
    .filter(
      (part) =>
        part.getBoundingClientRect().height < 44 ||
        (part.tagName === 'INPUT' && parseFloat(getComputedStyle(part).fontSize) < 16),
    )
    .map((part) => part.outerHTML);

/** How bright the page and its letters are, from 0 for black to 1 for white. */
const brightness = () => {
  const { backgroundColor, color } = getComputedStyle(document.documentElement);
  const bright = (color) =>
    color
      .match(/[\d.]+/g)
      .slice(0, 3)
      .reduce((sum, part) => sum + part / 255 / 3, 0);
  return { page: bright(backgroundColor), letters: bright(color) };
};

async function fits(page) {
  for (const width of [320, 360, 400]) {
    await page.setViewportSize({ width, height: PHONE.height });
    assert.deepEqual(await page.evaluate(tooWide), [], `at ${width} px`);
    assert.deepEqual(await page.evaluate(tooSmall), [], `at ${width} px`);
  }
}

for (const [name, { begin, fill }] of Object.entries(EXAMPLES)) {
  test(`${name}: all of it fits on a phone, and is dark where that is asked for`, options, async (t) => {
    const page = await visit(t, await start(t, name), PHONE);
    if (begin) {
      await begin(page);
      await fits(page);
    }
    await fill(page);
    await fits(page);
    const dark = await page.evaluate(brightness);
    assert.ok(dark.page < 0.15 && dark.letters > 0.8, JSON.stringify(dark));
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await page.evaluate(brightness);
    // The dashboard hangs on a wall, and is dark at all times.
    if (name !== 'dashboard') assert.ok(light.page > 0.85 && light.letters < 0.2, JSON.stringify(light));
  });
}

test('a thumb moves a card', options, async (t) => {
  const page = await visit(t, await start(t, 'taskboard'), PHONE);
  await page.getByRole('button', { name: 'Ada', exact: true }).tap();
  await page.getByRole('button', { name: 'Move “Write the words for the front page” to Doing' }).tap();
  await sees(page, '[data-column=doing] li', 'Write the words');
});
