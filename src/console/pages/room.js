/** A room that the visitor is in, as the page shows it. */

/** Messages that are kept of each wire. */
export const KEPT = 200;

export class Place {
  /** What came over each wire, oldest first. */
  socket = [];
  stream = [];
  /** People by name, with their number of connections; null where there are too many to list. */
  people = new Map();
  typists = new Set();
  count = 0;
  unread = 0;
  /** Whether the server has let the visitor in. */
  ready = false;
  /** Where a stream of this room goes on. */
  lastId;
  #room;
  #typed = false;

  /** `changed(place, what, message)` is called after each change. */
  constructor(client, name, changed) {
    const room = client.join(name, { history: 30 });
    Object.assign(this, { name, title: name, changed });
    this.#room = room;
    room.on('joined', (joined) => this.#joined(joined));
    room.on('message', (message, replayed) => this.#hear(message, replayed));
    room.on('gap', ({ from, to }) => this.keep('socket', { note: `missed: ${from} to ${to}` }));
    room.on('recovered', (recovered) =>
      this.keep('socket', { note: recovered ? 'reconnected: nothing was missed' : 'reconnected: some messages may be missing' }),
    );
    room.on('user_joined', ({ user }) => this.#person(user, true));
    room.on('user_left', ({ user }) => this.#person(user, false));
    room.on('count', () => this.#counted());
    room.on('typing', ({ user, active }) => this.#typist(user, active));
    room.on('error', (error) => changed(this, 'error', error));
    room.on('left', ({ reason }) => changed(this, 'left', reason));
  }

  get joined() {
    return this.#room.joined;
  }

  get position() {
    return this.#room.position;
  }

  send(data, { event, store }) {
    this.#typed = false;
    return this.#room.publish(data, { event, store: store ? undefined : false });
  }

  /** Says that the visitor types, or has stopped. */
  typing(active) {
    if (!active && !this.#typed) return;
    this.#typed = active;
    this.#room.typing(active);
  }

  leave() {
    return this.#room.leave();
  }

  /** Takes the last `limit` messages of the room's history, among those that are shown. */
  async load(limit) {
    const { messages } = await this.#room.history({ limit });
    const known = new Set(messages.map(({ position }) => position));
    const later = this.socket.filter(({ position }) => !known.has(position));
    this.socket = [...messages.map((message) => ({ ...message, replayed: true })), ...later];
    this.changed(this, 'all');
    return messages.length;
  }

  keep(wire, message) {
    this[wire].push(message);
    if (this[wire].length > KEPT) this[wire].shift();
    this.changed(this, wire, message);
  }

  #joined({ users, count }) {
    this.ready = true;
    this.people = users && new Map(users.map(({ user, connections }) => [user, connections]));
    this.count = count;
    this.typists.clear();
    this.changed(this, 'people');
  }

  #hear(message, replayed) {
    this.typists.delete(message.from);
    this.keep('socket', { ...message, replayed });
    this.changed(this, 'typing');
  }

  #person(user, present) {
    if (present) this.people?.set(user, 1);
    else this.people?.delete(user);
    this.typists.delete(user);
    this.#counted();
  }

  #counted() {
    this.count = this.#room.count;
    this.changed(this, 'people');
  }

  #typist(user, active) {
    if (active) this.typists.add(user);
    else this.typists.delete(user);
    this.changed(this, 'typing');
  }
}
