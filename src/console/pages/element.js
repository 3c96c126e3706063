/** Elements of the page. */

export const byId = (id) => document.getElementById(id);

/** Makes an element of `kind`: its attributes and, as `on…`, its listeners; then what is in it. */
export function element(kind, attributes = {}, ...children) {
  const made = document.createElement(kind);
  set(made, attributes);
  made.append(...children.filter((child) => child != null));
  return made;
}

/** The same for pictures. */
export function drawing(kind, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', kind);
  set(made, attributes);
  made.append(...children);
  return made;
}

function set(made, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value != null && value !== false) made.setAttribute(name, value);
  }
}

/** Shows how a wire is: `live`, `waiting`, `off` or `bad`, in a lamp and in words. */
export function lamp(line, state, words) {
  line.dataset.state = state;
  const text = line.querySelector('span');
  if (text.textContent !== words) text.textContent = words;
}

/**
 * A list that is filled faster than anybody reads: it is drawn once a frame, keeps the newest `most`, and what it is in
 * stays at its end, unless the reader has scrolled away from there.
 */
export class Tail {
  #list;
  #window;
  #most;
  #draw;
  #waiting = [];

  constructor(list, most, draw) {
    this.#list = list;
    this.#window = list.parentElement;
    this.#most = most;
    this.#draw = draw;
  }

  add(item) {
    this.#waiting.push(item);
    if (this.#waiting.length > this.#most) this.#waiting.shift();
    if (this.#waiting.length === 1) requestAnimationFrame(() => this.#flush());
  }

  /** Shows these and nothing else. */
  replace(items) {
    this.#waiting = [];
    this.#list.replaceChildren(...items.slice(-this.#most).map(this.#draw));
    this.#window.scrollTop = this.#window.scrollHeight;
  }

  #flush() {
    const list = this.#list;
    const { scrollHeight, scrollTop, clientHeight } = this.#window;
    const following = scrollHeight - scrollTop - clientHeight < 40;
    list.append(...this.#waiting.splice(0).map(this.#draw));
    while (list.childElementCount > this.#most) list.firstElementChild.remove();
    if (following) this.#window.scrollTop = this.#window.scrollHeight;
  }
}
