/** The real server as a child process, and a network that can be cut. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect as dial } from 'node:net';
import { createInterface } from 'node:readline';

const BINARY = process.env.SWITCHBOARD;

/** Why a test against the real server is skipped; false if it is not. */
export const skip = !BINARY && 'SWITCHBOARD does not name the server';

/** Starts the server, with variables for its configuration, and waits until it listens. */
export async function serve({ port = 0, ...variables } = {}) {
  const env = { ...process.env, ...variables };
  const stdio = ['ignore', 'pipe', 'pipe'];
  const child = spawn(BINARY, ['--listen', `127.0.0.1:${port}`], { env, stdio });
  const exited = once(child, 'exit');
  const said = [];
  const address = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        const found = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(line);
        if (found) resolve(+found[1]);
      });
    }
    child.on('exit', () => reject(new Error(`the server ended: ${said.join('\n')}`)));
  });
  return new Relay(child, exited, await address);
}

class Relay {
  constructor(child, exited, port) {
    Object.assign(this, { child, exited, port, url: `http://127.0.0.1:${port}` });
  }

  async stop(signal = 'SIGKILL') {
    this.child.kill(signal);
    return (await this.exited)[0];
  }

  async call(method, path, body) {
    const response = await fetch(this.url + path, { method, body: body && JSON.stringify(body) });
    assert.equal(response.status, 200);
    return response.json();
  }

  publish(room, data) {
    return this.call('POST', `/api/rooms/${encodeURIComponent(room)}/messages`, { data });
  }

  notify(user, data) {
    return this.call('POST', `/api/users/${encodeURIComponent(user)}/messages`, { data });
  }
}

/** A way to `port` that can be cut off, or fall silent. */
export async function tunnel(port) {
  const pairs = new Set();
  const server = createServer((near) => {
    const far = dial(port, '127.0.0.1');
    const pair = [near, far];
    pairs.add(pair);
    near.pipe(far).pipe(near);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        pairs.delete(pair);
        pair.forEach((other) => other.destroy());
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Ends every connection without a word. */
    cut: () => [...pairs].flat().forEach((socket) => socket.destroy()),
    /** Lets connections stand, and nothing through. */
    silence: () => [...pairs].flat().forEach((socket) => socket.unpipe().pause()),
    close() {
      server.close();
      this.cut();
    },
  };
}

/** Events of a client or room, to be waited for in order. */
export function inbox(emitter, ...types) {
  const events = [];
  let wake = () => {};
  for (const type of types) {
    emitter.on(type, (...values) => {
      events.push([type, ...values]);
      wake();
    });
  }
  return {
    /** The next event that `wanted` likes; those before it are forgotten. */
    async next(wanted = () => true) {
      for (;;) {
        while (events.length) {
          const event = events.shift();
          if (wanted(...event)) return event;
        }
        await new Promise((resolve) => (wake = resolve));
      }
    },
  };
}
