/** What is shipped: small, without dependencies, with types that fit. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { transform } from 'esbuild';

const read = (name) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');

/** The size of `code` as a server sends it. */
const compressed = (code) => gzipSync(code, { level: 9 }).length;

test('the module is as small as the README says', async (t) => {
  const source = await read('switchboard.js');
  const { code } = await transform(source, { minify: true, format: 'esm' });
  const [whole, minified] = [source, code].map(compressed);
  t.diagnostic(`${source.length} characters; compressed ${whole}, minified as well ${minified} bytes`);
  const [, most] = /under (\d+) kB minified and compressed/.exec(await read('README.md'));
  assert(minified < most * 1_000, `${minified} bytes`);
  const [, kilobytes, squeezed] = /served as it is written, (\d+) kB, or (\d+) kB compressed/.exec(await read('README.md'));
  assert(Math.abs(source.length / 1_000 - kilobytes) < 2, `${source.length} characters`);
  assert(Math.abs(whole / 1_000 - squeezed) < 1, `${whole} bytes`);
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
