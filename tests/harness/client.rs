//! tungstenite's client: an independent check of what the server sends.

use std::net::{SocketAddr, TcpStream};

use serde_json::Value;
use tungstenite::handshake::client::Response;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, WebSocket};

use super::PATIENCE;

/// One WebSocket.
pub struct Client {
    socket: WebSocket<TcpStream>,
    response: Response,
}

impl Client {
    /// Opens a WebSocket at `path`.
    pub fn connect(address: SocketAddr, path: &str) -> Self {
        Self::open(address, path, &[]).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Tries to open a WebSocket at `path` with these header fields.
    pub fn open(
        address: SocketAddr,
        path: &str,
        fields: &[(&'static str, &str)],
    ) -> Result<Self, tungstenite::Error> {
        let uri = format!("ws://{address}{path}").parse().expect("a path");
        let mut request = tungstenite::ClientRequestBuilder::new(uri);
        for (name, value) in fields {
            request = request.with_header(*name, *value);
        }
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        match tungstenite::client::client_with_config(request, stream, Some(config)) {
            Ok((socket, response)) => Ok(Self { socket, response }),
            Err(tungstenite::HandshakeError::Failure(error)) => Err(error),
            Err(tungstenite::HandshakeError::Interrupted(_)) => panic!("no handshake within {PATIENCE:?}"),
        }
    }

    /// The answer to the handshake.
    pub fn response(&self) -> &Response {
        &self.response
    }

    /// The socket below.
    pub fn stream(&self) -> &TcpStream {
        self.socket.get_ref()
    }

    /// Sends text.
    pub fn say(&mut self, text: impl Into<String>) {
        self.send(Message::text(text.into()));
    }

    /// Sends a message.
    pub fn send(&mut self, message: Message) {
        self.socket.send(message).expect("the server takes a message");
    }

    /// The next message that is not a ping or pong.
    #[track_caller]
    pub fn next(&mut self) -> Message {
        loop {
            match self.any() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    /// The next message of any kind.
    #[track_caller]
    pub fn any(&mut self) -> Message {
        self.socket.read().unwrap_or_else(|error| panic!("no message: {error}"))
    }

    /// The next message, which is text.
    #[track_caller]
    pub fn text(&mut self) -> String {
        match self.next() {
            Message::Text(text) => text.as_str().to_owned(),
            other => panic!("not text: {other:?}"),
        }
    }

    /// The next message, which is JSON.
    #[track_caller]
    pub fn json(&mut self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The next message, whose `type` is `kind`.
    #[track_caller]
    pub fn expect(&mut self, kind: &str) -> Value {
        let message = self.json();
        assert_eq!(message["type"], kind, "{message}");
        message
    }

    /// Publishes `data`, which is JSON.
    pub fn publish(&mut self, room: &str, data: impl std::fmt::Display) {
        self.say(format!(r#"{{"type":"publish","room":"{room}","data":{data}}}"#));
    }

    /// Sends a request and returns the next message, whose `type` is `kind`.
    #[track_caller]
    pub fn ask(&mut self, request: impl Into<String>, kind: &str) -> Value {
        self.say(request);
        self.expect(kind)
    }

    /// Sends a request that is refused; returns the `code`.
    #[track_caller]
    pub fn refused(&mut self, request: impl Into<String>) -> String {
        let error = self.ask(request, "error");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
        error["code"].as_str().expect("a code is a string").to_owned()
    }

    /// When this returns, all earlier requests have been answered. All their answers must have been read.
    #[track_caller]
    pub fn nothing_came(&mut self) {
        self.ask(r#"{"type":"ping"}"#, "pong");
    }

    /// Reads up to the server's close. Returns its code, 1005 if it has none, and its reason.
    #[track_caller]
    pub fn closed(&mut self) -> (u16, String) {
        loop {
            match self.any() {
                Message::Close(Some(close)) => return (close.code.into(), close.reason.as_str().to_owned()),
                Message::Close(None) => return (1005, String::new()),
                _ => {}
            }
        }
    }

    /// Begins the close handshake and reads to its end: the code that comes back.
    pub fn leave(mut self) -> u16 {
        let close = tungstenite::protocol::CloseFrame { code: 1000.into(), reason: "".into() };
        self.socket.close(Some(close)).expect("the server takes a close");
        self.closed().0
    }
}

/// The epoch and the offset of a position.
#[track_caller]
pub fn parts(position: &Value) -> (String, u64) {
    let (epoch, offset) = position.as_str().and_then(|text| text.split_once(':')).expect("a position");
    assert!(epoch.len() <= 8, "{position}");
    (epoch.to_owned(), offset.parse().expect("an offset"))
}

/// The offset of a message's position.
#[track_caller]
pub fn offset(message: &Value) -> u64 {
    parts(&message["position"]).1
}

/// The `data` of messages in an answer.
pub fn data(messages: &Value) -> Vec<&Value> {
    messages.as_array().expect("an array").iter().map(|message| &message["data"]).collect()
}
