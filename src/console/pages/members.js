/** The people in the room that is shown; who is chosen is written to. */

import { byId, element } from './element.js';

/** People who are shown by name. */
const SHOWN = 40;

export function showMembers({ people, count }, me, choose) {
  const named = [...(people ?? [])];
  const line = ([user, connections]) => {
    const times = connections > 1 ? ` ×${connections}` : '';
    if (user === me)
      return element('li', {}, element('span', { class: 'chip me' }, `${user}${times}`, element('span', {}, ' you')));
    const write = () => choose(user);
    const label = `Write to ${user}`;
    return element(
      'li',
      {},
      element('button', { type: 'button', class: 'chip', title: label, onclick: write }, `${user}${times}`),
    );
  };
  const others = count - Math.min(named.length, SHOWN);
  const rest =
    people && named.length
      ? named.length > SHOWN
        ? `and ${others} more`
        : `and ${others} guest${others > 1 ? 's' : ''}`
      : '';
  byId('members').replaceChildren(
    ...named.slice(0, SHOWN).map(line),
    ...(others > 0 && rest ? [element('li', { class: 'aside' }, rest)] : []),
  );
  byId('people').replaceChildren(...named.map(([user]) => element('option', { value: user })));
}

export function showTypists(typists) {
  const names = [...typists];
  const verb = names.length > 1 ? 'are' : 'is';
  byId('typing').textContent = names.length ? `${names.slice(0, 3).join(', ')} ${verb} typing` : '';
}
