//! A raw room server on fastwebsockets, written as well as the library allows.
//!
//! Its frames are read and written by `async fn`s, so a connection is two tasks on the two halves of its socket: one
//! reads, the other takes from the queue until it is empty and then flushes. Frames go through a buffer, since the
//! library writes each of them at once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use fastwebsockets::{
    FragmentCollectorRead, Frame, OpCode, Payload, Role, WebSocketError, WebSocketWrite,
    after_handshake_split,
};
use peer_room::{Room, Rooms};
use peer_route::Route;
use tokio::io::BufWriter;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

mod handshake;

/// How many queued messages are taken at once; the queue is emptied whatever this is.
const TAKE: usize = 256;

/// A message on its way to a socket, shared by all members.
#[derive(Clone)]
struct Outgoing {
    opcode: OpCode,
    payload: Bytes,
}

type Reader = FragmentCollectorRead<OwnedReadHalf>;
type Writer = WebSocketWrite<BufWriter<OwnedWriteHalf>>;

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
async fn connection(mut stream: TcpStream, rooms: Arc<Rooms<Outgoing>>, id: u64) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let route = handshake::accept(&mut stream).await?;
    let (read, write) = stream.into_split();
    let (read, mut write) = after_handshake_split(read, BufWriter::new(write), Role::Server);
    write.set_writev(false);
    let read = FragmentCollectorRead::new(read);
    let (queue, receiver) = unbounded_channel();
    let ended = match route {
        Route::Raw { room, echo } => {
            let member = Member { room: rooms.open(&room), id, echo };
            member.room.join(id, queue.clone());
            tokio::spawn(deliver(write, receiver));
            listen(read, member, queue).await
        }
        Route::Echo | Route::Native => echo(read, write).await,
    };
    ended.ok()
}

/// Each message back, flushed at once: the library does not tell whether there is another behind it.
async fn echo(mut read: Reader, mut write: Writer) -> Result<(), WebSocketError> {
    loop {
        let frame = read.read_frame(&mut |_| async { Ok::<(), WebSocketError>(()) }).await?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary => {
                write.write_frame(Frame::new(true, frame.opcode, None, frame.payload)).await?;
                write.flush().await?;
            }
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

/// Reads to the end, and publishes what comes.
async fn listen(
    mut read: Reader,
    member: Member,
    queue: UnboundedSender<Outgoing>,
) -> Result<(), WebSocketError> {
    // Pongs and the answer to a close go the way of all that is sent.
    let mut send = |frame: Frame<'_>| {
        let _ =
            queue.send(Outgoing { opcode: frame.opcode, payload: Bytes::copy_from_slice(&frame.payload) });
        async { Ok::<(), WebSocketError>(()) }
    };
    loop {
        let frame = read.read_frame(&mut send).await?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary => {
                let message =
                    Outgoing { opcode: frame.opcode, payload: Bytes::copy_from_slice(&frame.payload) };
                member.room.publish((!member.echo).then_some(member.id), |_| message);
            }
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

/// Writes what is queued until the queue is empty, and then flushes.
async fn deliver(mut write: Writer, mut queue: UnboundedReceiver<Outgoing>) -> Result<(), WebSocketError> {
    let mut taken = Vec::new();
    while queue.recv_many(&mut taken, TAKE).await > 0 {
        for Outgoing { opcode, payload } in taken.drain(..) {
            write.write_frame(Frame::new(true, opcode, None, Payload::Borrowed(&payload))).await?;
        }
        if queue.is_empty() {
            write.flush().await?;
        }
    }
    Ok(())
}

/// A member of a raw room, until it is dropped.
struct Member {
    room: Arc<Room<Outgoing>>,
    id: u64,
    echo: bool,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.room.leave(self.id);
    }
}
