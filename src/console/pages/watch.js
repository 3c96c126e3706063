/** The view to watch the server: figures as charts, the busiest rooms, and what is missing to see them. */

import { Busiest } from './busiest.js';
import { Chart } from './chart.js';
import { byId, element, lamp } from './element.js';
import { Figures } from './figures.js';
import * as format from './format.js';
import { keep, recall } from './kept.js';
import { decades, linear } from './scale.js';

const KEPT = 'switchboard.access';

const a_second = (value) => `${format.count(value)}/s`;

/** What the charts show; `read` takes the values from the figures and from what they grew by a second. */
const CHARTS = [
  { title: 'Connections', unit: format.count, scale: linear(4), read: ({ connections }) => [connections] },
  { title: 'Messages in', unit: a_second, scale: linear(4), read: (_, { messages_in }) => [messages_in] },
  { title: 'Messages out', unit: a_second, scale: linear(4), read: (_, { messages_out }) => [messages_out] },
  {
    title: 'Fan-out latency',
    unit: format.micros,
    scale: decades(10, 10_000),
    lines: ['p50', 'p99'],
    read: ({ fanout_p50_us, fanout_p99_us }) => [fanout_p50_us, fanout_p99_us],
  },
  { title: 'Bytes in queues', unit: format.bytes, scale: linear(1024, 1024), read: ({ queue_bytes }) => [queue_bytes] },
  {
    title: 'Memory',
    unit: format.bytes,
    scale: linear(4 * 1024 * 1024, 1024),
    read: ({ memory_bytes }) => [memory_bytes],
  },
];

const TOTALS = [
  ['Users', 'users', format.count],
  ['Rooms', 'rooms', format.count],
  ['Messages in', 'messages_in', format.count],
  ['Messages out', 'messages_out', format.count],
  ['Bytes in', 'bytes_in', format.bytes],
  ['Bytes out', 'bytes_out', format.bytes],
];

/** What it means that the room of the figures is closed. */
const CLOSED = {
  'token required': 'the server needs a token',
  'first message must be auth': 'the server needs a token',
  'invalid token': 'the server does not accept the token',
  forbidden: 'the token does not allow it',
};

/** Totals whose growth is shown. */
const GROWING = ['messages_in', 'messages_out'];

export class Watch {
  #charts = CHARTS.map(({ read, ...chart }) => ({ read, chart: new Chart(chart) }));
  #totals = TOTALS.map(([title, name, unit]) => ({ name, unit, title, text: element('dd', {}, 'not told') }));
  #figures;
  #busiest;
  #last;
  /** What stands in the way, in the order in which it is said. */
  #problems = { figures: undefined, rooms: undefined };
  #access = recall(KEPT);

  constructor() {
    byId('charts').append(...this.#charts.map(({ chart }) => chart.figure));
    byId('totals').append(...this.#totals.map(({ title, text }) => element('div', {}, element('dt', {}, title), text)));
    byId('access').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#access = { key: byId('key').value.trim(), token: byId('watch-token').value.trim() };
      keep(KEPT, this.#access);
      this.stop();
      this.start();
    });
  }

  start() {
    if (this.#figures) return;
    const { key, token } = this.#access;
    this.#figures = new Figures(
      { key, token: token || undefined },
      {
        figures: (figures, time) => this.#take(figures, time),
        source: (state, words, problem) => this.#source(state, words, problem),
      },
    );
    this.#busiest = new Busiest({ key }, (problem) => this.#missing('rooms', problem));
  }

  stop() {
    this.#figures?.stop();
    this.#busiest?.stop();
    this.#figures = this.#busiest = undefined;
  }

  #take(figures, time) {
    const growth = this.#growth(figures, time);
    this.#last = { figures, time };
    for (const { read, chart } of this.#charts) chart.push(time, read(figures, growth));
    for (const { name, unit, text } of this.#totals) {
      if (figures[name] != null) text.textContent = unit(figures[name]);
    }
    if (figures.uptime_s == null) return;
    byId('uptime').textContent = format.duration(figures.uptime_s);
    byId('uptime').parentElement.hidden = false;
  }

  /** What the totals grew by a second since the last figures; nothing where the server has started anew. */
  #growth(figures, time) {
    const { figures: last = {}, time: then } = this.#last ?? {};
    const grown = (name) => ((figures[name] - last[name]) * 1_000) / (time - then);
    const known = GROWING.filter((name) => time > then && grown(name) >= 0);
    return Object.fromEntries(known.map((name) => [name, grown(name)]));
  }

  #source(state, words, problem) {
    lamp(byId('watch-state'), state, words);
    this.#missing('figures', problem);
  }

  /** Says what stands in the way of `what`, with the form that asks for it where that helps. */
  #missing(what, problem) {
    const said = JSON.stringify(problem);
    if (JSON.stringify(this.#problems[what]) === said) return;
    this.#problems[what] = problem;
    const lines = Object.entries(this.#problems).filter(([, problem]) => problem);
    byId('missing').hidden = !lines.length;
    byId('missing-list').replaceChildren(...lines.map(([what, problem]) => element('li', {}, explain(what, problem))));
  }
}

/** Why `what` cannot be shown, and what to set. */
function explain(what, { status, message, room }) {
  const path = what === 'rooms' ? '/api/rooms' : '/api/stats';
  const closed = room ? `You cannot join the room $stats: ${CLOSED[room] ?? room}. ` : '';
  return `${closed}${path} does not answer: ${because(status, message)}`;
}

function because(status, message) {
  if (status === 401) return 'it needs an API key, which you can enter below.';
  if (status === 403 && message === 'no api key configured') {
    return 'no API key is configured. Set SWITCHBOARD_API__KEY, or key in the section [api] of the configuration.';
  }
  if (status === 403) return `${message}. It needs a key that is not limited to rooms.`;
  return `${message} (${status}).`;
}
