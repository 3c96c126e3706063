/** Examples as a reader starts them, and browsers that look at them. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
// A browser of this machine's own, that speaks to nobody else.
const ARGUMENTS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking ' +
  '--disable-component-update --disable-sync --font-render-hinting=none';

const skip =
  (!process.env.SWITCHBOARD && 'SWITCHBOARD does not name the relay') ||
  (!existsSync(BROWSER) && `there is no browser at ${BROWSER}`);

/** What every test of an example is run with. The first start installs what the example needs. */
export const options = { skip, timeout: 240_000 };

/** How long anything on a page may take, in milliseconds. */
const PATIENCE = 60_000;

const endings = new WeakMap();

/** Does `end` when the test is over: what began last ends first, whatever becomes of the rest. */
export function afterwards(t, end) {
  if (!endings.has(t)) {
    endings.set(t, []);
    t.after(() => finish(endings.get(t)));
  }
  endings.get(t).push(end);
}

async function finish(ends) {
  const failures = [];
  for (const end of ends.toReversed()) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length) throw failures[0];
}

/** A folder for the time of a test. */
export async function folder(t) {
  const path = await mkdtemp(join(tmpdir(), 'switchboard-'));
  afterwards(t, () => rm(path, { recursive: true }));
  return path;
}

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Ports that nobody listens on, all different. */
async function freePorts(count) {
  const listening = async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  const servers = await Promise.all(Array.from({ length: count }, listening));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/**
 * Runs a program until the test is over, and waits until it has named each of `ports`, as servers do that listen. What it
 * starts ends with it.
 */
async function runs(t, program, args, env, ports) {
  const settings = { env: { ...process.env, ...env }, stdio: 'pipe', detached: true, cwd: here('..') };
  const child = spawn(program, args, settings);
  const kill = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It is gone already.
    }
  };
  // Also where the test itself is given up.
  const giveUp = () => kill('SIGKILL');
  process.on('exit', giveUp);
  const closed = once(child, 'close');
  const said = [];
  const unnamed = new Set(ports.map((port) => `:${port}`));
  const ready = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        for (const name of unnamed) if (line.includes(name)) unnamed.delete(name);
        if (!unnamed.size) resolve();
      });
    }
    child.on('exit', () => reject(new Error(`${program} ended:\n${said.join('\n')}`)));
  });
  const stop = async (signal = 'SIGTERM') => {
    kill(signal);
    const late = setTimeout(giveUp, PATIENCE);
    await closed;
    clearTimeout(late);
    process.off('exit', giveUp);
  };
  afterwards(t, async () => {
    await stop();
    t.diagnostic(said.slice(-20).join('\n'));
  });
  await ready;
  return stop;
}

/**
 * Starts the example `name` by its own command, with a relay of its own unless `RELAY` is among the variables.
 */
export async function play(t, name, variables = {}, [program, ...args] = [here(`${name}/run`)]) {
  const [port, relayPort] = await freePorts(2);
  const env = { PORT: port, RELAY_PORT: relayPort, ...variables };
  const stop = await runs(t, program, args, env, variables.RELAY ? [port] : [port, relayPort]);
  return {
    url: `http://localhost:${port}/`,
    relay: variables.RELAY ?? `http://127.0.0.1:${relayPort}`,
    stop,
  };
}

/** A relay with the configuration of the example `name`, that can be killed and started again on its port. */
export async function relayOf(t, name, variables = {}) {
  const [port] = await freePorts(1);
  const args = ['--config', here(`${name}/relay.toml`), '--listen', `127.0.0.1:${port}`];
  const start = () => runs(t, process.env.SWITCHBOARD, args, variables, [port]);
  const relay = { port, url: `http://127.0.0.1:${port}`, stop: await start() };
  relay.restart = async () => {
    await relay.stop('SIGKILL');
    relay.stop = await start();
  };
  return relay;
}

let browser;

after(() => browser?.close());

/**
 * A browser of somebody's own, at `url`; the test fails on any uncaught error of its pages. Further settings are those of
 * playwright's contexts, such as `hasTouch` and `colorScheme`.
 */
export async function visit(t, url, { width = 1000, height = 640, ...settings } = {}) {
  browser ??= await chromium.launch({ executablePath: BROWSER, args: ARGUMENTS.split(' ') });
  const viewport = { width, height };
  const context = await browser.newContext({
    viewport,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    ...settings,
  });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error));
  afterwards(t, async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  await page.goto(url);
  return page;
}

/** Waits until `selector` has an element whose text holds `text`. */
export const sees = (page, selector, text = '') =>
  page.locator(selector, { hasText: text }).first().waitFor();

/** Waits until `selector` has no such element. */
export const seesNo = (page, selector, text = '') =>
  page.locator(selector, { hasText: text }).first().waitFor({ state: 'detached' });

const SHEET = `
  body { display: flex; gap: 16px; width: max-content; margin: 0; padding: 16px; background: #cbd5e1 }
  img { border-radius: 8px }`;

/** Takes the picture of the example `name` where that is asked for: pages side by side. */
export async function picture(name, ...pages) {
  if (!process.env.PICTURES) return;
  const path = here(`${name}/picture.png`);
  if (pages.length === 1) return void (await pages[0].screenshot({ path, animations: 'disabled' }));
  const shots = await Promise.all(pages.map((page) => page.screenshot({ animations: 'disabled' })));
  const images = shots.map((shot) => `<img src="data:image/png;base64,${shot.toString('base64')}">`);
  const sheet = await browser.newPage({ viewport: { width: 2000, height: 1200 } });
  await sheet.setContent(`<!doctype html><style>${SHEET}</style>${images.join('')}`);
  await sheet.locator('body').screenshot({ path });
  await sheet.close();
}
