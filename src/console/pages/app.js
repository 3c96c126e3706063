/** The page: its two views, and the theme. */

import { byId } from './element.js';
import { Desk } from './desk.js';
import { Watch } from './watch.js';

const THEMES = ['auto', 'light', 'dark'];

const desk = new Desk();
const watch = new Watch();

function showView() {
  const view = location.hash === '#watch' ? 'watch' : 'try';
  for (const page of document.querySelectorAll('[data-page]')) page.hidden = page.dataset.page !== view;
  for (const link of document.querySelectorAll('[data-view]')) {
    if (link.dataset.view === view) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = view === 'watch' ? 'Live figures · Switchboard' : 'Switchboard';
  if (view === 'watch') watch.start();
  else watch.stop();
}

function showTheme() {
  byId('theme').textContent = `Theme: ${document.documentElement.dataset.theme}`;
}

byId('theme').addEventListener('click', () => {
  const { dataset } = document.documentElement;
  dataset.theme = THEMES[(THEMES.indexOf(dataset.theme) + 1) % THEMES.length];
  showTheme();
  localStorage.setItem('switchboard.theme', dataset.theme);
});

addEventListener('hashchange', () => {
  // The link that skips to the content is no view.
  if (location.hash !== '#content') showView();
});

showTheme();
showView();
desk.begin(new URLSearchParams(location.search));
