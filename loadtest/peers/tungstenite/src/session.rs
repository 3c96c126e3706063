//! One connection: a future that moves what came in to the room, and what is queued to the socket.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::{Sink, Stream};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::{Member, Room};

/// How many queued messages are taken at once; the queue is emptied whatever this is.
const TAKE: usize = 256;

/// A connection after its upgrade. Resolves when either side has ended it.
pub(crate) struct Session {
    socket: WebSocketStream<TcpStream>,
    role: Role,
    /// Messages taken from the queue, not yet fed to the socket; newest first.
    taken: Vec<Message>,
    unflushed: bool,
    /// What the socket wakes; made with the first poll, when the task is known.
    ready: Option<(Arc<Ready>, Waker)>,
}

/// Tells a task that its socket is ready from a task whose queue has something: to ask a socket that has nothing
/// costs a seventh of a delivery.
struct Ready {
    socket: AtomicBool,
    task: Waker,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.socket.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

/// What becomes of a message that comes in.
enum Role {
    Echo,
    Member {
        room: Arc<Room>,
        id: u64,
        echo: bool,
        queue: UnboundedReceiver<Message>,
    },
}

impl Session {
    pub(crate) fn echo(socket: WebSocketStream<TcpStream>) -> Session {
        Session {
            socket,
            role: Role::Echo,
            taken: Vec::new(),
            unflushed: false,
            ready: None,
        }
    }

    pub(crate) fn member(
        socket: WebSocketStream<TcpStream>,
        room: Arc<Room>,
        id: u64,
        echo: bool,
    ) -> Session {
        let (sender, queue) = unbounded_channel();
        room.join(Member { id, queue: sender });
        let role = Role::Member {
            room,
            id,
            echo,
            queue,
        };
        Session {
            socket,
            role,
            taken: Vec::new(),
            unflushed: false,
            ready: None,
        }
    }

    /// Reads until the socket has nothing more.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        // An echo must not outrun its own socket: nothing is read while nothing can be fed.
        while self.role.reads_freely() || Pin::new(&mut self.socket).poll_ready(cx)?.is_ready() {
            let message = match Pin::new(&mut self.socket).poll_next(cx)? {
                Poll::Ready(Some(message)) => message,
                Poll::Ready(None) => return Err(Error::ConnectionClosed),
                Poll::Pending => break,
            };
            if !(message.is_text() || message.is_binary()) {
                continue;
            }
            match &self.role {
                Role::Echo => self.feed(message)?,
                Role::Member { room, id, echo, .. } => room.publish(&message, (!echo).then_some(*id)),
            }
        }
        Ok(())
    }

    fn feed(&mut self, message: Message) -> Result<(), Error> {
        self.unflushed = true;
        Pin::new(&mut self.socket).start_send(message)
    }

    /// Feeds the socket until the queue is empty or the socket is full.
    fn drain(&mut self, cx: &mut Context<'_>, socket: &mut Context<'_>) -> Result<(), Error> {
        loop {
            while !self.taken.is_empty() {
                if Pin::new(&mut self.socket).poll_ready(socket)?.is_pending() {
                    return Ok(());
                }
                if let Some(message) = self.taken.pop() {
                    self.feed(message)?;
                }
            }
            let Role::Member { queue, .. } = &mut self.role else {
                return Ok(());
            };
            match queue.poll_recv_many(cx, &mut self.taken, TAKE) {
                Poll::Ready(0) => return Err(Error::ConnectionClosed),
                Poll::Ready(_) => self.taken.reverse(),
                Poll::Pending => return Ok(()),
            }
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        if self.unflushed && Pin::new(&mut self.socket).poll_flush(cx)?.is_ready() {
            self.unflushed = false;
        }
        Ok(())
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        let (ready, waker) = self.ready.get_or_insert_with(|| {
            let ready = Arc::new(Ready {
                socket: AtomicBool::new(true),
                task: cx.waker().clone(),
            });
            (ready.clone(), Waker::from(ready))
        });
        let (is_ready, waker) = (ready.socket.swap(false, Ordering::Acquire), waker.clone());
        let mut socket = Context::from_waker(&waker);
        if is_ready {
            self.read(&mut socket)?;
        }
        self.drain(cx, &mut socket)?;
        self.flush(&mut socket)
    }
}

impl Future for Session {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Why a connection ended is nobody's business here: closed in order or broken, it is over.
        match self.turn(cx) {
            Ok(()) => Poll::Pending,
            Err(_) => Poll::Ready(()),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Role::Member { room, id, .. } = &self.role {
            room.leave(*id);
        }
    }
}

impl Role {
    fn reads_freely(&self) -> bool {
        matches!(self, Role::Member { .. })
    }
}
