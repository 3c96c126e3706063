/**
 * Keeps a Yjs document in step with everybody in a raw room of the relay, and tells who is there.
 *
 * The relay passes each message to the room's other members and keeps nothing: what the messages mean is decided here.
 * Each begins with a number.
 *
 *     UPDATE     a change of the document
 *     AWARENESS  who is here, and where their cursors are
 *     HELLO      who comes (back): their client id, and what they know as a state vector
 *     ANSWER     to whom, what the answerer knows, and what the newcomer lacks; the newcomer sends what the other lacks
 */

import { createDecoder, readVarUint, readVarUint8Array } from 'lib0/decoding';
import { createEncoder, toUint8Array, writeVarUint, writeVarUint8Array } from 'lib0/encoding';
import {
  applyAwarenessUpdate,
  Awareness,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import { applyUpdate, encodeStateAsUpdate, encodeStateVector } from 'yjs';

const [UPDATE, AWARENESS, HELLO, ANSWER] = [0, 1, 2, 3];

/** Close codes after which coming back would end the same way: protocol errors, a message too big, a refusal. */
const FINAL = [1002, 1003, 1007, 1008, 1009];

/** The longest wait before coming back, in milliseconds. */
const LONGEST = 10_000;

const encode = (type, ...values) => {
  const encoder = createEncoder();
  writeVarUint(encoder, type);
  for (const value of values) {
    if (typeof value === 'number') writeVarUint(encoder, value);
    else writeVarUint8Array(encoder, value);
  }
  return toUint8Array(encoder);
};

export class RawRoom extends EventTarget {
  /** Why the room is over, once it is. */
  reason = '';
  #url;
  #doc;
  #socket;
  #timer;
  #failures = 0;

  constructor(url, doc) {
    super();
    this.#url = url;
    this.#doc = doc;
    this.awareness = new Awareness(doc);
    doc.on('update', (update, origin) => origin !== this && this.#send(UPDATE, update));
    this.awareness.on('update', ({ added, updated, removed }, origin) => {
      if (origin !== this) this.#tell([...added, ...updated, ...removed]);
    });
    addEventListener('pagehide', () => this.disconnect());
    addEventListener('pageshow', ({ persisted }) => persisted && this.connect());
    addEventListener('online', () => this.#timer && this.connect());
  }

  get connected() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    this.#timer = clearTimeout(this.#timer);
    const socket = (this.#socket = new WebSocket(this.#url));
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#receive(createDecoder(new Uint8Array(data)));
    socket.onclose = ({ code, reason }) => this.#closed(socket, code, reason);
  }

  /** Says goodbye, and stays away until `connect`. */
  disconnect() {
    this.#timer = clearTimeout(this.#timer);
    const { clientID } = this.awareness;
    if (this.connected) {
      // A goodbye is a state of null with a newer clock; the state itself stays, for the way back.
      const { clock } = this.awareness.meta.get(clientID);
      this.awareness.meta.get(clientID).clock = clock + 1;
      this.#send(AWARENESS, encodeAwarenessUpdate(this.awareness, [clientID], new Map()));
    }
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(1000);
    this.#forgetOthers();
  }

  #opened() {
    this.#failures = 0;
    this.#send(HELLO, this.#doc.clientID, encodeStateVector(this.#doc));
    // Setting it again makes it newer than the goodbye that the others may have heard, and sends it.
    this.awareness.setLocalState(this.awareness.getLocalState());
    this.#changed();
  }

  #receive(message) {
    const type = readVarUint(message);
    if (type === UPDATE) applyUpdate(this.#doc, readVarUint8Array(message), this);
    else if (type === AWARENESS) applyAwarenessUpdate(this.awareness, readVarUint8Array(message), this);
    else if (type === HELLO) this.#answer(readVarUint(message), readVarUint8Array(message));
    else if (type === ANSWER)
      this.#catchUp(readVarUint(message), readVarUint8Array(message), readVarUint8Array(message));
  }

  #answer(newcomer, known) {
    this.#send(ANSWER, newcomer, encodeStateVector(this.#doc), encodeStateAsUpdate(this.#doc, known));
    this.#tell([this.#doc.clientID]);
  }

  #catchUp(newcomer, known, missing) {
    applyUpdate(this.#doc, missing, this);
    if (newcomer === this.#doc.clientID) this.#send(UPDATE, encodeStateAsUpdate(this.#doc, known));
  }

  #closed(socket, code, reason) {
    if (socket !== this.#socket) return;
    this.#forgetOthers();
    if (FINAL.includes(code)) {
      this.reason = reason || `closed with ${code}`;
    } else {
      const longest = Math.min(LONGEST, 500 * 2 ** this.#failures++);
      this.#timer = setTimeout(() => this.connect(), Math.random() * longest);
    }
    this.#changed();
  }

  /** Whoever is cut off sees nobody. */
  #forgetOthers() {
    const others = [...this.awareness.getStates().keys()].filter((id) => id !== this.awareness.clientID);
    removeAwarenessStates(this.awareness, others, this);
    this.#changed();
  }

  #tell(clients) {
    this.#send(AWARENESS, encodeAwarenessUpdate(this.awareness, clients));
  }

  #send(...message) {
    if (this.connected) this.#socket.send(encode(...message));
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
