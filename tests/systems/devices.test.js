/**
 * A user on three devices: all are that one user to others, and there is no fourth.
 *
 * `too_many = "evict-oldest"` would let the fourth in, and close the first in its place.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options, serve } from './relay.js';

const THREE = '[limits]\nconnections_per_user = 3\n';

test('three devices are one user, and a fourth is refused', options, async (t) => {
  const relay = await serve(t, THREE);
  const bob = await relay.member('lobby', 'bob');
  const devices = [];
  for (const _ of ['phone', 'laptop', 'tablet']) devices.push(await relay.member('lobby', 'ann'));
  assert.equal((await bob.hear('user_joined')).count, 2);
  assert.deepEqual(devices[2].joined.users[0], { user: 'ann', connections: 3 });

  const fourth = relay.dial('/ws/lobby?user=ann');
  assert.deepEqual(await fourth.closed(), { code: 1008, reason: 'max connections reached' });
  assert.equal((await relay.call('GET', '/api/users/ann')).connections, 3);

  // What one of them says, the others hear as well.
  devices[0].say('publish', { room: 'lobby', data: 'from my phone' });
  for (const device of [...devices, bob]) assert.equal((await device.hear('message')).data, 'from my phone');

  // To others she goes with the last of them.
  await devices.pop().leave();
  await bob.hearNothing();
  devices.push(await relay.member('lobby', 'ann'));
  for (const device of devices) await device.leave();
  assert.equal((await bob.hear('user_left')).user, 'ann');
  await bob.hearNothing();
});

test('the oldest makes room', options, async (t) => {
  const relay = await serve(t, `${THREE}too_many = "evict-oldest"\n`);
  const devices = [];
  for (let count = 0; count < 4; count++) devices.push(await relay.member('lobby', 'ann'));
  const reason = 'replaced by a newer connection';
  assert.deepEqual(await devices.shift().closed(), { code: 1008, reason });
  for (const device of devices) await device.hearNothing();
});

test('the app closes all of them', options, async (t) => {
  const relay = await serve(t, THREE);
  const devices = [await relay.member('lobby', 'ann'), await relay.member('lobby', 'ann')];
  const body = { reason: 'signed out everywhere' };
  assert.deepEqual(await relay.call('DELETE', '/api/users/ann/connections', body), { connections: 2 });
  for (const device of devices) {
    assert.deepEqual(await device.closed(), { code: 4000, reason: 'signed out everywhere' });
  }
});
