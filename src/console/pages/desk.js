/** The view to try rooms in: one client, and the rooms that it is in. */

import { explain } from './composer.js';
import { Frames } from './frames.js';
import { Identity } from './identity.js';
import { Inbox } from './inbox.js';
import { open } from './link.js';
import { Place } from './room.js';
import { Rooms } from './rooms.js';
import { Talk } from './talk.js';

export class Desk {
  #frames = new Frames();
  #talk = new Talk(this.#frames, (user) => this.#write(user));
  #identity = new Identity({ connect: (who) => this.#connect(who), disconnect: () => this.#client.close() });
  #rooms = new Rooms({
    choose: (place) => this.#show(place),
    leave: (place) => this.#leave(place),
    join: (name) => this.#join(name, true),
  });
  #client;
  #places = new Map();
  /** Rooms to be in, whether there is a connection or not. */
  #wanted = new Set(['lobby']);

  /** Connects at once where the page's address names a user. */
  begin(query) {
    const rooms = query.getAll('room');
    if (rooms.length) this.#wanted = new Set(rooms);
    if (query.has('user')) {
      this.#identity.name(query.get('user'));
      this.#connect(this.#identity.value);
    }
  }

  #connect(who) {
    const client = open(who, this.#frames);
    const { place: before } = this.#talk;
    this.#client = client;
    this.#places.clear();
    this.#talk.begin(client, who);
    client.on('state', (state, detail) => this.#state(client, detail));
    client.on('error', (error) => this.#talk.fault(explain(error)));
    if (who.user || who.token) this.#places.set('$me', new Inbox(client, this.#changed));
    for (const name of this.#wanted) this.#join(name, false);
    this.#show(this.#places.get(before?.name) ?? [...this.#places.values()].pop());
    this.#identity.show(client);
  }

  #state(client, detail) {
    if (client !== this.#client) return;
    this.#identity.show(client, detail);
    this.#talk.state(client.state);
  }

  #join(name, shown) {
    this.#rooms.fault('');
    this.#wanted.add(name);
    if (!this.#client || this.#client.state === 'closed') {
      return this.#rooms.fault(`Not connected. ${name} is joined as soon as you connect.`);
    }
    let place = this.#places.get(name);
    if (!place) {
      place = new Place(this.#client, name, this.#changed);
      place.joined.catch((error) => this.#refused(place, error));
      this.#places.set(name, place);
    }
    if (shown) this.#show(place);
  }

  #refused(place, error) {
    if (['closed', 'unauthorized', 'left'].includes(error.code)) return;
    this.#rooms.fault(`${place.name}: ${explain(error)}`);
    this.#drop(place);
  }

  #leave(place) {
    this.#drop(place);
    return place.leave();
  }

  #drop(place) {
    this.#wanted.delete(place.name);
    if (this.#places.get(place.name) === place) this.#places.delete(place.name);
    const { place: shown } = this.#talk;
    this.#show(shown === place ? [...this.#places.values()].pop() : shown);
  }

  #show(place) {
    if (place) place.unread = 0;
    this.#talk.show(place);
    this.#list();
  }

  #list() {
    this.#rooms.show(this.#places.values(), this.#talk.place);
  }

  /** Begins a message to one user. */
  #write(user) {
    const inbox = this.#places.get('$me');
    if (!inbox) return this.#talk.fault('A guest cannot write to users: connect with a user name.');
    this.#show(inbox);
    this.#talk.to(user);
  }

  #changed = (place, what, value) => {
    if (what === 'error' && place !== this.#talk.place) this.#rooms.fault(`${place.title}: ${explain(value)}`);
    if (what === 'left' && value && this.#client.state !== 'closed' && this.#places.get(place.name) === place) {
      this.#rooms.fault(`${place.name}: left, ${value}`);
      this.#drop(place);
    }
    const unread = what === 'socket' && place !== this.#talk.place && !value.replayed && !value.note;
    if (unread) place.unread++;
    if (unread || what === 'people') this.#list();
    this.#talk.changed(place, what, value);
  };
}
