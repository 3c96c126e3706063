/** Every frame, as it was on the wire. */

import { copy } from './clipboard.js';
import { byId, element } from './element.js';
import { clock, count } from './format.js';
import { Tail } from './tail.js';

/** Frames that are kept. */
const KEPT = 400;

const ARROWS = { in: '←', out: '→', note: '·' };
const WORDS = { in: 'received', out: 'sent', note: 'noted' };
const WIRES = { socket: 'ws', stream: 'sse' };

export class Frames {
  #kept = [];
  #total = 0;
  #paused = false;
  #tail = new Tail(byId('frames'), KEPT, (frame) => this.#draw(frame));

  constructor() {
    byId('frames-clear').addEventListener('click', () => this.#clear());
    byId('frames-copy').addEventListener('click', () =>
      this.#copy(this.#kept.map(line).join('\n'), `${this.#kept.length} frames`),
    );
    byId('frames-pause').addEventListener('click', () => this.#pause(!this.#paused));
  }

  /** Takes a frame that came `in` or went `out` over the `socket` or the `stream`. */
  add(wire, way, text) {
    // A token would be copied with the frames, to wherever they are shown.
    const shown = text.replace(/("token"\s*:\s*")[^"]*"/g, '$1…"');
    const frame = { wire, way, text: shown, time: Date.now() };
    this.#total++;
    this.#kept.push(frame);
    if (this.#kept.length > KEPT) this.#kept.shift();
    if (!this.#paused) this.#tail.add(frame);
    byId('frames-count').textContent = this.#total === 1 ? '1 so far' : `${count(this.#total)} so far`;
  }

  /** Takes what happened to a wire. */
  note(wire, text) {
    this.add(wire, 'note', text);
  }

  #draw(frame) {
    const { wire, way, text, time } = frame;
    return element(
      'li',
      { class: way },
      element('span', { class: 'way', 'aria-hidden': 'true' }, ARROWS[way]),
      element('span', { class: 'hidden' }, WORDS[way]),
      element('span', { class: 'by' }, WIRES[wire]),
      element('time', {}, clock(time)),
      element(
        'button',
        {
          type: 'button',
          class: 'quiet',
          'aria-label': 'Copy this frame',
          onclick: () => this.#copy(text, 'The frame'),
        },
        'copy',
      ),
      element('code', {}, ...emphasise(text)),
    );
  }

  async #copy(text, what) {
    this.#say(await copy(text, what));
  }

  #say(words) {
    byId('frames-said').textContent = words;
    byId('frames-count').textContent = words;
  }

  #pause(paused) {
    this.#paused = paused;
    byId('frames-pause').setAttribute('aria-pressed', paused);
    if (!paused) this.#tail.replace(this.#kept);
  }

  #clear() {
    this.#kept = [];
    this.#total = 0;
    this.#tail.replace([]);
    byId('frames-count').textContent = 'none yet';
  }
}

/** What a frame is stands out: the `type` of JSON. */
function emphasise(text) {
  const [, before, type, after] = /^(.*?"type":)("\w+")(.*)$/s.exec(text) ?? [];
  return type ? [before, element('b', {}, type), after] : [text];
}

const line = ({ wire, way, text, time }) => `${new Date(time).toISOString()} ${WIRES[wire]} ${ARROWS[way]} ${text}`;
