/** A moving chart of one or two lines over the last two minutes. */

import { drawing, element } from './element.js';

/** Milliseconds that a chart shows. */
const SPAN = 120_000;

/** Milliseconds without figures after which a line is broken. */
const GAP = 5_000;

/** Pixels below and above the lines. */
const FOOT = 2;
const HEAD = 8;

const isTold = (value) => typeof value === 'number';

const still = matchMedia('(prefers-reduced-motion: reduce)');

export class Chart {
  /** The element to be put on a page. */
  figure;
  #title;
  #unit;
  #lines;
  #scale;
  /** What was told, as `{time, values}`, oldest first. */
  #points = [];
  #svg = drawing('svg', { role: 'img' });
  #moving = drawing('g');
  #under = drawing('path', { class: 'area' });
  #grid = drawing('g', { class: 'grid' });
  #ticks = drawing('g', { class: 'ticks' });
  #size = { width: 320, height: 96 };

  /** `unit` writes a value; `lines` are their names; `scale` lays out values up to a given one. */
  constructor({ title, unit, scale, lines = [''] }) {
    this.figure = this.#build(title, lines);
    this.#title = title;
    this.#unit = unit;
    this.#scale = scale;
    new ResizeObserver(([{ contentRect }]) => this.#fit(contentRect)).observe(this.#svg);
  }

  /** Takes the values of all lines at `time`; null or undefined where one was not told. */
  push(time, values) {
    const last = this.#points.at(-1);
    if (last && time <= last.time) return;
    this.#points.push({ time, values });
    while (this.#points[0].time < time - SPAN - GAP) this.#points.shift();
    this.#show(values);
    this.#draw();
    if (last && time - last.time < GAP) this.#slide(time - last.time);
  }

  #build(title, lines) {
    this.#lines = lines.map((name, number) => ({
      name,
      text: element('strong', { class: 'untold' }, 'not told'),
      path: drawing('path', { class: `curve ${number ? 'second' : 'first'}` }),
    }));
    this.#moving.append(this.#under, ...this.#lines.map(({ path }) => path).reverse());
    this.#svg.append(this.#grid, this.#moving, this.#ticks);
    const values = this.#lines.map(({ name, text }) => element('p', {}, name && element('span', {}, name), text));
    return element(
      'figure',
      { class: 'chart' },
      element('h2', {}, title),
      element('div', { class: 'values' }, ...values),
      this.#svg,
    );
  }

  #fit({ width, height }) {
    if (!width || !height) return;
    this.#size = { width, height };
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.#draw();
  }

  #show(values) {
    this.#lines.forEach(({ text }, number) => {
      const value = values[number];
      text.textContent = isTold(value) ? this.#unit(value) : 'not told';
      text.classList.toggle('untold', !isTold(value));
    });
  }

  #draw() {
    const told = this.#points.flatMap(({ values }) => values.filter(isTold));
    const scale = this.#scale(Math.max(0, ...told));
    this.#lines.forEach(({ path }, number) => path.setAttribute('d', this.#path(number, scale)));
    this.#under.setAttribute('d', this.#surface(scale));
    this.#rule(scale);
    this.#summarise(told);
  }

  #x(time) {
    const { width } = this.#size;
    return width - ((this.#points.at(-1).time - time) / SPAN) * width;
  }

  #y(share) {
    const { height } = this.#size;
    return height - FOOT - share * (height - FOOT - HEAD);
  }

  #path(number, { share }) {
    let before;
    return this.#points
      .filter(({ values }) => isTold(values[number]))
      .map(({ time, values }) => {
        const pen = before === undefined || time - before > GAP ? 'M' : 'L';
        before = time;
        return `${pen}${this.#x(time).toFixed(1)} ${this.#y(share(values[number])).toFixed(1)}`;
      })
      .join('');
  }

  /** What is under the first line, each unbroken piece of it closed at the foot. */
  #surface(scale) {
    const foot = this.#size.height;
    const pieces = this.#path(0, scale).split('M').slice(1);
    const close = (piece) => {
      const ends = piece.split('L').map((point) => point.split(' ')[0]);
      return `M${ends[0]} ${foot}L${piece}L${ends.at(-1)} ${foot}Z`;
    };
    return pieces.map(close).join('');
  }

  #rule({ ticks, share }) {
    const { width } = this.#size;
    const at = ticks.map((value) => ({ value, y: this.#y(share(value)) }));
    this.#grid.replaceChildren(...at.map(({ y }) => drawing('line', { x1: 0, x2: width, y1: y, y2: y })));
    this.#ticks.replaceChildren(...at.map(({ value, y }) => drawing('text', { x: 0, y: y + 11 }, this.#unit(value))));
  }

  #summarise(told) {
    const now = this.#lines.map(({ name, text }) => [name, text.textContent].filter(Boolean).join(' ')).join(', ');
    const range = told.length
      ? `, between ${this.#unit(Math.min(...told))} and ${this.#unit(Math.max(...told))} in the last two minutes`
      : '';
    this.#svg.setAttribute('aria-label', `${this.#title}: ${now}${range}`);
  }

  /** Lets the lines flow from where they were. */
  #slide(passed) {
    if (still.matches) return;
    const from = `translateX(${(passed / SPAN) * this.#size.width}px)`;
    this.#moving.animate([{ transform: from }, { transform: 'none' }], { duration: passed, easing: 'linear' });
  }
}
