/** The room that is shown: what comes over both wires, who is there, and the form that sends. */

import { Composer, explain } from './composer.js';
import { showCommand } from './command.js';
import { byId, lamp } from './element.js';
import { count } from './format.js';
import { BASE } from './link.js';
import { showMembers, showTypists } from './members.js';
import { drawMessage } from './messages.js';
import { KEPT } from './room.js';
import { Stream } from './stream.js';
import { Tail } from './tail.js';

export class Talk {
  /** The room that is shown, if any is. */
  place;
  #frames;
  #write;
  #client;
  #who;
  #stream;
  #lists = { socket: this.#list('socket-messages'), stream: this.#list('stream-messages') };
  #composer = new Composer({
    send: (data, how) => this.place.send(data, how),
    typing: (active) => this.place?.typing(active),
  });

  /** `write(user)` is called to begin a direct message. */
  constructor(frames, write) {
    this.#frames = frames;
    this.#write = write;
    byId('streaming').addEventListener('change', () => this.#restream());
    byId('history').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#load(+byId('last').value);
    });
    this.show(undefined);
  }

  /** Goes on with another client, which speaks for `who`. */
  begin(client, who) {
    this.#client = client;
    this.#who = who;
    this.#unstream();
  }

  show(place) {
    if (place !== this.place || !place) {
      this.#unstream();
      this.place = place;
      this.#composer.fit(this.#client?.state === 'closed' ? undefined : place);
      this.#redraw();
    }
    this.#restream();
  }

  /** Takes how the client is now. */
  state(state) {
    if (state === 'online') this.#restream();
    else if (state === 'closed') this.#end();
    this.#people();
  }

  to(user) {
    this.#composer.to(user);
  }

  fault(words) {
    this.#composer.fault(words);
  }

  /** Takes a change of a room. */
  changed(place, what, value) {
    if (place !== this.place) return;
    if (what === 'error') this.fault(explain(value));
    else if (what === 'all') this.#redraw();
    else if (what === 'people') this.#met();
    else if (what === 'typing') showTypists(place.typists);
    else this.#lists[what]?.add(value);
    this.#facts();
  }

  #list(id) {
    return new Tail(byId(id), KEPT, (message) => drawMessage(message, this.#client?.user));
  }

  #redraw() {
    const { place } = this;
    byId('place-title').textContent = place?.title ?? 'No room yet';
    byId('history').hidden = !place?.load;
    showCommand(place?.load ? place.name : 'lobby', this.#who?.token);
    for (const wire of ['socket', 'stream']) this.#lists[wire].replace(place?.[wire] ?? []);
    showTypists(place?.typists ?? []);
    this.#people();
  }

  /** The room has been joined, or other people are there. */
  #met() {
    this.#people();
    this.#restream();
  }

  #people() {
    showMembers(this.place ?? { count: 0 }, this.#client?.user, this.#write);
    this.#facts();
  }

  #facts() {
    const { place } = this;
    let words = 'Connect, then join a room.';
    if (place?.name === '$me') words = 'From user to user, and from the app to you.';
    else if (place && !place.ready) words = 'Not joined yet.';
    else if (place) words = `${count(place.count)} ${place.count === 1 ? 'person' : 'people'}`;
    if (place?.position) words += `, at position ${place.position}`;
    byId('place-facts').textContent = words;
  }

  async #load(limit) {
    try {
      await this.place.load(limit);
    } catch (error) {
      this.fault(`No history: ${explain(error)}`);
    }
  }

  #end() {
    this.#unstream();
    this.#composer.fit(undefined);
  }

  // The stream beside the socket.

  #unstream() {
    if (this.#stream && this.place) this.place.lastId = this.#stream.lastId;
    this.#stream?.close();
    this.#stream = undefined;
    lamp(byId('stream-state'), 'off', 'off');
  }

  /** Opens the stream of the room that is shown, unless it is open or not wanted. */
  #restream() {
    const { place } = this;
    const open = this.#client && this.#client.state !== 'closed';
    if (!byId('streaming').checked || !place?.ready || !open) return this.#unstream();
    if (this.#stream) return;
    const url = new URL('sse', BASE);
    const query = { room: place.name, history: 30, user: this.#who.user };
    for (const [name, value] of Object.entries(query)) value !== undefined && url.searchParams.set(name, value);
    this.#frames.add('stream', 'out', `GET ${url.pathname}${url.search}`);
    this.#stream = new Stream(
      url,
      { token: this.#who.token, lastId: place.lastId },
      {
        event: (block, data) => this.#event(place, block, data),
        note: (words) => this.#frames.note('stream', words),
        state: (state, words) => place === this.place && lamp(byId('stream-state'), state, words),
      },
    );
  }

  #event(place, block, data) {
    this.#frames.add('stream', 'in', block);
    if (['message', 'direct', 'notification', 'announcement'].includes(data.type)) place.keep('stream', data);
  }
}
