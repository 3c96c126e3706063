/** The clipboard, which browsers have on https and on the machine itself only. */

/** Copies `text`, and says what became of it, by the name of `what` that is. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    return `${what} copied`;
  } catch {
    return 'The browser does not let this page copy';
  }
}
