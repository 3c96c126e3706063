//! A raw room server on tokio-tungstenite, written as well as the library allows.
//!
//! One worker thread, no delay on the socket, an 8 KiB read buffer, a queue for each member. A connection is one
//! task that polls its socket and its queue by hand: no `select!`, no split and the lock that comes with it. What is
//! queued is fed until the queue is empty and then flushed, so that a burst costs one write. The payload is shared
//! by all members (`Bytes`), never copied for one.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use peer_route::Route;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};

mod session;

use session::Session;

/// The rooms of the server, by name.
#[derive(Default)]
struct Rooms {
    by_name: Mutex<HashMap<String, Arc<Room>>>,
}

/// The members of one room, each by the sending end of its queue.
#[derive(Default)]
struct Room {
    members: Mutex<Vec<Member>>,
}

/// One member of a room.
struct Member {
    id: u64,
    queue: UnboundedSender<Message>,
}

impl Rooms {
    fn open(&self, name: &str) -> Arc<Room> {
        let mut rooms = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.entry(name.to_owned()).or_default().clone()
    }
}

impl Room {
    fn join(&self, member: Member) {
        self.members
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(member);
    }

    fn leave(&self, id: u64) {
        self.members
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|member| member.id != id);
    }

    /// Queues `message` for every member but `except`.
    fn publish(&self, message: &Message, except: Option<u64>) {
        for member in self.members.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if Some(member.id) != except {
                // A member whose task has ended is about to leave: what it misses it never asked for.
                let _ = member.queue.send(message.clone());
            }
        }
    }
}

fn main() -> io::Result<()> {
    let address = peer_route::listen_address();
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?
        .block_on(serve(address))
}

async fn serve(address: std::net::SocketAddr) -> io::Result<()> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener: TcpListener = socket.listen(4096)?;
    println!("listening on {}", listener.local_addr()?);
    let rooms = Arc::new(Rooms::default());
    let mut id = 0;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        id += 1;
        tokio::spawn(connection(stream, rooms.clone(), id));
    }
}

/// The upgrade, then the session to its end.
// The size of the refusal is the library's choice.
#[allow(clippy::result_large_err)]
async fn connection(stream: TcpStream, rooms: Arc<Rooms>, id: u64) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut route = None;
    let config = WebSocketConfig::default().read_buffer_size(8 * 1024);
    let accepted = accept_hdr_async_with_config(
        stream,
        |request: &Request, response| choose(request, response, &mut route),
        Some(config),
    )
    .await;
    let (Ok(socket), Some(route)) = (accepted, route) else {
        return;
    };
    match route {
        Route::Raw { room, echo } => Session::member(socket, rooms.open(&room), id, echo).await,
        Route::Echo | Route::Native => Session::echo(socket).await,
    }
}

/// Notes what the path asks for, or answers 404.
#[allow(clippy::result_large_err)]
fn choose(
    request: &Request,
    response: Response,
    route: &mut Option<Route>,
) -> Result<Response, ErrorResponse> {
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    *route = Route::parse(target).filter(|route| *route != Route::Native);
    if route.is_some() {
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(None);
    *refusal.status_mut() = StatusCode::NOT_FOUND;
    Err(refusal)
}
