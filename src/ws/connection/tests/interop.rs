//! What tungstenite's client sends we read, and what we send it reads.

use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::{CloseFrame, Message, Role, WebSocket};

use super::{Told, tell};
use crate::ws::frame::{CloseCode, Control, Data, OpCode, close, encode, encode_with};
use crate::ws::pipe::Pipe;

/// Payload sizes on both sides of each length encoding.
const SIZES: [usize; 8] = [0, 1, 125, 126, 127, 65_535, 65_536, 69_999];

fn client() -> WebSocket<Pipe> {
    WebSocket::from_raw_socket(Pipe::default(), Role::Client, None)
}

/// What our side tells of what the client has sent, in reads of some sizes.
fn heard(client: &WebSocket<Pipe>) -> Vec<Told> {
    let bytes = &client.get_ref().from_client;
    let told = tell([&bytes[..]]);
    for size in [1_000, 4_096, 65_536] {
        assert!(tell(bytes.chunks(size)) == told, "{size} at a time");
    }
    told
}

#[test]
fn we_read_what_the_client_sends() {
    let mut client = client();
    let mut expected = Vec::new();
    for size in SIZES {
        let text: String = "aé水🍉".chars().cycle().take(size / 4).collect();
        let bytes: Vec<u8> = (0..size).map(|i| (i * 7) as u8).collect();
        client.send(Message::text(text.clone())).unwrap();
        client.send(Message::binary(bytes.clone())).unwrap();
        client.send(Message::Ping(bytes[..size.min(125)].to_vec().into())).unwrap();
        expected.extend([Told::Text(text), Told::Binary(bytes.clone())]);
        expected.push(Told::Ping(bytes[..size.min(125)].to_vec()));
    }
    let reason = CloseFrame { code: CloseCode::Away, reason: "bye".into() };
    client.close(Some(reason)).unwrap();
    expected.push(Told::Close(Some((1001, "bye".to_owned()))));
    assert!(heard(&client) == expected);
}

#[test]
fn we_read_fragments_and_the_pings_between_them() {
    let mut client = client();
    let text = "aé水🍉".repeat(3);
    for (i, piece) in text.as_bytes().chunks(1).enumerate() {
        let opcode = if i == 0 { Data::Text } else { Data::Continue };
        let last = i + 1 == text.len();
        client.send(Message::Frame(Frame::message(piece.to_vec(), OpCode::Data(opcode), last))).unwrap();
        if i == 5 {
            client.send(Message::Ping("between".into())).unwrap();
        }
    }
    assert_eq!(heard(&client), [Told::Ping(b"between".to_vec()), Told::Text(text)]);
}

#[test]
fn the_client_reads_what_we_send() {
    let mut client = client();
    let mut out = Vec::new();
    let mut expected = Vec::new();
    for size in SIZES {
        let text = "x".repeat(size);
        encode(OpCode::Data(Data::Text), text.as_bytes(), &mut out);
        encode_with(OpCode::Data(Data::Binary), &mut out, |out| out.extend_from_slice(text.as_bytes()));
        encode(OpCode::Control(Control::Pong), &text.as_bytes()[..size.min(125)], &mut out);
        expected.extend([Message::text(text.clone()), Message::binary(text.clone().into_bytes())]);
        expected.push(Message::Pong(text.as_bytes()[..size.min(125)].to_vec().into()));
    }
    client.get_mut().to_client.extend(out);
    for message in expected {
        assert!(client.read().unwrap() == message);
    }
}

/// RFC 6455 section 7.1: a close, its echo, and the connection is done.
#[test]
fn the_client_answers_our_close() {
    let mut client = client();
    let mut out = Vec::new();
    close(1001, "retry in 250 ms", &mut out);
    client.get_mut().to_client.extend(out);
    let Message::Close(Some(told)) = client.read().unwrap() else { panic!("no close") };
    assert_eq!((u16::from(told.code), told.reason.as_str()), (1001, "retry in 250 ms"));
    let _ = client.flush();
    assert_eq!(heard(&client), [Told::Close(Some((1001, "retry in 250 ms".to_owned())))]);
}
