/** The poll: a Rust program with the relay inside it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options, picture, play, sees, visit } from './stage.js';

const start = (t) => play(t, 'embed', {}, ['cargo', 'run', '--quiet', '--locked', '--package', 'embed']);

const vote = async (url, number) => (await fetch(`${url}votes/${number}`, { method: 'POST' })).status;

/** Waits until the page gives each answer this share of the votes. */
const shares = (page, ...expected) =>
  page.waitForFunction(
    (expected) =>
      [...document.querySelectorAll('li b')].map((share) => share.textContent).join() === expected,
    expected.map((share) => `${share} %`).join(),
  );

test('a vote moves the bars of everybody, and of who comes later', options, async (t) => {
  const { url } = await start(t);
  const ann = await visit(t, url, { width: 620, height: 470 });
  const bob = await visit(t, url);
  await shares(ann, 0, 0, 0, 0);
  await ann.getByRole('button', { name: 'Ghent' }).click();
  await shares(ann, 0, 100, 0, 0);
  await shares(bob, 0, 100, 0, 0);
  assert.equal(await ann.getByRole('button', { name: 'Lisbon' }).isDisabled(), true);
  assert.equal(await bob.getByRole('button', { name: 'Lisbon' }).isDisabled(), false);
  await bob.getByRole('button', { name: 'Lisbon' }).click();
  for (const number of [1, 1, 0, 2, 1, 3, 0, 1]) assert.equal(await vote(url, number), 204);
  const late = await visit(t, url);
  for (const page of [ann, bob, late]) await shares(page, 30, 50, 10, 10);
  await picture('embed', ann);
});

test('what is no answer is no vote', options, async (t) => {
  const { url } = await start(t);
  for (const number of ['4', '-1', 'x', '']) assert.equal(await vote(url, number), 404);
  assert.equal((await fetch(`${url}votes/1`)).status, 404);
  const page = await visit(t, url);
  await sees(page, '#total', '0 votes');
});

test('a program that ends says goodbye to its pages', options, async (t) => {
  const { url, stop } = await start(t);
  const page = await visit(t, url);
  await sees(page, '#state', 'live');
  await stop();
  await sees(page, '#state', 'gone');
});
