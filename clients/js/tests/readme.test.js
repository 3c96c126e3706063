/** The README's programs, run as they stand against the real server. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { serve, skip } from './relay.js';

const SECRET = 'a secret of at least thirty-two bytes';

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const text = `${part({ alg: 'HS256' })}.${part({ sub: 'ann' })}`;
const token = `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code);
const [first, rooms, people, states, given] = blocks;

/** Runs a program against a server; gives its exit code and what it says. */
async function run(t, program) {
  const server = await serve({ SWITCHBOARD_AUTH__SECRET: SECRET, SWITCHBOARD_DIRECT: 'true' });
  t.after(() => server.stop());
  const code = program
    .replaceAll('https://push.example.com', server.url)
    .replaceAll("'switchboard-client'", JSON.stringify(new URL('../switchboard.js', import.meta.url).href))
    .replaceAll("'ws'", JSON.stringify(import.meta.resolve('ws')));
  const child = spawn(process.execPath, ['--input-type=module', '-e', code]);
  t.after(() => child.kill());
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => said.push(bytes));
  const [exit] = await once(child, 'close');
  return [exit, said.join('')];
}

// What the page has and Node has not: its own origin, where the app answers.
const PAGE = `
  const real = globalThis.fetch;
  globalThis.fetch = (url, ...rest) => (url === '/push-token' ? Promise.resolve(new Response('${token}\\n')) : real(url, ...rest));
  process.on('uncaughtException', (error) => (console.error(error), process.exit(2)));
`;

test('the first program, its rooms, people and states', { skip, timeout: 60_000 }, async (t) => {
  assert.equal(blocks.length, 5);
  // The loop of the rooms goes on until somebody says so.
  const bye = "const saying = setInterval(() => room.publish('bye'), 50); room.on('left', () => clearInterval(saying));";
  const [exit, said] = await run(t, `${PAGE}${first}${states}${people}${bye}${rooms}client.close();`);
  assert.match(said, /ann undefined \{ text: 'hello' \}/);
  assert.match(said, /closed 1000 closed by the client undefined/);
  assert.equal(exit, 0, said);
});

test('a WebSocket that is given', { skip, timeout: 60_000 }, async (t) => {
  const program = `const token = '${token}';${given.replace(/(.*\n)/, "$1import { connect } from 'switchboard-client';\n")}
    client.on('state', (state) => state === 'online' && (console.log(client.user), client.close()));`;
  assert.deepEqual(await run(t, program), [0, 'ann\n']);
});
