/** The form that sends: text or JSON, to the room or to one user. */

import { byId } from './element.js';

export class Composer {
  #form = byId('composer');
  #text = byId('text');
  #send;

  /** `send(data, {event, store, to})` promises the reply; `typing(active)` is told of every key. */
  constructor({ send, typing }) {
    this.#send = send;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#text.addEventListener('input', () => typing(this.#text.value !== ''));
    byId('composer').addEventListener('change', ({ target }) => target.name === 'form' && this.#example());
  }

  /** Fits the form to the place that is shown, or to none. */
  fit(place) {
    const direct = place?.name === '$me';
    byId('to').closest('label').hidden = !direct;
    byId('to').required = direct;
    byId('store-label').hidden = direct;
    byId('text-label').textContent = place ? (direct ? 'Direct message' : `Message to ${place.title}`) : 'Message';
    for (const field of this.#form.elements) field.disabled = !place;
    this.fault('');
  }

  /** Begins a message to `user`. */
  to(user) {
    byId('to').value = user;
    this.#text.focus();
  }

  fault(words) {
    byId('composer-fault').textContent = words;
    this.#text.toggleAttribute('aria-invalid', false);
  }

  #example() {
    const json = this.#form.elements.form.value === 'json';
    if (json && !this.#text.value) this.#text.value = '{"task": 42, "done": true}';
    this.#text.classList.toggle('code', json);
  }

  async #submit() {
    const { form } = this.#form.elements;
    const text = this.#text.value;
    this.fault('');
    let data = text;
    try {
      if (form.value === 'json') data = JSON.parse(text);
    } catch (error) {
      this.fault(`This is not JSON: ${error.message}`);
      this.#text.setAttribute('aria-invalid', 'true');
      return;
    }
    if (text === '') return;
    const event = byId('event').value || undefined;
    this.#text.value = '';
    try {
      await this.#send(data, { event, store: byId('store').checked, to: byId('to').value });
    } catch (error) {
      this.fault(`Not sent: ${explain(error)}`);
      this.#text.value ||= text;
    }
  }
}

/** An error of the client in words. */
export const explain = ({ code, message }) => (message && message !== code ? `${message} (${code})` : code);
