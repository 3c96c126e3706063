/** The command that publishes to the room that is shown, as an app would. */

import { copy } from './clipboard.js';
import { byId } from './element.js';
import { BASE } from './link.js';

byId('command-copy').addEventListener('click', async ({ target }) => {
  target.textContent = await copy(byId('command').textContent, 'The command');
});

/** Shows the command for `room`; `key` says that the server wants an API key. */
export function showCommand(room, key) {
  const url = new URL(`api/rooms/${encodeURIComponent(room)}/messages`, BASE);
  const header = key ? ` \\\n  -H "Authorization: Bearer $API_KEY"` : '';
  byId('command').textContent = `curl${header} -d '{"data":"hello"}' ${url}`;
  byId('command-copy').textContent = 'Copy the command';
  byId('app-key').hidden = !key;
}
