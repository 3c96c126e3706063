//! What one would write on axum: the raw rooms and the echo, the native dialect's `join` and `publish`, and publishing
//! over HTTP. As well as the library allows: one worker, no delay on the sockets, an 8 KiB read buffer, a message
//! encoded once and shared by all members, a queue for each that is fed until it is empty and then flushed.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use peer_room::{Handler, Room, Rooms, Session};
use tokio::net::TcpSocket;
use tokio::sync::mpsc::unbounded_channel;

mod native;

/// The native dialect has rooms of its own, as Switchboard has.
#[derive(Default)]
struct Server {
    raw: Rooms<Message>,
    native: Rooms<Message>,
    connections: AtomicU64,
}

fn main() -> io::Result<()> {
    let address = peer_route::listen_address();
    tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        // A socket that cannot be set so is about to end anyway.
        let listener = socket.listen(4096)?.tap_io(|stream| drop(stream.set_nodelay(true)));
        println!("listening on {address}");
        axum::serve(listener, router()).await
    })
}

fn router() -> Router {
    Router::new()
        .route("/echo", get(echo))
        .route("/raw/{room}", get(raw))
        .route("/ws", get(native::join))
        .route("/api/rooms/{room}/messages", post(native::publish))
        .with_state(Arc::new(Server::default()))
}

impl Server {
    fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }
}

fn upgrade(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade.read_buffer_size(8 * 1024)
}

async fn echo(ws: WebSocketUpgrade) -> Response {
    upgrade(ws).on_upgrade(|socket| Session::new(socket, Echo, None))
}

async fn raw(
    ws: WebSocketUpgrade,
    Path(room): Path<String>,
    RawQuery(query): RawQuery,
    State(server): State<Arc<Server>>,
) -> Response {
    let echo = query.is_some_and(|query| query.split('&').any(|pair| pair == "echo=1"));
    upgrade(ws).on_upgrade(move |socket| {
        let (sender, queue) = unbounded_channel();
        let (room, id) = (server.raw.open(&room), server.next_connection());
        room.join(id, sender);
        Session::new(socket, Member { room, id, echo }, Some(queue))
    })
}

fn is_data(message: &Message) -> bool {
    matches!(message, Message::Text(_) | Message::Binary(_))
}

struct Echo;

impl Handler<Message> for Echo {
    const ANSWERS: bool = true;

    fn heard(&mut self, message: Message) -> Option<Message> {
        is_data(&message).then_some(message)
    }
}

/// A member of a raw room, until it is dropped.
struct Member {
    room: Arc<Room<Message>>,
    id: u64,
    echo: bool,
}

impl Handler<Message> for Member {
    const ANSWERS: bool = false;

    fn heard(&mut self, message: Message) -> Option<Message> {
        if is_data(&message) {
            self.room.publish((!self.echo).then_some(self.id), |_| message);
        }
        None
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.room.leave(self.id);
    }
}
