//! A raw room server on tokio-tungstenite, written as well as the library allows.
//!
//! One worker thread, no delay on the socket, an 8 KiB read buffer, a queue for each member. A connection is one
//! task that polls its socket and its queue by hand: no `select!`, no split and the lock that comes with it. What is
//! queued is fed until the queue is empty and then flushed, so that a burst costs one write. The payload is shared
//! by all members (`Bytes`), never copied for one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use peer_room::{Handler, Room, Rooms, Session};
use peer_route::Route;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};

fn main() -> io::Result<()> {
    let address = peer_route::listen_address();
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(serve(address))
}

async fn serve(address: SocketAddr) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(4096)?;
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
async fn connection(stream: TcpStream, rooms: Arc<Rooms<Message>>, id: u64) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut route = None;
    let config = Some(WebSocketConfig::default().read_buffer_size(8 * 1024));
    let choose = |request: &Request, response| choose(request, response, &mut route);
    let accepted = accept_hdr_async_with_config(stream, choose, config).await;
    let (Ok(socket), Some(route)) = (accepted, route) else {
        return;
    };
    match route {
        Route::Raw { room, echo } => {
            let (sender, queue) = unbounded_channel();
            let room = rooms.open(&room);
            room.join(id, sender);
            Session::new(socket, Member { room, id, echo }, Some(queue)).await;
        }
        Route::Echo | Route::Native => Session::new(socket, Echo, None).await,
    }
}

/// Notes what the path asks for, or answers 404.
#[allow(clippy::result_large_err)]
fn choose(
    request: &Request,
    response: Response,
    route: &mut Option<Route>,
) -> Result<Response, ErrorResponse> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    *route = Route::parse(target).filter(|route| *route != Route::Native);
    if route.is_some() {
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(None);
    *refusal.status_mut() = StatusCode::NOT_FOUND;
    Err(refusal)
}

fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
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
