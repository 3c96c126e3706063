//! `join` and `publish` of Switchboard's native dialect, and publishing over HTTP, as one writes them with serde.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::ws::{Message, Utf8Bytes, WebSocketUpgrade};
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use peer_room::{Handler, Room, Session};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::{Server, upgrade};

/// The epoch of every room: nothing here outlives the process.
const EPOCH: &str = "peer";

/// A frame from a client. A raw value cannot be borrowed out of a tagged enum, so the type is a field like others.
#[derive(Deserialize)]
struct Request<'a> {
    #[serde(rename = "type", borrow)]
    kind: &'a str,
    #[serde(borrow)]
    room: Option<&'a str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

/// The body of an HTTP publish.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Serialize)]
struct Sent<'a> {
    r#type: &'static str,
    room: &'a str,
    position: String,
    from: Option<&'a str>,
    data: &'a RawValue,
    time: String,
}

#[derive(Serialize)]
struct Joined<'a> {
    r#type: &'static str,
    room: &'a str,
    position: String,
    recovered: bool,
    history: [(); 0],
    count: usize,
}

#[derive(Serialize)]
struct Published<'a> {
    r#type: &'static str,
    room: &'a str,
    position: String,
    id: &'a RawValue,
}

/// A connection that joins rooms and publishes into them.
struct Client {
    server: Arc<Server>,
    id: u64,
    queue: UnboundedSender<Message>,
    rooms: Vec<(String, Arc<Room<Message>>)>,
}

fn position(offset: u64) -> String {
    format!("{EPOCH}:{offset}")
}

fn text(value: &impl Serialize) -> Message {
    Message::Text(Utf8Bytes::from(serde_json::to_string(value).unwrap_or_default()))
}

/// The message of a room, encoded once for all its members.
fn message(room: &str, data: &RawValue, offset: u64) -> Message {
    let time = humantime::format_rfc3339_millis(std::time::SystemTime::now()).to_string();
    text(&Sent { r#type: "message", room, position: position(offset), from: None, data, time })
}

pub(crate) async fn join(
    ws: WebSocketUpgrade,
    RawQuery(query): RawQuery,
    State(server): State<Arc<Server>>,
) -> Response {
    let query = query.unwrap_or_default();
    let rooms: Vec<String> =
        query.split('&').filter_map(|pair| pair.strip_prefix("room=")).map(str::to_owned).collect();
    upgrade(ws).protocols(["switchboard.v1"]).on_upgrade(move |socket| {
        let (queue, receiver) = unbounded_channel();
        let mut client = Client { id: server.next_connection(), server, queue, rooms: Vec::new() };
        client.answer(Message::from(r#"{"type":"welcome","user":null}"#));
        rooms.iter().for_each(|room| client.join(room));
        Session::new(socket, client, Some(receiver))
    })
}

pub(crate) async fn publish(
    Path(room): Path<String>,
    State(server): State<Arc<Server>>,
    body: Bytes,
) -> Response {
    let Ok(Body { data }) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let offset = server.native.open(&room).publish(None, |offset| message(&room, data, offset));
    let answer = format!(r#"{{"position":"{}"}}"#, position(offset));
    ([(header::CONTENT_TYPE, "application/json")], answer).into_response()
}

impl Client {
    fn answer(&self, message: Message) {
        // The queue's other end lives as long as this connection.
        let _ = self.queue.send(message);
    }

    fn join(&mut self, name: &str) {
        let room = self.server.native.open(name);
        let (offset, count) = room.join(self.id, self.queue.clone());
        let (position, recovered) = (position(offset), false);
        self.answer(text(&Joined { r#type: "joined", room: name, position, recovered, history: [], count }));
        self.rooms.push((name.to_owned(), room));
    }

    fn publish(&self, name: &str, data: &RawValue, id: Option<&RawValue>) {
        let Some((_, room)) = self.rooms.iter().find(|(joined, _)| joined == name) else {
            return self.answer(Message::from(r#"{"type":"error","code":"not_joined"}"#));
        };
        let offset = room.publish(None, |offset| message(name, data, offset));
        if let Some(id) = id {
            self.answer(text(&Published { r#type: "published", room: name, position: position(offset), id }));
        }
    }
}

impl Handler<Message> for Client {
    const ANSWERS: bool = false;

    fn heard(&mut self, message: Message) -> Option<Message> {
        let Message::Text(text) = message else { return None };
        let Ok(request) = serde_json::from_str::<Request<'_>>(&text) else {
            self.answer(Message::from(r#"{"type":"error","code":"bad_json"}"#));
            return None;
        };
        match (request.kind, request.room, request.data) {
            ("join", Some(room), _) => self.join(room),
            ("publish", Some(room), Some(data)) => self.publish(room, data, request.id),
            ("join" | "publish", ..) => {
                self.answer(Message::from(r#"{"type":"error","code":"bad_request"}"#))
            }
            _ => self.answer(Message::from(r#"{"type":"error","code":"unknown_type"}"#)),
        }
        None
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.rooms.iter().for_each(|(_, room)| room.leave(self.id));
    }
}
