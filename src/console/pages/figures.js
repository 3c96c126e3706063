/**
 * Where the live figures come from: the room `$stats`, or where that is closed to the visitor, `GET /api/stats` once a
 * second.
 */

import { BASE } from './link.js';
import { connect } from '../switchboard.js';

/** How long to wait between two questions, in milliseconds. */
const PAUSE = 1_000;

/** Figures from before, for the charts to begin with. */
const PAST = 120;

/** Asks the HTTP API at `path`; gives the answer, or throws why there is none as `{status, message}`. */
export async function ask(path, key, signal) {
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  const response = await fetch(new URL(path, BASE), { headers, signal, cache: 'no-store' });
  const answer = await response.json();
  if (response.ok) return answer;
  throw { status: response.status, message: answer.error?.message ?? response.statusText };
}

export class Figures {
  #key;
  #tell;
  #abort = new AbortController();
  #client;
  /** Why the server has ended the connection, if it has. */
  #ended;

  /** `tell` has `figures(figures, milliseconds)` and `source(state, words, problem)`. */
  constructor({ key, token }, tell) {
    this.#key = key;
    this.#tell = tell;
    tell.source('waiting', 'connecting');
    this.#client = connect(BASE, { token, inbox: false, fetch: null });
    this.#client.on('state', (state, detail) => this.#state(state, detail));
    const room = this.#client.join('$stats', { history: PAST });
    room.on('joined', () => tell.source('live', 'live, from the room $stats'));
    room.on('message', ({ data, time }) => tell.figures(data, Date.parse(time)));
    room.on('left', ({ reason }) => this.#left(reason));
  }

  stop() {
    this.#abort.abort();
    this.#client.close();
  }

  #state(state, detail) {
    if (state === 'waiting') this.#tell.source('waiting', 'reconnecting');
    else if (state === 'closed') this.#ended = detail.reason;
  }

  /** The room is closed to the visitor, now or from the start, or the server is. */
  #left(reason) {
    if (this.#abort.signal.aborted) return;
    this.#client.close();
    this.#poll(this.#ended ?? reason);
  }

  async #poll(why) {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        const figures = await ask('api/stats', this.#key, signal);
        this.#tell.figures(figures, Date.now());
        this.#tell.source('live', 'live, from /api/stats once a second');
      } catch (error) {
        if (signal.aborted) return;
        if (error.status) this.#tell.source('bad', 'no figures', { room: why, ...error });
        else this.#tell.source('waiting', 'reconnecting');
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
