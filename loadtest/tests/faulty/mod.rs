//! Echo servers with one fault each, which a load test has to find.

use std::net::{SocketAddr, TcpListener, TcpStream};

use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

/// What goes wrong at the tenth message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// One bit comes back changed.
    Flip,
    /// The message does not come back, the next does.
    Drop,
    /// The message comes back twice; so does every later one.
    Double,
    /// Nothing comes back any more.
    Hang,
    /// The connection is closed.
    Close,
    /// There is not even a handshake.
    Refuse,
}

/// Serves on a free port until the test is over.
pub(crate) fn serve(fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || connection(stream, fault));
        }
    });
    address
}

// The size of the refusal is the library's choice.
#[allow(clippy::result_large_err)]
fn connection(stream: TcpStream, fault: Fault) {
    let judge = |_: &Request, response: Response| {
        if fault != Fault::Refuse {
            return Ok(response);
        }
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = tungstenite::http::StatusCode::NOT_FOUND;
        Err(refusal)
    };
    let Ok(mut socket) = tungstenite::accept_hdr(stream, judge) else {
        return;
    };
    let mut count = 0;
    while let Ok(message) = socket.read() {
        count += 1;
        let done =
            if count < 10 { socket.send(message) } else { go_wrong(&mut socket, message, count, fault) };
        if done.is_err() {
            return;
        }
    }
}

fn go_wrong(
    socket: &mut WebSocket<TcpStream>,
    message: Message,
    count: u32,
    fault: Fault,
) -> tungstenite::Result<()> {
    match fault {
        Fault::Flip => {
            let mut bytes = message.into_data().to_vec();
            if let Some(byte) = bytes.last_mut() {
                *byte ^= 1;
            }
            socket.send(Message::binary(bytes))
        }
        Fault::Drop if count == 10 => Ok(()),
        Fault::Double => {
            socket.send(message.clone())?;
            socket.send(message)
        }
        Fault::Hang => Ok(()),
        Fault::Close => socket.close(Some(CloseFrame { code: CloseCode::Error, reason: "".into() })),
        Fault::Drop | Fault::Refuse => socket.send(message),
    }
}
