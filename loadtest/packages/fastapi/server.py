"""Raw rooms on FastAPI and uvicorn: a queue for each member, emptied by a task of its own."""

import asyncio
import sys
from collections import defaultdict

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
rooms: dict[str, set[asyncio.Queue]] = defaultdict(set)


async def receive(socket: WebSocket):
    """The next message, text or bytes as it came."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1005)
    text = message.get("text")
    return message["bytes"] if text is None else text


async def send(socket: WebSocket, message):
    if isinstance(message, str):
        await socket.send_text(message)
    else:
        await socket.send_bytes(message)


async def deliver(socket: WebSocket, queue: asyncio.Queue):
    while True:
        await send(socket, await queue.get())


@app.websocket("/echo")
async def echo(socket: WebSocket):
    await socket.accept()
    try:
        while True:
            await send(socket, await receive(socket))
    except WebSocketDisconnect:
        pass


@app.websocket("/raw/{room}")
async def raw(socket: WebSocket, room: str, echo: int = 0):
    await socket.accept()
    queue: asyncio.Queue = asyncio.Queue()
    members = rooms[room]
    members.add(queue)
    writer = asyncio.create_task(deliver(socket, queue))
    try:
        while True:
            message = await receive(socket)
            for member in members:
                if echo or member is not queue:
                    member.put_nowait(message)
    except WebSocketDisconnect:
        pass
    finally:
        members.discard(queue)
        writer.cancel()


if __name__ == "__main__":
    host, port = sys.argv[2].rsplit(":", 1)
    uvicorn.run(app, host=host, port=int(port), log_level="warning", backlog=4096, ws_ping_interval=None)
