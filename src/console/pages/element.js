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
