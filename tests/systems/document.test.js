/**
 * A shared document. As JSON the room keeps its last state, which whoever comes in is given; as binary changes, for an
 * editor that brings its own protocol, `/raw` passes on what it is given.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { options, serve } from './relay.js';

const ONE = '[[rooms]]\npattern = "doc:*"\nhistory = 1\nttl = "1h"\n';

async function open(relay, user) {
  const page = await relay.enter(`/ws?user=${user}`);
  page.say('join', { room: 'doc:7', history: 1 });
  page.joined = await page.hear('joined');
  return page;
}

const save = (page, version, text) =>
  page.say('publish', { room: 'doc:7', data: { version, text }, echo: false, id: version });

test('whoever opens it has its last state, and others see each change', options, async (t) => {
  const relay = await serve(t, ONE);
  const ann = await open(relay, 'ann');
  assert.deepEqual(ann.joined.history, []);
  for (const version of [1, 2, 3]) {
    save(ann, version, `draft ${version}`);
    assert.equal((await ann.hear('published')).id, version);
  }
  const bob = await open(relay, 'bob');
  assert.deepEqual(bob.joined.history.map(({ data }) => data), [{ version: 3, text: 'draft 3' }]);
  await ann.hear('user_joined');
  save(bob, 4, 'Bob was here');
  assert.deepEqual((await ann.hear('message')).data, { version: 4, text: 'Bob was here' });
  assert.equal((await bob.hear('published')).id, 4);

  // The document stays when all have gone.
  await Promise.all([ann.leave(), bob.leave()]);
  const eve = await open(relay, 'eve');
  assert.equal(eve.joined.history[0].data.text, 'Bob was here');
});

/** An editor, which hears whatever is said after its handshake. */
async function edit(relay) {
  const editor = relay.dial('/raw/doc:7');
  await once(editor.ws, 'open');
  return editor;
}

test('changes in binary go to the others as they are', options, async (t) => {
  const relay = await serve(t);
  const [bob, eve, ann] = [await edit(relay), await edit(relay), await edit(relay)];
  const changes = [Buffer.from([0, 255, 128]), Buffer.alloc(0), Buffer.alloc(60_000, 7)];
  for (const change of changes) ann.ws.send(change);
  ann.ws.send('a text stays one');
  for (const other of [bob, eve]) {
    for (const change of changes) assert.deepEqual(await other.next(), change);
    assert.equal(await other.next(), 'a text stays one');
  }
  assert.deepEqual(ann.got, []);
});
