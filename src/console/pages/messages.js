/** A message as a line of a list. */

import { element } from './element.js';
import { clock } from './format.js';

/** Draws `message`; what the visitor said is marked as theirs. */
export function drawMessage(message, me) {
  if (message.note) return element('li', { class: 'note' }, message.note);
  const { from, event, data, time, position, replayed, to, reached, type } = message;
  const mine = from != null && from === me;
  const who = from ?? { notification: 'the app', announcement: 'the app, to all' }[type] ?? 'guest or app';
  const text = typeof data === 'string';
  return element(
    'li',
    { class: [mine && 'mine', replayed && 'replayed'].filter(Boolean).join(' ') },
    element(
      'header',
      {},
      element('b', {}, to ? `to ${to}` : who),
      event && element('code', { class: 'event' }, event),
      element('time', { datetime: time, title: position && `position ${position}` }, clock(time)),
    ),
    element('p', { class: text ? 'said' : 'said json' }, text ? data : pretty(data)),
    reached && element('p', { class: 'aside' }, reached),
  );
}

/** JSON in one line where it is short. */
function pretty(data) {
  const line = JSON.stringify(data);
  return line.length > 40 ? JSON.stringify(data, null, 2) : line;
}
