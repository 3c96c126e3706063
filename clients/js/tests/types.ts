/** Compiled, never run: the declarations let apps say what the README says, and nothing that is wrong. */

import { WebSocket } from 'ws';
import { connect, SwitchboardError, type Json, type Message } from '../switchboard.js';

const client = connect('https://push.test', {
  getToken: async () => (await fetch('/token')).text(),
  credentials: 'include',
  rooms: ['news'],
  WebSocket,
});
connect();
connect('/push/', { WebSocket: null, fetch: null, queue: 1, timeout: 1, inbox: false });

interface Line {
  text: string;
}
interface Card {
  title: string;
  line?: Line;
  lines: readonly Line[];
  due: Date;
  owner: string | null;
}
interface Node {
  children: Node[];
}
declare const card: Card;
declare const node: Node;
declare const anything: any;
declare const json: Json;
const room = client.join<Line>('lobby', { history: 10 });
room.on('message', ({ data: { text }, from, position }, replayed) => [text.length, from, position, replayed]);
const stop: () => void = room.on('recovered', (recovered, { users }) => !recovered && users?.map(({ user }) => user));
client.on('state', (state, { code, reason, delay }) => state === 'waiting' && [code, reason, delay]);
client.on('dropped', (dropped) => dropped.room && room.publish(dropped.data, dropped));
client.on('dropped', ({ data, reason, sent }) => [data, reason === 'queue_full', sent]);
client.on('error', (error) => error instanceof SwitchboardError && error.retryAfter);

export async function use(): Promise<Message<Line> | undefined> {
  const { position } = await room.publish({ text: 'hi', nested: [1, null, { a: true }] }, { echo: false });
  const { connections } = await client.direct('bob', 'hi');
  for (const data of [card, node, anything, json]) await room.publish(data);
  await Promise.all([room.publish(card), room.publish(node), room.publish(json), room.publish([card, null, 1, undefined])]);
  await Promise.all([room.publish(), room.publish(undefined), room.publish(null), client.direct('bob', card), client.direct('bob')]);
  const { users, after } = await room.members({ limit: connections });
  console.log(position, users, after, (await room.joined).count);
  stop();
  for await (const message of room) return message;
  await room.leave();
}

// @ts-expect-error: there is no such event
room.on('massage', () => {});
// @ts-expect-error: a function is not JSON
room.publish(() => {});
// @ts-expect-error: nor is what holds one
room.publish({ card, render: () => {} });
// @ts-expect-error: nor a bigint
room.publish({ size: 10n });
// @ts-expect-error: nor a map
client.direct('bob', new Map([['a', 1]]));
// @ts-expect-error: positions are opaque strings
client.join('lobby', { since: 7 });
