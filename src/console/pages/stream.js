/**
 * A stream of Server-Sent Events, read as it comes: an `EventSource` hides the lines, knows no header but its own, and
 * hears only events whose names are known before. Like one it comes back, and says where it was.
 */

/** How long to wait before coming back, in milliseconds, until the stream says otherwise. */
const RETRY = 3_000;

const isFinal = (code) => code < 1001 || code === 1008 || (code >= 4000 && code < 4100);

export class Stream {
  /** The `id` of the last event, from which a later stream can go on. */
  lastId;
  #url;
  #token;
  #tell;
  #abort = new AbortController();
  #timer;
  #retry = RETRY;
  #ended;

  /** `tell` has `event(block, {event, data})`, `state(state, words)` and `note(words)`. */
  constructor(url, { token, lastId }, tell) {
    Object.assign(this, { lastId });
    this.#url = url;
    this.#token = token;
    this.#tell = tell;
    this.#open();
  }

  close() {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }

  async #open() {
    const { signal } = this.#abort;
    this.#ended = undefined;
    try {
      const headers = { accept: 'text/event-stream' };
      if (this.#token) headers.authorization = `Bearer ${this.#token}`;
      if (this.lastId) headers['last-event-id'] = this.lastId;
      const response = await fetch(this.#url, { headers, signal, cache: 'no-store' });
      if (!response.ok) this.#ended = await refusal(response);
      else await this.#read(response.body);
    } catch {
      // What went wrong on the way is for the next attempt to find out.
    }
    if (!signal.aborted) this.#again();
  }

  async #read(body) {
    this.#tell.state('live', 'live');
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#abort.signal.aborted) return;
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop();
      blocks.forEach((block) => this.#take(block));
    }
  }

  #take(block) {
    const event = { event: 'message', data: '' };
    for (const line of block.split('\n')) {
      const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
      if (name === 'id') this.lastId = value;
      else if (name === 'retry') this.#retry = +value || this.#retry;
      else if (name) event[name] = value;
    }
    if (!event.data) return this.#tell.note(block);
    const data = JSON.parse(event.data);
    if (event.event === 'close' && !data.type) this.#ended = data;
    this.#tell.event(block, data);
  }

  #again() {
    const { code = 1006, reason } = this.#ended ?? {};
    if (isFinal(code)) {
      this.#tell.note(`ended ${code} ${reason}`);
      return this.#tell.state('bad', reason || 'ended');
    }
    this.#tell.note(`ended ${code}, reconnecting in ${this.#retry} ms`);
    this.#tell.state('waiting', 'reconnecting');
    this.#timer = setTimeout(() => this.#open(), this.#retry);
  }
}

/** Why no stream began, as a code: a server that is busy or stopping may take it later. */
async function refusal(response) {
  const { error } = await response.json().catch(() => ({}));
  return { code: response.status >= 429 ? 1013 : 0, reason: error?.message ?? `refused with ${response.status}` };
}
