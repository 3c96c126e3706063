/** Who the visitor is: a name on an open server, a token on any other. */

import { byId, lamp } from './element.js';
import { keep, recall } from './kept.js';

const KEPT = 'switchboard.identity';

/** What a refusal means for the visitor. */
const ADVICE = {
  'token required': 'This server needs a token: choose Token and paste one.',
  'first message must be auth': 'This server needs a token: choose Token and paste one.',
  'invalid token': 'The server does not accept this token.',
  'token expired': 'The token has expired: paste a fresh one.',
  'origin not allowed': 'The server does not allow pages of this address.',
  'user name taken': 'Somebody else has this name: choose another.',
};

export class Identity {
  #form = byId('identity');
  #line = byId('state').closest('.state');
  #countdown;
  #open = false;

  /** `connect` is called with the `user` or `token`, `disconnect` when the visitor has enough. */
  constructor({ connect, disconnect }) {
    const form = this.#form;
    this.#fill(recall(KEPT));
    form.addEventListener('change', () => this.#choose());
    form.addEventListener('input', () => this.#suggest());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.#open) return disconnect();
      this.#keep();
      connect(this.value);
    });
  }

  get value() {
    const { way, user, token } = this.#form.elements;
    return way.value === 'token' ? { token: token.value.trim() } : { user: user.value.trim() || undefined };
  }

  /** Takes the name that the page's address gives. */
  name(user) {
    this.#fill({ way: 'user', user });
  }

  #fill({ way = 'user', user = 'ada', token = '' }) {
    const { elements } = this.#form;
    elements.way.value = way;
    elements.user.value = user;
    elements.token.value = token;
    this.#choose();
    this.#suggest();
  }

  #keep() {
    const { way, user, token } = this.#form.elements;
    keep(KEPT, { way: way.value, user: user.value, token: token.value });
  }

  #choose() {
    const { way, user, token } = this.#form.elements;
    user.closest('label').hidden = way.value !== 'user';
    token.closest('label').hidden = way.value !== 'token';
  }

  #suggest() {
    const other = this.#form.elements.user.value === 'grace' ? 'ada' : 'grace';
    const link = byId('second');
    link.href = `?${new URLSearchParams({ user: other, room: 'lobby' })}`;
    link.textContent = `Open ${other} in a new tab`;
  }

  /** Shows how the client is, by its `state` and what it tells with that. */
  show(client, { code, reason, delay } = {}) {
    const { state, user } = client;
    clearInterval(this.#countdown);
    byId('countdown').textContent = '';
    this.#lock(state !== 'closed');
    const who = user ?? 'a guest';
    if (state === 'online') this.#say('live', `live as ${who}`);
    else if (state === 'waiting') this.#wait(code, reason, delay);
    else if (state === 'closed') this.#end(code, reason);
    else if (this.#line.dataset.state !== 'waiting') this.#say('waiting', 'connecting');
  }

  #wait(code, reason, delay) {
    this.#say('waiting', `reconnecting: the connection was lost (${[code, reason].filter(Boolean).join(', ')})`);
    const until = Date.now() + delay;
    const tick = () => {
      const left = Math.max(0, (until - Date.now()) / 1_000);
      byId('countdown').textContent = left ? `next try in ${left.toFixed(1)} s` : '';
    };
    if (!delay) return;
    tick();
    this.#countdown = setInterval(tick, 100);
  }

  #end(code, reason) {
    if (code === 1000) return this.#say('off', 'not connected');
    this.#say('bad', `closed by the server (${code})`);
    byId('identity-fault').textContent = ADVICE[reason] ?? reason;
  }

  #say(state, words) {
    byId('identity-fault').textContent = '';
    this.#line.dataset.state = state;
    byId('state').textContent = words;
    const short = { live: 'live', waiting: 'reconnecting', off: 'off', bad: 'closed' }[state];
    lamp(byId('socket-state'), state, words === 'connecting' ? words : short);
  }

  #lock(open) {
    this.#open = open;
    for (const field of this.#form.querySelectorAll('input')) field.disabled = open;
    const button = byId('connect');
    button.textContent = open ? 'Disconnect' : 'Connect';
    button.classList.toggle('primary', !open);
  }
}
