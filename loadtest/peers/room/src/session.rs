//! One connection: a future that hands what came in to its handler, and what is queued to the socket.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::{Sink, Stream};
use tokio::sync::mpsc::UnboundedReceiver;

/// How many queued messages are taken at once; the queue is emptied whatever this is.
const TAKE: usize = 256;

/// What becomes of the messages that come in on one connection.
pub trait Handler<M> {
    /// Whether messages are answered on the connection itself, which then reads nothing while it cannot write.
    const ANSWERS: bool;

    /// Takes a message; the answer goes straight to the socket.
    fn heard(&mut self, message: M) -> Option<M>;
}

/// A connection after its upgrade. Resolves when either side has ended it.
#[derive(Debug)]
pub struct Session<S, M, H> {
    socket: S,
    handler: H,
    queue: Option<UnboundedReceiver<M>>,
    /// Messages taken from the queue, not yet fed to the socket; newest first.
    taken: Vec<M>,
    unflushed: bool,
    /// What the socket wakes; made with the first poll, when the task is known.
    ready: Option<(Arc<Ready>, Waker)>,
}

/// Tells a task that its socket is ready from a task whose queue has something: to ask a socket that has nothing
/// costs a seventh of a delivery.
#[derive(Debug)]
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

/// The connection is over. Why is nobody's business here: closed in order or broken, it is over.
struct Over;

impl<S, M, E, H> Session<S, M, H>
where
    S: Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    H: Handler<M>,
{
    /// A session that feeds `socket` from `queue`, where it has one.
    pub fn new(socket: S, handler: H, queue: Option<UnboundedReceiver<M>>) -> Session<S, M, H> {
        Session { socket, handler, queue, taken: Vec::new(), unflushed: false, ready: None }
    }

    fn has_room(&mut self, cx: &mut Context<'_>) -> Result<bool, Over> {
        match Pin::new(&mut self.socket).poll_ready(cx) {
            Poll::Ready(Ok(())) => Ok(true),
            Poll::Ready(Err(_)) => Err(Over),
            Poll::Pending => Ok(false),
        }
    }

    /// Reads until the socket has nothing more.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        while !H::ANSWERS || self.has_room(cx)? {
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Ready(Some(Ok(message))) => {
                    if let Some(answer) = self.handler.heard(message) {
                        self.feed(answer)?;
                    }
                }
                Poll::Ready(_) => return Err(Over),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    fn feed(&mut self, message: M) -> Result<(), Over> {
        self.unflushed = true;
        Pin::new(&mut self.socket).start_send(message).map_err(|_| Over)
    }

    /// Feeds the socket until the queue is empty or the socket is full.
    fn drain(&mut self, cx: &mut Context<'_>, socket: &mut Context<'_>) -> Result<(), Over> {
        loop {
            while !self.taken.is_empty() {
                if !self.has_room(socket)? {
                    return Ok(());
                }
                if let Some(message) = self.taken.pop() {
                    self.feed(message)?;
                }
            }
            let Some(queue) = &mut self.queue else {
                return Ok(());
            };
            match queue.poll_recv_many(cx, &mut self.taken, TAKE) {
                Poll::Ready(0) => return Err(Over),
                Poll::Ready(_) => self.taken.reverse(),
                Poll::Pending => return Ok(()),
            }
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        if !self.unflushed {
            return Ok(());
        }
        match Pin::new(&mut self.socket).poll_flush(cx) {
            Poll::Ready(Ok(())) => self.unflushed = false,
            Poll::Ready(Err(_)) => return Err(Over),
            Poll::Pending => {}
        }
        Ok(())
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        let (ready, waker) = self.ready.get_or_insert_with(|| {
            let ready = Arc::new(Ready { socket: AtomicBool::new(true), task: cx.waker().clone() });
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

impl<S, M, E, H> Future for Session<S, M, H>
where
    S: Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    H: Handler<M> + Unpin,
    M: Unpin,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.turn(cx) {
            Ok(()) => Poll::Pending,
            Err(Over) => Poll::Ready(()),
        }
    }
}
