// Rooms on Socket.IO, over its WebSocket transport alone. The query names the room.
import { createServer } from "node:http";
import { Server } from "socket.io";

const [, , , listen = "127.0.0.1:8000"] = process.argv;
const [host, port] = listen.split(":");
const http = createServer();
const io = new Server(http, { transports: ["websocket"], pingInterval: 600_000, perMessageDeflate: false });

io.on("connection", (socket) => {
  const { room } = socket.handshake.query;
  socket.join(room);
  socket.on("message", (data) => io.to(room).emit("message", data));
  socket.emit("joined");
});

http.listen({ host, port: Number(port), backlog: 4096 });
