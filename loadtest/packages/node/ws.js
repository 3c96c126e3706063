// A raw room server on `ws`: `/raw/{room}[?echo=1]` and `/echo`. One frame is made a message and written to every
// member; the sockets are corked for the pass, so that a burst costs one write a member.
import { createServer } from "node:http";
import { WebSocketServer, Sender } from "ws";

const [, , , listen = "127.0.0.1:8000"] = process.argv;
const [host, port] = listen.split(":");
const rooms = new Map();
const http = createServer((_, response) => response.writeHead(404).end());
const server = new WebSocketServer({ server: http, perMessageDeflate: false, skipUTF8Validation: false });

server.on("connection", (socket, request) => {
  socket._socket.setNoDelay(true);
  socket.on("error", () => {});
  const url = new URL(request.url, "http://peer");
  const [, kind, room] = url.pathname.split("/");
  if (kind === "echo") {
    socket.on("message", (data, binary) => socket.send(data, { binary }));
  } else if (kind === "raw" && room) {
    member(socket, room, url.searchParams.get("echo") === "1");
  } else {
    socket.close(1008);
  }
});

function member(socket, name, echo) {
  let room = rooms.get(name);
  if (!room) rooms.set(name, (room = new Set()));
  room.add(socket);
  socket.on("close", () => {
    room.delete(socket);
    if (room.size === 0) rooms.delete(name);
  });
  socket.on("message", (data, binary) => {
    const frame = Sender.frame(data, { fin: true, rsv1: false, opcode: binary ? 2 : 1, mask: false, readOnly: true });
    const bytes = Buffer.concat(frame);
    for (const other of room) {
      if (other !== socket || echo) write(other._socket, bytes);
    }
  });
}

// What is written to a socket in one turn of the event loop goes out with its end.
const corked = new Set();
function write(stream, bytes) {
  if (!corked.has(stream)) {
    if (corked.size === 0) setImmediate(uncork);
    corked.add(stream);
    stream.cork();
  }
  stream.write(bytes);
}

function uncork() {
  for (const stream of corked) stream.uncork();
  corked.clear();
}

http.listen({ host, port: Number(port), backlog: 4096 });
