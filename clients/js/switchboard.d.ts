/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * A type that JSON can say: your own interfaces and classes of plain fields too, and what has a `toJSON`. Functions, symbols
 * and `bigint` are not, nor what holds one.
 */
export type Sayable<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends { toJSON(...values: any[]): unknown }
    ? T
    : T extends bigint | symbol | ((...values: any[]) => unknown)
      ? never
      : T extends object
        ? { [Key in keyof T]: Sayable<T[Key]> }
        : never;

/** A place in a room's order. Opaque: keep it, compare it for equality, give it back as `since`. */
export type Position = string;

/** A user in a room, with how many connections. */
export interface Person {
  user: string;
  connections: number;
}

/** A message of a room. */
export interface Message<Data = any> {
  type: 'message';
  room: string;
  /** Absent from a message that was published with `store: false`. */
  position?: Position;
  /** The user who sent it; null for guests and for the app where it gave no name. */
  from: string | null;
  event?: string;
  data: Data;
  /** RFC 3339 in UTC with milliseconds. */
  time: string;
}

/** A message of one user to another. */
export interface Direct<Data = any> {
  type: 'direct';
  from: string | null;
  event?: string;
  data: Data;
  time: string;
  /** In the inbox. */
  position?: Position;
}

/** A message of the app to one user. */
export interface Notification<Data = any> {
  type: 'notification';
  event?: string;
  data: Data;
  time: string;
  /** In the inbox. */
  position?: Position;
}

/** A message of the app to everybody. */
export interface Announcement<Data = any> {
  type: 'announcement';
  event?: string;
  data: Data;
  time: string;
}

/** How a room stands when it is joined, and joined again after the connection was lost. */
export interface Joined<Data = any> {
  type: 'joined';
  room: string;
  position: Position;
  /** Whether nothing was missed; false means nothing where there was nothing to resume. */
  recovered: boolean;
  /** The messages that follow as `message` events, replayed: show them from one of the two. A stream's are not in it. */
  history: Message<Data>[];
  /** People: each named user once, and each guest. */
  count: number;
  /** Null where there are too many to list. */
  users: Person[] | null;
}

/**
 * What became of something that will not be sent, or whose reply was lost with the connection. A field that was not given is
 * not there, so that `room.publish(data, dropped)` publishes it once more as it was.
 */
export interface Dropped {
  type: 'publish' | 'direct';
  /** The room of a `publish`. */
  room?: string;
  /** The receiver of a `direct`. */
  to?: string;
  data: any;
  event?: string;
  echo?: boolean;
  store?: boolean;
  idempotencyKey?: string;
  reason: LocalCode;
  /** The reason in words. */
  message?: string;
  /** Whether it had been sent, so that it may have arrived. */
  sent: boolean;
}

/** Codes of errors that the client itself finds. */
export type LocalCode =
  /** No reply came within `timeout`. */
  | 'timeout'
  /** The connection was lost before the reply. */
  | 'disconnected'
  /** There is no connection, and `store: false` does not wait for one. */
  | 'offline'
  /** There is no connection, and `queue` messages wait already. */
  | 'queue_full'
  /** The message is larger than the server takes; the error has its `size` and the `limit`. */
  | 'too_big'
  /** JSON cannot say the message: it has a cycle, a `bigint`, a `toJSON` that throws, or nothing that JSON knows. */
  | 'bad_data'
  /** What `getToken` gave is no token. */
  | 'bad_token'
  /** The client is closed. */
  | 'closed'
  /** The client is closed, since the server lets nobody in without a good token. */
  | 'unauthorized'
  /** The room was left before it was joined. */
  | 'left';

/** Codes of errors that the server tells. */
export type ServerCode =
  | 'bad_json'
  | 'bad_request'
  | 'unknown_type'
  | 'bad_room'
  | 'forbidden'
  | 'not_joined'
  | 'room_limit'
  | 'room_full'
  | 'rate_limited'
  | 'unavailable';

/** A request that was refused or never answered. */
export class SwitchboardError extends Error {
  readonly code: LocalCode | ServerCode | (string & {});
  readonly room?: string;
  /** Milliseconds to wait before trying again, where the server said so. */
  readonly retryAfter?: number;
  /** Of `too_big`: the bytes of the message with its fields. */
  readonly size?: number;
  /** Of `too_big`: the bytes that the server takes. */
  readonly limit?: number;
}

/**
 * `connecting` until the server lets the client in, then `online`; `waiting` to come back after the connection was
 * lost; `closed` for good.
 */
export type State = 'connecting' | 'online' | 'waiting' | 'closed';

/** Why a connection ended, and after how many milliseconds the next is tried. Empty where none has ended. */
export interface Ended {
  code?: number;
  /** The server's words; `token required` wherever it wants one and was given none. */
  reason?: string;
  delay?: number;
}

export interface ClientEvents {
  state: [state: State, detail: Ended];
  direct: [direct: Direct, replayed?: boolean];
  notification: [notification: Notification, replayed?: boolean];
  announcement: [announcement: Announcement];
  /** Something published will not be sent, or may not have arrived. */
  dropped: [dropped: Dropped];
  /** Every refusal that is not about a room, and every failure of `getToken`, which is asked again. */
  error: [error: SwitchboardError | Error];
}

export interface RoomEvents<Data = any> {
  /** A message; `replayed` if it is from history or was missed while away. */
  message: [message: Message<Data>, replayed: boolean];
  /** The room was joined, or joined again: the people in it are known anew. */
  joined: [joined: Joined<Data>];
  /** The room was resumed: true if nothing was missed. What was missed, or else the newest, follows as messages. */
  recovered: [recovered: boolean, joined: Joined<Data>];
  /** Messages from one position to another, both included, were not sent to this connection. */
  gap: [gap: { room: string; from: Position; to: Position }];
  user_joined: [presence: { room: string; user: string; count: number }];
  user_left: [presence: { room: string; user: string; count: number }];
  /** The number of people, in rooms of too many to tell each one. */
  count: [presence: { room: string; count: number }];
  typing: [typing: { room: string; user: string; active: boolean }];
  /** The room is over for this client: left, refused (`reason` is the code), taken away by the app, or closed with the client. */
  left: [left: { room: string; reason?: string }];
  /** Every refusal about the room, also those that a promise rejects with. */
  error: [error: SwitchboardError];
}

export interface Emitter<Events> {
  /** Calls `listener` at each event of `type`; gives a function that stops that. */
  on<Type extends keyof Events>(
    type: Type,
    listener: (...values: Events[Type] extends any[] ? Events[Type] : never) => void,
  ): () => void;
  off<Type extends keyof Events>(type: Type, listener: (...values: any[]) => void): void;
}

export interface PublishOptions {
  /** 1 to 64 characters of `A-Z a-z 0-9 _ . : -`. */
  event?: string;
  /** Whether this client gets its own message; true unless said otherwise. */
  echo?: boolean;
  /** False for what matters only to who is there now: no position, no history, and it does not wait for a connection. */
  store?: boolean;
  /** Makes it safe to send again: of messages with one key the room takes one. Needed to survive a lost reply. */
  idempotencyKey?: string;
}

/** A room, from when it is joined until it is left; a lost connection does not end it. */
export interface Room<Data = any> extends Emitter<RoomEvents<Data>>, AsyncIterable<Message<Data>> {
  readonly name: string;
  /** The last position delivered; kept by the app, it can be the `since` of a later join. */
  readonly position: Position | undefined;
  /** How many people are in the room, as far as is known. */
  readonly count: number;
  /** The first join: rejects if it is refused. */
  readonly joined: Promise<Joined<Data>>;
  /** Publishes `data` as it is now, now or when there is a connection again. What fails rejects, and never throws. */
  publish<T = null>(data?: Json | (T & Sayable<T>), options?: PublishOptions): Promise<{ room: string; position: Position | null }>;
  /** Says that the user types. May be called at every key: it is said at most every 2 s. */
  typing(active?: boolean): void;
  members(page?: { limit?: number; after?: string }): Promise<{ count: number; users: Person[]; after: string | null }>;
  /** Messages, oldest first: the first `limit` after `since`, or else the last `limit`. */
  history(page?: { since?: Position; limit?: number }): Promise<{
    messages: Message<Data>[];
    position: Position;
    recovered: boolean;
    more: boolean;
  }>;
  leave(): Promise<void>;
  /** The messages from now on, until the room is left. */
  [Symbol.asyncIterator](): AsyncGenerator<Message<Data>, void, void>;
}

export interface ConnectOptions {
  /** The user's name, on a server in open mode. */
  user?: string;
  /** A token that says who this is. */
  token?: string;
  /**
   * Gives a token when there is none yet, when the last expired, and before it does. A JSON Web Token, or nothing for a
   * guest: anything else, such as the page that says that nobody is logged in, is told by `error` and asked for again.
   */
  getToken?: () => string | undefined | PromiseLike<string | undefined>;
  /** Rooms to join at once. */
  rooms?: Iterable<string>;
  /** Whether to join the user's inbox, so that notifications missed while away come later; true unless said otherwise. */
  inbox?: boolean;
  /** Messages that may wait for a connection; 100 unless said otherwise. */
  queue?: number;
  /** Milliseconds that the server may take to answer; 10,000 unless said otherwise. */
  timeout?: number;
  /** What to use instead of the platform's `WebSocket`, or null for streams only. */
  WebSocket?: (new (url: string, protocols: string[]) => object) | null;
  /** What `fetch` sends to another origin: `include` where a cookie says who somebody is. WebSockets send it always. */
  credentials?: 'omit' | 'same-origin' | 'include';
  /** What to use instead of the platform's `fetch`, or null for WebSockets only. */
  fetch?: typeof globalThis.fetch | null;
}

/** A connection that comes back. */
export interface Client extends Emitter<ClientEvents> {
  readonly state: State;
  /** Who the server says this is; null for a guest, and until it is known. */
  readonly user: string | null;
  /** The name of this connection, by which the app can leave it out of what it publishes. */
  readonly connection: string | null;
  /** The rooms by name, the inbox `$me` among them. */
  readonly rooms: ReadonlyMap<string, Room>;
  /** The room of that name, joined as soon as there is a connection, and again after each loss. */
  join<Data = any>(name: string, options?: { since?: Position; history?: number }): Room<Data>;
  /** Sends to all connections of a user; gives how many there were. */
  direct<T = null>(
    to: string,
    data?: Json | (T & Sayable<T>),
    options?: { event?: string; idempotencyKey?: string },
  ): Promise<{ to: string; connections: number }>;
  /** Any request of the native dialect, by its fields; gives its reply. */
  request<Reply = any>(frame: { type: string; [field: string]: unknown }): Promise<Reply>;
  /** Any request without a reply, if there is a connection. Throws where JSON cannot say it. */
  tell(frame: { type: string; [field: string]: unknown }): void;
  close(): void;
}

/**
 * Connects to the server at `url`: its address with `http`, `https`, `ws` or `wss`, or a path on the page's own
 * (`/` unless said otherwise); throws a `TypeError` if it is neither. What is behind `#` is not looked at. The client connects at once and comes back whenever the connection is lost, until it is
 * closed or the server says that coming back is useless.
 */
export function connect(url?: string | URL | { readonly href: string }, options?: ConnectOptions): Client;
