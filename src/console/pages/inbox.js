/** The visitor's inbox: direct messages, notifications and announcements, shown like a room. */

import { KEPT } from './room.js';

export class Inbox {
  name = '$me';
  title = 'Direct messages';
  socket = [];
  stream = [];
  people = new Map();
  typists = new Set();
  count = 0;
  unread = 0;
  lastId;
  #client;

  constructor(client, changed) {
    this.#client = client;
    this.changed = changed;
    for (const type of ['direct', 'notification', 'announcement']) {
      client.on(type, (message, replayed) => this.keep('socket', { ...message, replayed: replayed === true }));
    }
  }

  /** Whether the server knows whose inbox this is. */
  get ready() {
    return this.#client.user !== null;
  }

  /** Sends to all connections of the user `to`. */
  async send(data, { event, to }) {
    const { connections } = await this.#client.direct(to, data, { event });
    const reached = connections ? `${connections} connection${connections > 1 ? 's' : ''}` : 'not here now';
    this.keep('socket', {
      type: 'direct',
      from: this.#client.user,
      to,
      event,
      data,
      reached,
      time: new Date().toISOString(),
    });
  }

  typing() {}

  keep(wire, message) {
    this[wire].push(message);
    if (this[wire].length > KEPT) this[wire].shift();
    this.changed(this, wire, message);
  }
}
