/** Malformed input: each is answered with what is wrong with it, and the connection goes on as if nothing had been. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options, serve } from './relay.js';

const MALFORMED = [
  ['', 'bad_json'],
  ['hello', 'bad_json'],
  ['{"type":"publish"', 'bad_json'],
  ['{"type":"ping"}{"type":"ping"}', 'bad_json'],
  [`{"type":"publish","room":"a","data":${'['.repeat(200)}${']'.repeat(200)}}`, 'bad_json'],
  ['null', 'bad_request'],
  ['[]', 'bad_request'],
  ['{}', 'bad_request'],
  ['{"type":7}', 'bad_request'],
  ['{"type":"join"}', 'bad_request'],
  ['{"type":"join","room":null}', 'bad_request'],
  ['{"type":"publish","room":"a"}', 'bad_request'],
  ['{"type":"publish","room":"a","room":"a","data":1}', 'bad_request'],
  ['{"type":"publish","room":"a","data":1,"event":"not an event"}', 'bad_request'],
  ['{"type":"history","room":"a","limit":-1}', 'bad_request'],
  ['{"type":"ping","id":{}}', 'bad_request'],
  [`{"type":"ping","id":"${'x'.repeat(65)}"}`, 'bad_request'],
  ['{"type":"direct","to":"","data":1}', 'bad_request'],
  ['{"type":"fly"}', 'unknown_type'],
  ['{"type":"join","room":"not a name"}', 'bad_room'],
  ['{"type":"join","room":""}', 'bad_room'],
  ['{"type":"join","room":"$other"}', 'bad_room'],
  ['{"type":"publish","room":"elsewhere","data":1}', 'not_joined'],
];

test('what is malformed is answered, and the connection is kept', options, async (t) => {
  const relay = await serve(t);
  const client = await relay.member('a');
  for (const [text, code] of MALFORMED) {
    client.ws.send(text);
    const error = await client.hear('error');
    assert.equal(error.code, code, text);
    assert.ok(error.message.length > 0, text);
  }
  client.say('publish', { room: 'a', data: 'still here', id: 1 });
  assert.equal((await client.hear('message')).data, 'still here');
  assert.equal((await client.hear('published')).id, 1);
});

test('an error says which request it is about', options, async (t) => {
  const relay = await serve(t);
  const client = await relay.enter('/ws');
  client.say('publish', { room: 'b', data: 1, id: 'first' });
  client.say('ping', { id: 2 });
  const { code, id, room } = await client.hear('error');
  assert.deepEqual([code, id, room], ['not_joined', 'first', 'b']);
  assert.equal((await client.hear('pong')).id, 2);
});

test('the app is told as well, and its connection is kept', options, async (t) => {
  const relay = await serve(t);
  for (const [body, status, code] of [
    ['{', 400, 'bad_json'],
    ['{}', 400, 'bad_request'],
    ['{"data":1,"event":""}', 400, 'bad_request'],
    ['{"data":1,"data":2}', 400, 'bad_request'],
  ]) {
    const response = await fetch(`${relay.url}/api/rooms/a/messages`, { method: 'POST', body });
    assert.equal(response.status, status, body);
    assert.equal((await response.json()).error.code, code, body);
  }
  await relay.call('POST', '/api/rooms/a/messages', { data: 1 });
});
