/** The task board: people who see each other work, and only what they may see. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { folder, options, picture, play, relayOf, sees, seesNo, visit } from './stage.js';

const KEYS = {
  SECRET: 'a-secret-of-more-than-thirty-two-bytes',
  API_KEY: 'a-key-of-more-than-thirty-two-bytes',
};

/** The variables of a board that begins anew. */
const freshBoard = async (t) => ({ DB: join(await folder(t), 'board.db') });

async function enter(t, url, name, size) {
  const page = await visit(t, url, size);
  await page.getByRole('button', { name, exact: true }).click();
  await sees(page, 'main li');
  return page;
}

const card = (page, title) => page.locator('main li', { hasText: title });
const inColumn = (page, column, title) => sees(page, `[data-column=${column}] li`, title);
const order = (page, column) => page.locator(`[data-column=${column}] li`).allInnerTexts();

test('two see each other move cards, with the mouse and with the keyboard', options, async (t) => {
  const { url } = await play(t, 'taskboard', await freshBoard(t));
  const size = { width: 720, height: 520 };
  const ada = await enter(t, url, 'Ada', size);
  const emmy = await enter(t, url, 'Emmy', size);
  await sees(ada, '#people li', 'E');
  await sees(emmy, '#people li', 'A');

  await card(ada, 'Ask Farid').dragTo(ada.locator('[data-column=doing]'));
  await inColumn(emmy, 'doing', 'Ask Farid');
  await sees(emmy, '#news', 'Ada moved');
  assert.equal((await order(emmy, 'doing')).at(-1), 'Ask Farid for photos of the workshop');

  await card(emmy, 'Order form').focus();
  await emmy.keyboard.press('ArrowRight');
  await inColumn(emmy, 'done', 'Order form');
  await inColumn(ada, 'done', 'Order form');
  await emmy.keyboard.press('ArrowDown');
  await ada.waitForFunction(() =>
    document.querySelector('[data-column=done] li + li').innerText.startsWith('Order'),
  );
  assert.deepEqual(await order(ada, 'done'), await order(emmy, 'done'));

  await ada.getByLabel('Add a task').fill('Invite the testers');
  await ada.keyboard.press('Enter');
  await inColumn(emmy, 'todo', 'Invite the testers');
  await sees(ada, '#news', 'Emmy moved');
  await ada.getByLabel('Add a task').blur();
  await picture('taskboard', ada, emmy);

  await emmy.close();
  await seesNo(ada, '#people li', 'E');
});

test('the app is one, by the name of this machine and by its number', options, async (t) => {
  const { url } = await play(t, 'taskboard', await freshBoard(t));
  const ada = await enter(t, url, 'Ada');
  const emmy = await enter(t, url.replace('localhost', '127.0.0.1'), 'Emmy');
  await sees(ada, '#people li', 'E');
  await sees(emmy, '#people li', 'A');
  await card(emmy, 'Order form').focus();
  await emmy.keyboard.press('ArrowRight');
  await inColumn(ada, 'done', 'Order form');
});

test('who is not of a project hears nothing of it, whatever they try', options, async (t) => {
  const { url, relay } = await play(t, 'taskboard', await freshBoard(t));
  const ada = await enter(t, url, 'Ada');
  const blaise = await enter(t, url, 'Blaise');
  assert.deepEqual(await blaise.locator('nav button').allInnerTexts(), ['Garden']);

  const refusals = await blaise.evaluate(async (relay) => {
    const { connect } = await import(`${relay}/switchboard.js`);
    const client = connect(relay, { getToken: async () => (await fetch('/token')).text() });
    const codes = [];
    for (const attempt of [
      () => client.join('project:1').joined,
      () => client.join('project:2').publish('mine'),
    ]) {
      await attempt().catch(({ code }) => codes.push(code));
    }
    client.close();
    return codes;
  }, relay);
  assert.deepEqual(refusals, ['forbidden', 'forbidden']);

  const frames = [];
  blaise.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(payload)));
  await blaise.reload();
  await sees(blaise, '#people li', 'B');
  await card(ada, 'Write the words').focus();
  await ada.keyboard.press('ArrowRight');
  await inColumn(ada, 'doing', 'Write the words');
  await ada.getByRole('button', { name: 'Garden' }).click();
  await card(ada, 'Sow').focus();
  await ada.keyboard.press('ArrowRight');
  await sees(blaise, '#news', 'Sow the beans');
  assert.match(frames.join(), /Sow the beans/);
  assert.doesNotMatch(frames.join(), /Write the words/);
});

test('what happened while the relay was away is there when it is back', options, async (t) => {
  const relay = await relayOf(t, 'taskboard', {
    SWITCHBOARD_AUTH__SECRET: KEYS.SECRET,
    SWITCHBOARD_API__KEY: KEYS.API_KEY,
  });
  const { url } = await play(t, 'taskboard', { ...(await freshBoard(t)), ...KEYS, RELAY: relay.url });
  const ada = await enter(t, url, 'Ada');
  const emmy = await enter(t, url, 'Emmy');
  await sees(ada, '#people li', 'E');
  await relay.stop('SIGKILL');
  await sees(emmy, '#state', 'connecting');
  await card(ada, 'Choose a typeface').focus();
  await ada.keyboard.press('ArrowLeft');
  await inColumn(ada, 'doing', 'Choose a typeface');
  await relay.restart();
  await inColumn(emmy, 'doing', 'Choose a typeface');
});
