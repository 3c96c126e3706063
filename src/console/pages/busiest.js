/** The rooms with the most connections. */

import { byId, element } from './element.js';
import { ask } from './figures.js';
import { count } from './format.js';

/** Rooms that are shown, those of one answer, and those that are looked through at most. */
const SHOWN = 12;
const PAGE = 1_000;
const MOST = 10_000;

/** How long to wait between two looks, for each thousand rooms, in milliseconds. */
const PAUSE = 2_000;

export class Busiest {
  #key;
  #problem;
  #abort = new AbortController();

  /** `problem(error)` is told what stands in the way, or undefined. */
  constructor({ key }, problem) {
    this.#key = key;
    this.#problem = problem;
    this.#look();
  }

  stop() {
    this.#abort.abort();
  }

  async #look() {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      let rooms = [];
      try {
        rooms = await this.#all();
        this.#show(rooms);
        this.#problem(undefined);
      } catch (error) {
        if (signal.aborted) return;
        if (error.status) this.#problem(error);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE * Math.ceil((rooms.length + 1) / PAGE)));
    }
  }

  async #all() {
    const all = [];
    let after = '';
    do {
      const query = new URLSearchParams({ limit: PAGE, after });
      const page = await ask(`api/rooms?${query}`, this.#key, this.#abort.signal);
      all.push(...page.rooms);
      after = page.after;
    } while (after && all.length < MOST);
    return all;
  }

  #show(rooms) {
    const busiest = rooms.sort((a, b) => b.connections - a.connections || (a.room < b.room ? -1 : 1)).slice(0, SHOWN);
    const most = busiest[0]?.connections || 1;
    byId('busiest').replaceChildren(...busiest.map((room) => row(room, room.connections / most)));
    const of =
      rooms.length >= MOST
        ? `the first ${count(MOST)} rooms`
        : `${count(rooms.length)} room${rooms.length === 1 ? '' : 's'}`;
    byId('busiest-note').textContent = rooms.length ? `The busiest of ${of}.` : 'There are no rooms yet.';
  }
}

function row({ room, connections, count: people, position }, share) {
  const bar = element('i', { class: 'share', 'aria-hidden': 'true' });
  bar.style.setProperty('--share', share);
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, bar, room),
    element('td', { class: 'figure' }, count(connections)),
    element('td', { class: 'figure' }, count(people)),
    element('td', { class: 'figure wide' }, element('code', {}, position)),
  );
}
