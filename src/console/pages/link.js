/** The browser client, on WebSockets that show what passes over them. */

import { connect } from '../switchboard.js';

/** Where the server is: beside the page, under whatever path a proxy has put both. */
export const BASE = new URL('.', location.href).href;

/** Opens a client for `user` or `token` whose frames go to `frames`. */
export function open({ user, token }, frames) {
  class Shown extends WebSocket {
    constructor(...values) {
      super(...values);
      this.addEventListener('message', ({ data }) => frames.add('socket', 'in', data));
      this.addEventListener('close', ({ code, reason }) => frames.note('socket', `closed ${code} ${reason}`.trim()));
    }

    send(text) {
      frames.add('socket', 'out', text);
      super.send(text);
    }
  }
  return connect(BASE, { user, token, WebSocket: Shown, fetch: null });
}
