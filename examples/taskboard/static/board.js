/** Columns of cards, to be moved with the mouse, the keyboard and a finger. It knows nothing of servers. */

const COLUMNS = ['todo', 'doing', 'done'];

export class Board {
  #root;
  #move;
  #cards = new Map(); // the element and the task of each, by the task's id

  /** `move` is called with a task's id and `{ column, before }` when somebody here moves it. */
  constructor(root, move) {
    this.#root = root;
    this.#move = move;
    for (const column of COLUMNS) this.#acceptDrops(this.#list(column).parentElement, column);
  }

  /** Shows these tasks and no others. */
  fill(tasks) {
    for (const { element } of this.#cards.values()) element.remove();
    this.#cards.clear();
    for (const task of tasks) this.put(task);
  }

  /** Shows a task as it is now; false if that is older than what is shown. */
  put(task) {
    const known = this.#cards.get(task.id);
    if (known && known.task.version >= task.version) return false;
    const element = known?.element ?? this.#card(task.id);
    this.#cards.set(task.id, { element, task });
    element.querySelector('span').textContent = task.title;
    this.#arrows(element, task);
    this.#slide(element, () => this.#place(element, task));
    this.#count();
    return true;
  }

  #list(column) {
    return this.#root.querySelector(`[data-column=${column}] ol`);
  }

  #task(element) {
    return this.#cards.get(+element.dataset.task).task;
  }

  #place(element, { column, rank }) {
    const focused = element.contains(document.activeElement) && document.activeElement;
    const others = [...this.#list(column).children].filter((other) => other !== element);
    const next = others.find((other) => this.#task(other).rank > rank);
    this.#list(column).insertBefore(element, next ?? null);
    if (focused) focused.focus();
  }

  /** Lets a card be seen on its way. */
  #slide(element, place) {
    const before = element.isConnected && element.getBoundingClientRect();
    place();
    if (!before || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const { left, top } = element.getBoundingClientRect();
    const from = `translate(${before.left - left}px, ${before.top - top}px)`;
    element.animate([{ transform: from, zIndex: 1 }, { transform: 'none' }], {
      duration: 250,
      easing: 'ease',
    });
  }

  #card(id) {
    const element = document.createElement('li');
    element.dataset.task = id;
    element.draggable = true;
    element.tabIndex = 0;
    element.ondragstart = ({ dataTransfer }) => {
      dataTransfer.setData('text/plain', id);
      element.classList.add('dragged');
    };
    element.ondragend = () => element.classList.remove('dragged');
    element.onkeydown = (event) => {
      const goal = this.#goal(element, event.key);
      if (!goal) return;
      event.preventDefault();
      this.#move(id, goal);
    };
    element.append(
      document.createElement('span'),
      this.#arrow(element, '←', 'ArrowLeft'),
      this.#arrow(element, '→', 'ArrowRight'),
    );
    return element;
  }

  /** A button that does what a key does, for where there are no keys. */
  #arrow(element, sign, key) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = sign;
    button.onclick = () => this.#move(+element.dataset.task, this.#goal(element, key));
    return button;
  }

  /** The buttons of a card: a column may have none on one side. */
  #arrows(element, { column, title }) {
    element.querySelectorAll('button').forEach((button, side) => {
      const goal = COLUMNS[COLUMNS.indexOf(column) + (side ? 1 : -1)];
      button.disabled = !goal;
      button.ariaLabel = goal ? `Move “${title}” to ${this.#heading(goal)}` : null;
    });
  }

  #heading(column) {
    return this.#list(column).previousElementSibling.textContent;
  }

  /** Where an arrow key moves a card: the next column, or past its neighbour. */
  #goal(element, key) {
    const column = COLUMNS.indexOf(this.#task(element).column);
    const id = (other) => (other ? +other.dataset.task : null);
    const { previousElementSibling: above, nextElementSibling: below } = element;
    if (key === 'ArrowUp' && above) return { column: COLUMNS[column], before: id(above) };
    if (key === 'ArrowDown' && below)
      return { column: COLUMNS[column], before: id(below.nextElementSibling) };
    const sideways = COLUMNS[column + { ArrowLeft: -1, ArrowRight: 1 }[key]];
    return sideways && { column: sideways, before: id(this.#list(sideways).firstElementChild) };
  }

  #acceptDrops(section, column) {
    section.ondragover = (event) => event.preventDefault();
    section.ondrop = (event) => {
      event.preventDefault();
      const id = +event.dataTransfer.getData('text/plain');
      if (!this.#cards.has(id)) return;
      const others = [...this.#list(column).children].filter(({ dataset }) => +dataset.task !== id);
      const below = others.find((other) => {
        const { top, height } = other.getBoundingClientRect();
        return event.clientY < top + height / 2;
      });
      this.#move(id, { column, before: below ? +below.dataset.task : null });
    };
  }

  #count() {
    for (const column of COLUMNS) {
      this.#root.querySelector(`[data-column=${column}] h2`).dataset.count =
        this.#list(column).children.length;
    }
  }
}
