/** The page: who is here, which project is open, and the relay's word of what others do. */

import { Board } from './board.js';

const $ = (selector) => document.querySelector(selector);
const WORDS = { 'task.added': 'added', 'task.moved': 'moved', 'task.renamed': 'renamed' };
const COLORS = ['#4f46e5', '#b45309', '#0f766e', '#be185d'];

/** A request to the app. The relay's name for this page goes along, so that it is not told of what it did itself. */
async function ask(method, path, body) {
  const headers = { 'content-type': 'application/json' };
  if (client?.connection) headers['x-connection'] = client.connection;
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  return response;
}

const read = async (path) => (await ask('GET', path)).json();

let client;
let room;
const people = new Set();

const board = new Board($('main'), async (id, change) => {
  try {
    const response = await ask('PATCH', `/tasks/${id}`, change);
    board.put(await response.json());
  } catch {
    say('This could not be moved. Try again.');
  }
});

/** Shows a project, and follows its room. */
function open(project) {
  room?.leave();
  room = client.join(`project:${project.id}`);
  const here = room;
  const load = async () => {
    const tasks = await read(`/projects/${project.id}/tasks`).catch(() =>
      say('The board cannot be read. Reload the page.'),
    );
    if (tasks && room === here) board.fill(tasks);
  };
  // First in the room, then the board: whatever changes after it was read is heard. What comes twice has its version.
  here.joined.then(load, () => {});
  here.on('recovered', (nothingMissed) => nothingMissed || load());
  here.on('message', ({ event, data: { task, by } }) => {
    if (board.put(task)) say(`${name(by)} ${WORDS[event]} “${task.title}”`);
  });

  here.on('joined', ({ users }) => {
    people.clear();
    for (const { user } of users ?? []) people.add(user);
    showPeople();
  });
  here.on('user_joined', ({ user }) => showPeople(people.add(user)));
  here.on('user_left', ({ user }) => showPeople(people.delete(user)));
  here.on('left', ({ reason }) => reason && say(`This project is not open to you any more: ${reason}`));

  for (const tab of $('nav').children)
    tab.ariaCurrent = tab.dataset.project === String(project.id) ? 'page' : null;
  document.title = project.name;
  board.fill([]);
}

const name = (user) => user[0].toUpperCase() + user.slice(1);

const say = (words) => void ($('#news').textContent = words);

function showPeople() {
  const avatars = [...people].sort().map((user) => {
    const item = document.createElement('li');
    item.textContent = name(user)[0];
    item.title = user === client.user ? `${name(user)} (you)` : name(user);
    item.style.background =
      COLORS[[...user].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % COLORS.length];
    return item;
  });
  $('#people').replaceChildren(...avatars);
}

async function start() {
  const response = await fetch('/session');
  $('#login').hidden = response.ok;
  $('#app').hidden = !response.ok;
  if (!response.ok) return chooseUser();

  const { relay, projects } = await response.json();
  const { connect } = await import(`${relay}/switchboard.js`);
  client = connect(relay, { getToken: async () => (await ask('GET', '/token')).text() });
  client.on('state', (state) => {
    $('#state').textContent = { online: '', closed: 'reload the page' }[state] ?? 'connecting';
  });
  const tabs = projects.map((project) => {
    const tab = document.createElement('button');
    tab.textContent = project.name;
    tab.dataset.project = project.id;
    tab.onclick = () => open(project);
    return tab;
  });
  $('nav').replaceChildren(...tabs);
  open(projects[0]);
}

async function chooseUser() {
  for (const user of await read('/users')) {
    const button = document.createElement('button');
    button.textContent = name(user);
    button.type = 'button';
    button.onclick = async () => {
      await ask('POST', `/login/${user}`);
      location.reload();
    };
    $('#login').append(button);
  }
}

$('#logout').onclick = async () => {
  await ask('POST', '/logout');
  location.reload();
};

$('#add').onsubmit = async (event) => {
  event.preventDefault();
  const { title } = event.target.elements;
  const project = room.name.split(':')[1];
  board.put(await (await ask('POST', `/projects/${project}/tasks`, { title: title.value })).json());
  title.value = '';
};

start();
