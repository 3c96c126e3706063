//! The raw dialect: a message is its frame, type kept, and nothing is added.

use bytes::Bytes;
use tungstenite::protocol::frame::coding::OpCode;

use crate::id::SessionId;
use crate::message::{Draft, Kind};
use crate::ws::frame;

/// What a member said: the frame that the others read.
pub fn draft(opcode: OpCode, payload: &[u8], exclude: Option<SessionId>) -> Draft {
    let header = frame::header(opcode, payload.len());
    let mut data = Vec::with_capacity(header.len() + payload.len());
    data.extend_from_slice(&header);
    data.extend_from_slice(payload);
    Draft { exclude, ..Draft::new(Kind::Message, Bytes::from(data)) }
}
