/** What the tab remembers until it is closed. A browser may let a page remember nothing. */

export function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}

export function keep(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Then the visitor types it again.
  }
}
