/** The page: a CodeMirror editor on a Yjs text, and who else is in it. */

import { defaultKeymap } from '@codemirror/commands';
import { markdown } from '@codemirror/lang-markdown';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import { IndexeddbPersistence } from 'y-indexeddb';
import * as Y from 'yjs';
import { RawRoom } from './raw-room.js';

const PEOPLE = [
  ['Ada', '#c2410c'],
  ['Blaise', '#0f766e'],
  ['Cleo', '#7c3aed'],
  ['Dmitri', '#be185d'],
  ['Emmy', '#1d4ed8'],
  ['Farid', '#4d7c0f'],
];

const query = new URLSearchParams(location.search);
const name = query.get('doc') ?? 'notes';
const [guest, color] = PEOPLE[Math.floor(Math.random() * PEOPLE.length)];
const user = query.get('user') ?? guest;
const mine = PEOPLE.find(([person]) => person === user)?.[1] ?? color;

const doc = new Y.Doc();
const text = doc.getText('text');
// The relay keeps nothing of a raw room: each browser has the document, for when everybody else is gone.
new IndexeddbPersistence(name, doc);

const url = `${RELAY.replace('http', 'ws')}/raw/${encodeURIComponent(`doc:${name}`)}`;
const room = new RawRoom(url, doc);
room.awareness.setLocalStateField('user', { name: user, color: mine, colorLight: `${mine}26` });

const look = HighlightStyle.define([
  { tag: tags.heading1, class: 'h1' },
  { tag: tags.heading2, class: 'h2' },
  { tag: tags.strong, fontWeight: '650' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.monospace, class: 'code' },
  { tag: [tags.processingInstruction, tags.contentSeparator], class: 'mark' },
]);

new EditorView({
  parent: document.querySelector('#editor'),
  state: EditorState.create({
    doc: text.toString(),
    extensions: [
      keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
      drawSelection(),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': 'The document' }),
      placeholder('Write something. Everybody with this address sees it.'),
      markdown(),
      syntaxHighlighting(look),
      yCollab(text, room.awareness),
    ],
  }),
}).focus();

const line = document.querySelector('#line');
line.onclick = () => (room.connected ? room.disconnect() : room.connect());
document.querySelector('#name').textContent = name;

/** Says in the head whether the document is shared at the moment, and with whom. */
function show() {
  const words = room.connected ? 'In sync' : room.reason || 'Cut off, your changes wait here';
  document.body.dataset.state = room.connected ? 'online' : 'offline';
  document.querySelector('#state').textContent = words;
  line.textContent = room.connected ? 'Work offline' : 'Connect';
  const people = [...room.awareness.getStates()].sort(([a], [b]) => a - b).filter(([, state]) => state.user);
  document
    .querySelector('#people')
    .replaceChildren(...people.map(([id, { user }]) => badge(user, id === doc.clientID)));
}

function badge({ name, color }, me) {
  const item = document.createElement('li');
  item.textContent = name[0];
  item.title = me ? `${name} (you)` : name;
  item.style.setProperty('--color', color);
  return item;
}

room.addEventListener('change', show);
room.awareness.on('change', show);
room.connect();
