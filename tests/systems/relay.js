/** What the systems written in JavaScript are built on: a relay of their own, and sockets whose every wait has an end. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const PROGRAM = process.env.PROGRAM ?? new URL('../../target/debug/switchboard', import.meta.url).pathname;

/** Of a test: longer than anything takes on a busy machine. */
export const options = { timeout: 30_000 };

/** Starts a relay with the text of a configuration, which ends with the test `t`. Two shards: what is said crosses threads. */
export async function serve(t, config = '', port = 0) {
  const directory = mkdtempSync(join(tmpdir(), 'switchboard-'));
  const file = join(directory, 'switchboard.toml');
  writeFileSync(file, config);
  const command = ['--config', file, '--listen', `127.0.0.1:${port}`, '--shards', '2', '--log', 'warn'];
  const child = spawn(PROGRAM, command, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  t.after(stop);
  const said = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    const found = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(line);
    if (found) return new Relay(t, +found[1], stop);
  }
  throw new Error(`the relay ended: ${said.join('\n')}`);
}

class Relay {
  constructor(t, port, stop) {
    Object.assign(this, { t, port, stop, url: `http://127.0.0.1:${port}` });
  }

  /** A socket that may be refused. */
  dial(path) {
    const socket = new Socket(new WebSocket(`ws://127.0.0.1:${this.port}${path}`));
    this.t.after(() => socket.ws.terminate());
    return socket;
  }

  /** A socket past its `welcome`. */
  async enter(path) {
    const socket = this.dial(path);
    socket.connection = (await socket.hear('welcome')).connection;
    return socket;
  }

  /** A member of `room`, past its `joined`. */
  async member(room, user) {
    const socket = await this.enter(`/ws/${room}${user ? `?user=${user}` : ''}`);
    socket.joined = await socket.hear('joined');
    return socket;
  }

  /** A request of the app, and its answer. */
  async call(method, path, body) {
    const response = await fetch(this.url + path, { method, body: body && JSON.stringify(body) });
    assert.equal(response.status, 200, path);
    return response.json();
  }
}

class Socket {
  constructor(ws) {
    this.ws = ws;
    this.got = [];
    this.wake = () => {};
    const note = (...entry) => {
      this.got.push(entry);
      this.wake();
    };
    ws.on('message', (data, binary) => note('message', binary ? data : data.toString()));
    ws.on('close', (code, reason) => note('close', { code, reason: reason.toString() }));
    ws.on('error', (error) => note('error', error));
  }

  say(type, fields) {
    this.ws.send(JSON.stringify({ type, ...fields }));
  }

  /** What comes next: a string, or a Buffer where it was binary. */
  next() {
    return this.#next('message');
  }

  /** The next message, which is of this type. */
  async hear(type) {
    const message = JSON.parse(await this.next());
    assert.equal(message.type, type, JSON.stringify(message));
    return message;
  }

  /** That nothing has come until now. */
  async hearNothing() {
    this.say('ping', { id: 'nothing' });
    assert.equal((await this.hear('pong')).id, 'nothing');
  }

  /** Asks for an end of the connection, and waits for it. */
  async leave() {
    this.ws.close();
    await once(this.ws, 'close');
  }

  /** How the connection was closed. */
  closed() {
    return this.#next('close');
  }

  async #next(kind) {
    while (!this.got.length) await new Promise((resolve) => (this.wake = resolve));
    const [found, value] = this.got.shift();
    assert.equal(found, kind, `${found}: ${JSON.stringify(value)}`);
    return value;
  }
}
