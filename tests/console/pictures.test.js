/** Takes the pictures for the documentation, where PICTURES asks for them: a team at work, on a server of its own. */

import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { connect } from '../../clients/js/switchboard.js';
import { enter, live, open, options, shows, start } from './browser.js';

const PICTURES = new URL('../../docs/images/', import.meta.url);

/** What `curl` in a picture names. */
const PORT = 8000;

/** Rooms with their members and how many messages a second are said in them. */
const ROOMS = {
  'project:42': [24, 3],
  lobby: [60, 1],
  prices: [48, 12],
  'news:en': [32, 2],
  'match:live': [40, 8],
  support: [9, 0.5],
};

const skip = options.skip || (!process.env.PICTURES && 'no pictures are asked for');

async function person(t, server, user, room = 'project:42') {
  const client = connect(server.url, { user, WebSocket, fetch: null, inbox: false });
  t.after(() => client.close());
  const joined = client.join(room);
  await joined.joined;
  return joined;
}

/** Fills the server with people who talk, come and go, now more and now less. */
async function crowd(t, server) {
  const often = (pause, what) => {
    const timer = setInterval(what, pause);
    t.after(() => clearInterval(timer));
  };
  const wave = (period) => Math.sin(Date.now() / period);
  for (const [name, [members, rate]] of Object.entries(ROOMS)) {
    await Promise.all(Array.from({ length: members }, (_, number) => person(t, server, `user-${number * 7}`, name)));
    often(250, () => {
      const due = rate * 0.25 * (1 + 0.6 * wave(9_000 + 500 * name.length) + 0.25 * wave(2_300));
      if (Math.random() < due % 1) void server.publish(name, { sent: Date.now() });
      for (let number = 1; number <= due; number++) void server.publish(name, { sent: Date.now(), number });
    });
  }
  const visitors = [];
  let number = 0;
  often(300, () => {
    const wanted = 40 + 25 * wave(17_000) + 8 * wave(3_000);
    if (visitors.length < wanted)
      visitors.push(
        connect(server.url, { rooms: ['lobby'], WebSocket, fetch: null, user: `visitor-${number++}`, inbox: false }),
      );
    else visitors.shift().close();
  });
  t.after(() => visitors.forEach((visitor) => visitor.close()));
}

/** A context of a picture in these colours. */
const look = (colorScheme) => ({ colorScheme, viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5 });

const take = (page, name) => page.screenshot({ path: fileURLToPath(new URL(`console-${name}.png`, PICTURES)) });

/** What is said in the picture. */
async function talk(page, { grace, linus }, server) {
  await grace.publish('Morning! Who takes the invoices today?');
  await linus.publish('I am on the import until noon.');
  await page.fill('#text', 'I will. Moving the card now.');
  await page.keyboard.press('Enter');
  await shows(page, '#stream-messages', 'Moving the card now.');
  await server.publish('project:42', { task: 118, to: 'doing', by: 'ada' });
  await grace.publish({ x: 412, y: 96 }, { event: 'cursor', store: false });
  await grace.publish('Saw it move. That was quick.');
  await shows(page, '#stream-messages', 'That was quick.');
}

test('pictures of trying it', { ...options, skip }, async (t) => {
  const server = await start(t, { port: PORT });
  const people = {};
  for (const name of ['grace', 'linus', 'margaret']) people[name] = await person(t, server, name);
  const page = await open(t, server, '/?user=ada&room=lobby&room=project:42', look('light'));
  await live(page);
  await shows(page, '#place-title', 'project:42');
  await talk(page, people, server);
  await server.publish('lobby', 'The build is green.');
  await shows(page, '[data-place=lobby] b', '1');
  await page.fill('#event', 'task.done');
  await page.locator('#text').pressSequentially('Done, and the import can follow');
  people.grace.typing();
  await shows(page, '#typing', 'grace is typing');
  await take(page, 'try-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  people.grace.typing();
  await shows(page, '#typing', 'grace is typing');
  await take(page, 'try-dark');
});

test('pictures of watching it', { ...options, skip, timeout: 400_000 }, async (t) => {
  const server = await start(t, { port: PORT });
  const page = await open(t, server, '/#watch', { ...look('light'), viewport: { width: 1280, height: 860 } });
  await crowd(t, server);
  // When the first figures have left a chart, all of it is filled.
  const filled = () => {
    const path = document.querySelector('.chart .first').getAttribute('d') ?? '';
    return path !== '' && parseFloat(path.slice(1)) < 0;
  };
  await page.waitForFunction(filled, undefined, { timeout: 300_000 });
  await take(page, 'watch-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await take(page, 'watch-dark');
});

test('a picture of it on a phone', { ...options, skip }, async (t) => {
  const server = await start(t, { port: PORT });
  const people = {};
  for (const name of ['grace', 'linus']) people[name] = await person(t, server, name, 'lobby');
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const page = await enter(t, server, 'ada', phone);
  await people.grace.publish('Morning! Who takes the invoices today?');
  await people.linus.publish({ task: 118, to: 'doing' }, { event: 'task.moved' });
  await shows(page, '#stream-messages', 'task.moved');
  await page.locator('.talk').scrollIntoViewIfNeeded();
  await page.locator('#place-title').evaluate((title) => title.scrollIntoView());
  await take(page, 'phone');
});
