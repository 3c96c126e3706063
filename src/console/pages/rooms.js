/** The list of rooms, and the form that joins one. */

import { byId, element } from './element.js';

export class Rooms {
  #list = byId('rooms');
  #choose;
  #leave;

  constructor({ choose, leave, join }) {
    this.#choose = choose;
    this.#leave = leave;
    byId('join').addEventListener('submit', (event) => {
      event.preventDefault();
      const field = byId('room');
      join(field.value.trim());
      field.value = '';
    });
  }

  /** Shows `places`, of which the visitor looks at `here`. */
  show(places, here) {
    const focus = document.activeElement?.dataset.place;
    this.#list.replaceChildren(...[...places].map((place) => this.#line(place, place === here)));
    if (focus) this.#list.querySelector(`[data-place="${CSS.escape(focus)}"]`)?.focus();
  }

  fault(words) {
    byId('join-fault').textContent = words;
  }

  #line(place, here) {
    const { name, title, unread, count } = place;
    const facts = unread
      ? element('b', {}, String(unread), element('span', { class: 'hidden' }, ' unread'))
      : count || '';
    return element(
      'li',
      {},
      element(
        'button',
        {
          type: 'button',
          class: 'room',
          'data-place': name,
          'aria-current': here && 'true',
          onclick: () => this.#choose(place),
        },
        element('span', {}, title),
        element('span', { class: 'facts' }, facts),
      ),
      place.leave &&
        element(
          'button',
          { type: 'button', class: 'quiet leave', 'aria-label': `Leave ${title}`, onclick: () => this.#leave(place) },
          '×',
        ),
    );
  }
}
