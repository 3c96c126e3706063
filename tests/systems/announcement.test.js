/** An announcement of the app to everybody: whatever rooms they are in, guests too, on sockets and on streams. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { EventSource } from 'eventsource';
import { options, serve } from './relay.js';

const announce = (relay, data) => relay.call('POST', '/api/broadcast', { data, event: 'maintenance' });

test('everybody hears it, wherever they are', options, async (t) => {
  const relay = await serve(t);
  const sockets = [
    await relay.member('lobby', 'ann'),
    await relay.member('garden'),
    await relay.enter('/ws?user=bob'),
    await relay.enter('/ws'),
  ];
  const stream = new EventSource(`${relay.url}/sse/news`);
  t.after(() => stream.close());
  await once(stream, 'joined');
  const heard = once(stream, 'maintenance');
  const raw = relay.dial('/raw/lobby');
  await once(raw.ws, 'open');

  assert.deepEqual(await announce(relay, 'Back in five minutes'), { connections: 5 });
  for (const socket of sockets) {
    const { event, data, position } = await socket.hear('announcement');
    assert.deepEqual([event, data, position], ['maintenance', 'Back in five minutes', undefined]);
  }
  const [{ data }] = await heard;
  assert.equal(JSON.parse(data).type, 'announcement');
  assert.deepEqual(raw.got, []);
});

test('a thousand hear each of several, in order', options, async (t) => {
  const relay = await serve(t);
  const sockets = await Promise.all(Array.from({ length: 1_000 }, () => relay.enter('/ws')));
  const texts = ['in ten minutes', 'in five minutes', 'now'];
  for (const text of texts) {
    assert.deepEqual(await announce(relay, text), { connections: 1_000 });
  }
  for (const socket of sockets) {
    for (const text of texts) assert.equal((await socket.hear('announcement')).data, text);
  }
});
