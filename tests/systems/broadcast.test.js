/** To everybody in the room but whoever says it: `echo: false`, and for the app `exclude`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options, serve } from './relay.js';

test('the others hear what a client says', options, async (t) => {
  const relay = await serve(t);
  const guests = [];
  for (let count = 0; count < 5; count++) guests.push(await relay.member('game'));
  const [sender, ...others] = guests;
  sender.say('publish', { room: 'game', event: 'move', data: { x: 1 }, echo: false, id: 1 });
  // The answer is the first that the sender hears: no copy came before it.
  const { position } = await sender.hear('published');
  for (const other of others) {
    const message = await other.hear('message');
    assert.deepEqual([message.event, message.data, message.position], ['move', { x: 1 }, position]);
  }
  for (const guest of guests) await guest.hearNothing();

  // What is of this moment alone is kept nowhere.
  sender.say('publish', { room: 'game', event: 'cursor', data: [3, 4], echo: false, store: false });
  for (const other of others) assert.equal((await other.hear('message')).position, undefined);
  const { messages } = await relay.call('GET', '/api/rooms/game/messages');
  assert.deepEqual(messages.map(({ data }) => data), [{ x: 1 }]);
});

test('the others hear what the app says for a client', options, async (t) => {
  const relay = await serve(t);
  const [sender, other] = [await relay.member('game'), await relay.member('game')];
  const body = { data: 'saved', exclude: sender.connection };
  await relay.call('POST', '/api/rooms/game/messages', body);
  assert.equal((await other.hear('message')).data, 'saved');
  await sender.hearNothing();
});

test("a user's other device is not the sender", options, async (t) => {
  const relay = await serve(t);
  const [phone, laptop] = [await relay.member('game', 'ann'), await relay.member('game', 'ann')];
  phone.say('publish', { room: 'game', data: 1, echo: false });
  assert.equal((await laptop.hear('message')).from, 'ann');
  await phone.hearNothing();
});
