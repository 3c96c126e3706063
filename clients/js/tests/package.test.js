/** What is shipped: small, without dependencies, with types that fit. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { transform } from 'esbuild';

const read = (name) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');

test('the minified module is under 5 kB compressed', async (t) => {
  const { code } = await transform(await read('switchboard.js'), { minify: true, format: 'esm' });
  const size = gzipSync(code, { level: 9 }).length;
  t.diagnostic(`${size} bytes`);
  assert(size < 5_000, `${size} bytes`);
});

test('the module imports nothing', async () => {
  const source = await read('switchboard.js');
  assert.doesNotMatch(source, /^\s*import\b|\bimport\(|\brequire\(/m);
  assert.equal(JSON.parse(await read('package.json')).dependencies, undefined);
});

test('the types fit how the client is used', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  try {
    execFileSync(process.execPath, [tsc, '-p', root], { encoding: 'utf8' });
  } catch ({ stdout }) {
    assert.fail(stdout);
  }
});

test('the declarations name what the module exports, and nothing else', async () => {
  const declared = [...(await read('switchboard.d.ts')).matchAll(/^export (?:class|function|const) (\w+)/gm)];
  const module = await import('../switchboard.js');
  assert.deepEqual(declared.map(([, name]) => name).sort(), Object.keys(module).sort());
});
