/** The end of a list that is filled faster than anybody reads. */

/**
 * Draws what is added to `list` once a frame, keeps the newest `most`, and what the list is in stays at its end, unless the
 * reader has scrolled away from there.
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
