/**
 * A log stream, read with an `EventSource`, which comes back by itself and says what it had: nothing is missed while the
 * relay lives, and a relay that was killed and started again says that it cannot know.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventSource } from 'eventsource';
import { options, serve } from './relay.js';

const LOGS = '[[rooms]]\npattern = "log:*"\nhistory = 1000\nclient_publish = false\n';

/** The lines of a log, and at each (re)connection whether something is missing. */
function follow(t, relay) {
  const source = new EventSource(`${relay.url}/sse/log:build`);
  t.after(() => source.close());
  const seen = [];
  let wake = () => {};
  for (const name of ['joined', 'line', 'failed']) {
    source.addEventListener(name, ({ data }) => {
      const message = JSON.parse(data);
      seen.push(name === 'joined' ? { recovered: message.recovered } : { [name]: message.data });
      wake();
    });
  }
  return async () => {
    while (!seen.length) await new Promise((resolve) => (wake = resolve));
    return seen.shift();
  };
}

const log = (relay, data, event = 'line') =>
  relay.call('POST', '/api/rooms/log:build/messages', { data, event });

test('lines come in order, whatever is in them', options, async (t) => {
  const relay = await serve(t, LOGS);
  const next = follow(t, relay);
  assert.deepEqual(await next(), { recovered: false });
  const lines = ['', 'plain', 'two\nlines\r\nor three', 'event: close\ndata: {}\n\n', 'größer \u2028 \u{1f349}'];
  for (const line of lines) await log(relay, line);
  await log(relay, 'exit 1', 'failed');
  for (const line of lines) assert.deepEqual(await next(), { line });
  assert.deepEqual(await next(), { failed: 'exit 1' });
});

test('a relay that was killed and started says that something may be missing', options, async (t) => {
  const first = await serve(t, LOGS);
  const next = follow(t, first);
  assert.deepEqual(await next(), { recovered: false });
  for (const line of ['one', 'two']) {
    await log(first, line);
    assert.deepEqual(await next(), { line });
  }
  await first.stop();
  const second = await serve(t, LOGS, first.port);
  await log(second, 'three');
  assert.deepEqual(await next(), { recovered: false });
  assert.deepEqual(await next(), { line: 'three' });
  await log(second, 'four');
  assert.deepEqual(await next(), { line: 'four' });
});
