/** The chat: people who come, talk, type, whisper and go. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tunnel } from '../../clients/js/tests/relay.js';
import { afterwards, options, picture, play, relayOf, sees, seesNo, visit } from './stage.js';

const at = ({ url, relay }) => `${url}?port=${new URL(relay).port}`;

async function enter(t, url, name, size) {
  const page = await visit(t, url, size);
  await page.getByLabel('Your name').fill(name);
  await page.keyboard.press('Enter');
  await sees(page, '#members li', `${name} (you)`);
  return page;
}

async function says(page, text) {
  await page.getByLabel('Message').fill(text);
  await page.keyboard.press('Enter');
}

const reads = (page, text) => sees(page, '.said li', text);

/** What was said in the open place, without names and times. */
const said = (page) =>
  page.locator('.said li:not(.note)').evaluateAll((lines) => lines.map((line) => line.lastChild.textContent));

test('people talk, see who is there, and who types', options, async (t) => {
  const address = at(await play(t, 'chat'));
  const size = { width: 700, height: 500 };
  const ada = await enter(t, address, 'Ada', size);
  await says(ada, 'Is anybody else up already?');
  await reads(ada, 'Is anybody');
  const emmy = await enter(t, address, 'Emmy', size);
  await reads(emmy, 'Is anybody');
  await sees(ada, '#messages .note', 'Emmy is here');
  await sees(ada, '#members li', 'Emmy');
  await says(emmy, 'Since five. The bread is in the oven.');
  await says(emmy, 'Twenty minutes more.');
  await says(ada, 'Then I bring the coffee');
  await reads(emmy, 'coffee');
  await reads(ada, 'Twenty');
  assert.deepEqual(await said(ada), await said(emmy));

  await ada.getByRole('button', { name: '# music' }).click();
  await sees(ada, '#members li', 'Emmy');
  await says(emmy, 'Somebody has to get butter, too.');
  await sees(ada, '#rooms [data-unread="1"]', '# lobby');
  await ada.getByRole('button', { name: '# lobby' }).click();
  await reads(ada, 'butter');
  await seesNo(ada, '#rooms [data-unread]');

  await ada.getByRole('button', { name: 'Emmy' }).click();
  await says(ada, 'Psst: it is his birthday');
  await sees(emmy, '#talks [data-unread="1"]', 'Ada');
  await ada.getByRole('button', { name: '# lobby' }).click();
  // Who has just said something types unseen for up to two seconds.
  await ada.getByLabel('Message').pressSequentially('I get it on my way to you', { delay: 100 });
  await sees(emmy, '#typing', 'Ada is typing');
  await picture('chat', ada, emmy);

  await emmy.locator('#talks button').click();
  assert.deepEqual(await said(emmy), ['Psst: it is his birthday']);
  await emmy.close();
  await sees(ada, '#messages .note', 'Emmy has left');
});

test('what is written without a connection is said once, and missed messages come', options, async (t) => {
  const relay = await relayOf(t, 'chat');
  const way = await tunnel(relay.port);
  afterwards(t, () => way.close());
  const { url } = await play(t, 'chat', { RELAY: relay.url });
  const ada = await enter(t, at({ url, relay: way.url }), 'Ada');
  const emmy = await enter(t, at({ url, relay: relay.url }), 'Emmy');
  await says(emmy, 'one');
  await reads(ada, 'one');
  way.cut();
  await sees(ada, '#state', 'no connection');
  await says(ada, 'three');
  await says(emmy, 'two');
  await reads(ada, 'two');
  await reads(emmy, 'three');
  assert.deepEqual(await said(ada), await said(emmy));
  assert.deepEqual((await said(ada)).toSorted(), ['one', 'three', 'two']);
});

test('a private message is for one alone, and waits a while for who is away', options, async (t) => {
  const address = at(await play(t, 'chat'));
  const ada = await enter(t, address, 'Ada');
  const emmy = await enter(t, address, 'Emmy');
  const cleo = await enter(t, address, 'Cleo');
  await ada.getByRole('button', { name: 'Emmy' }).click();
  await says(ada, 'only you');
  await sees(emmy, '#talks button', 'Ada');
  await says(cleo, 'after it');
  await emmy.close();
  await says(ada, 'and this for later');
  await sees(ada, '#messages .note', 'Emmy is not here');
  assert.equal(await cleo.locator('#talks button').count(), 0);
});

test('what a relay refuses is marked, and waits', options, async (t) => {
  const relay = await relayOf(t, 'chat', { SWITCHBOARD_LIMITS__MESSAGE: '1KiB' });
  const { url } = await play(t, 'chat', { RELAY: relay.url });
  const ada = await enter(t, at({ url, relay: relay.url }), 'Ada');
  await says(ada, 'long '.repeat(300));
  await sees(ada, '.waiting .failed', 'long');
  await says(ada, 'short');
  await reads(ada, 'short');
  assert.deepEqual(await said(ada), ['short']);
});
